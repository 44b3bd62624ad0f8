"""The formats by name, in the order of lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autotuner.config import nearest
from autotuner.deploy.deployed_engine import DeployedEngine
from autotuner.deploy.format import DeployFormat
from autotuner.deploy.formats.aiconfigurator import AICONFIGURATOR
from autotuner.deploy.formats.compose import COMPOSE
from autotuner.deploy.formats.config_file import CONFIG_FILE
from autotuner.deploy.formats.docker import DOCKER
from autotuner.deploy.formats.dynamo import DYNAMO
from autotuner.deploy.formats.kserve import KSERVE
from autotuner.deploy.formats.kubernetes import KUBERNETES
from autotuner.deploy.formats.llama_swap import LLAMA_SWAP
from autotuner.deploy.formats.llm_d import LLM_D
from autotuner.deploy.formats.shell import SHELL
from autotuner.deploy.formats.sky import SKY
from autotuner.deploy.formats.systemd import SYSTEMD
from autotuner.errors import ExportError

FORMATS: Mapping[str, DeployFormat] = {
    form.name: form
    for form in (
        *(SHELL, DOCKER, COMPOSE, KUBERNETES, LLM_D, KSERVE, DYNAMO, SKY, SYSTEMD),
        *(LLAMA_SWAP, CONFIG_FILE, AICONFIGURATOR),
    )
}


@dataclass(frozen=True)
class FormatFit:
    """Whether a format fits an engine.

    Attributes:
        why_not: None where it fits.
        versions: of the target, the newest first; none where it does not fit.
    """

    form: DeployFormat
    why_not: str | None
    versions: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """For lists in JSON."""
        return {
            "format": self.form.name,
            "title": self.form.title,
            "summary": self.form.summary,
            "fits": self.why_not is None,
            "why_not": self.why_not,
            "versions": list(self.versions),
        }


def format_fits(engine: DeployedEngine) -> list[FormatFit]:
    """Each format, and whether it fits."""
    found = [(form, form.why_not(engine)) for form in FORMATS.values()]
    return [FormatFit(f, why, () if why else f.versions(engine)) for f, why in found]


def format_named(name: str) -> DeployFormat:
    """The format.

    Raises:
        ExportError: there is none.
    """
    found = FORMATS.get(name)
    if found is None:
        raise ExportError(f"format: {name!r} is unknown; {nearest(name, list(FORMATS))}")
    return found
