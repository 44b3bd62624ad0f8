"""Answers that are kept: asked once, however many look, and never waited for long."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from autotuner.server.kept_answers import KeptAnswers, NoAnswerYetError


class Clock:
    """Seconds that pass when they are told to."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def counting() -> Callable[[], int]:
    asked: list[int] = []

    def ask() -> int:
        asked.append(0)
        return len(asked)

    return ask


def test_an_answer_is_asked_for_again_once_it_is_old() -> None:
    clock, ask = Clock(), counting()
    kept = KeptAnswers[int](3.0, max_wait_s=30.0, clock=clock)
    found = []
    for clock.now_s in (0.0, 2.0, 4.0):
        answer = kept.get("one", ask)
        assert not answer.is_overdue
        found.append((answer.value, answer.age_s))
    assert found == [(1, 0.0), (1, 2.0), (2, 0.0)]


def test_one_that_hangs_holds_up_no_other() -> None:
    kept, may_answer = KeptAnswers[int](3.0, max_wait_s=30.0), threading.Event()
    kept.begin("hangs", lambda: int(may_answer.wait(30)))
    assert kept.get("other", lambda: 7).value == 7
    may_answer.set()
    assert kept.get("hangs", lambda: 2).value == 1, "the question that is open is the only one"


def test_without_an_answer_in_time_the_last_one_has_to_do() -> None:
    clock, may_answer = Clock(), threading.Event()
    kept = KeptAnswers[int](3.0, max_wait_s=30.0, clock=clock)
    assert kept.get("one", lambda: 1).value == 1
    clock.now_s = 10.0
    kept.begin("one", lambda: 1 + int(may_answer.wait(30)))
    clock.now_s = 50.0
    answer = kept.get("one", counting())
    assert (answer.value, answer.age_s, answer.is_overdue) == (1, 50.0, True)
    may_answer.set()


def test_without_any_answer_in_time_there_is_none() -> None:
    may_answer, ask = threading.Event(), counting()
    kept = KeptAnswers[int](3.0, max_wait_s=0.01)
    with pytest.raises(NoAnswerYetError):
        kept.get("one", lambda: int(may_answer.wait(30)))
    with pytest.raises(NoAnswerYetError):
        kept.get("one", ask)
    may_answer.set()
    assert ask() == 1, "nobody else has asked"


def test_a_failure_is_kept_for_as_long_as_it_took_where_that_is_longer() -> None:
    clock, asked = Clock(), []
    kept = KeptAnswers[int](3.0, max_wait_s=30.0, clock=clock)

    def fail() -> int:
        asked.append(clock.now_s)
        clock.now_s += 20.0
        raise OSError("no such socket")

    for now_s in (0.0, 30.0, 39.0, 41.0):
        clock.now_s = max(clock.now_s, now_s)
        with pytest.raises(OSError, match="no such socket"):
            kept.get("one", fail)
    assert asked == [0.0, 41.0]


def test_many_who_ask_at_once_ask_once() -> None:
    kept, ask = KeptAnswers[int](60.0, max_wait_s=30.0), counting()
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(kept.get("one", ask).value)) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [1] * 20
