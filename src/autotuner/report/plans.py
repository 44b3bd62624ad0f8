"""What tuning would do, before anything is launched: for scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

from autotuner.report.outlook import outlook_document
from autotuner.search import description, strategy_named
from autotuner.store import Store
from autotuner.tuning.forecast import Forecast, forecast_of
from autotuner.tuning.foreknowledge import MOST_PREDICTED
from autotuner.tuning.outlook import MOST_CANDIDATES, Outlook, outlook
from autotuner.tuning.prepare import Prepared
from autotuner.tuning.state import situation


def plan_of(
    prepared: Prepared,
    home: Path,
    store: Store | None,
    *,
    tell: Callable[[int, int], None] = lambda asked, wanted: None,
    most: int = MOST_PREDICTED,
    listed: int | None = None,
    measure: bool = True,
) -> tuple[dict[str, Any], Outlook]:
    """The plan as `--json` prints it, and what is predicted.

    Args:
        home: where answers of slow predictors and the speed of this CPU are kept.
        store: what earlier runs measured; None where there is nothing.
        tell: called now and then with how many candidates were asked for, of how many.
        most: how many candidates are predicted to tell which strategy is picked.
        listed: how many candidates the document lists; all where left out.
        measure: whether a CPU whose speed is not known yet is measured now, which takes seconds.
    """
    asked = forecast_of(prepared, home, measure=measure)
    known = asked.remembered(store) if store is not None else ()
    found = outlook(prepared, asked, known, most=MOST_CANDIDATES, tell=tell)
    strategy = strategy_named(prepared.task.optimization.strategy)
    state = situation(prepared, strategy, asked, known, most=most, tell=tell).state(())
    document = plan_document(prepared, store, listed=listed)
    document["strategy_reason"] = description(strategy, state)
    document["prediction"] = _prediction_document(prepared, found, asked)
    return document, found


def _prediction_document(prepared: Prepared, found: Outlook, asked: Forecast) -> dict[str, Any]:
    whole = outlook_document(prepared, found)
    told = (
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
        **{name: whole[name] for name in told},
        "asked": len(found.expected),
        "minutes": found.minutes,
        "usd": found.usd,
        "warnings": asked.warnings,
    }


def plan_document(
    prepared: Prepared, store: Store | None, *, listed: int | None = None
) -> dict[str, Any]:
    """The plan without predictions; `store` tells the time that earlier runs took."""
    typical_s = _typical_experiment_s(prepared, store)
    at_most_s = prepared.experiment_s_at_most()
    space, launches = prepared.space, prepared.launches
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
        "concurrency": list(prepared.task.benchmark.levels),
        "concurrency_reason": prepared.levels_why,
        "combinations": space.combinations,
        "candidates": len(space.candidates),
        "launches": launches,
        "excluded": space.excluded,
        "profiles": list(prepared.task.profiles),
        "installed": all(v.installation.found for v in prepared.variants),
        "warnings": list(prepared.warnings),
        "axes": prepared.plan_record()["axes"],
        "expected_minutes": None
        if typical_s is None
        else typical_s * launches * fmean(shares) / 60,
        "at_most_minutes": at_most_s * launches * max(shares) / 60,
        "experiments": [
            {"id": c.id, "settings": c.settings(), "command": space.specs[c.id].command()}
            for c in space.candidates[:listed]
        ],
    }


def _typical_experiment_s(prepared: Prepared, store: Store | None) -> float | None:
    """Mean seconds of the experiments of this task's newest run; None where there is none."""
    run = None if store is None else store.find_run(prepared.content_id)
    experiments = () if run is None or store is None else store.experiments(run.id)
    times = [(e.startup_s or 0) + e.measure_s for e in experiments if e.measure_s is not None]
    return fmean(times) if times else None
