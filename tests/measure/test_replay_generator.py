"""Recorded figures in place of load: the generator's contract, noise, failures, simulated time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

import pytest

from autotuner.config import LoadKind
from autotuner.landscapes import Landscape
from autotuner.launch.replay import SCHEME, SimulatedTimeLoop
from autotuner.measure import Endpoint, LevelPlan, Measurement
from autotuner.measure.replay import TOOL, ReplayLoadGenerator
from autotuner.testing.loadgen_contract import AnyEngineContract, EngineUnderLoad
from autotuner.testing.made_up_landscape import LAST_FAILS, made_up_landscape
from autotuner.testing.small_levels import plan


class TestReplayLoadGenerator(AnyEngineContract):
    load_kinds = frozenset({LoadKind.CONCURRENCY})  # what the landscape has

    def generator(self) -> ReplayLoadGenerator:
        return ReplayLoadGenerator(made_up_landscape(levels=(1, 2, 3)))

    def engine(self, *fake_flags: str) -> AbstractAsyncContextManager[EngineUnderLoad]:
        @asynccontextmanager
        async def live() -> AsyncIterator[EngineUnderLoad]:
            yield Endpoint(f"{SCHEME}0", "model"), lambda: True

        return live()


def measured(
    landscape: Landscape, level: LevelPlan, launch: str = "0"
) -> tuple[Measurement, float]:
    """What a level shows, and the simulated seconds that it took."""

    async def run() -> tuple[Measurement, float]:
        shown = await ReplayLoadGenerator(landscape).run(
            Endpoint(f"{SCHEME}{launch}", "model"), level, engine_alive=lambda: True
        )
        return shown, asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=SimulatedTimeLoop) as runner:
        return runner.run(run())


def test_without_noise_the_recorded_figures_are_measured() -> None:
    landscape = made_up_landscape()
    shown, _ = measured(landscape, plan(4, 8))
    true = landscape.launch("0").levels[1].true
    assert true is not None
    assert shown.ttft_ms is not None
    assert shown.tpot_ms is not None
    assert shown.e2e_ms is not None
    figures = (shown.ttft_ms.mean, shown.tpot_ms.mean, shown.tok_s, shown.e2e_ms.p90)
    assert figures == (true.ttft_ms, true.tpot_ms, true.tok_s, true.latency_ms)
    assert (shown.tool, shown.original) == (TOOL, {"landscape": "made-up", "launch": "0"})
    assert "replayed" in shown.note


def test_noise_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    landscape = made_up_landscape(noise_cv=0.05)
    shown = [measured(landscape, replace(plan(4, 8), seed=seed))[0] for seed in (1, 1, 2)]
    assert shown[0] == shown[1]
    assert shown[0].tok_s != shown[2].tok_s


def test_a_level_that_is_recorded_as_failed_fails() -> None:
    shown, took_s = measured(made_up_landscape(), plan(16, 32), LAST_FAILS)
    assert (shown.valid, shown.ended_by, shown.requests_completed) == (False, "failed", 0)
    assert shown.requests_failed == sum(shown.errors.values()) > 0
    assert list(shown.errors) == ["out of memory, as recorded"]
    assert took_s == 0


def test_a_level_that_is_not_recorded_fails_and_says_so() -> None:
    shown, _ = measured(made_up_landscape(), plan(5, 8))
    assert not shown.valid
    assert list(shown.errors) == ["no such load level is recorded"]


def test_a_level_takes_its_requests_and_those_of_the_warm_up() -> None:
    shown, took_s = measured(made_up_landscape(), plan(4, 8, warmup_requests=4))
    assert shown.duration_s == pytest.approx(8 * 8 / shown.tok_s)
    assert took_s == pytest.approx(1.5 * shown.duration_s)


def test_a_recorded_sweep_is_shared_out_over_its_levels() -> None:
    landscape = made_up_landscape(levels=(1, 4, 16), measure_s=90)
    assert measured(landscape, plan(4, 8))[1] == pytest.approx(30)
