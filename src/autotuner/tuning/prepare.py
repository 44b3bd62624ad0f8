"""From a task to all that is needed before the first launch: engine, model, workload, space."""

from __future__ import annotations

import functools
import statistics
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autotuner.catalog import Device, ResolvedModel, resolve_model, this_device
from autotuner.config import LengthDistribution, LoadLevel, ReplayConfig, TaskConfig
from autotuner.errors import EngineError
from autotuner.landscapes import RecordedRegion, Replay, match
from autotuner.launch import ClusterCapacity
from autotuner.launch.replay import STARTUP_S
from autotuner.profiles import ProfileRegistry, TaskContext, builtin_registry
from autotuner.search import Budget
from autotuner.space import MAX_COMBINATIONS, Region, Space, SpaceContext, build_space
from autotuner.tuning.baseline import PLANNED, Baseline, baseline_of, baseline_record
from autotuner.tuning.checks import (
    refuse_cost_without_price,
    refuse_prefixes,
    refuse_sharing_a_cpu,
    refuse_unlaunchable,
)
from autotuner.tuning.expected_starts import AssumedStart, ExpectedStart, KnownStarts
from autotuner.tuning.load_levels import LEVELS, load_levels
from autotuner.tuning.replay import (
    as_replayed,
    read_table,
    replayed_model,
    replayed_variants,
)
from autotuner.tuning.resolve import Variant, resolve, workload_of

_LENGTH = "memory.max_model_len"
CONFIRMING = "confirm_launches"
"""Key in a task's plan: how many launches are kept for the end."""


