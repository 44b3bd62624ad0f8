"""Parameters and answers of `/tasks/{task_id}/exports`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from autotuner.config import LoadLevel
from autotuner.deploy import MOST_REPLICAS, ExportWishes
from autotuner.server.v2.limits_query import Amount
from autotuner.server.v2.routing import Text, View

_LONGEST_POINT, _LONGEST_IMAGE, _LONGEST_PROGRAM, _LONGEST_VERSION = 200, 400, 1000, 60


class ExportQuery(BaseModel):
    """Point, number and form of the engines to deploy; parameters of other names are ignored."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    point: Annotated[Text, Field(max_length=_LONGEST_POINT)] | None = None
    """The point to deploy, `CANDIDATE` or `CANDIDATE@LOAD`; the recommended one where left out.
    `predicted`: the one to expect most of that was never measured, or
    `predicted:CANDIDATE[@LOAD]`; `disagg`: a draft of a prefill and a decode engine."""
    replicas: Annotated[int, Field(ge=1, le=MOST_REPLICAS)] | None = None
    """How many engines; 1 where neither this nor a traffic is given."""
    rate: Amount | None = None
    """Requests per second, in place of `replicas`: as many engines as hold them within the SLO of
    the task, by its measurements."""
    users: Amount | None = None
    """Users at once, in place of `rate`."""
    image: Annotated[Text, Field(max_length=_LONGEST_IMAGE)] | None = None
    """Container image with its tag; the engine's of the measured version where left out."""
    program: Annotated[Text, Field(max_length=_LONGEST_PROGRAM)] | None = None
    """Words that start the engine in that image, where they are not the usual ones."""
    requires_key: bool = False
    """Whether requests must carry a key, which the files take from a secret."""
    target_version: Annotated[Text, Field(max_length=_LONGEST_VERSION)] | None = None
    """Version of the target, or of the engine whose flags have other names; `exports` lists those
    of each format, whichever is given."""

    def wishes(self) -> ExportWishes:
        """The wishes of an export."""
        return ExportWishes(
            self.point,
            self.replicas,
            self.image,
            self.program,
            api_key=self.requires_key,
            rate=self.rate,
            users=self.users,
        )


PARAMETER_OF_WISH = {
    **{name: name for name in ExportQuery.model_fields if name != "requires_key"},
    "api_key": "requires_key",
}
"""Wish, as an error names it -> parameter of the query."""


class ExportFormat(StrEnum):
    """Formats in which a task can be exported."""

    JSON = "json"
    CSV = "csv"
    LANDSCAPE = "landscape"
    FRONTIER = "frontier"
    YAML = "yaml"
    SHELL = "shell"
    DOCKER = "docker"
    COMPOSE = "compose"
    KUBERNETES = "kubernetes"
    LLM_D = "llm-d"
    KSERVE = "kserve"
    DYNAMO = "dynamo"
    SKY = "sky"
    SYSTEMD = "systemd"
    LLAMA_SWAP = "llama-swap"
    CONFIG_FILE = "vllm-config"
    AICONFIGURATOR = "aiconfigurator"


class ExportPointView(View):
    """A point whose engine can be deployed."""

    point: str
    """As `point` takes it: `CANDIDATE@LOAD`."""
    label: str
    """The settings that tell its candidate from the others."""
    load: LoadLevel
    on_frontier: bool
    recommended: bool


class ExportFormatView(View):
    """A format to deploy with."""

    format: str
    title: str
    summary: str
    fits: bool
    why_not: str | None
    """Why it does not fit the engine of the point; null where it does."""
    needs_image: bool
    """Whether it runs a container."""
    one_replica: bool
    """Whether it is of one engine only."""
    versions: list[str]
    """Values that `target_version` takes, the newest first."""


class ExportsView(View):
    """Points of a task and formats for the engine of one of them."""

    point: str
    measured: bool
    """Whether the figures of the point are of launches; false where they are only predicted."""
    points: list[ExportPointView]
    replicas: int
    """How many engines: as many as are wished, or hold the traffic."""
    image: str | None
    """The container image, with its tag; null where none is known."""
    takes_key: bool
    """Whether its requests can be made to carry a key."""
    formats: list[ExportFormatView]


class ExportFileView(View):
    """A file of an export."""

    name: str
    text: str


class ExportFilesView(View):
    """The files of an export, for a look before they are saved."""

    format: str
    point: str
    measured: bool
    """Whether the figures of the point are of launches; false where they are only predicted."""
    files: list[ExportFileView]


EXPORTS = TypeAdapter(ExportsView)
EXPORT_FILES = TypeAdapter(ExportFilesView)
