"""Documents that are no whole task yet."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.config import parse_partly

WHOLE: dict[str, Any] = {"version": 2, "name": "t", "model": {"id": "a/b"}}


def paths(document: dict[str, Any]) -> list[str]:
    return [fault.path for fault in parse_partly(document).faults]


def test_a_whole_task_has_no_faults() -> None:
    found = parse_partly(WHOLE)
    assert (found.faults, found.replaced) == ((), frozenset())
    assert found.task is not None and found.task.name == "t"


def test_nothing_is_a_task_of_placeholders() -> None:
    found = parse_partly({})
    assert found.task is not None
    assert found.replaced == {"version", "name", "model"}
    assert paths({}) == ["version", "name", "model"]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"scheduling": {"max_running_requests": [4, "x", 0]}}, [1, 2]),
        ({"scheduling": {"max_running_requests": [0]}}, [0]),
    ],
)
def test_a_wrong_item_is_marked_and_the_others_are_used(
    document: dict[str, Any], expected: list[int]
) -> None:
    found = parse_partly(WHOLE | document)
    field = "scheduling.max_running_requests"
    assert [fault.path for fault in found.faults] == [f"{field}[{i}]" for i in expected]
    assert found.task is not None
    left = found.task.settings().get(field)
    assert left == ([4] if len(document["scheduling"]["max_running_requests"]) > 1 else None)


def test_faults_of_a_part_show_beside_those_of_its_fields() -> None:
    document = WHOLE | {
        "misc": {"threds": 1, "threads": 0},
        "benchmark": {"concurrency": [1, 1]},
        "runtime": {"isl": 8, "osl": 1},
        "slo": {"tpot_ms": 5},
        "optimization": {"strategy": "random", "min_gain": 0.1},
        "parallel": {"tensor_parallel": 1},
        "combinations": [{"parallel": {"tp": 2}}],
    }
    assert set(paths(document)) == {
        "misc.threds",
        "misc.threads",
        "benchmark.concurrency",
        "slo.tpot_ms",
        "optimization.min_gain",
        "combinations[0].parallel.tensor_parallel",
    }


def test_the_document_itself_stays_as_it_is() -> None:
    document = WHOLE | {"misc": {"threads": [0, 1]}}
    parse_partly(document)
    assert document["misc"] == {"threads": [0, 1]}


KEYS = st.sampled_from(["version", "model", "misc", "threads", "combinations", "slo", "replay"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_any_document_is_read_as_far_as_it_can_be(document: dict[str, Any]) -> None:
    found = parse_partly(document)
    assert found.task is not None or found.faults
