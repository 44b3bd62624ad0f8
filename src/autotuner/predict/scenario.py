"""What candidates are predicted for: one model, on one kind of device, with one engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autotuner.catalog import Gpu, ModelFacts
from autotuner.config import Candidate


@dataclass(frozen=True)
class Scenario:
    """The circumstances that all candidates of one question share.

    Attributes:
        model: name as the catalog or the task has it.
        engine, engine_version: as `system.backend` names it; the version may be unknown.
        gpu: the device, with what the task says of it put in place of the catalog's figures; for
            a CPU with what `calibrate-device` measured, where it was measured.
        device: what observations belong to: the GPU's name, or the CPU's with its cores.
        isl, osl: mean tokens of a request.
        osl_spread: standard deviation of output tokens over their mean; with 0 the users of a
            closed loop stay in step.
        requests: measured at a load level, which starts with all its users at once.
        prefix: tokens of the prompt that are cached already.
        defaults: `group.field` -> the engine's value where a candidate says nothing.
    """

    model: str
    facts: ModelFacts
    engine: str
    engine_version: str | None
    gpu: Gpu
    device: str
    isl: float
    osl: float
    prefix: float = 0.0
    osl_spread: float = 0.0
    requests: int | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def value(self, candidate: Candidate, path: str) -> Any:
        """`group.field` of a candidate, else the engine's default; None where neither says."""
        found = candidate.get(path)
        return self.defaults.get(path) if found is None else found

    def width(self, candidate: Candidate, name: str) -> int:
        """`parallel.NAME`; 1 where it is not set."""
        return int(self.value(candidate, f"parallel.{name}") or 1)

    def devices(self, candidate: Candidate) -> int:
        """Devices that a candidate occupies: TP x PP x DP; a CPU counts as one."""
        if self.gpu.is_cpu:
            return 1
        names = ("tensor_parallel", "pipeline_parallel", "data_parallel")
        tensor, pipeline, data = (self.width(candidate, name) for name in names)
        return tensor * pipeline * data
