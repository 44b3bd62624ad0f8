"""A search that is interrupted makes the same choices as one that is left alone."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from made_up_bench import Bench, Load, MadeUpLauncher, opened, smooth
from made_up_predictor import MadeUpPredictor

from autotuner.measure import Measurement
from autotuner.search import (
    STRATEGIES,
    Proposal,
    SearchState,
    Stop,
    Strategy,
    stop_reason,
    strategy_named,
)
from autotuner.testing.fake_engine import install_fake_engine
from autotuner.tuning.summary import TaskSummary

CHANGES: dict[str, Any] = {
    "scheduling": {"max_running_requests": [1, 2, 3, 4, 6, 8]},
    "optimization": {
        "strategy": "grid",
        "baseline": "none",
        "confirm": 0,
        "budget": {"minutes": 10},
    },
}
CANDIDATES, LEVELS, BROKEN = 6, (1, 4), (3,)


class Suspicious:
    """Chooses by a hash of all that it is told: any difference between two states shows."""

    name = "suspicious"

    def propose(self, state: SearchState) -> Proposal | Stop:
        stop = stop_reason(state)
        if stop is not None:
            return Stop(stop)
        # Labels that every run draws anew.
        earlier = tuple(replace(o, launch="", at=None) for o in state.knowledge.earlier)
        knowledge = replace(state.knowledge, earlier=earlier)
        shown = {**vars(state), "settings": dict(state.settings), "knowledge": knowledge}
        digest = hashlib.sha256(repr(sorted(shown.items())).encode()).hexdigest()
        untried = state.untried()
        return Proposal(untried[int(digest, 16) % len(untried)], digest, "hashing")


class Interrupted:
    """A load that cancels the tuner at some of its levels, counted over all calls."""

    def __init__(self, moments: set[int]) -> None:
        self.moments, self.level = set(moments), 0

    def __call__(self, slots: int, concurrency: int) -> Measurement | None:
        self.level += 1
        if self.level in self.moments:
            raise asyncio.CancelledError
        return smooth(slots, concurrency)


def tuned(
    bench: Bench,
    load: Load,
    between: Callable[[Bench], None] = lambda bench: None,
    strategy: Strategy | None = None,
) -> Any:
    """Calls the tuner until the run is over; what was chosen, in order, and why."""
    while True:
        try:
            summary, _ = bench.tune(
                load,
                MadeUpLauncher(broken=BROKEN),
                changes=CHANGES,
                predictor=MadeUpPredictor(),
                strategy=strategy or Suspicious(),
            )
            return choices(summary)
        except asyncio.CancelledError:
            between(bench)


def choices(summary: TaskSummary) -> list[tuple[str, str, str]]:
    assert [e.index for e in summary.experiments] == list(range(1, len(summary.experiments) + 1))
    return [(e.id, e.phase, e.selection_reason) for e in summary.experiments]


def another_run_learns(bench: Bench) -> None:
    """Another task is tuned on the same store meanwhile."""
    changes = {"scheduling": {"max_running_requests": [5]}, "name": "another"}
    bench.tune(changes=changes, predictor=MadeUpPredictor())


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install_fake_engine(tmp_path_factory.mktemp("engine"))


@pytest.fixture(scope="module")
def left_alone(tmp_path_factory: pytest.TempPathFactory, fake: Path) -> list[tuple[str, str, str]]:
    with opened(tmp_path_factory.mktemp("alone"), fake) as bench:
        another_run_learns(bench)
        found: list[tuple[str, str, str]] = tuned(bench, smooth)
        return found


@pytest.mark.parametrize("moment", range(1, 2 * (CANDIDATES - len(BROKEN)) + 1))
def test_interrupted_once_at_any_level(
    moment: int, left_alone: list[tuple[str, str, str]], tmp_path: Path, fake: Path
) -> None:
    with opened(tmp_path, fake) as bench:
        another_run_learns(bench)
        assert tuned(bench, Interrupted({moment})) == left_alone


@pytest.mark.slow
@settings(
    max_examples=8,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(moments=st.sets(st.integers(1, 25), min_size=2))
def test_interrupted_again_and_again_while_others_learn(
    moments: set[int],
    left_alone: list[tuple[str, str, str]],
    tmp_path_factory: pytest.TempPathFactory,
    fake: Path,
) -> None:
    with opened(tmp_path_factory.mktemp("often"), fake) as bench:
        another_run_learns(bench)
        assert tuned(bench, Interrupted(moments), another_run_learns) == left_alone


@pytest.mark.slow
@pytest.mark.parametrize("name", STRATEGIES)
def test_each_strategy_goes_on_as_if_it_had_never_stopped(
    name: str, tmp_path: Path, fake: Path
) -> None:
    found = []
    for folder, moments in (("alone", set[int]()), ("interrupted", {2, 3, 5, 9})):
        with opened(tmp_path / folder, fake) as bench:
            another_run_learns(bench)
            load = Interrupted(moments)
            found.append(tuned(bench, load, another_run_learns, strategy_named(name)))
    assert found[0] == found[1]
    assert len(found[0]) >= 2


def test_a_new_run_knows_what_others_have_learnt_meanwhile(tmp_path: Path, fake: Path) -> None:
    seen: list[SearchState] = []

    class Watching(Suspicious):
        def propose(self, state: SearchState) -> Proposal | Stop:
            seen.append(state)
            return super().propose(state)

    with opened(tmp_path, fake) as bench:
        for again in (False, True):
            bench.tune(predictor=MadeUpPredictor(), strategy=Watching(), again=again)
        own = {kept.observation.launch for kept in bench.store.observations(task_id=2)}
    first, last = seen[0].knowledge, seen[-1].knowledge
    assert first.earlier == ()
    assert len(last.earlier) == 3 * 2
    assert not {observation.launch for observation in last.earlier} & own


def test_a_run_of_an_older_version_goes_on(tmp_path: Path, fake: Path) -> None:
    with opened(tmp_path, fake) as bench:
        with pytest.raises(asyncio.CancelledError):
            bench.tune(Interrupted({3}), predictor=MadeUpPredictor())
        (run,) = bench.store.tasks.all()
        old = {k: v for k, v in run.plan.items() if not k.startswith(("strategy", "known"))}
        bench.store.tasks.update_plan(run.id, config=run.config, plan=old)
        summary, _ = bench.tune(predictor=MadeUpPredictor())
    assert [e.status for e in summary.experiments] == ["completed"] * 3


def test_an_engine_that_ends_just_before_the_run_is_cancelled_has_not_failed(
    tmp_path: Path, fake: Path
) -> None:
    """As where a scheduler signals the engine and the tuner, in this order."""

    def signalled(slots: int, concurrency: int) -> Measurement | None:
        if (slots, concurrency) == (2, 4):
            run = asyncio.current_task()
            assert run is not None
            asyncio.get_running_loop().call_later(0.001, run.cancel)
            return None
        return smooth(slots, concurrency)

    with opened(tmp_path, fake) as bench:
        with pytest.raises(asyncio.CancelledError):
            bench.tune(signalled)
        summary, generator = bench.tune()
    assert [p.load.value for p in generator.plans] == [4, 1, 4], "what it broke is measured again"
    assert [e.status for e in summary.experiments] == ["completed"] * 3
