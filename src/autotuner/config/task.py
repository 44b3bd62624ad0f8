"""The task file: the document that a user writes."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import Field, ValidationInfo, model_validator

from autotuner.config.axes import (
    GROUP_NAMES,
    AttentionAxes,
    GroupAxes,
    MemoryAxes,
    MiscAxes,
    ParallelAxes,
    QuantizationAxes,
    RuntimeAxes,
    SchedulingAxes,
    SystemAxes,
)
from autotuner.config.benchmark import Benchmark
from autotuner.config.candidate import content_id
from autotuner.config.containers import DockerConfig
from autotuner.config.deployment import RayConfig, ReplayConfig
from autotuner.config.described_gpu import DescribedGpu
from autotuner.config.document import (
    STORED,
    Bool,
    Document,
    field_faults,
)
from autotuner.config.extensions import DeploymentMode, PredictorName
from autotuner.config.load_level import LoadLevel
from autotuner.config.optimization import ObjectiveName, Optimization
from autotuner.config.slo import NEEDS_TPOT, Slo

PredictionMode = Literal["auto", "SILICON", "HYBRID", "EMPIRICAL", "SOL"]

ONE_TOKEN_OBJECTIVES: tuple[ObjectiveName, ...] = ("requests_per_s_per_gpu", "ttft_ms")
"""Objectives of a task that leaves them out and whose answers have one token each."""

_ADDED_FIELDS = (("benchmark", "load"), ("scheduling", "receive_interval"))
"""Fields that came later: left out, they change no content id, so runs of before go on."""
_OF_THE_CLUSTER = RayConfig.model_fields.keys() - {"gpus_per_node"}
"""Fields of `ray` that say where a launch runs, and nothing of the launch."""


class Model(Document):
    """The model to serve: an `id` from the catalog, or a `path` on this machine."""

    id: str | None = None
    """Name in the catalog (`smollm2-135m`) or on a hub."""
    path: str | None = None
    """A GGUF file or a model folder; relative to the task file."""
    revision: str | None = None
    """Revision on the hub; a blank one counts as left out."""
    served_name: str | None = None
    """The name that clients send in `model`; a blank one counts as left out."""

    @model_validator(mode="before")
    @classmethod
    def _blank_is_left_out(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        blank = {name for name in ("revision", "served_name") if _is_blank(value.get(name))}
        return {name: given for name, given in value.items() if name not in blank}

    @model_validator(mode="after")
    def _one_given(self, info: ValidationInfo) -> Model:
        blank = [name for name, given in self if _is_blank(given)]
        if blank and info.context != STORED:
            raise field_faults(
                [((name,), "is empty: say which, or leave it out") for name in blank]
            )
        named = ((name, given or "") for name, given in self if name != "path")
        unfit = [((name,), why) for name, given in named if (why := _why_unfit(given))]
        if unfit and info.context != STORED:
            raise field_faults(unfit)
        if self.id is None and self.path is None:
            message = "give an id from the catalog, or the path of a model on this machine"
            raise field_faults([(("id",), message)])
        return self


def _is_blank(given: Any) -> bool:
    return isinstance(given, str) and not given.strip()


def _why_unfit(name: str) -> str | None:
    if name.startswith("-"):
        return f"{name!r} begins with a dash, so that engines take it for a flag: name it otherwise"
    if not name.isprintable():
        return f"{name!r} holds a character that is not shown: name it otherwise"
    return None


AS_RECORDED = Model(id="as recorded")
"""The model of a replay that leaves it to the table."""


class PredictionConfig(Document):
    """Prediction before a launch; it changes nothing that is measured."""

    predictor: PredictorName = "auto"
    """`auto`: the mean of aiconfigurator and roofline where both can tell, else roofline."""
    mode: PredictionMode = "auto"
    """Data that aiconfigurator and AISimulate answer from; `auto`: the first in this order that has
    an answer."""
    calibrate: Bool = True
    """Whether what was measured before corrects the predictor."""


class Combination(Document):
    """Settings that are tried together, in the groups of a task; a list inside is tried in full."""

    runtime: RuntimeAxes = RuntimeAxes()
    system: SystemAxes = SystemAxes()
    parallel: ParallelAxes = ParallelAxes()
    quantization: QuantizationAxes = QuantizationAxes()
    memory: MemoryAxes = MemoryAxes()
    scheduling: SchedulingAxes = SchedulingAxes()
    attention: AttentionAxes = AttentionAxes()
    misc: MiscAxes = MiscAxes()

    def settings(self) -> dict[str, Any]:
        """`group.field` -> value, or list of values, of every field that is set."""
        return {
            f"{group}.{field}": value
            for group in GROUP_NAMES
            for field, value in getattr(self, group).given().items()
        }


_LAUNCHERS_BLOCKS = ("replay", "docker", "ray")
"""Blocks of a task that belong to one launcher each, of the same name."""
_NOT_SEARCHED = (
    *("budget", "min_gain", "levels", "parallel_launches", "baseline", "mine", "confirm"),
)
"""Fields of `optimization` that leave the search as it is."""


class TaskConfig(Combination):
    """A tuning task, version 2."""

    version: Literal[2]
    """Version of the document's form."""
    name: str = Field(min_length=1, max_length=200)
    """Name of the task in lists and reports."""
    description: str = ""
    """Free text, kept and shown."""
    deployment_mode: DeploymentMode = "local"
    """The launcher that starts the engines: `local` on this machine, `docker` in containers, `ray`
    on the nodes of a Ray cluster; `replay` takes recorded launches in their place. Packages may
    add others."""
    replay: ReplayConfig | None = None
    """The recorded table that `deployment_mode: replay` replays."""
    docker: DockerConfig | None = None
    """How `deployment_mode: docker` starts engines; all of it may be left out."""
    ray: RayConfig | None = None
    """The cluster that `deployment_mode: ray` launches on; all of it may be left out."""
    model: Model
    """May be left out in a replay: the table tells it."""
    engine_path: str | None = None
    """The engine's program; what is on PATH, or the embedded one, where left out. In a container it
    is the image's."""
    gpus: dict[str, DescribedGpu] = Field(default_factory=dict)
    """GPUs by their facts, for names in `system.gpu_type` that the catalog lacks; a name of the
    catalog is described anew."""
    profiles: tuple[str, ...] = ()
    """Names of profiles, applied in order; what the task itself says always wins."""
    combinations: tuple[Combination, ...] = ()
    """Alternatives: each is joined with the rest of the task, instead of all with all."""
    optimization: Optimization = Optimization()
    """How to search, and for what."""
    benchmark: Benchmark = Benchmark()
    """How each candidate is measured."""
    slo: Slo = Slo()
    """Limits that the served point has to meet."""
    prediction: PredictionConfig = PredictionConfig()
    """Prediction before a launch."""
    metadata: dict[str, Any] = Field(default_factory=dict)
    """Your own notes, kept as they are."""

    @model_validator(mode="before")
    @classmethod
    def _model_is_recorded(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("deployment_mode") == "replay":
            return {"model": AS_RECORDED, **value}
        return value

    @model_validator(mode="after")
    def _launches_as_its_mode_says(self) -> TaskConfig:
        if self.deployment_mode == "replay" and self.replay is None:
            message = "is missing; give the recorded table to replay"
            raise field_faults([(("replay", "landscape"), message)])
        for mode in _LAUNCHERS_BLOCKS:
            if self.deployment_mode != mode and getattr(self, mode) is not None:
                message = f"is given; say deployment_mode: {mode}, or leave it out"
                raise field_faults([((mode,), message)])
        return self

    @model_validator(mode="after")
    def _given_once(self) -> TaskConfig:
        own = set(self.settings()) if self.combinations else set()
        faults: list[tuple[tuple[str | int, ...], str]] = [
            (("combinations", index, *path.split(".")), "the task itself says it too; keep one")
            for index, combination in enumerate(self.combinations)
            for path in sorted(own & set(combination.settings()))
        ]
        if faults:
            raise field_faults(faults)
        return self

    @model_validator(mode="after")
    def _asks_for_what_exists(self) -> TaskConfig:
        if self.one_token:
            limits: dict[str, float | None] = {
                f"slo.{name}": limit
                for name, limit in self.slo.limits().items()
                if name in NEEDS_TPOT
            }
            limits["runtime.tpot_target"] = self.fixed().get("runtime.tpot_target")
            asked = [(path, f"{limit:g} ms") for path, limit in limits.items() if limit]
            objectives = [name for name in self.objectives if name in NEEDS_TPOT]
            asked += [("optimization.objectives", name) for name in objectives]
            faults = [
                (
                    tuple(path.split(".")),
                    f"{given}: there is no TPOT where every answer has one token (osl 1); leave it "
                    "out, or take ttft_ms, e2e_p90_ms, requests_per_s or requests_per_s_per_gpu",
                )
                for path, given in asked
            ]
            if faults:
                raise field_faults(faults)
        return self

    @property
    def launcher_options(self) -> Document | None:
        """The block of its launcher's name; None where it has none."""
        mode = self.deployment_mode
        return getattr(self, mode) if mode in _LAUNCHERS_BLOCKS else None

    @property
    def containers(self) -> DockerConfig | None:
        """How engines run in containers; None where they do not."""
        return (self.docker or DockerConfig()) if self.deployment_mode == "docker" else None

    @property
    def one_token(self) -> bool:
        """Whether every answer has one token: prompts are read, and nothing is decoded."""
        workload = self.benchmark.workload
        if workload is not None:
            return workload.largest_output() <= 1
        return self.fixed().get("runtime.osl") == 1

    @property
    def objectives(self) -> tuple[ObjectiveName, ...]:
        """Objectives of the search: as given, else those that the workload's answers have."""
        if self.one_token and "objectives" not in self.optimization.model_fields_set:
            return ONE_TOKEN_OBJECTIVES
        return self.optimization.objectives

    @property
    def compared(self) -> tuple[str, ...]:
        """Objectives and SLO limits: a point without one of these quantities takes no part."""
        return (*self.objectives, *self.slo_limits())

    @property
    def mean_isl(self) -> float | None:
        """Mean input tokens of a request; None where the document does not fix them."""
        workload = self.benchmark.workload
        found = self.fixed().get("runtime.isl") if workload is None else workload.mean()[0]
        return None if found is None else float(found)

    def at_levels(self, levels: Iterable[LoadLevel]) -> TaskConfig:
        """The same task at these load levels."""
        other = self.model_copy(update={"benchmark": self.benchmark.at_levels(levels)})
        other.__dict__.pop("content_id", None)  # a copy has what was cached of the original
        return other

    def group(self, name: str) -> GroupAxes:
        """One of the eight groups."""
        group: GroupAxes = getattr(self, name)
        return group

    def axes(self) -> dict[str, list[Any]]:
        """`group.field` -> values, for every field that is searched."""
        return {
            f"{group}.{field}": values
            for group in GROUP_NAMES
            for field, values in self.group(group).axes().items()
        }

    def fixed(self) -> dict[str, Any]:
        """`group.field` -> value, for every field that is set and not searched."""
        return {
            f"{group}.{field}": value
            for group in GROUP_NAMES
            for field, value in self.group(group).given().items()
            if not isinstance(value, list)
        }

    def slo_limits(self) -> dict[str, float]:
        """SLO limits in ms; the runtime group's targets count where `slo` is silent."""
        targets = {
            "ttft_ms": self.fixed().get("runtime.ttft_target"),
            "tpot_ms": self.fixed().get("runtime.tpot_target"),
        }
        return {k: v for k, v in targets.items() if v is not None} | self.slo.limits()

    def written(self) -> dict[str, Any]:
        """The document as written: what is set, own names only, JSON values."""
        return self.model_dump(mode="json", exclude_none=True, exclude_defaults=True) | {
            "version": 2
        }

    @functools.cached_property
    def content_id(self) -> str:
        """A hash of all that decides what is launched and how it is measured.

        The name, the description, the SLO, the prediction, facts of GPUs, the baseline, and what
        says when to end and how many to launch at once take no part: a run goes on, and repeats
        nothing, when only they change.
        A replay's table counts by its checksum, wherever it lies.
        """
        excluded: dict[str, bool | set[str]] = {
            "name": True,
            "description": True,
            "metadata": True,
            "slo": True,
            "prediction": True,
            "gpus": True,
            "ray": self.ray is None or self.ray.gpus_per_node is None or {*_OF_THE_CLUSTER},
            "optimization": {*_NOT_SEARCHED},
            "replay": {"landscape"},
            "docker": True if self.docker is None else {"pull"},
        }
        for group, field in _ADDED_FIELDS:
            if getattr(getattr(self, group), field) is None:
                excluded |= {group: {field}}
        return content_id(self.model_dump(mode="json", exclude=excluded))
