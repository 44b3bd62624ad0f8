"""Purpose of a first task, and choices where nobody says: engine, lengths, name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Self

from autotuner.catalog import goals, known_model, this_device
from autotuner.config import DescribedGpu, Model
from autotuner.config.optimization import ObjectiveName
from autotuner.engines import DEFAULT_ENGINE, ENGINES, engine_named, engine_table
from autotuner.errors import EngineError

_LENGTHS = {True: (64, 32), False: (1024, 256)}
"""Whether it is a CPU -> tokens of a request in and out."""


@dataclass(frozen=True)
class Asked:
    """Purpose of a first task.

    Attributes:
        engine: name of the engine.
        gpu: name in the catalog, or "cpu".
        gpus: how many there are; 0 on a CPU.
        isl, osl: tokens of a request.
        slo: name of a limit -> ms.
        cores: that engines on this CPU may use.
        described: GPUs that the home describes, by name.
        objectives: of the search.
        profiles: names of profiles that the task is to have.
        most_launches, most_minutes: limits of the budget that the operator sets.
    """

    name: str
    model: Model
    engine: str
    gpu: str
    gpus: int
    isl: int
    osl: int
    slo: Mapping[str, float]
    cores: int
    described: Mapping[str, DescribedGpu] = field(default_factory=dict)
    objectives: tuple[ObjectiveName, ...] = field(
        default_factory=lambda: next(iter(goals().values())).objectives
    )
    profiles: tuple[str, ...] = ()
    most_launches: int | None = None
    most_minutes: float | None = None

    @classmethod
    def of(
        cls,
        model: Model,
        gpu: str,
        gpus: int,
        *,
        name: str | None = None,
        engine: str | None = None,
        engines: Sequence[str] = (),
        isl: int | None = None,
        osl: int | None = None,
        slo: Mapping[str, float] = MappingProxyType({}),
        **more: Any,
    ) -> Self:
        """The same with what nobody says chosen by what is there.

        Args:
            engines: those that may be chosen where none is named; all where left out.
            more: further attributes.

        Raises:
            EngineError: no such engine.
        """
        on_cpu = gpus == 0
        usual_isl, usual_osl = _LENGTHS[on_cpu]
        chosen = _engine_for(model, engines or tuple(ENGINES), on_cpu=on_cpu)
        return cls(
            name=name or _name_of(model),
            model=model,
            engine=engine_named(chosen if engine is None else engine).name,
            gpu=gpu,
            gpus=gpus,
            isl=isl or usual_isl,
            osl=osl or usual_osl,
            slo=slo,
            cores=this_device().cores,
            **more,
        )

    @property
    def on_cpu(self) -> bool:
        """Whether there is no GPU."""
        return self.gpus == 0

    @property
    def devices(self) -> str:
        """The devices, for people."""
        return "this CPU" if self.on_cpu else f"{self.gpus} x {self.gpu}"


def for_engines(asked: Asked, engines: Sequence[str]) -> list[Asked]:
    """The same for each engine, each once; for all that can serve the model where none is named.

    Raises:
        EngineError: no such engine.
    """
    names = engines or engines_for(asked.model, on_cpu=asked.on_cpu)
    return [replace(asked, engine=engine_named(name).name) for name in dict.fromkeys(names)]


def _name_of(model: Model) -> str:
    given = (model.id or model.path or "").rstrip("/").rpartition("/")[2]
    name = re.sub(r"[^A-Za-z0-9.]+", "-", given.removesuffix(".gguf"))
    return name.strip("-").lower() or "task"


def engines_for(model: Model, *, on_cpu: bool) -> tuple[str, ...]:
    """The engines that serve the model's format and compute there; all where none does both."""
    fitting = tuple(name for name in ENGINES if _serves(name, model, on_cpu=on_cpu))
    return fitting or tuple(ENGINES)


def _serves(name: str, model: Model, *, on_cpu: bool) -> bool:
    known = known_model(model.id or "")
    file = model.path or (known.file if known is not None else None) or ""
    wanted = "gguf" if file.endswith(".gguf") else "folder"
    table = engine_table(name)
    scheduler = table.file.scheduler
    computes = not on_cpu or (scheduler is not None and scheduler.cpu is not None)
    return table.model_format == wanted and computes


def _engine_for(model: Model, engines: Sequence[str], *, on_cpu: bool) -> str:
    """The engine that serves the model's format and computes there; one that is installed, first.

    The embedded engine is preferred on a CPU, any other on GPUs.
    """

    def rank(name: str) -> tuple[bool, bool, bool, int]:
        return (
            not _serves(name, model, on_cpu=on_cpu),
            (name == DEFAULT_ENGINE) is not on_cpu,
            not _is_here(name),
            engines.index(name),
        )

    return min(engines, key=rank)


def _is_here(engine: str) -> bool:
    try:
        engine_named(engine).find(None)
    except EngineError:
        return False
    return True
