"""The scenarios of a task: for each region of its space, what a predictor has to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from autotuner.catalog import Gpu, gpu_named, known_model
from autotuner.config import Candidate
from autotuner.predict import Scenario
from autotuner.predict.device_speed import cpu_with_speed, device_speed
from autotuner.space import Region
from autotuner.tuning.prepare import Prepared

Question = tuple[Scenario, tuple[Candidate, ...]]


def scenarios(
    prepared: Prepared,
    home: Path,
    *,
    measure: bool = True,
    warn: Callable[[str], None] | None = None,
) -> tuple[Question, ...]:
    """Every scenario of the task with its candidates, in the order of the space.

    Args:
        home: where the measured speed of this machine's CPU is kept.
        measure: whether a CPU that was not measured yet is measured now, which takes seconds.
        warn: called with the reason why a speed that is kept does not count.
    """
    isl, osl = prepared.workload.mean()
    model = _model_name(prepared)
    found = []
    for region, candidates in prepared.launchable.by_region():
        gpu, device = _device(region, candidates[0], prepared)
        here = gpu.is_cpu and prepared.replay is None
        if here and (speed := device_speed(home, measure=measure, warn=warn)) is not None:
            gpu = cpu_with_speed(gpu, speed)
        scenario = Scenario(
            model=model,
            facts=region.model.facts,
            engine=region.engine.name,
            engine_version=None if prepared.replay else region.installation.version,
            gpu=gpu,
            device=device,
            isl=isl,
            osl=osl,
            prefix=float(candidates[0].runtime.prefix or 0),
            osl_spread=prepared.workload.output_spread(),
            defaults=region.engine.table.defaults,
        )
        found.append((scenario, candidates))
    return tuple(found)


def _model_name(prepared: Prepared) -> str:
    """The catalog's name, whatever name the model is served under."""
    given = prepared.task.model.id
    known = None if given is None else known_model(given)
    return known.id if known is not None else given or prepared.model.name


def _device(region: Region, candidate: Candidate, prepared: Prepared) -> tuple[Gpu, str]:
    """The device with what the task says of it, and the name that observations carry."""
    gpu, here = region.context.gpu or gpu_named("cpu"), prepared.device
    if prepared.replay is not None:
        return gpu, region.context.gpu.name if region.context.gpu else prepared.device_name
    if gpu.is_cpu:
        return replace(gpu, memory_gib=here.memory_gib), f"{here.name}, {here.cores} cores"
    system = candidate.system
    described = replace(
        gpu,
        memory_gib=system.memory_per_gpu or gpu.memory_gib,
        interconnect_gb_s=system.nvlink_bandwidth or gpu.interconnect_gb_s,
    )
    return described, gpu.name
