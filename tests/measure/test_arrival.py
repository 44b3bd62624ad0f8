"""Arrival processes: when the next request is due; one that is added needs no other change."""

from __future__ import annotations

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_stopping import SimulatedQueue

from autotuner.config import LoadLevel
from autotuner.measure.arrival import LOAD_KINDS, ClosedLoop, ConstantRate, arrival_process


class Poisson:
    """Independent requests, `rate_s` of them a second on average."""

    users = None

    def __init__(self, rate_s: float, seed: int) -> None:
        self._rng, self._rate_s = random.Random(seed), rate_s
        self._due_s = [0.0]

    def due_s(self, sent: int, in_flight: int) -> float:
        while len(self._due_s) <= sent:
            self._due_s.append(self._due_s[-1] + self._rng.expovariate(self._rate_s))
        return self._due_s[sent]


@given(users=st.integers(1, 500), in_flight=st.integers(0, 500), sent=st.integers(0, 10**6))
def test_a_closed_loop_waits_for_an_answer_once_all_users_wait(
    users: int, in_flight: int, sent: int
) -> None:
    due_s = ClosedLoop(users).due_s(sent, in_flight)
    assert (due_s is None) == (in_flight >= users)
    if due_s is not None:
        assert due_s == pytest.approx(0.005 * in_flight)


@given(rate_s=st.floats(0.01, 1000), sent=st.integers(0, 10**6), in_flight=st.integers(0, 10**6))
def test_a_constant_rate_waits_for_no_answer(rate_s: float, sent: int, in_flight: int) -> None:
    process = ConstantRate(rate_s)
    assert process.due_s(sent, in_flight) == pytest.approx(sent / rate_s)


def test_each_kind_of_load_has_its_arrival_process() -> None:
    assert arrival_process(LoadLevel.concurrency(8)) == ClosedLoop(8)
    assert arrival_process(LoadLevel.rate(2.5)) == ConstantRate(2.5)
    assert {load.kind for load in (LoadLevel.concurrency(1), LoadLevel.rate(1))} == LOAD_KINDS


def test_a_poisson_process_is_one_small_class() -> None:
    shown = [SimulatedQueue(Poisson(2.0, seed), 4).level(-seed, 0.3) for seed in range(1, 51)]
    assert {level.ended_by for level in shown} == {"interval"}
    assert not any(level.saturated for level in shown)
    assert statistics.fmean(level.requests_s for level in shown) == pytest.approx(2.0, rel=0.05)
    truth_ms = 1000 * SimulatedQueue(Poisson(2.0, 0), 4).mean_e2e_s()
    means = [level.e2e_ms.mean for level in shown if level.e2e_ms is not None]
    assert statistics.fmean(means) == pytest.approx(truth_ms, rel=0.05)


def test_a_queue_that_grows_is_marked_as_saturated() -> None:
    kept_up = SimulatedQueue(ConstantRate(3.0), 4).level(1, 1e-6, requests=300)
    fell_behind = SimulatedQueue(ConstantRate(4.4), 4).level(1, 1e-6, requests=300)
    assert (kept_up.saturated, fell_behind.saturated) == (False, True)
    assert fell_behind.valid
    assert "does not keep up" in fell_behind.note
    assert kept_up.note == ""
