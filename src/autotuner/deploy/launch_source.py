"""The launch that is deployed: one that was measured, or one that is only predicted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from autotuner.deploy.chosen_point import chosen_point
from autotuner.engines import engine_table
from autotuner.engines.failures import NOT_ITS_OWN
from autotuner.errors import ExportError
from autotuner.predict import Prediction
from autotuner.predict.predictor import interval80
from autotuner.report.points import AXES, PlotPoint, settings_text
from autotuner.search import as_point
from autotuner.tuning.estimate import PlanEstimate, offered
from autotuner.tuning.host_command import engine_of, version_of
from autotuner.tuning.prepare import Prepared
from autotuner.tuning.summary import ExperimentView, TaskSummary

PREDICTED = "predicted"
"""Point that was not measured: the one to expect most of, or `predicted:CANDIDATE[@LOAD]`."""
PAIR = "disagg"
"""Draft of a prefill and a decode engine."""
_COUNT = re.compile(r"(\d+) x ")
"""In a task's device: `8 x h100_sxm`."""
_CORES = re.compile(r"cpu: .*, (\d+) cores\b")
"""In a task's device: `cpu: AMD EPYC, 2 cores, 24 GiB`."""
_THREADS = "misc.threads"
_LISTING = "`autotuner predict FILE --json` lists them"
_OF_THE_CACHE = (
    "system.backend_version",
    *("quantization.kvcache_mode", "memory.page_size", "misc.dtype", "runtime.nextn"),
    *("misc.speculative_method", "misc.speculative_draft_model", "parallel.pipeline_parallel"),
)
"""Settings in which both sides must agree, so that one can read what the other writes."""


@dataclass(frozen=True)
class LaunchSource:
    """A launch, and the operating point that it is deployed for.

    Attributes:
        engine: its name.
        version: of the engine, as it is recorded; empty where it is not.
        device: in words.
        gpus: that it occupies; 0 on a CPU.
        tokens: mean input and output tokens of its requests.
        unserved: why the command does not serve what was measured; None where it does.
        predictor: of its figures; empty where they were measured.
        failure: of a launch of it in the task, by its own fault; empty where there was none.
    """

    point: PlotPoint
    engine: str
    version: str
    device: str
    settings: Mapping[str, Any]
    gpus: int
    command: str
    tokens: tuple[int, int]
    unserved: str | None = None
    predictor: str = ""
    failure: str = ""


def total_gpus(settings: Mapping[str, Any], device: str) -> int:
    """GPUs that a task had: as a launch says it, else by the task's device; 0 on a CPU."""
    named = settings.get("system.total_gpus")
    if isinstance(named, int | float):
        return int(named)
    count = _COUNT.match(device)
    return int(count[1]) if count is not None else 0


def cpus_of(source: LaunchSource) -> tuple[int, int]:
    """CPUs that a launch occupies, and those of its machine; zeros on GPUs, and where the machine's
    are not known."""
    found = _CORES.match(source.device)
    if source.gpus or found is None:
        return 0, 0
    cores, threads = int(found[1]), source.settings.get(_THREADS)
    return (min(threads, cores) if isinstance(threads, int) and threads > 0 else cores), cores


def is_predicted(named: str | None) -> bool:
    """Whether a point's name asks for predictions."""
    return named is not None and named.partition(":")[0] in (PREDICTED, PAIR)


def measured_source(summary: TaskSummary, named: str | None) -> LaunchSource:
    """The launch of a measured point; see `chosen_point`."""
    point = chosen_point(summary, named)
    found = next(one for one in summary.experiments if one.id == point.experiment)
    task = summary.task
    engine = engine_of(found.settings, task.engine)
    return LaunchSource(
        point,
        engine,
        version_of(found.settings, task.engine, task.engine_version),
        task.device,
        found.settings,
        found.gpus,
        found.engine_command or found.command,
        _tokens(found),
        found.unserved,
    )


def predicted_sources(
    summary: TaskSummary, prepared: Prepared, estimate: PlanEstimate, named: str
) -> tuple[LaunchSource, ...]:
    """Launches that are only predicted: the one that is named, or two for a pair: that of decode,
    and that of prefill.

    Raises:
        ExportError: there is none.
    """
    kind, _, wished = named.partition(":")
    if kind == PAIR:
        return tuple(_source(prepared, one) for one in _pair(summary, prepared, estimate))
    found = _unmeasured(summary, prepared, estimate, wished)
    failure = _failures(summary).get(found.candidate_id, "")
    return (replace(_source(prepared, found), failure=failure),)


def _failures(summary: TaskSummary) -> dict[str, str]:
    """Candidate -> why its launch failed, of those that failed by their own fault alone."""
    completed = {one.id for one in summary.experiments if one.status == "completed"}
    return {
        one.id: one.failure.message
        for one in summary.experiments
        if one.failure is not None
        and one.failure.kind not in NOT_ITS_OWN
        and one.id not in completed
    }


def _deployable(
    summary: TaskSummary, prepared: Prepared, estimate: PlanEstimate
) -> list[Prediction]:
    """The predictions of single engines that no launch has shown not to work."""
    failed = _failures(summary)
    settings = {one.id: one.settings() for one in prepared.space.candidates}
    return [
        point
        for point in estimate.points
        if point.candidate_id not in failed
        and settings[point.candidate_id].get("system.serving_mode") != "disagg"
    ]


