"""`autotuner plan` says how long each launch is expected to take until its engine is ready."""

from __future__ import annotations

from typing import Any

from autotuner.cli.commands.plan import start_lines


def planned(key: str, startup_s: float, source: str) -> dict[str, Any]:
    return {"id": key, "startup_s": startup_s, "startup_source": source}


def plan(*experiments: dict[str, Any], baseline: dict[str, Any] | None = None) -> dict[str, Any]:
    found = {"experiments": list(experiments), "baseline": baseline}
    return found | {"startup_s": 100.0, "startup_why": "as they say"}


def test_one_line_says_it_where_all_launches_are_alike() -> None:
    lines = start_lines(plan(planned("a", 100, "assumed"), planned("b", 100, "assumed")))
    assert lines == ["1 min 40 s a launch: as they say"]


def test_first_starts_and_later_ones_have_lines_of_their_own() -> None:
    again, first = planned("a", 40, "again"), planned("b", 400, "first")
    usual, *kinds = start_lines(plan(again, planned("c", 50, "again"), first, baseline=again))
    assert usual == "1 min 40 s a launch on average: as they say"
    assert kinds[0] == "40 s to 50 s of 2 of 3 launches, whose settings started before"
    assert kinds[1].startswith("6 min 40 s of 1 of 3 launches, whose settings did not")
