"""The plan of a task and what is predicted of it, before anything is launched: JSON and CSV."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

from autotuner.config import PERCENTILES, LoadKind, LoadLevel
from autotuner.predict import Prediction
from autotuner.predict.predictor import (
    METRICS,
    describe_percentile,
    interval80,
    limit_interval80,
    verdict,
)
from autotuner.report.command import command_fields
from autotuner.search import OBJECTIVES, as_point, description, strategy_named
from autotuner.search.slo import served_by
from autotuner.sizing import token_costs
from autotuner.store import Store
from autotuner.tuning.estimate import (
    MOST_CANDIDATES,
    PlanEstimate,
    RecommendedPrediction,
    estimate_plan,
)
from autotuner.tuning.few_requests import planned_notes
from autotuner.tuning.forecast import Forecast, forecast_of
from autotuner.tuning.known_starts import with_known_starts
from autotuner.tuning.prepare import Prepared
from autotuner.tuning.search_state import MOST_PREDICTED, search_context
from autotuner.tuning.slo_effects import predicted_points, slo_effects
from autotuner.tuning.why_sentences import excluded_line, why_not_lines

_LOAD = "load"
_COLUMNS = {
    "candidate": "candidate",
    "gpus": "gpus",
    _LOAD: "",
    "ttft_ms": "ttft (ms)",
    "tpot_ms": "tpot (ms)",
    "tok_s": "throughput (output tok/s)",
    "tok_s_per_gpu": "throughput per device (output tok/s)",
    "tok_s_per_user": "speed per user (output tok/s)",
    "requests_per_s": "requests/s",
    "e2e_ms": "e2e latency (ms)",
    "ttft_log_std": "ttft std of ln(measured/predicted)",
    "tpot_log_std": "tpot std of ln(measured/predicted)",
    "tok_s_log_std": "throughput std of ln(measured/predicted)",
    "memory_gib": "memory per device (GiB)",
    **{name: f"{found.label} (ms)" for name, found in PERCENTILES.items()},
    "percentiles_from": "percentiles from",
    "source": "source",
    "kind": "kind of data",
    "note": "note",
    "on_frontier": "on the frontier",
}
"""Key of a predicted point -> its column's head in a CSV file."""


def plan_of(
    prepared: Prepared,
    home: Path,
    store: Store | None,
    *,
    tell: Callable[[int, int], None] = lambda asked, wanted: None,
    most: int = MOST_PREDICTED,
    listed: int | None = None,
    commands: bool = True,
    measure: bool = True,
) -> tuple[dict[str, Any], PlanEstimate]:
    """The plan as `--json` prints it, and what is predicted.

    Args:
        home: where answers of slow predictors and the speed of this CPU are kept.
        store: what earlier tasks measured; None where there is nothing.
        tell: called now and then with how many candidates were asked for, of how many.
        most: how many candidates are predicted to choose the strategy by.
        listed: how many candidates the document lists; all where left out.
        commands: whether it lists them with their command lines.
        measure: whether a CPU whose speed is not known yet is measured now, which takes seconds.
    """
    prepared = with_known_starts(prepared, store)
    asked = forecast_of(prepared, home, measure=measure)
    known = asked.remembered(store) if store is not None else ()
    found = estimate_plan(prepared, asked, known, most=MOST_CANDIDATES, tell=tell)
    strategy = strategy_named(prepared.task.optimization.strategy)
    state = search_context(prepared, strategy, asked, known, most=most, tell=tell).state(())
    document = plan_document(prepared, store, listed=listed, commands=commands)
    document["strategy_reason"] = description(strategy, state)
    document["prediction"] = _prediction_document(prepared, found, asked)
    document["why_not"] = _why_not(prepared, found)
    return document, found


_MUCH = 0.5
"""Share of the combinations that is worth a sentence where it is excluded."""


def _why_not(prepared: Prepared, found: PlanEstimate) -> list[str]:
    """Why nothing is predicted to meet the SLO, and what excludes much, in sentences."""
    task, limits, lines = prepared.task, prepared.task.slo_limits(), list[str]()
    if limits and found.recommended is not None and not found.recommended.meets_slo:
        points = predicted_points(prepared, found.points, limits)
        effects = slo_effects("predicted", points, limits, task.objectives, ())
        lines += why_not_lines(effects, limits, OBJECTIVES[served_by(task.objectives)].unit)
    excluded = prepared.space.excluded
    if sum(excluded.values()) > _MUCH * prepared.space.combinations:
        lines.append(excluded_line(prepared.space.combinations, excluded))
    return lines


def _prediction_document(
    prepared: Prepared, found: PlanEstimate, asked: Forecast
) -> dict[str, Any]:
    whole = estimate_document(prepared, found)
    names = (
        "predictor",
        "why",
        "observations",
        "recommended",
        "mixed",
        "frontier",
        "out_of_memory",
        "refused",
    )
    return {
        **{name: whole[name] for name in names},
        "asked": len(found.expected),
        "minutes": found.minutes,
        "usd": found.usd,
        "warnings": asked.warnings,
    }


