"""The loop on recorded launches: simulated time, labels, memory, and going on after a stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autotuner.config import parse_task
from autotuner.errors import AutotunerError, ConfigError
from autotuner.landscapes import Landscape, landscape_csv, measured
from autotuner.launch.replay import STARTUP_S, ReplayLauncher, SimulatedTimeLoop
from autotuner.measure.replay import TOOL, ReplayLoadGenerator
from autotuner.search import strategy_named
from autotuner.store import ExperimentRecord, Store, TaskRecord
from autotuner.testing.made_up_landscape import ALL_FAIL, LAST_FAILS, SILENT, made_up_landscape
from autotuner.tuning.events import Event, ExperimentEnded, LevelMeasured
from autotuner.tuning.forecast import forecast_of
from autotuner.tuning.loop import Tuner
from autotuner.tuning.prepare import Prepared, prepare
from autotuner.tuning.summarise import summarise

LEVELS = (1, 4, 16)
RANDOM: dict[str, Any] = {"strategy": "random"}
TASK: dict[str, Any] = {
    "version": 2,
    "name": "replayed",
    "deployment_mode": "replay",
    "replay": {"landscape": "made-up.csv"},
    "optimization": RANDOM,
}


def written(folder: Path, landscape: Landscape | None = None) -> Path:
    """The folder, with the landscape in it."""
    folder.mkdir(parents=True, exist_ok=True)
    table = landscape or made_up_landscape(LEVELS, noise_cv=0.03, startup_s=None)
    (folder / f"{table.name}.csv").write_text(landscape_csv(table), encoding="utf-8")
    return folder


def prepared(folder: Path, **changes: Any) -> Prepared:
    return prepare(parse_task(TASK | changes), base=folder)


def go(
    task: Prepared, home: Path, *, stop: Callable[[Event], bool] = lambda event: False
) -> TaskRecord:
    """Opens the newest run and goes on with it, until `stop` says of an event that it is enough."""
    assert task.replay is not None
    with Store.open(home) as store, asyncio.Runner(loop_factory=SimulatedTimeLoop) as runner:
        work: list[asyncio.Future[str]] = []

        def listen(event: Event) -> None:
            if stop(event):
                work[0].cancel()

        tuner = Tuner(
            task,
            store=store,
            launcher=ReplayLauncher(task.replay.landscape),
            generator=ReplayLoadGenerator(task.replay.landscape),
            strategy=strategy_named(task.task.optimization.strategy),
            forecast=forecast_of(task, home),
            logs=home / "logs",
            listen=listen,
            clock=runner.get_loop().time,
        )
        run = tuner.open_task()

        async def until_stopped() -> None:
            work.append(asyncio.ensure_future(tuner.run(run)))
            with contextlib.suppress(asyncio.CancelledError):
                await work[0]

        runner.run(until_stopped())
        found = store.tasks.get(run.id)
        assert found is not None
        return found


def experiments(home: Path, run: TaskRecord) -> tuple[ExperimentRecord, ...]:
    with Store.open(home) as store:
        return store.experiments(run.id)


def shown(record: ExperimentRecord) -> tuple[object, ...]:
    """What a replay shows of an experiment, without what differs by moment and place."""
    return (
        record.index,
        record.candidate_id,
        record.status,
        record.failure_kind,
        record.selection_reason,
        record.command,
        round(record.startup_s or 0, 6),
        round(record.measure_s or 0, 6),
        record.measurements,
        record.base,
        record.calibrated,
    )


def test_launches_succeed_and_fail_as_recorded(tmp_path: Path) -> None:
    task = prepared(written(tmp_path))
    assert task.replay is not None
    run = go(task, tmp_path / "home")
    found = {
        task.replay.launches[e.candidate_id].id: e for e in experiments(tmp_path / "home", run)
    }
    assert run.status == "completed"
    assert sorted(found) == ["0", "1", "2", "3", "4", "5"]
    assert (found[ALL_FAIL].status, found[ALL_FAIL].failure_kind) == ("failed", "out_of_memory")
    assert found[ALL_FAIL].measurements == ()
    assert [m.valid for m in found[LAST_FAILS].measurements] == [True, True, False]
    assert found[SILENT].base == ()
    assert found[SILENT].unpredicted == "the table has no prediction of it"
    assert all(m.tool == TOOL for e in found.values() for m in e.measurements)
    assert all("replayed, not launched" in e.command for e in found.values())


def test_starts_and_levels_take_simulated_time_that_counts_towards_the_budget(
    tmp_path: Path,
) -> None:
    task = prepared(written(tmp_path), optimization=RANDOM | {"budget": {"minutes": 9}})
    run = go(task, tmp_path / "home")
    found = experiments(tmp_path / "home", run)
    assert [e.startup_s for e in found] == [pytest.approx(STARTUP_S)] * 3
    assert all(0 < (e.measure_s or 0) < STARTUP_S for e in found)
    assert run.stop_reason.startswith("the budget of 9 minutes is used up")
    assert run.wall_s < STARTUP_S, "simulated time was waited for"

    dear = {
        "optimization": RANDOM | {"budget": {"usd": 1.7}},
        "system": {"price_per_gpu_hour": 3.0},
    }
    run = go(prepared(tmp_path, **dear), tmp_path / "home")
    assert len(experiments(tmp_path / "home", run)) == 3, "4 GPUs at 3 USD: 0.8 USD a launch"


def test_launches_side_by_side_share_the_simulated_time(tmp_path: Path) -> None:
    def busy_s(**optimization: Any) -> tuple[float, int]:
        """When the last launch ended, and how many began before the first had ended."""
        home = tmp_path / repr(optimization)
        asked = {"optimization": RANDOM | optimization, "system": {"total_gpus": 8}}
        found = experiments(home, go(prepared(written(tmp_path), **asked), home))
        ends = [e.began_s + (e.startup_s or 0) + (e.measure_s or 0) for e in found]
        return max(ends), sum(e.began_s < min(ends) for e in found)

    alone_s, one = busy_s()
    together_s, several = busy_s(parallel_launches="auto")
    assert (one, several > 1) == (1, True)
    assert together_s < 0.8 * alone_s
    assert busy_s(parallel_launches="auto") == (together_s, several)


def test_the_noise_is_that_of_the_seed(tmp_path: Path) -> None:
    def figures(seed: int, home: str) -> dict[str, list[float]]:
        task = prepared(written(tmp_path), optimization=RANDOM | {"seed": seed})
        found = experiments(tmp_path / home, go(task, tmp_path / home))
        return {e.candidate_id: [m.tok_s for m in e.measurements] for e in found}

    assert figures(1, "a") == figures(1, "b")
    assert figures(1, "a") != figures(2, "a")


def test_the_run_is_marked_and_keeps_what_the_table_has(tmp_path: Path) -> None:
    task = prepared(written(tmp_path))
    home = tmp_path / "home"
    run = go(task, home)
    assert run.replay
    assert (run.engine, run.model) == ("vllm", "meta-llama/Llama-3.1-8B-Instruct")
    assert run.device == "4 x h100_sxm"
    assert run.config["benchmark"] == {"concurrency": [1, 4, 16], "workload": "D(16,8)"}
    assert len(run.config["replay"]["sha256"]) == 64
    with Store.open(home) as store:
        summary = summarise(store, run)
    assert (summary.task.replay, summary.task.landscape) == (True, "made-up.csv")
    assert summary.frontier
    assert summary.prediction_error is not None


@pytest.mark.slow
@given(
    st.integers(min_value=1, max_value=18),
    st.sampled_from(["random", "grid"]),
    st.integers(min_value=0, max_value=2**31),
)
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_replay_that_is_interrupted_goes_on_as_one_left_alone(
    tmp_path: Path, after: int, strategy: str, seed: int
) -> None:
    task = prepared(written(tmp_path), optimization={"strategy": strategy, "seed": seed})
    homes = [tmp_path / f"{after}-{strategy}-{seed}-{name}" for name in ("alone", "stopped")]
    alone = go(task, homes[0])
    ends = 0

    def enough(event: Event) -> bool:
        nonlocal ends
        ends += isinstance(event, LevelMeasured | ExperimentEnded)
        return ends == after

    first = go(task, homes[1], stop=enough)
    assert first.status in ("interrupted", "completed")
    second = go(task, homes[1])
    assert (second.id, second.status) == (first.id, alone.status)
    assert [shown(e) for e in experiments(homes[1], second)] == [
        shown(e) for e in experiments(homes[0], alone)
    ]


def test_another_table_under_the_same_name_is_another_run(tmp_path: Path) -> None:
    first = prepared(written(tmp_path))
    again = prepared(tmp_path, name="renamed", description="words")
    assert first.task.content_id == again.task.content_id
    moved = prepared(written(tmp_path / "moved"))
    assert moved.task.content_id == first.task.content_id
    other = prepared(written(tmp_path, made_up_landscape(LEVELS, noise_cv=0.01)))
    assert other.task.content_id != first.task.content_id


def test_a_table_that_is_not_the_one_meant_is_refused(tmp_path: Path) -> None:
    checksum = prepared(written(tmp_path)).task.replay
    assert checksum is not None
    pinned = {"landscape": "made-up.csv", "sha256": checksum.sha256}
    assert prepared(tmp_path, replay=pinned).task.replay == checksum
    written(tmp_path, made_up_landscape(LEVELS, noise_cv=0.01))
    with pytest.raises(ConfigError, match=r"replay\.sha256"):
        prepared(tmp_path, replay=pinned)


@pytest.mark.parametrize("model", ["-org/m", "org/a\u00a0b", " "])
def test_a_table_may_have_a_model_that_no_engine_can_be_given(model: str, tmp_path: Path) -> None:
    table = replace(made_up_landscape(LEVELS), model=model)
    assert prepared(written(tmp_path, table)).model.name == model


def test_earlier_replays_teach_those_of_other_models_only(tmp_path: Path) -> None:
    home = tmp_path / "home"
    run = go(prepared(written(tmp_path)), home)
    with Store.open(home) as store:
        kept = store.observations()
        same = forecast_of(prepared(tmp_path, optimization=RANDOM | {"seed": 7}), home)
        assert same.remembered(store) == ()
        other = {"model": {"id": "Qwen/Qwen3-32B"}}
        remembered = forecast_of(prepared(tmp_path, **other), home).remembered(store)
    assert len(remembered) == len(kept) > 0
    assert {(k.observation.base, k.observation.tool) for k in kept} == {("recorded", TOOL)}
    assert any(e.calibrated for e in experiments(home, run)), "a run learns from its own launches"


def test_a_replay_teaches_no_task_that_launches_engines(tmp_path: Path) -> None:
    home = tmp_path / "home"
    go(prepared(written(tmp_path), prediction={"predictor": "roofline"}), home)
    real = {"version": 2, "name": "real", "model": {"id": "Qwen/Qwen3-32B"}}
    runtime = {"runtime": {"isl": 16, "osl": 8}, "system": {"backend": "vllm", "gpu_type": "h100"}}
    task = prepare(parse_task(real | runtime), base=tmp_path)
    with Store.open(home) as store:
        assert store.observations()
        assert forecast_of(task, home, measure=False).remembered(store) == ()


def test_what_the_landscape_says_of_a_launch_is_what_a_bench_sees(tmp_path: Path) -> None:
    """Without noise the loop and a replayed search see the same points."""
    table = made_up_landscape(LEVELS)
    task = prepared(written(tmp_path, table))
    assert task.replay is not None
    home = tmp_path / "home"
    run = go(task, home)
    with Store.open(home) as store:
        frontier = summarise(store, run).frontier
    for point in frontier:
        launch = task.replay.launches[point.experiment]
        seen = {p.load.value: p for p in measured(table, launch, 0).points}[point.load.value]
        assert (point.tok_s, point.ttft_ms, point.tpot_ms, point.e2e_p90_ms) == pytest.approx(
            (seen.tok_s, seen.ttft_ms, seen.tpot_ms, seen.e2e_p90_ms)
        )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"engine_path": "/bin/true"}, "engine_path"),
        ({"profiles": ["balanced"]}, "profiles"),
        ({"benchmark": {"tool": "genai-bench"}}, "benchmark.tool"),
        ({"benchmark": {"workload": "D(16,8)"}}, "benchmark.workload"),
        ({"benchmark": {"ci_width": 0.1}}, "benchmark.ci_width"),
        ({"benchmark": {"ready_timeout_s": 7.0}}, "benchmark.ready_timeout_s"),
        ({"replay": {"landscape": "nowhere.csv"}}, "nowhere.csv"),
        ({"system": {"gpu_type": ["h100"]}}, "system.gpu_type"),
        ({"parallel": {"tp": 64}}, "parallel.tensor_parallel"),
    ],
)
def test_what_makes_no_sense_in_a_replay_is_refused(
    changes: dict[str, Any], words: str, tmp_path: Path
) -> None:
    written(tmp_path)
    with pytest.raises(AutotunerError, match=words):
        prepared(tmp_path, **changes)
