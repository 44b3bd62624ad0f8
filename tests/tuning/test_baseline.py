"""The baseline of a task: what it is, when it is launched, and the results beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from made_up_bench import Bench, MadeUpLauncher, level, opened

from autotuner.config import load_task, parse_task
from autotuner.errors import ConfigError
from autotuner.measure import Measurement
from autotuner.tuning.baseline import changed_settings, first_launch
from autotuner.tuning.prepare import Prepared, prepare

EXAMPLES = Path(__file__).parents[2] / "examples" / "v2"
DEFAULTS = {"strategy": "grid", "baseline": "defaults"}
EIGHT = {"scheduling": {"max_running_requests": 8}}


@pytest.fixture
def bench(tmp_path: Path) -> Any:
    with opened(tmp_path) as made:
        yield made


def mine(settings: dict[str, Any] | str, **more: Any) -> dict[str, Any]:
    return {"optimization": {"strategy": "grid", "baseline": "mine", "mine": settings} | more}


def test_the_defaults_are_launched_first_at_every_level_and_cost_no_launch(bench: Bench) -> None:
    budget = DEFAULTS | {"budget": {"experiments": 2}}
    summary, _ = bench.tune(changes={"optimization": budget})
    first, *rest = summary.experiments
    assert first.phase == "baseline"
    assert "misc.threads" not in first.settings
    assert [m.load.value for m in first.measurements] == [1, 4]
    assert len(rest) == 2
    assert all(experiment.phase != "baseline" for experiment in rest)


@pytest.mark.parametrize("again", [False, True])
def test_it_is_launched_once(bench: Bench, again: bool) -> None:
    changes = {"optimization": DEFAULTS | {"budget": {"experiments": 1}}}
    bench.tune(changes=changes)
    changes["optimization"]["budget"] = {"experiments": 3}
    summary, _ = bench.tune(changes=changes, again=again)
    assert [e.phase for e in summary.experiments].count("baseline") == 1
    assert len(summary.experiments) == 4


def test_a_candidate_that_is_the_baseline_is_launched_once_and_searched_no_more(
    bench: Bench,
) -> None:
    threads = bench.prepared().space.candidates[0].get("misc.threads")
    own = {"scheduling": {"max_running_requests": 2}, "misc": {"threads": threads}}
    summary, _ = bench.tune(changes=mine(own))
    assert len(summary.experiments) == 3
    assert summary.experiments[0].settings["scheduling.max_running_requests"] == 2
    assert summary.baseline is not None
    assert summary.baseline.kind == "mine"


@pytest.mark.parametrize(
    "today",
    [
        "llama-server --model any.gguf --parallel 3 --flash-attn on --slots",
        {
            "scheduling": {"max_running_requests": 3},
            "attention": {"backend": "flash"},
            "misc": {"extra_args": ["--slots"]},
        },
    ],
    ids=["a command line", "groups"],
)
def test_the_settings_of_today_are_what_is_launched(bench: Bench, today: Any) -> None:
    summary, _ = bench.tune(changes=mine(today))
    first = summary.experiments[0]
    assert first.phase == "baseline"
    assert first.settings["scheduling.max_running_requests"] == 3
    assert first.settings["attention.backend"] == "flash"
    assert first.settings["misc.extra_args"] == ["--slots"]
    assert "--parallel 3" in first.command
    assert "--slots" in first.command


def test_the_recommended_point_stands_beside_it(bench: Bench) -> None:
    def load(slots: int, concurrency: int) -> Measurement:
        return level(concurrency, 100.0 * min(slots, concurrency), 10.0)

    summary, _ = bench.tune(load, changes=mine({"scheduling": {"max_running_requests": 1}}))
    beside = summary.baseline
    assert beside is not None
    assert beside.same_load is not None
    figures = {one.quantity: one for one in beside.same_load.figures}
    assert (figures["tok_s_per_gpu"].baseline, figures["tok_s_per_gpu"].recommended) == (100, 400)
    assert figures["tok_s_per_gpu"].ratio == pytest.approx(4, rel=1e-3)
    assert figures["tok_s_per_gpu"].settled == "better"
    assert figures["tpot_ms"].settled == "unclear"
    assert figures["tpot_ms"].probability_better == pytest.approx(0.5, abs=0.01)
    changed = {change.field: change for change in beside.changes}
    assert changed["scheduling.max_running_requests"].baseline == 1
    assert changed["scheduling.max_running_requests"].recommended == 4
    assert not any(field.startswith(("runtime.", "system.")) for field in changed)


def test_its_best_level_within_the_slo_stands_beside_it_too(bench: Bench) -> None:
    """With one slot TPOT misses the limit of 15 ms at 4 requests at once."""

    def load(slots: int, concurrency: int) -> Measurement:
        return level(concurrency, 100.0 * concurrency, 10.0 if concurrency <= slots else 20.0)

    summary, _ = bench.tune(load, changes=mine({"scheduling": {"max_running_requests": 1}}))
    beside = summary.baseline
    assert beside is not None
    assert beside.within_slo is not None
    assert (beside.within_slo.load.value, beside.within_slo.baseline_load.value) == (4, 1)
    assert beside.within_slo.baseline_meets_slo is True
    assert beside.same_load is not None
    assert beside.same_load.baseline_meets_slo is False


def test_a_baseline_that_does_not_start_ends_nothing(bench: Bench) -> None:
    launcher = MadeUpLauncher(broken=(8,))
    summary, _ = bench.tune(launcher=launcher, changes=mine(EIGHT))
    assert summary.task.status == "completed"
    assert [e.status for e in summary.experiments] == ["failed", *["completed"] * 3]
    assert summary.baseline is not None
    assert (summary.baseline.status, summary.baseline.failure) == ("failed", "too large")
    assert summary.baseline.same_load is None
    assert summary.recommended is not None


def test_where_nothing_is_better_it_is_recommended(bench: Bench) -> None:
    def load(slots: int, concurrency: int) -> Measurement:
        return level(concurrency, 100.0 * (slots + concurrency), 10.0)

    summary, _ = bench.tune(load, changes=mine(EIGHT))
    assert summary.baseline is not None
    assert summary.baseline.is_recommended
    assert summary.baseline.changes == []


def test_where_no_candidate_runs_the_task_has_failed_though_its_baseline_ran(bench: Bench) -> None:
    launcher = MadeUpLauncher(broken=(1, 2, 4))
    summary, _ = bench.tune(launcher=launcher, changes=mine(EIGHT))
    assert summary.task.status == "failed"
    assert summary.baseline is not None
    assert "no candidate has an operating point" in summary.baseline.headline


def test_a_baseline_that_misses_the_slo_everywhere_is_named_so(bench: Bench) -> None:
    def load(slots: int, concurrency: int) -> Measurement:
        return level(concurrency, 100.0 * concurrency, 10.0 if slots < 8 else 16.0)

    summary, _ = bench.tune(load, changes=mine(EIGHT))
    assert summary.baseline is not None
    assert "miss the SLO at every measured level" in summary.baseline.headline
    assert summary.baseline.same_load is not None
    assert "where your current settings miss the SLO" in summary.baseline.same_load.title


@pytest.mark.parametrize(
    ("then", "kind"),
    [
        ({"baseline": "none"}, "mine"),
        (DEFAULTS, "mine"),
        ({"baseline": "mine", "mine": {"scheduling": {"max_running_requests": 16}}}, "mine"),
    ],
    ids=["none", "defaults", "other settings"],
)
def test_a_task_keeps_the_baseline_that_it_began_with(
    bench: Bench, then: dict[str, Any], kind: str
) -> None:
    first, _ = bench.tune(changes=mine(EIGHT, budget={"experiments": 1}))
    changes = {"optimization": {"strategy": "grid", **then, "budget": {"experiments": 3}}}
    summary, _ = bench.tune(changes=changes)
    assert summary.task.id == first.task.id
    assert [e.phase == "baseline" for e in summary.experiments] == [True, False, False, False]
    assert summary.baseline is not None
    assert summary.baseline.kind == kind
    assert summary.experiments[0].settings["scheduling.max_running_requests"] == 8


def test_a_task_that_began_without_one_goes_on_without(bench: Bench) -> None:
    bench.tune(changes={"optimization": {"strategy": "grid", "budget": {"experiments": 1}}})
    summary, _ = bench.tune(changes=mine(EIGHT, budget={"experiments": 3}))
    assert len(summary.experiments) == 3
    assert summary.baseline is None
    task = bench.store.tasks.get(summary.task.id)
    assert task is not None
    assert task.plan["baseline_launches"] == 0


def test_it_is_launched_until_its_own_launch_has_finished(bench: Bench) -> None:
    changes = mine(EIGHT, budget={"experiments": 1})
    summary, _ = bench.tune(changes=changes)
    baseline = bench.prepared(changes).baseline
    assert baseline is not None
    own, other = bench.store.experiments(summary.task.id)
    proposed = first_launch(baseline, [other], ())
    assert proposed is not None
    assert (proposed.candidate_id, proposed.phase) == (baseline.candidate.id, "baseline")
    assert first_launch(baseline, [own], ()) is None
    assert first_launch(baseline, [other], [baseline.candidate.id]) is None
    assert first_launch(None, [], ()) is None


def test_without_one_nothing_is_compared(bench: Bench) -> None:
    assert bench.tune()[0].baseline is None


def prepared(name: str) -> Prepared:
    return prepare(load_task(EXAMPLES / name), base=EXAMPLES)


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("dense-vllm.yaml", "parallel.tensor_parallel", 4),
        ("moe-sglang.yaml", "parallel.tensor_parallel", 8),
        ("one-small-gpu.yaml", "memory.max_model_len", 2560),
    ],
)
def test_defaults_set_what_the_model_needs_to_start_and_say_so(
    name: str, field: str, value: int
) -> None:
    found = prepared(name)
    assert found.baseline is not None
    assert found.baseline.candidate.get(field) == value
    assert found.baseline.note
    assert found.baseline.note in found.baseline.reason
    assert not any(
        path.startswith(("scheduling.", "quantization.", "attention."))
        for path in found.baseline.candidate.settings()
    )


def test_a_width_that_is_not_set_is_one() -> None:
    beside = {"parallel.tensor_parallel": 1, "parallel.data_parallel": 2, "misc.threads": 1}
    changed = {path: after for path, _, after in changed_settings({}, beside)}
    assert changed == {"parallel.data_parallel": 2, "misc.threads": 1}


def test_the_first_start_of_an_engine_that_compiles_for_a_gpu_is_assumed_to_be_slow() -> None:
    gpu, cpu = prepared("one-small-gpu.yaml"), prepared("quickstart.yaml")
    assert gpu.startup_guess_s > 60
    assert cpu.startup_guess_s < 10
    assert "60 s, and the weights" in gpu.startup_why


def test_a_replay_has_none_and_says_why() -> None:
    found = prepared("replay-qwen235b.yaml")
    assert found.baseline is None
    assert "recorded" in found.baseline_why


TASK: dict[str, Any] = {
    "version": 2,
    "name": "made up",
    "model": {"id": "smollm2-135m"},
    "runtime": {"isl": 8, "osl": 4},
}


@pytest.mark.parametrize(
    ("optimization", "expected"),
    [
        ({"baseline": "mine"}, ["optimization.mine", "missing"]),
        ({"baseline": "none", "mine": EIGHT}, ["optimization.mine", "beside baseline: none"]),
        ({"mine": {"scheduling": {"max_running_requests": [1, 2]}}}, ["max_running_requests"]),
        ({"mine": {"memory": {"page_size": 16}}}, ["optimization.mine", "pages"]),
        ({"baseline": "best"}, ["optimization.baseline", "best"]),
        ({"mine": "vllm serve smollm2-135m"}, ["optimization.mine", "vllm", "llamacpp"]),
        ({"mine": {"system": {"backend": "sglang"}}}, ["optimization.mine", "sglang", "llamacpp"]),
        ({"mine": {"runtime": {"isl": 50}}}, ["optimization.mine", "runtime.isl", "50", "8"]),
        ({"mine": "nginx -g daemon"}, ["optimization.mine", "no engine that is known"]),
    ],
)
def test_a_baseline_that_cannot_be_is_refused_by_its_field(
    optimization: dict[str, Any], expected: list[str], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as refused:
        prepare(parse_task(TASK | {"optimization": optimization}, source="task"), base=tmp_path)
    for words in expected:
        assert words in str(refused.value)


@pytest.mark.parametrize("given", [["--slots"], [["--slots"]]], ids=["words", "one list of them"])
def test_defaults_keep_the_arguments_that_a_task_gives_by_hand(given: Any, tmp_path: Path) -> None:
    found = prepare(parse_task(TASK | {"misc": {"extra_args": given}}), base=tmp_path)
    assert found.baseline is not None
    assert found.baseline.candidate.settings()["misc.extra_args"] == ["--slots"]