def plan_document(
    prepared: Prepared,
    store: Store | None,
    *,
    listed: int | None = None,
    commands: bool = True,
) -> dict[str, Any]:
    """The plan without predictions; `store` has the time that earlier tasks took."""
    prepared = with_known_starts(prepared, store)
    times = _experiment_times_s(prepared, store)
    # Warm-up and answers that outlast a level are in no limit: a time that was seen is possible.
    at_most_s = max(prepared.experiment_s_at_most(), *times, 0.0)
    space, starts = prepared.space, prepared.engine_starts
    shares = [prepared.share(c.gpus) for c in space.candidates]
    return {
        "task": prepared.task.name,
        "replay": prepared.replay is not None,
        "landscape": prepared.task.replay.landscape if prepared.task.replay else None,
        "content_id": prepared.content_id,
        "engine": prepared.engine_name,
        "engine_version": prepared.engine_version,
        "engine_origin": prepared.engine_origin,
        "model": prepared.model.name,
        "model_path": prepared.model.location,
        "model_notes": list(prepared.notes),
        "device": prepared.device_name,
        "strategy": prepared.task.optimization.strategy,
        "strategy_reason": "",
        "min_gain": prepared.task.optimization.threshold() or 0.0,
        "budget": prepared.task.optimization.budget.model_dump(),
        "side_by_side": prepared.side_by_side,
        "objectives": list(prepared.task.objectives),
        "workload": str(prepared.workload),
        "load": [level.to_json() for level in prepared.task.benchmark.levels],
        "load_reason": prepared.levels_why,
        "slo_notes": planned_notes(prepared.task),
        "combinations": space.combinations,
        "candidates": len(space.candidates),
        "launches": prepared.launches,
        "baseline": _baseline_document(prepared),
        "baseline_reason": prepared.baseline_why,
        "confirm_launches": prepared.confirm_launches,
        "excluded": space.excluded,
        "profiles": list(prepared.task.profiles),
        "installed": all(v.installation.found for v in prepared.variants),
        "warnings": list(prepared.warnings),
        "axes": prepared.plan_record()["axes"],
        "startup_s": prepared.startup_guess_s,
        "startup_why": prepared.startup_why,
        "expected_minutes": fmean(times) * starts * fmean(shares) / 60 if times else None,
        "at_most_minutes": at_most_s * starts * max(shares) / 60,
        "experiments": [
            {
                "id": c.id,
                "settings": c.settings(),
                **_start_fields(prepared, c.id),
                **(
                    command_fields(prepared, space.specs[c.id], c.settings())
                    if commands
                    else {"command": None, "unserved": None}
                ),
            }
            for c in space.candidates[:listed]
        ],
    }


def _start_fields(prepared: Prepared, candidate_id: str) -> dict[str, Any]:
    start = prepared.expected_start(candidate_id)
    return {
        "startup_s": start.seconds,
        "startup_source": start.source,
        "startup_launches": start.launches,
    }


def _baseline_document(prepared: Prepared) -> dict[str, Any] | None:
    baseline = prepared.baseline
    if baseline is None:
        return None
    candidate = baseline.candidate
    return {
        "kind": baseline.kind,
        "reason": baseline.reason,
        "id": candidate.id,
        "settings": candidate.settings(),
        **_start_fields(prepared, candidate.id),
        **command_fields(prepared, baseline.region.render(candidate), candidate.settings()),
    }


def _experiment_times_s(prepared: Prepared, store: Store | None) -> list[float]:
    """Seconds of each experiment of the newest task of this file."""
    task = None if store is None else store.tasks.newest(prepared.content_id)
    experiments = () if task is None or store is None else store.experiments(task.id)
    return [(e.startup_s or 0) + e.measure_s for e in experiments if e.measure_s is not None]


def estimate_document(prepared: Prepared, found: PlanEstimate) -> dict[str, Any]:
    """The plan estimate as `--json` prints it."""
    isl, osl = prepared.workload.mean()
    settings = {c.id: c.settings() for c in prepared.space.candidates if c.id in found.expected}
    front = set(map(point_key, found.frontier))
    return {
        "task": prepared.task.name,
        "model": prepared.model.name,
        "engine": prepared.engine_name,
        "engine_version": prepared.engine_version,
        "device": prepared.device_name,
        "workload": {
            "isl": isl,
            "osl": osl,
            "prefix": prepared.task.fixed().get("runtime.prefix", 0),
        },
        "predictor": "; ".join(found.whys) or None,
        "why": "; ".join(dict.fromkeys(found.whys.values())),
        "observations": found.observations,
        "corrected_by": sorted({seen.mark for seen in found.corrected_by}),
        "candidates": found.candidates,
        "levels": [level.to_json() for level in sorted(prepared.task.benchmark.levels)],
        "predictions": [
            _row(point, settings[point.candidate_id], point_key(point) in front)
            for point in found.points
        ],
        "recommended": recommended_document(prepared, found),
        "mixed": mixed_text(found.points),
        "frontier": [_row(p, settings[p.candidate_id], True) for p in found.frontier],
        "out_of_memory": {
            key: asdict(expected.out_of_memory)
            for key, expected in found.out_of_memory.items()
            if expected.out_of_memory is not None
        },
        "refused": found.refused,
    }


