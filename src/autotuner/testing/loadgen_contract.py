"""Contract of load generators, as tests to inherit from.

`AnyEngineContract` holds against whatever serves; `LoadGeneratorContract` adds what needs an engine
whose speed and faults are made to order, as the fake engine's flags do.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import ClassVar
from urllib.request import urlopen

import pytest

from autotuner.config import LoadKind
from autotuner.measure import Distribution, Endpoint, LevelPlan, LoadGenerator, Measurement
from autotuner.measure.arrival import LOAD_KINDS
from autotuner.testing.fake_engine import STALL_S
from autotuner.testing.small_levels import LONG_S, ObservedLevel, plan, undisturbed

EngineUnderLoad = tuple[Endpoint, Callable[[], bool]]
_ENDLESS = 1_000_000
_SLOW = pytest.mark.slow


class AnyEngineContract(ABC):
    """Contract against any engine. Supply the generator and an engine to load.

    Attributes:
        load_kinds: those that the generator can produce; tests of others are skipped.
    """

    load_kinds: ClassVar[frozenset[LoadKind]] = LOAD_KINDS

    @abstractmethod
    def generator(self) -> LoadGenerator:
        """The load generator under test."""

    @abstractmethod
    def engine(self, *fake_flags: str) -> AbstractAsyncContextManager[EngineUnderLoad]:
        """A live engine: its endpoint, and whether it lives."""

    def run(self, *levels: LevelPlan, flags: tuple[str, ...] = ()) -> list[ObservedLevel]:
        """Runs the levels one after the other on one engine."""
        for level in levels:
            self._require(level.load.kind)

        async def run_all() -> list[ObservedLevel]:
            async with self.engine(*flags) as (endpoint, engine_alive):
                return [await self._run_one(level, endpoint, engine_alive) for level in levels]

        return asyncio.run(run_all())

    async def _run_one(
        self, level: LevelPlan, endpoint: Endpoint, engine_alive: Callable[[], bool]
    ) -> ObservedLevel:
        progress: list[tuple[int, int]] = []
        began_s = time.monotonic()
        shown = await self.generator().run(
            endpoint,
            level,
            engine_alive=engine_alive,
            on_progress=lambda completed, wanted: progress.append((completed, wanted)),
        )
        return ObservedLevel(shown, time.monotonic() - began_s, engine_alive(), progress)

    def _require(self, kind: LoadKind) -> None:
        if kind not in self.load_kinds:
            pytest.skip(f"it makes no load of the kind {kind.value}")

    def test_counts_are_exact_and_warm_up_is_not_counted(self) -> None:
        (level,) = self.run(plan(2, 6, warmup_requests=3))
        shown = level.shown
        assert (shown.requests_completed, shown.requests_failed) == (6, 0), shown.errors
        assert (shown.input_tokens, shown.output_tokens) == (6 * 16, 6 * 8)
        assert shown.ttft_ms is not None
        assert shown.ttft_ms.count == 6
        assert (shown.load.value, shown.requests_short, shown.errors) == (2, 0, {})
        assert (shown.valid, shown.ended_by) == (True, "requests")

    def test_progress_is_reported_up_to_the_last_request(self) -> None:
        (level,) = self.run(plan(2, 5))
        assert level.progress == [(completed, 5) for completed in range(1, 6)]

    def test_a_level_ends_when_its_time_is_over(self) -> None:
        (level,) = self.run(plan(2, _ENDLESS, duration_s=0.4))
        assert (level.shown.ended_by, level.shown.valid) == ("time", True)
        assert 1 <= level.shown.requests_completed < _ENDLESS
        assert level.shown.duration_s >= 0.4
        assert level.wall_s >= level.shown.duration_s

    def test_percentiles_are_in_order(self) -> None:
        (level,) = self.run(plan(3, 9, lengths="U(4,24)/(4,12)"))
        for shown in (level.shown.ttft_ms, level.shown.e2e_ms, level.shown.tpot_ms):
            assert shown is not None
            assert shown.count == 9
            _assert_in_order(shown)
        assert level.shown.itl_ms is not None
        _assert_in_order(level.shown.itl_ms)
        assert level.shown.ttft_ms is not None
        assert level.shown.e2e_ms is not None
        assert 0 < level.shown.ttft_ms.min < level.shown.e2e_ms.min

    def test_tpot_is_the_rest_of_the_latency_over_the_rest_of_the_tokens(self) -> None:
        (level,) = self.run(plan(2, 6))
        ttft, tpot, e2e = level.shown.ttft_ms, level.shown.tpot_ms, level.shown.e2e_ms
        assert ttft is not None
        assert tpot is not None
        assert e2e is not None
        assert tpot.mean == pytest.approx((e2e.mean - ttft.mean) / (8 - 1))

    def test_a_single_token_has_no_time_per_further_token(self) -> None:
        (level,) = self.run(plan(1, 3, lengths="D(16,1)"))
        assert (level.shown.output_tokens, level.shown.valid) == (3, True)
        assert (level.shown.tpot_ms, level.shown.itl_ms) == (None, None)

    def test_rates_agree_with_the_counts(self) -> None:
        (level,) = self.run(plan(1, 5))
        shown = level.shown
        assert shown.requests_s == pytest.approx(shown.tok_s / 8)
        assert shown.tok_s == pytest.approx(5 * 8 / shown.duration_s)

    @pytest.mark.parametrize("rate", [None, 20.0], ids=["closed_loop", "open_loop"])
    def test_a_cancelled_level_lets_go_of_the_engine(self, rate: float | None) -> None:
        self._require(LoadKind.RATE if rate else LoadKind.CONCURRENCY)

        async def cancel() -> Measurement:
            async with self.engine() as (endpoint, engine_alive):
                endless = self._run_one(plan(2, _ENDLESS, rate=rate), endpoint, engine_alive)
                running = asyncio.ensure_future(endless)
                await asyncio.sleep(0.2)
                running.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await running
                for thread in threading.enumerate():
                    if thread.name == "load":
                        await asyncio.to_thread(thread.join, 10)
                        assert not thread.is_alive()
                return (await self._run_one(plan(1, 2), endpoint, engine_alive)).shown

        assert asyncio.run(cancel()).valid

    def test_requests_of_a_rate_are_sent_by_their_schedule(self) -> None:
        (level,) = self.run(plan(requests=6, rate=4.0, warmup_requests=1))
        shown = level.shown
        assert (shown.requests_completed, shown.valid, shown.ended_by) == (6, True, "requests")
        assert shown.client_delay_ms is not None
        assert shown.client_worst_delay_ms is not None
        assert 0 <= shown.client_delay_ms <= shown.client_worst_delay_ms
        assert shown.duration_s >= 6 / 4.0 * 0.99
        assert self.run(plan(2, 3))[0].shown.client_delay_ms is None


class LoadGeneratorContract(AnyEngineContract):
    """Contract against the fake engine, whose flags `engine` passes on."""

    def _run_counted(self, level: LevelPlan, flags: tuple[str, ...]) -> tuple[Measurement, int]:
        """Figures of a level, and the most requests that its engine had at a time."""

        async def run() -> tuple[Measurement, int]:
            async with self.engine(*flags) as (endpoint, engine_alive):
                shown = (await self._run_one(level, endpoint, engine_alive)).shown
                with await asyncio.to_thread(urlopen, f"{endpoint.base_url}/stats") as answer:
                    return shown, json.load(answer)["most_in_flight"]

        self._require(level.load.kind)
        return asyncio.run(run())

    @pytest.mark.parametrize("concurrency", [1, *(pytest.param(n, marks=_SLOW) for n in (4, 8))])
    def test_throughput_is_that_of_the_queue(self, concurrency: int) -> None:
        flags = ("--slots", "4", "--ttft-ms", "80", "--tpot-ms", "12")
        level = plan(concurrency, 3 * concurrency, lengths="D(16,16)", warmup_requests=concurrency)
        true_tok_s = min(concurrency, 4) * 16 / (0.080 + 15 * 0.012)

        def attempt() -> None:
            (run,) = self.run(level, flags=flags)
            assert run.shown.tok_s == pytest.approx(true_tok_s, rel=0.1)

        undisturbed(attempt)

    def test_latencies_are_not_below_the_truth(self) -> None:
        flags = ("--slots", "2", "--ttft-ms", "60", "--tpot-ms", "10")
        (run,) = self.run(plan(2, 8, lengths="D(16,11)"), flags=flags)
        assert run.shown.ttft_ms is not None
        assert run.shown.e2e_ms is not None
        assert run.shown.ttft_ms.min >= 60 * 0.99
        assert run.shown.e2e_ms.min >= (60 + 10 * 10) * 0.99

    def test_a_slower_engine_is_measured_slower(self) -> None:
        (fast,) = self.run(plan(2, 6), flags=("--ttft-ms", "20", "--tpot-ms", "4"))
        (slow,) = self.run(plan(2, 6), flags=("--ttft-ms", "60", "--tpot-ms", "16"))
        assert fast.shown.tok_s > 1.5 * slow.shown.tok_s

    def test_a_queue_for_slots_shows_in_the_first_token(self) -> None:
        flags = ("--slots", "2", "--ttft-ms", "30", "--tpot-ms", "4")

        def attempt() -> None:
            enough, queued = self.run(plan(2, 8), plan(8, 24, warmup_requests=8), flags=flags)
            assert enough.shown.ttft_ms is not None
            assert queued.shown.ttft_ms is not None
            assert queued.shown.ttft_ms.mean > 2 * enough.shown.ttft_ms.mean
            assert queued.shown.tok_s == pytest.approx(enough.shown.tok_s, rel=0.25)

        undisturbed(attempt)

    def test_a_level_ends_when_its_interval_is_narrow(self) -> None:
        (level,) = self.run(plan(2, _ENDLESS, ci_width=0.5), flags=("--ttft-ms", "30"))
        assert (level.shown.ended_by, level.shown.valid) == ("interval", True)
        assert 8 <= level.shown.requests_completed < _ENDLESS
        for shown in (level.shown.ttft_ms, level.shown.e2e_ms):
            assert shown is not None
            assert shown.ci95 is not None
            assert shown.ci95 <= 0.5 * shown.mean

    def test_a_rate_that_the_engine_keeps_up_with_is_the_rate_that_is_served(self) -> None:
        flags = ("--slots", "16", "--ttft-ms", "60", "--tpot-ms", "10")
        level = plan(requests=40, rate=20.0, warmup_requests=4, lengths="D(16,11)")

        def attempt() -> None:
            (run,) = self.run(level, flags=flags)
            shown = run.shown
            assert shown.requests_s == pytest.approx(20.0, rel=0.05)
            assert shown.tok_s == pytest.approx(20.0 * 11, rel=0.05)
            assert shown.duration_s == pytest.approx(40 / 20.0, rel=0.10)
            assert not shown.saturated, shown.note
            assert shown.ttft_ms is not None
            assert shown.client_delay_ms is not None
            assert shown.ttft_ms.mean >= (60 + shown.client_delay_ms) * 0.99

        undisturbed(attempt)

    def test_latency_counts_from_the_schedule_while_an_engine_stalls(self) -> None:
        flags = ("--slots", "64", "--ttft-ms", "20", "--tpot-ms", "1", "--fail", "stall")
        level = plan(requests=60, rate=40.0, lengths="D(16,4)")
        # A request that comes k / rate after the stop waits for what is left of it, or longer where
        # others use the machine; counted from when it was sent, the mean would be a tenth.
        waits_ms = [max(1000 * (STALL_S - k / 40.0), 0.0) for k in range(40)]

        def attempt() -> None:
            (run,) = self.run(level, flags=(*flags, "--fail-after", "20"))
            assert run.shown.ttft_ms is not None and run.shown.ttft_ms.count == 60
            assert 0.85 <= run.shown.ttft_ms.mean / (20 + sum(waits_ms) / 60) <= 1.5
            assert 0.85 <= run.shown.ttft_ms.max / (20 + waits_ms[0]) <= 1.5
            assert run.shown.ttft_ms.p50 < 20 + waits_ms[0] / 2

        undisturbed(attempt)

    def test_a_rate_above_what_the_engine_serves_is_a_queue_that_grows(self) -> None:
        flags = ("--slots", "1", "--ttft-ms", "40", "--tpot-ms", "4")
        # Request n begins n service times after the first, and was due after n distances.
        service_ms, distance_ms = 40 + 7 * 4, 1000 / 25.0
        mean_wait_ms = (service_ms - distance_ms) * (24 - 1) / 2

        def attempt() -> None:
            (run,) = self.run(level, flags=flags)
            shown = run.shown
            assert (shown.requests_completed, shown.valid, shown.saturated) == (24, True, True)
            assert "25 requests/s" in shown.note
            assert shown.ttft_ms is not None
            assert 0.9 <= shown.ttft_ms.mean / (40 + mean_wait_ms) <= 1.3

        level = plan(requests=24, rate=25.0, lengths="D(16,8)")
        undisturbed(attempt)

    def test_a_short_burst_above_what_the_engine_serves_is_saturated(self) -> None:
        flags = ("--slots", "4", "--ttft-ms", "40", "--tpot-ms", "4")
        level = plan(requests=12, rate=200.0, lengths="D(16,8)", warmup_requests=2)

        def attempt() -> None:
            shown, most_in_flight = self._run_counted(level, flags)
            assert shown.requests_s == pytest.approx(4000 / (40 + 7 * 4), rel=0.15)
            assert (shown.valid, shown.saturated) == (True, True)
            # Some 25, and more than 60 were they sent at that rate until the twelfth has ended.
            assert most_in_flight <= 40

        undisturbed(attempt)

    def test_no_more_than_so_many_requests_are_under_way(self) -> None:
        level = plan(requests=20, rate=200.0, most_in_flight=4)
        slow = ("--slots", "1", "--ttft-ms", "30", "--tpot-ms", "2")
        shown, most_in_flight = self._run_counted(level, slow)
        assert most_in_flight == 4
        assert (shown.requests_completed, shown.valid, shown.saturated) == (20, True, True)
        assert "4 requests in flight" in shown.note
        # What waits in the client waits too: the last request was due 95 ms after the first.
        assert shown.e2e_ms is not None
        assert shown.e2e_ms.max >= (20 * (30 + 7 * 2) - 19 * 5) * 0.95

    def test_a_level_ends_in_time_while_nothing_is_under_way(self) -> None:
        def attempt() -> None:
            (run,) = self.run(plan(requests=_ENDLESS, rate=2.0, duration_s=1.2))
            assert (run.shown.requests_completed, run.shown.ended_by) == (3, "time")
            assert run.shown.requests_s == pytest.approx(2.0, rel=0.05)
            assert run.wall_s >= 1.2

        undisturbed(attempt)

    def test_a_rate_ends_when_its_interval_is_narrow(self) -> None:
        level = plan(requests=_ENDLESS, rate=50.0, ci_width=0.5)
        (run,) = self.run(level, flags=("--ttft-ms", "30", "--slots", "16"))
        assert (run.shown.ended_by, run.shown.valid) == ("interval", True)
        assert 32 <= run.shown.requests_completed < _ENDLESS

    def test_an_engine_that_dies_ends_an_open_loop_at_once(self) -> None:
        flags = ("--fail", "crash-load", "--fail-after", "6")
        (run,) = self.run(plan(requests=_ENDLESS, rate=50.0), flags=flags)
        assert (run.shown.valid, run.shown.ended_by, run.alive_after) == (False, "failed", False)
        assert run.shown.requests_failed == sum(run.shown.errors.values()) > 0
        assert run.wall_s < LONG_S / 4, "it waited for answers of a dead engine"

    def test_refused_requests_are_counted_and_spoil_the_level(self) -> None:
        (level,) = self.run(plan(2, _ENDLESS), flags=("--fail", "refuse"))
        shown = level.shown
        assert (shown.valid, shown.ended_by, shown.requests_completed) == (False, "failed", 0)
        assert shown.requests_failed == sum(shown.errors.values()) > 0
        assert shown.ttft_ms is None
        assert any("503" in error and "no capacity" in error for error in shown.errors)

    def test_what_was_completed_before_the_failures_still_counts(self) -> None:
        flags = ("--fail", "refuse", "--fail-after", "4")
        (level,) = self.run(plan(1, _ENDLESS), flags=flags)
        assert (level.shown.valid, level.shown.ended_by) == (False, "failed")
        assert (level.shown.requests_completed, level.shown.output_tokens) == (4, 4 * 8)
        assert level.shown.requests_failed == sum(level.shown.errors.values()) > 0

    def test_short_answers_are_counted_and_not_averaged(self) -> None:
        (level,) = self.run(plan(2, 6), flags=("--fail", "short"))
        shown = level.shown
        assert (shown.requests_completed, shown.requests_short) == (6, 6)
        assert (shown.requests_failed, shown.output_tokens) == (0, 6 * 4)
        assert (shown.ttft_ms, shown.tpot_ms, shown.itl_ms, shown.e2e_ms) == (None,) * 4

    def test_a_dropped_connection_is_tried_once_more_and_noted(self) -> None:
        flags = ("--fail", "drop", "--fail-after", "5")
        clean, dropped = self.run(plan(1, 4), plan(1, 4), flags=flags)
        assert clean.shown.note == ""
        assert (dropped.shown.requests_completed, dropped.shown.requests_failed) == (4, 0)
        assert dropped.shown.valid
        assert dropped.shown.note.startswith("1 ")

    def test_a_connection_dropped_twice_is_a_failure(self) -> None:
        (level,) = self.run(plan(4, _ENDLESS), flags=("--fail", "drop", "--fail-after", "1"))
        assert (level.shown.valid, level.shown.ended_by) == (False, "failed")
        assert level.shown.requests_completed == 0
        assert level.shown.requests_failed == sum(level.shown.errors.values()) > 0

    @pytest.mark.parametrize("fault", ["crash-load", "oom-load"])
    def test_a_dead_engine_ends_the_level_at_once(self, fault: str) -> None:
        flags = ("--fail", fault, "--fail-after", "6")
        (level,) = self.run(plan(3, _ENDLESS), flags=flags)
        shown = level.shown
        assert (shown.valid, shown.ended_by, level.alive_after) == (False, "failed", False)
        assert shown.requests_failed == sum(shown.errors.values()) == 3
        assert 0 < shown.requests_completed <= 6
        assert level.wall_s < LONG_S / 4, "it waited for answers of a dead engine"

    def test_an_answer_that_does_not_come_is_a_failure_after_the_timeout(self) -> None:
        flags = ("--fail", "hang-load", "--fail-after", "2")
        (level,) = self.run(plan(2, 6, request_timeout_s=0.4), flags=flags)
        shown = level.shown
        assert (shown.valid, shown.ended_by, level.alive_after) == (False, "failed", True)
        assert shown.requests_failed == sum(shown.errors.values()) > 0
        assert shown.requests_completed == 2
        assert any("0.4 s" in error for error in shown.errors)
        assert level.wall_s >= 0.4

    def test_nobody_at_the_endpoint_is_a_failed_level(self) -> None:
        async def run() -> Measurement:
            async with self.engine() as (endpoint, _):
                nobody = Endpoint("http://127.0.0.1:9", endpoint.model_name)
                return (await self._run_one(plan(2, 4), nobody, lambda: True)).shown

        shown = asyncio.run(run())
        assert (shown.valid, shown.requests_completed) == (False, 0)
        assert shown.requests_failed == sum(shown.errors.values()) > 0


def _assert_in_order(shown: Distribution) -> None:
    quantiles = [shown.min, shown.p50, shown.p90, shown.p95, shown.p99, shown.max]
    assert quantiles == sorted(quantiles)
    assert shown.min <= shown.mean <= shown.max
    assert shown.std >= 0
