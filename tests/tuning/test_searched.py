"""How a run searched, from what the store keeps of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autotuner.config import LoadLevel
from autotuner.measure import Distribution, Measurement
from autotuner.predict import Prediction
from autotuner.search import OperatingPoint
from autotuner.store import ExperimentRecord
from autotuner.tuning.points import outcome
from autotuner.tuning.summarise import search_view
from autotuner.tuning.summary import SearchView

PLANE = ("tok_s_per_gpu", "tok_s_per_user")


def prediction(name: str, tok_s: float, tpot_ms: float = 20.0) -> Prediction:
    return Prediction(
        name, LoadLevel.concurrency(4), 100.0, tpot_ms, tok_s, 1, 8.0, 0.3, 0.3, 0.3, "made up"
    )


def experiment(index: int, name: str, tok_s: float, tpot_ms: float = 20.0) -> ExperimentRecord:
    """A completed launch of one level, of which `tok_s` / 2 had been predicted."""

    def shown(mean: float) -> Distribution:
        values = dict.fromkeys(["mean", "min", "p50", "p90", "p95", "p99", "max"], mean)
        return Distribution(count=8, std=0.0, **values)

    measurement = Measurement(
        load=LoadLevel.concurrency(4),
        duration_s=1,
        requests_completed=8,
        requests_failed=0,
        requests_short=0,
        ended_by="requests",
        valid=True,
        tok_s=tok_s,
        requests_s=1,
        input_tokens=8,
        output_tokens=8,
        ttft_ms=shown(100.0),
        tpot_ms=shown(tpot_ms),
        e2e_ms=shown(900.0),
    )
    return ExperimentRecord(
        id=index,
        index=index,
        candidate_id=name,
        settings={},
        command="",
        status="completed",
        selection_reason=f"because of {name}",
        phase="made up",
        log_path="",
        failure_kind=None,
        failure_message=None,
        log_tail=None,
        startup_s=1.0,
        measure_s=1.0,
        measurements=(measurement,),
        base=(prediction(name, tok_s / 2, tpot_ms),),
    )


def view(*experiments: ExperimentRecord, best: str) -> SearchView:
    """The search of a run whose frontier is all that `best` measured."""
    front: tuple[OperatingPoint, ...] = next(
        (outcome(e).points for e in experiments if e.candidate_id == best), ()
    )
    return search_view(experiments, front, objectives=PLANE, slo={}, usd_per_gpu_hour=None)


def test_every_finished_launch_has_its_reason_and_its_worth() -> None:
    failure = replace(
        experiment(2, "b", 1.0), status="failed", measurements=(), failure_kind="out_of_memory"
    )
    running = replace(experiment(4, "d", 1.0), status="running", measurements=())
    found = view(experiment(1, "a", 50.0), failure, experiment(3, "c", 90.0), running, best="c")
    assert [launch.index for launch in found.launches] == [1, 2, 3]
    assert [launch.reason for launch in found.launches] == [f"because of {name}" for name in "abc"]
    assert [launch.failed for launch in found.launches] == [False, True, False]
    assert [launch.in_vain for launch in found.launches] == [True, True, False]
    assert found.launches[1].added == 0.0
    assert found.launches[-1].value == 1.0


def test_the_predicted_frontier_takes_the_corrected_prediction() -> None:
    corrected = replace(experiment(1, "a", 50.0), calibrated=(prediction("a", 48.0),))
    found = view(corrected, experiment(2, "b", 60.0), best="b")
    assert [(p.experiment, p.values["tok_s_per_gpu"]) for p in found.predicted_frontier] == [
        ("a", pytest.approx(48.0))
    ]


def test_a_prediction_without_figures_is_left_out() -> None:
    broken = replace(experiment(1, "a", 50.0), base=(prediction("a", float("nan")),))
    found = view(broken, best="a")
    assert found.predicted_frontier == []
    assert found.launches[0].value == 1.0


def test_a_run_without_predictions_is_shown_too() -> None:
    found = view(replace(experiment(1, "a", 50.0), base=()), best="a")
    assert (found.predicted_frontier, found.launches[0].value) == ([], 1.0)


def test_a_run_that_has_not_launched_has_nothing_to_show() -> None:
    found = view(best="none")
    assert (found.measure, found.launches) == ("hypervolume", [])
