"""Replicas that a task knows of: measured by its launches, or predicted for its candidates."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autotuner.catalog import gpu_named, known_gpu
from autotuner.catalog.gpus import CPU
from autotuner.catalog.gpus import gpus as known_gpus
from autotuner.config import (
    LoadKind,
    PredictionMode,
    TaskConfig,
    kind_of_levels,
    parse_stored_task,
)
from autotuner.errors import AutotunerError
from autotuner.measure import Measurement
from autotuner.predict import Prediction
from autotuner.predict.predictor import interval80, latency_ms, limit_interval80
from autotuner.search import is_usable
from autotuner.sizing import LoadCurve, Replica, ReplicaLevel, ValueInterval
from autotuner.store import ExperimentRecord, Store, TaskRecord
from autotuner.tuning.baseline import PHASE
from autotuner.tuning.estimate import estimate_plan
from autotuner.tuning.forecast import forecast_of
from autotuner.tuning.host_command import planned_command, stored_command
from autotuner.tuning.operating_points import MeasuredLevel, measured_levels
from autotuner.tuning.points import interval95, occupied_gpus
from autotuner.tuning.predicted_tasks import MEASURED, Known, ladder
from autotuner.tuning.prepare import Prepared
from autotuner.tuning.replay import as_asked
from autotuner.tuning.resources import field_values, resource_request

Resolve = Callable[[TaskConfig], Prepared]
"""Resolves a task on this machine; raises an `AutotunerError` where it cannot be used."""
_ALL = "all"
_GPU = "system.gpu_type"


@dataclass(frozen=True)
class KnownReplica:
    """A candidate as a replica, with what a reader wants to know of it.

    Attributes:
        gpus: 0 on a CPU.
        is_baseline: whether it is the baseline of its task, and so no candidate.
    """

    replica: Replica
    gpu: str
    engine: str
    candidate: str
    settings: Mapping[str, Any]
    gpus: int
    command: str
    is_baseline: bool = False

    def occupied(self, replicas: int) -> int:
        """GPUs of so many; none on a CPU."""
        return self.gpus * replicas


@dataclass(frozen=True)
class KnownReplicas:
    """Replicas of one task.

    Attributes:
        refused: GPU -> why nothing is predicted there.
        left_out: candidates of which no level is an operating point.
        notes: what a reader has to know of the figures.
    """

    found: tuple[KnownReplica, ...]
    refused: Mapping[str, str]
    left_out: int = 0
    notes: tuple[str, ...] = ()


def measured_replicas(
    experiments: Iterable[ExperimentRecord],
    *,
    gpu: str,
    engine: str,
    slo: Mapping[str, float],
    usd_per_gpu_hour: float | None,
    command_of: Callable[[ExperimentRecord], str] = lambda one: one.command,
) -> KnownReplicas:
    """The launches of a stored task that succeeded, level by level.

    Args:
        gpu: name of its device.
        engine: of experiments that name none.
        command_of: the line that starts what an experiment launched.
    """
    found: list[KnownReplica] = []
    left_out, disturbed = 0, 0
    for one in experiments:
        if one.status != "completed":
            continue
        gpus = occupied_gpus(one.settings)
        levels = list(_steady(measured_levels(one, one.candidate_id, gpus)))
        is_baseline = one.phase == PHASE
        if not levels:
            left_out += not is_baseline
            continue
        disturbed += sum(any(m.is_disturbed for m in level.repeats) for level in levels)
        repeats = [measurement for level in levels for measurement in level.repeats]
        replica = Replica(
            (gpu, PHASE if is_baseline else one.candidate_id),
            max(gpus, 1),
            LoadCurve(tuple(_measured(level, slo) for level in levels)),
            *_lengths(repeats),
            usd_per_gpu_hour,
        )
        name = str(one.settings.get("system.backend", engine))
        found.append(
            KnownReplica(
                replica,
                gpu,
                name,
                one.candidate_id,
                one.settings,
                gpus,
                command_of(one),
                is_baseline=is_baseline,
            )
        )
    notes = [f"measured levels that others on the machine disturbed: {disturbed}"] * bool(disturbed)
    return KnownReplicas(tuple(found), {}, left_out, tuple(notes))


def stored_replicas(
    store: Store, record: TaskRecord, task: TaskConfig, wishes: ReplicaWishes
) -> KnownReplicas:
    """Replicas by the launches of a stored task; the price is the one that it began with, where no
    other is wished."""
    experiments = store.experiments(record.id)
    gpu = measured_gpu(task, experiments)
    given = wishes.price(gpu)
    return measured_replicas(
        experiments,
        gpu=gpu,
        engine=record.engine,
        slo=wishes.slo,
        usd_per_gpu_hour=record.plan.get("usd_per_gpu_hour") if given is None else given,
        command_of=lambda one: stored_command(one, record, task),
    )


def replicas_within_slo(store: Store, record: TaskRecord) -> KnownReplicas:
    """Replicas by the launches of a stored task, for its own SLO."""
    task = parse_stored_task(record.config, source=f"task {record.id}")
    return stored_replicas(store, record, task, ReplicaWishes(task.slo_limits()))


def measured_gpu(task: TaskConfig, experiments: Iterable[ExperimentRecord]) -> str:
    """The GPU of launches, by its own name, or "cpu".

    Of a replay it is the one that was recorded, which the task itself need not name.
    """
    named = (one.settings.get(_GPU) for one in experiments if one.status == "completed")
    word = next((str(name) for name in named if name is not None), None)
    if word is None:
        return resource_request(task).gpu or CPU
    gpu = known_gpu(word, task.gpus)
    return word if gpu is None else gpu.name


def _steady(levels: Iterable[MeasuredLevel]) -> Iterator[MeasuredLevel]:
    """The levels up to the first that is no operating point: beyond it nothing is held."""
    for level in levels:
        if level.point is None:
            return
        yield level


def _measured(level: MeasuredLevel, slo: Mapping[str, float]) -> ReplicaLevel:
    point = level.point
    assert point is not None  # noqa: S101 - only operating points come here
    rate = statistics.median(m.requests_s for m in level.repeats)
    e2e = [m.e2e_ms.mean for m in level.repeats if m.e2e_ms is not None]
    latencies = {}
    for name in dict.fromkeys(("ttft_ms", "tpot_ms", *slo)):
        value = getattr(point, name)
        if value is not None:
            low, high = interval95(level.repeats, name) or (value, value)
            latencies[name] = ValueInterval(value, low, high)
    return ReplicaLevel(
        level.load,
        ValueInterval(rate, rate, rate),
        statistics.median(e2e) if e2e else None,
        latencies,
    )


def _lengths(repeats: Sequence[Measurement]) -> tuple[float, float]:
    """Mean tokens of a request, in and out."""
    requests = max(sum(m.requests_completed for m in repeats), 1)
    return (
        sum(m.input_tokens for m in repeats) / requests,
        sum(m.output_tokens for m in repeats) / requests,
    )


@dataclass(frozen=True)
class ReplicaWishes:
    """How replicas are predicted.

    Attributes:
        gpus: names of the catalog to compare; the task's own where there are none.
        prices: GPU -> USD per hour, in place of the catalog's; "" stands for any.
        mode: as in `PredictionWishes`.
    """

    slo: Mapping[str, float]
    gpus: tuple[str, ...] = ()
    prices: Mapping[str, float] | None = None
    predictor: str | None = None
    mode: PredictionMode | None = None

    def price(self, gpu: str) -> float | None:
        """The price that is given for a GPU."""
        prices = self.prices or {}
        return prices.get(gpu, prices.get(""))


def predicted_replicas(
    task: TaskConfig,
    wishes: ReplicaWishes,
    *,
    home: Path,
    resolve: Resolve,
    known: Known,
    tell: Callable[[int, int], None] = lambda asked, wanted: None,
) -> KnownReplicas:
    """The candidates of a task, predicted on each GPU.

    Args:
        tell: called with how many candidates of a GPU were asked for, of how many.

    Raises:
        AutotunerError: the task cannot be used on its own GPU.
    """
    found: list[KnownReplica] = []
    refused: dict[str, str] = {}
    warnings: list[str] = []
    left_out = 0
    for gpu in wishes.gpus or (None,):
        try:
            prepared = resolve(as_asked(task if gpu is None else on_gpu(task, gpu)))
        except AutotunerError as error:
            if gpu is None:
                raise
            refused[gpu] = _reason(error)
            continue
        prepared = _as_wished(prepared, wishes)
        asked = forecast_of(prepared, home)
        estimate = estimate_plan(prepared, asked, known(asked), tell=tell)
        replicas, silent = _predicted(prepared, estimate.points, wishes)
        warnings += asked.warnings
        left_out += silent
        found += replicas
        if not replicas:
            reasons = [e.absent for e in estimate.expected.values() if e.absent]
            refused[gpu or _gpu_of(prepared)] = reasons[0] if reasons else "nothing is predicted"
    return KnownReplicas(tuple(found), refused, left_out, tuple(dict.fromkeys(warnings)))


def compared_gpus(names: Sequence[str], task: TaskConfig, *, field: str) -> tuple[str, ...]:
    """Names of GPUs, each once; for `all`, those of the maker of the task's own.

    Of a task for a CPU `all` are those of every maker: the catalog does not know which engine has
    kernels for which.

    Args:
        field: that errors name.

    Raises:
        AutotunerError: an unknown name, or a CPU.
    """
    if _ALL in names:
        own = resource_request(task).gpu
        maker = gpu_named(own, task.gpus).vendor if own else ""
        return tuple(
            name
            for name, gpu in known_gpus().items()
            if not gpu.is_cpu and (gpu.vendor == maker or maker in ("", "any"))
        )
    found = []
    for word in names:
        gpu = gpu_named(word, task.gpus, field=field)
        if gpu.is_cpu:
            raise AutotunerError(f"{field} {word}: it is no GPU", remedy="name GPUs, or all")
        found.append(gpu.name)
    return tuple(dict.fromkeys(found))


def on_gpu(task: TaskConfig, gpu: str) -> TaskConfig:
    """The same task on another GPU; what it says of its own is left out, where that is another.

    Raises:
        AutotunerError: it cannot be used there.
    """
    if {gpu_named(str(word), task.gpus).name for word in field_values(task, _GPU)} == {gpu}:
        return task
    document = task.written()
    system = {
        name: value
        for name, value in document.get("system", {}).items()
        if name not in ("memory_per_gpu", "nvlink_bandwidth", "price_per_gpu_hour")
    }
    changed = {**document, "system": {**system, "gpu_type": gpu}}
    # What it says beside was accepted once, and may be refused by rules that came later.
    return parse_stored_task(changed, source="the task")


def _as_wished(prepared: Prepared, wishes: ReplicaWishes) -> Prepared:
    task = prepared.task
    mode = wishes.mode or (MEASURED if len(wishes.gpus) > 1 else task.prediction.mode)
    changes = {"mode": mode, **({"predictor": wishes.predictor} if wishes.predictor else {})}
    task = task.model_copy(update={"prediction": task.prediction.model_copy(update=changes)})
    levels = task.benchmark.levels
    if kind_of_levels(levels) is LoadKind.CONCURRENCY and prepared.replay is None:
        task = task.at_levels(sorted({*levels, *ladder(levels)}))
    return replace(prepared, task=task)


def _predicted(
    prepared: Prepared, points: Sequence[Prediction], wishes: ReplicaWishes
) -> tuple[list[KnownReplica], int]:
    """Replicas of the candidates that have a usable point, and how many have none."""
    gpu = _gpu_of(prepared)
    listed = prepared.usd_per_gpu_hour
    given = wishes.price(gpu)
    price = listed if given is None else given
    isl, _ = prepared.workload.mean()
    by_candidate: dict[str, list[Prediction]] = {}
    for point in points:
        if is_usable(point, price):
            by_candidate.setdefault(point.candidate_id, []).append(point)
    found = []
    for candidate in prepared.space.candidates:
        levels = sorted(by_candidate.get(candidate.id, ()), key=lambda point: point.load)
        if not levels:
            continue
        curve = LoadCurve(tuple(_level(point, wishes.slo) for point in levels))
        first = levels[0]
        replica = Replica((gpu, candidate.id), first.devices, curve, isl, first.osl, price)
        spec = prepared.space.specs[candidate.id]
        found.append(
            KnownReplica(
                replica,
                gpu,
                spec.engine,
                candidate.id,
                candidate.settings(),
                candidate.gpus,
                planned_command(prepared, spec, candidate.settings()),
            )
        )
    return found, len(prepared.space.candidates) - len(found)


def _gpu_of(prepared: Prepared) -> str:
    gpu = prepared.variants[0].context.gpu
    return CPU if gpu is None else gpu.name


def _level(point: Prediction, slo: Mapping[str, float]) -> ReplicaLevel:
    latencies = {}
    for name in dict.fromkeys(("ttft_ms", "tpot_ms", *slo)):
        value = latency_ms(point, name)
        if value is not None:
            latencies[name] = ValueInterval(value, *limit_interval80(point, name))
    rate = point.requests_per_s
    interval = interval80(rate, point.tok_s_log_std)
    return ReplicaLevel(point.load, ValueInterval(rate, *interval), point.e2e_ms, latencies)


def _reason(error: AutotunerError) -> str:
    problems = getattr(error, "problems", ())
    return problems[0].message if problems else error.message
