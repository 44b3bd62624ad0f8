"""A load level's book-keeping, fed with replies made by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from autotuner.config import LengthDistribution, LoadLevel
from autotuner.measure import LevelPlan, Measurement, StoppingRule
from autotuner.measure.disturbance import ClientWatch
from autotuner.measure.level import Level
from autotuner.measure.reply import Reply


def level_of(*token_times_s: tuple[float, ...]) -> Measurement:
    """A level of one request after the other; each answers 3 tokens at the given times."""
    plan = LevelPlan(
        lengths=LengthDistribution.parse("D(4,3)"),
        load=LoadLevel.concurrency(1),
        stop=StoppingRule(len(token_times_s), duration_s=60.0),
        warmup_requests=0,
        request_timeout_s=60.0,
    )
    level = Level(plan, lambda completed, wanted: None)
    for times_s in token_times_s:
        level.end(level.begin(), 3, Reply(0.0, times_s, times_s[-1], 3, 4))
    return level.measurement(ClientWatch(), engine_alive=True)


def test_an_answer_that_was_read_at_once_has_no_tpot_and_says_so() -> None:
    shown = level_of((0.01, 0.01, 0.01), (0.02, 0.02, 0.02))
    assert shown.tpot_ms is None
    assert "at once" in shown.note


def test_answers_that_were_read_at_once_among_others_count() -> None:
    shown = level_of((0.01, 0.01, 0.01), (0.01, 0.03, 0.05))
    assert shown.tpot_ms is not None
    assert shown.tpot_ms.mean == pytest.approx(10.0)
    assert shown.note == ""


def test_nothing_counts_before_all_users_are_in_flight() -> None:
    plan = LevelPlan(
        lengths=LengthDistribution.parse("D(4,3)"),
        load=LoadLevel.concurrency(2),
        stop=StoppingRule(2, duration_s=60.0),
        warmup_requests=1,
    )
    level = Level(plan, lambda completed, wanted: None)
    reply = Reply(0.0, (0.01, 0.02, 0.03), 0.03, 3, 4)
    alone = [level.begin() for _ in range(1)]
    for _ in range(3):
        level.end(alone[-1], 3, reply)
        alone.append(level.begin())
    assert [ticket.number for ticket in alone] == [None] * 4
    assert [level.begin().number for _ in range(3)] == [0, 1, None]


def test_the_measured_window_says_when_it_began() -> None:
    before = datetime.now(UTC)
    shown = level_of((0.01, 0.02, 0.03))
    assert shown.began_at is not None
    assert before <= shown.began_at <= datetime.now(UTC)
