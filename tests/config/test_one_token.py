"""Answers of one token: what such a task is for, and what it may not ask for."""

from __future__ import annotations

from typing import Any

import pytest

from autotuner.config import TaskConfig, parse_task
from autotuner.errors import ConfigError

ONE = {"runtime": {"isl": 64, "osl": 1}}
DRAWN = {"benchmark": {"workload": "U(50,60)/(1,1)"}}
SOME = {"benchmark": {"workload": "U(50,60)/(1,3)"}}


def task(**more: Any) -> TaskConfig:
    return parse_task({"version": 2, "name": "t", "model": {"id": "smollm2-135m"}, **more})


@pytest.mark.parametrize("lengths", [ONE, DRAWN])
def test_it_is_for_requests_and_first_tokens(lengths: dict[str, Any]) -> None:
    assert task(**lengths).objectives == ("requests_per_s_per_gpu", "ttft_ms")
    assert task(**lengths).written() == task(**lengths).written() | lengths
    again = parse_task(task(**lengths).written())
    assert again.objectives == task(**lengths).objectives


def test_longer_answers_are_for_what_they_were() -> None:
    assert task(**SOME).objectives == ("tok_s_per_gpu", "tok_s_per_user")
    assert not task(**SOME).one_token


@pytest.mark.parametrize("lengths", [ONE, DRAWN])
@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"slo": {"tpot_ms": 25}}, "slo.tpot_ms: 25 ms"),
        ({"optimization": {"objectives": ["tpot_ms"]}}, "optimization.objectives: tpot_ms"),
        (
            {"optimization": {"objectives": ["ttft_ms", "tok_s_per_user"]}},
            "optimization.objectives: tok_s_per_user",
        ),
    ],
)
def test_tpot_is_refused_at_once(
    lengths: dict[str, Any], asked: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        task(**lengths, **asked)
    assert words in str(refused.value)
    assert "take ttft_ms" in str(refused.value)
    task(**SOME, **asked)


def test_a_tpot_target_is_refused_too() -> None:
    with pytest.raises(ConfigError, match=r"runtime\.tpot_target: 30 ms"):
        task(runtime={"isl": 8, "osl": 1, "tpot_target": 30})


def test_objectives_that_exist_are_taken() -> None:
    chosen = ("requests_per_s", "e2e_p90_ms")
    given = task(**ONE, optimization={"objectives": list(chosen)}, slo={"ttft_ms": 300})
    assert given.objectives == chosen
    assert given.compared == (*chosen, "ttft_ms")
