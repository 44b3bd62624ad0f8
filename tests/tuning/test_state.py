"""What a strategy is told of time: spent so far, and expected of each launch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_bench import level

from autotuner.config import Benchmark, LoadLevel, parse_task
from autotuner.predict import Prediction
from autotuner.store import ExperimentRecord
from autotuner.tuning.estimate import LaunchTimes, busy_s
from autotuner.tuning.prepare import prepare
from autotuner.tuning.search_state import SearchContext

BENCHMARK = Benchmark.model_validate(
    {"concurrency": [1, 10], "requests_per_level": 20, "warmup_requests": 0, "repeats": 2}
)
STARTUP_GUESS_S = 7.0


def predicted(candidate_id: str, e2e_ms: float) -> tuple[Prediction, ...]:
    stds = dict.fromkeys(("ttft_log_std", "tpot_log_std", "tok_s_log_std"), 0.3)
    return tuple(
        Prediction(
            candidate_id,
            LoadLevel.concurrency(n),
            e2e_ms,
            1.0,
            10.0,
            devices=1,
            osl=1,
            source="p",
            **stds,
        )
        for n in (1, 10)
    )


def launched(
    candidate_id: str, *, levels: Sequence[int] = (1, 10), **shown: Any
) -> ExperimentRecord:
    made: dict[str, Any] = {
        **dict.fromkeys(("command", "selection_reason", "phase", "log_path"), "-"),
        **dict.fromkeys(("failure_kind", "failure_message", "log_tail")),
        "settings": {},
        "status": "completed",
        "startup_s": 3.0,
        "measure_s": 44.0,
        "measurements": tuple(level(n, 1.0, 1.0) for n in levels for _ in range(2)),
    }
    return ExperimentRecord(id=1, index=1, candidate_id=candidate_id, **made | shown)


def minutes(*history: ExperimentRecord) -> list[float]:
    """Of two candidates, the second twice as slow, and of one that nobody predicted; in seconds."""
    shown = {"a": predicted("a", 1000.0), "b": predicted("b", 2000.0)}
    times = LaunchTimes(shown, BENCHMARK, startup_guess_s=STARTUP_GUESS_S)
    return [60 * each for each in times.minutes("abc", history).values()]


def test_a_launch_takes_its_start_and_its_predicted_sweep() -> None:
    # 20 requests one by one, and 2 rounds of 10, twice; the third is taken for their mean.
    assert minutes() == pytest.approx([7 + 44, 7 + 88, 7 + 66])


def test_a_level_takes_no_longer_than_its_limit() -> None:
    slow = LaunchTimes({"a": predicted("a", 1e9)}, BENCHMARK, startup_guess_s=0)
    assert slow.minutes("a", ())["a"] == pytest.approx(2 * 2 * 60 / 60)


def test_launches_of_the_run_correct_what_is_expected() -> None:
    assert minutes(launched("a", measure_s=88.0)) == pytest.approx([3 + 88, 3 + 176, 3 + 88])


def test_a_launch_that_was_cut_short_says_how_fast_but_not_how_long() -> None:
    cut = launched("a", levels=[1], measure_s=80.0, cut_short="after 1 level")
    assert minutes(cut) == pytest.approx([3 + 88, 3 + 176, 3 + 132])


def test_a_failed_launch_says_nothing() -> None:
    assert minutes(launched("a", status="failed", measure_s=1.0, startup_s=90.0)) == minutes()


def test_without_predictions_sweeps_take_what_others_took_or_their_limit() -> None:
    silent = LaunchTimes({}, BENCHMARK, startup_guess_s=STARTUP_GUESS_S)
    assert silent.minutes("a", ())["a"] * 60 == pytest.approx(7 + 4 * 60)
    assert silent.minutes("a", [launched("b")])["a"] * 60 == pytest.approx(3 + 44)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 20)), max_size=8))
def test_time_counts_once_however_many_work_in_it(spans: list[tuple[int, int]]) -> None:
    seconds = {at for began, lasting in spans for at in range(began, began + lasting)}
    assert busy_s(spans) == len(seconds)


def test_what_is_in_flight_has_spent_time_and_money_too(tmp_path: Path) -> None:
    task = {
        "version": 2,
        "name": "t",
        "model": {"id": "meta-llama/Llama-3.1-8B-Instruct"},
        "runtime": {"isl": 512, "osl": 128},
        "system": {
            "backend": "vllm",
            "gpu_type": "h100",
            "total_gpus": 2,
            "price_per_gpu_hour": 6.0,
        },
        "parallel": {"tensor_parallel": [1, 2]},
    }
    prepared = prepare(parse_task(task), base=tmp_path)
    one, two = (candidate.id for candidate in prepared.space.candidates)
    done = launched(one, began_s=0.0, startup_s=10.0, measure_s=110.0)
    state = SearchContext(prepared).state([done], {two: 60.0}, now_s=300.0)
    assert (state.in_flight, state.untried()) == ((two,), ())
    assert state.spent_minutes == pytest.approx(5.0)
    assert state.spent_usd == pytest.approx(5 / 60 * 2 * 6.0)
    assert state.spent_experiments == 1
    assert state.settings[two]["parallel.tensor_parallel"] == 2
    assert list(state.settings) == [one, two]