@dataclass(frozen=True)
class Prepared:
    """A task, resolved on this machine.

    Attributes:
        task: with the load levels that are measured, whether it gives them or not.
        content_id: of the task as it was written: load levels that it leaves out are not in it.
        levels_why: why these load levels; empty where the task gives them.
        price_usd_hour: of the whole deployment; 0 where no price is given.
        replay: what is recorded of the candidates, where they are not launched.
        known_starts: how its engine started before; None where that is not known.
        baseline: what is launched first; None where nothing is, and `baseline_why` says why.
        confirms: whether launches are kept for the end, to confirm the result.
        cluster_capacity: of its cluster; None where it uses none, or that was not asked.
    """

    task: TaskConfig
    variants: tuple[Variant, ...]
    model: ResolvedModel
    device: Device
    workload: LengthDistribution
    space: Space
    price_usd_hour: float
    replay: Replay | None = None
    content_id: str = ""
    levels_why: str = ""
    base: Path | None = None
    known_starts: KnownStarts | None = None
    baseline: Baseline | None = None
    baseline_why: str = ""
    confirms: bool = False
    cluster_capacity: ClusterCapacity | None = None

    @functools.cached_property
    def launchable(self) -> Space:
        """Everything that may be launched: the space, and the baseline where it is beside it."""
        if self.baseline is None or self.baseline.candidate.id in self.space.specs:
            return self.space
        place = (self.baseline.candidate, self.baseline.region)
        return replace(self.space, places=(*self.space.places, place))

    @property
    def engine_name(self) -> str:
        """The engine's name; all names where a task compares several."""
        return ", ".join(dict.fromkeys(v.engine.name for v in self.variants))

    @property
    def engine_version(self) -> str:
        """The engine's version, in the order of the names."""
        return ", ".join(dict.fromkeys(v.installation.version for v in self.variants))

    @property
    def engine_origin(self) -> str:
        """Where the engine was found."""
        return ", ".join(dict.fromkeys(v.installation.origin for v in self.variants))

    @property
    def axes(self) -> dict[str, list[Any]]:
        """`group.field` -> the values that differ among candidates, in their order."""
        found: dict[str, list[Any]] = {}
        for candidate in self.space.candidates:
            for path, value in candidate.settings().items():
                values = found.setdefault(path, [])
                if value not in values:
                    values.append(value)
        searched = {p for v in self.variants for p in v.config.settings if self._differs(v, p)}
        return {p: values for p, values in found.items() if p in searched and len(values) > 1}

    def _differs(self, variant: Variant, path: str) -> bool:
        value = variant.config.settings.get(path)
        return isinstance(value, list) or any(
            other.config.settings.get(path) != value for other in self.variants
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """Settings that profiles want and the engine cannot express."""
        return tuple(dict.fromkeys(w for v in self.variants for w in v.config.warnings))

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on facts of the model that are unknown and on lengths lowered so that it starts."""
        lowered = []
        for variant in self.variants:
            length = variant.config.settings.get(_LENGTH)
            lengths = [o for o in variant.config.provenance.get(_LENGTH, ()) if o.status == "set"]
            if length is not None and lengths and lengths[-1].origin == "base":
                lowered.append(f"{_LENGTH} is {length}: {lengths[-1].why}")
        return (*self.model.notes, *dict.fromkeys(lowered))

    @property
    def budget(self) -> Budget:
        """The task's limits, of its experiments without those that confirm the result."""
        budget = self.task.optimization.budget
        kept = self.confirm_launches
        experiments = budget.experiments and budget.experiments - kept
        return Budget(experiments, budget.minutes, budget.usd, is_part=kept > 0)

    @property
    def confirm_launches(self) -> int:
        """How many launches are kept for the end, by the budget as it is now."""
        return self.task.optimization.confirm_launches() if self.confirms else 0

    @property
    def launches(self) -> int:
        """How many candidates will be launched at the most."""
        limit = self.budget.experiments
        return min(len(self.space.candidates), limit or len(self.space.candidates))

    @property
    def engine_starts(self) -> int:
        """Launches at the most: of candidates, of the baseline, and those that confirm."""
        return self.launches + self.baseline_launches + self.confirm_launches

    @property
    def baseline_launches(self) -> int:
        """1 where the baseline is none of the candidates, else 0."""
        return len(self.launchable.places) - len(self.space.places)

    @property
    def total_gpus(self) -> int:
        """GPUs that launches may occupy together; none on a CPU."""
        context = self.variants[0].context
        return 0 if context.gpu is None else context.gpus

    @functools.cached_property
    def side_by_side(self) -> int:
        """How many engines may run at once: as many as are asked for and there is room for."""
        asked = self.task.optimization.parallel_launches
        narrowest = min(self.space.candidates, key=lambda candidate: candidate.gpus)
        there = self.cluster_capacity or ClusterCapacity((self.total_gpus,), on_cpus=1)
        gpus = max(narrowest.gpus, 1) if self.total_gpus else 0
        room = max(there.launches(gpus, self.space.specs[narrowest.id].nodes), 1)
        return room if asked == "auto" else min(asked, room)

    @property
    def usd_per_gpu_hour(self) -> float | None:
        """Price of one device; None where neither the task nor the catalog tells."""
        return self.price_usd_hour / max(self.variants[0].context.gpus, 1) or None

    def share(self, gpus: int) -> float:
        """The part of the wall time of its launch that an engine on `gpus` GPUs costs.

        1 where engines run one after the other; less where others run beside it.
        """
        at_once = self.side_by_side
        return 1.0 if at_once == 1 else max(1 / at_once, gpus / max(self.total_gpus, 1))

    @property
    def device_name(self) -> str:
        """Device that the task runs on: its GPUs, else this machine's CPU."""
        context = self.variants[0].context
        if context.gpu is None or context.gpu.is_cpu:
            recorded = self.replay and (self.replay.landscape.device or "an unknown device")
            return recorded or str(self.device)
        return f"{context.gpus} x {context.gpu.name}"

    def levels(self, candidate_id: str) -> tuple[LoadLevel, ...]:
        """The load levels that a launch of a candidate measures."""
        levels = self.task.benchmark.levels
        if self.replay is None:
            return levels
        recorded = {level.load for level in self.replay.launches[candidate_id].levels}
        return tuple(level for level in levels if level in recorded)

    def expected_start(self, candidate_id: str) -> ExpectedStart:
        """Time until the engine of a launch is ready, before this task has seen it start."""
        if self.replay is not None:
            recorded_s = self.replay.launches[candidate_id].startup_s
            return ExpectedStart(STARTUP_S if recorded_s is None else recorded_s, "recorded")
        if self.known_starts is not None:
            return self.known_starts.expected(candidate_id)
        return self._assumed_start.expected()

    @property
    def _assumed_start(self) -> AssumedStart:
        first = self.variants[0]
        gpu = first.context.gpu
        compiles = gpu is not None and not gpu.is_cpu and bool(first.engine.table.file.caches)
        return AssumedStart(self.model.facts.weights_gib() or 0.0, compiles)

    @functools.cached_property
    def startup_guess_s(self) -> float:
        """Seconds until the engine is ready, on average over what may be launched."""
        if self.replay is not None:
            ids = list(self.replay.launches)
        elif self.known_starts is not None:
            ids = [candidate.id for candidate in self.launchable.candidates]
        else:
            ids = [""]
        return statistics.fmean(self.expected_start(key).seconds for key in ids)

    @property
    def startup_why(self) -> str:
        """Where `startup_guess_s` is from."""
        if self.replay is not None:
            return "as recorded"
        if self.known_starts is None:
            return self._assumed_start.why
        return self.known_starts.why(c.id for c in self.launchable.candidates)

    def experiment_s_at_most(self) -> float:
        """Seconds of one experiment where every level runs to its time limit."""
        benchmark = self.task.benchmark
        levels = len(benchmark.levels) * benchmark.repeats
        return self.startup_guess_s + levels * benchmark.duration_per_level_s

    def plan_record(self) -> dict[str, Any]:
        """The plan as the store keeps it."""
        return {
            "candidates": len(self.space.candidates),
            PLANNED: baseline_record(self.baseline),
            "baseline_launches": self.baseline_launches,
            **({CONFIRMING: self.confirm_launches} if self.confirms else {}),
            "combinations": self.space.combinations,
            "excluded": self.space.excluded,
            "axes": self.axes,
            "usd_per_gpu_hour": self.usd_per_gpu_hour,
            "price_usd_hour": self.price_usd_hour,
            LEVELS: [level.to_json() for level in self.task.benchmark.levels],
        }


def prepare(
    task: TaskConfig,
    *,
    base: Path,
    source: str = "task",
    registry: ProfileRegistry | None = None,
    most: int = MAX_COMBINATIONS,
) -> Prepared:
    """Resolves `task` on this machine and generates its space. Nothing is started or written.

    Args:
        base: folder from which relative paths in the task count.
        registry: profiles that the task may name; the built-in ones where left out.
        most: combinations of its axes that are not too many.

    Raises:
        AutotunerError: whatever stands in the way, before anything runs.
    """
    refuse_unlaunchable(task, source)
    if task.replay is not None:
        return _prepare_replay(task, task.replay, base, source)
    workload = workload_of(task, source)
    model = resolve_model(task.model, base=base)
    device = this_device()
    variants = resolve(task, model, workload, registry or builtin_registry(), source=source)
    refuse_prefixes(variants, source)
    refuse_sharing_a_cpu(variants, task, source)
    regions = [_region(variant, model, workload, device) for variant in variants]
    space = build_space(regions, source=source, most=most)
    baseline, why_none = baseline_of(task.optimization, regions, source)
    price = _price_usd_hour(variants[0].context, task)
    refuse_cost_without_price(price, task, source)
    content_id, why = task.content_id, ""
    if not task.benchmark.levels:
        chosen = load_levels(space, variants, task.slo_limits())
        task, why = task.at_levels(chosen.values), chosen.why
    return Prepared(
        task,
        variants,
        model,
        device,
        workload,
        space,
        price,
        content_id=content_id,
        levels_why=why,
        base=base,
        baseline=baseline,
        baseline_why=why_none,
        confirms=True,
    )


def _prepare_replay(task: TaskConfig, replay: ReplayConfig, base: Path, source: str) -> Prepared:
    landscape, checksum = read_table(task, replay, base=base, source=source)
    matched = match(task, landscape, source=source)
    replayed = as_replayed(task, landscape, matched, checksum)
    model = replayed_model(replayed, landscape, base=base)
    workload, device = workload_of(replayed, source), this_device()
    launches = {candidate.id: launch for candidate, launch in matched.launches}
    variants = replayed_variants(matched, model)
    price = _price_usd_hour(variants[0][0].context, task)
    refuse_cost_without_price(price, task, source)
    regions: dict[str, Region] = {}
    for variant, candidate_ids in variants:
        region = RecordedRegion.of(_region(variant, model, workload, device), launches)
        regions |= dict.fromkeys(candidate_ids, region)
    return Prepared(
        task=replayed,
        variants=tuple(variant for variant, _ in variants),
        model=model,
        device=device,
        workload=workload,
        space=Space(
            places=tuple((found, regions[found.id]) for found, _ in matched.launches),
            combinations=len(landscape.launches),
            excluded=dict(matched.excluded),
        ),
        price_usd_hour=price,
        replay=Replay(landscape, launches),
        content_id=replayed.content_id,
        base=base,
        baseline_why="a replay launches nothing but what is recorded",
    )


def require_installed(prepared: Prepared) -> None:
    """Raises where an engine of the task is not on this machine in the version asked for.

    A replay needs none.

    Raises:
        EngineError: with what to install.
    """
    for variant in prepared.variants if prepared.replay is None else ():
        if variant.installation.found:
            continue
        here = variant.engine.find(prepared.task.engine_path)
        raise EngineError(
            f"system.backend_version: {variant.engine.name} {variant.installation.version} is "
            f"asked for, {here.version} is installed",
            remedy="leave backend_version out, or name the other installation in engine_path",
        )


def _region(
    variant: Variant, model: ResolvedModel, workload: LengthDistribution, device: Device
) -> Region:
    context, engine = variant.context, variant.engine
    on_gpu = context.gpu is not None and not context.gpu.is_cpu
    setting = SpaceContext.of(
        engine,
        variant.installation.version,
        model.facts,
        request_tokens=workload.largest(),
        prompt_tokens=workload.largest_input(),
        gpu=context.gpu,
        memory_gib=context.gpu_memory_gib if on_gpu else device.memory_gib,
        gpus=context.total_gpus,
        gpus_per_node=variant.installation.gpus_per_node,
    )
    return Region(
        variant.config.settings,
        variant.user,
        setting,
        engine,
        model,
        variant.installation,
    )


def _price_usd_hour(context: TaskContext, task: TaskConfig) -> float:
    """USD per hour of the whole deployment: the task's price, else the catalog's."""
    listed = context.gpu.price_usd_hour if context.gpu is not None else None
    price = task.fixed().get("system.price_per_gpu_hour", listed)
    return float(price or 0.0) * max(context.gpus, 1)