def estimate_csv(document: Mapping[str, Any]) -> str:
    """One row a predicted point; the settings that any candidate has follow the figures."""
    rows = document["predictions"]
    paths = list(dict.fromkeys(path for row in rows for path in row["settings"]))
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    kind = rows[0]["load"]["kind"] if rows else LoadKind.CONCURRENCY.value
    heads = [kind if name == _LOAD else head for name, head in _COLUMNS.items()]
    writer.writerow([*heads, *paths])
    for row in rows:
        cells = row | {_LOAD: row[_LOAD]["value"]}
        figures = ["" if cells[name] is None else cells[name] for name in _COLUMNS]
        writer.writerow([*figures, *(row["settings"].get(path, "") for path in paths)])
    return file.getvalue()


def mixed_text(points: Iterable[Prediction]) -> str | None:
    """The kinds of data that the points stand on, in a sentence; None where it is one."""
    kinds = Counter(point.kind for point in points)
    if len(kinds) < 2:
        return None
    parts = (f"{count} points from {kind}" for kind, count in kinds.most_common())
    return f"different kinds of data, which compare less well: {'; '.join(parts)}"


def recommended_document(prepared: Prepared, found: PlanEstimate) -> dict[str, Any] | None:
    """The recommended point as JSON has it; None where nothing is predicted.

    `intervals` are of 80 %; a verdict is `meets`, `unclear` or `misses`, of the interval.
    """
    return None if found.recommended is None else chosen_document(prepared, found.recommended)


def chosen_document(prepared: Prepared, chosen: RecommendedPrediction) -> dict[str, Any]:
    """A predicted point that was chosen, as JSON has it."""
    point = chosen.point
    settings = settings_of(prepared, point)
    isl, _ = prepared.workload.mean()
    cost = as_point(point, prepared.usd_per_gpu_hour).usd_per_million_tokens
    intervals = {
        name: list(interval80(value, getattr(point, log_std)))
        for name, log_std in METRICS.items()
        if (value := getattr(point, name)) is not None
    }
    return {
        "candidate": point.candidate_id,
        "settings": dict(settings),
        "gpus": point.devices,
        "load": point.load.to_json(),
        "ttft_ms": point.ttft_ms,
        "tpot_ms": point.tpot_ms,
        "tok_s": point.tok_s,
        "requests_per_s": point.requests_per_s,
        "e2e_ms": point.e2e_ms,
        **token_costs(cost, isl, point.osl).to_json(),
        "intervals": intervals,
        "members": [asdict(member) for member in point.members],
        **{name: getattr(point, name) for name in (*PERCENTILES, "percentiles_from")},
        "reason": chosen.reason,
        "meets_slo": chosen.meets_slo,
        "limits": [
            {
                "name": name,
                "limit_ms": limit,
                "predicted_ms": value,
                "interval_ms": list(limit_interval80(point, name)),
                "verdict": verdict(limit_interval80(point, name), limit),
                "over": max(value / limit - 1, 0.0),
                "basis": describe_percentile(point, name),
            }
            for name, limit, value in limits_of(prepared, point)
        ],
        **command_fields(prepared, prepared.space.specs[point.candidate_id], settings),
    }


def settings_of(prepared: Prepared, point: Prediction) -> Mapping[str, Any]:
    """The settings of a predicted point's candidate."""
    return next(c.settings() for c in prepared.space.candidates if c.id == point.candidate_id)


def limits_of(prepared: Prepared, point: Prediction) -> list[tuple[str, float, float]]:
    """Name, limit and predicted value of each limit of the task, in ms."""
    made = as_point(point, prepared.usd_per_gpu_hour)
    limits = prepared.task.slo_limits().items()
    return [(name, limit, float(getattr(made, name))) for name, limit in limits]


def point_key(point: Prediction) -> tuple[str, LoadLevel]:
    return point.candidate_id, point.load


def _row(point: Prediction, settings: Mapping[str, Any], on_frontier: bool) -> dict[str, Any]:
    return {
        "candidate": point.candidate_id,
        "settings": settings,
        "gpus": point.devices,
        "load": point.load.to_json(),
        "ttft_ms": point.ttft_ms,
        "tpot_ms": point.tpot_ms,
        "tok_s": point.tok_s,
        "tok_s_per_gpu": point.tok_s_per_gpu,
        "tok_s_per_user": point.tok_s_per_user,
        "requests_per_s": point.requests_per_s,
        "e2e_ms": point.e2e_ms,
        "ttft_log_std": point.ttft_log_std,
        "tpot_log_std": point.tpot_log_std,
        "tok_s_log_std": point.tok_s_log_std,
        "memory_gib": point.memory_gib,
        **{name: getattr(point, name) for name in (*PERCENTILES, "percentiles_from")},
        "source": point.source,
        "kind": point.kind,
        "note": point.note,
        "members": [asdict(member) for member in point.members],
        "on_frontier": on_frontier,
    }