def _unmeasured(
    summary: TaskSummary, prepared: Prepared, estimate: PlanEstimate, wished: str
) -> Prediction:
    measured = {one.id for one in summary.experiments if one.status == "completed"}
    if wished:
        _refuse_unknown(prepared, wished.partition("@")[0], measured)
    # One that is named may have failed, which the files say then.
    offers = estimate.points if wished else _deployable(summary, prepared, estimate)
    points = [point for point in offers if point.candidate_id not in measured]
    prefix, _, load = wished.partition("@")
    points = [point for point in points if point.candidate_id.startswith(prefix)]
    if load:
        loads = list(dict.fromkeys(f"{point.load.value:g}" for point in points))
        points = [point for point in points if load == f"{point.load.value:g}"]
        if loads and not points:
            raise ExportError(
                f"point: {prefix!r} has no prediction at load {load!r}",
                remedy=f"give one of {', '.join(loads)}",
            )
    if not points:
        others = "was not measured" if wished else "was neither measured nor failed"
        what = f"no candidate {prefix}".rstrip() + f" that {others}"
        _refuse_all(estimate, what, prefix)
    if wished and len({point.candidate_id for point in points}) > 1:
        raise ExportError(
            f"point: {prefix!r} begins {len({p.candidate_id for p in points})} candidates",
            remedy=f"give more of its id: {_LISTING}",
        )
    _, best = offered(prepared, points)
    return points[-1] if best is None else best.point


def _refuse_unknown(prepared: Prepared, prefix: str, measured: Set[str]) -> None:
    """Refuses a name that is of no candidate of the task, or only of ones that were measured."""
    named = {one.id for one in prepared.space.candidates if one.id.startswith(prefix)}
    if not named:
        raise ExportError(
            f"point: the task has no candidate {prefix!r}",
            remedy=_LISTING,
        )
    if named <= measured:
        raise ExportError(
            f"point: {prefix!r} was measured", remedy=f"take --point {prefix}, without {PREDICTED}:"
        )


def _pair(
    summary: TaskSummary, prepared: Prepared, estimate: PlanEstimate
) -> tuple[Prediction, Prediction]:
    """Decode and prefill: the candidates with the shortest time per token, and to the first, of one
    engine that can be both; where none can, `paired` says so. Together they have room on the
    task's GPUs where any two have."""
    engines = {name: spec.engine for name, spec in prepared.space.specs.items()}
    singles = _deployable(summary, prepared, estimate)
    able = [p for p in singles if engine_table(engines[p.candidate_id]).file.deploy.roles]
    settings = {one.id: one.settings() for one in prepared.space.candidates}

    def cache(point: Prediction) -> tuple[Any, ...]:
        own = settings[point.candidate_id]
        return (engines[point.candidate_id], *(own.get(path) for path in _OF_THE_CACHE))

    def has_room(point: Prediction, beside: int) -> bool:
        total = total_gpus(settings[point.candidate_id], prepared.device_name)
        return not total or point.devices + beside <= total

    points = able or singles
    least: dict[tuple[Any, ...], int] = {}
    for point in points:
        least[cache(point)] = min(least.get(cache(point), point.devices), point.devices)
    points = [p for p in points if has_room(p, least[cache(p)])] or points
    _, best = offered(prepared, points)
    if best is None or best.point.tpot_ms is None:
        _refuse_all(estimate, "no candidate that decodes")
    there = [p for p in points if p.load == best.point.load and p.tpot_ms is not None]
    prefill = min(there, key=lambda p: (p.ttft_ms, p.devices))
    alike = [point for point in there if cache(point) == cache(prefill)]
    alike = [point for point in alike if has_room(point, prefill.devices)] or alike
    return min(alike, key=lambda p: (p.tpot_ms or 0.0, p.devices)), prefill


def _source(prepared: Prepared, point: Prediction) -> LaunchSource:
    candidate = next(c for c in prepared.space.candidates if c.id == point.candidate_id)
    isl, osl = prepared.workload.mean()
    figures = as_point(point, prepared.usd_per_gpu_hour)
    spreads = {
        "tok_s": point.tok_s_log_std,
        "ttft_ms": point.ttft_log_std,
        "tpot_ms": point.tpot_log_std,
    }
    values = {name: value for name in AXES if (value := getattr(figures, name, None)) is not None}
    plotted = PlotPoint(
        experiment=candidate.id,
        label=settings_text(candidate.settings(), prepared.axes),
        load=point.load,
        values=values,
        on_frontier=False,
        recommended=False,
        intervals={n: interval80(values[n], std) for n, std in spreads.items() if n in values},
    )
    spec = prepared.space.specs[candidate.id]
    versions = {v.engine.name: v.installation.version for v in prepared.variants}
    return LaunchSource(
        plotted,
        spec.engine,
        str(candidate.settings().get("system.backend_version") or versions.get(spec.engine, "")),
        prepared.device_name,
        candidate.settings(),
        candidate.gpus,
        spec.command(),
        (max(round(isl), 1), max(round(osl), 1)),
        predictor=point.source,
    )


def _refuse_all(estimate: PlanEstimate, what: str, prefix: str = "") -> NoReturn:
    """Refuses with a reason of one of the candidates that a name begins."""
    expected = {key: found for key, found in estimate.expected.items() if key.startswith(prefix)}
    reasons = [found.absent for found in expected.values() if found.absent]
    why = f": {reasons[0]}" if reasons else ""
    raise ExportError(
        f"point: the task has {what} and is predicted{why}", remedy="export a measured point"
    )


def _tokens(experiment: ExperimentView) -> tuple[int, int]:
    levels = experiment.measurements
    requests = max(sum(level.requests_completed for level in levels), 1)
    read, made = sum(m.input_tokens for m in levels), sum(m.output_tokens for m in levels)
    return max(round(read / requests), 1), max(round(made / requests), 1)


def names_of(sources: Sequence[LaunchSource]) -> str:
    """The point as `--point` takes it again."""
    first = sources[0]
    if len(sources) > 1:
        return PAIR
    name = f"{first.point.experiment}@{first.point.load.value:g}"
    return f"{PREDICTED}:{name}" if first.predictor else name
