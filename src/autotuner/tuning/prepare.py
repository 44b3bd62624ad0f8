"""From a task to all that is needed before the first launch: engine, model, workload, space."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotuner.catalog import Device, ResolvedModel, resolve_model, this_device
from autotuner.config import LengthDistribution, Task
from autotuner.engines import DEFAULT_ENGINE, Engine, Installation, engine_named
from autotuner.errors import ConfigError, Problem
from autotuner.search import Budget
from autotuner.space import Setting, Space, build_space

_STARTUP_GUESS_S = 5.0


@dataclass(frozen=True)
class Prepared:
    """A task, resolved on this machine.

    Attributes:
        price_usd_hour: of the whole deployment; 0 where no price is given.
    """

    task: Task
    engine: Engine
    installation: Installation
    model: ResolvedModel
    device: Device
    workload: LengthDistribution
    space: Space
    price_usd_hour: float

    @property
    def budget(self) -> Budget:
        """The task's limits."""
        budget = self.task.optimization.budget
        return Budget(experiments=budget.experiments, minutes=budget.minutes, usd=budget.usd)

    @property
    def launches(self) -> int:
        """How many candidates will be launched at the most."""
        limit = self.task.optimization.budget.experiments
        return min(len(self.space.candidates), limit or len(self.space.candidates))

    def experiment_s_at_most(self) -> float:
        """Seconds of one experiment where every level runs to its time limit."""
        benchmark = self.task.benchmark
        levels = len(benchmark.concurrency) * benchmark.repeats
        return _STARTUP_GUESS_S + levels * benchmark.duration_per_level_s

    def plan_record(self) -> dict[str, Any]:
        """The plan as the store keeps it."""
        return {
            "candidates": len(self.space.candidates),
            "combinations": self.space.combinations,
            "excluded": self.space.excluded,
            "axes": {
                path: [list(v) if isinstance(v, tuple) else v for v in values]
                for path, values in self.task.axes().items()
            },
        }


def prepare(task: Task, *, base: Path, source: str = "task") -> Prepared:
    """Resolves `task` on this machine and generates its space. Nothing is started or written.

    Args:
        base: folder from which relative paths in the task count.

    Raises:
        AutotunerError: whatever stands in the way, before anything runs.
    """
    _refuse_what_cannot_run(task, source)
    engine = engine_named(str(task.fixed().get("system.backend", DEFAULT_ENGINE)))
    workload = _workload(task, source)
    model = resolve_model(task.model, base=base)
    installation = engine.find(task.engine_path)
    device = this_device()
    setting = Setting(
        largest_request_tokens=workload.largest(),
        defaults=engine.table.defaults,
        facts=model.facts,
        memory_gib=device.memory_gib,
    )
    space = build_space(
        task, setting, lambda c: engine.render(c, model, installation), source=source
    )
    price = task.fixed().get("system.price_per_gpu_hour") or 0.0
    gpus = task.fixed().get("system.total_gpus") or 1
    return Prepared(
        task, engine, installation, model, device, workload, space, float(price) * int(gpus)
    )


def _refuse_what_cannot_run(task: Task, source: str) -> None:
    problems = []
    if task.deployment_mode != "local":
        problems.append(
            Problem("deployment_mode", f"{task.deployment_mode!r} cannot be launched; use 'local'")
        )
    if task.profiles:
        problems.append(
            Problem("profiles", f"{task.profiles[0]!r} is unknown: there are no profiles yet")
        )
    problems.extend(
        Problem(path, "cannot be searched; give one value")
        for path in ("system.backend", "system.price_per_gpu_hour", "runtime.isl", "runtime.osl")
        if path in task.axes()
    )
    if problems:
        raise ConfigError(source, tuple(problems))


def _workload(task: Task, source: str) -> LengthDistribution:
    fixed = task.fixed()
    isl, osl = fixed.get("runtime.isl"), fixed.get("runtime.osl")
    if task.benchmark.workload is not None:
        if isl is not None or osl is not None:
            problem = Problem("benchmark.workload", "is given beside runtime.isl or runtime.osl")
            raise ConfigError(source, (problem,), remedy="keep one of the two")
        return task.benchmark.workload
    if isl is None or osl is None:
        missing = "runtime.isl" if isl is None else "runtime.osl"
        raise ConfigError(
            source,
            (Problem(missing, "is missing"),),
            remedy="give runtime.isl and runtime.osl, or benchmark.workload",
        )
    return LengthDistribution(kind="D", input=(isl, isl), output=(osl, osl))
