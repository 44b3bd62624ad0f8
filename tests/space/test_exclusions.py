"""Every rule is asked of every combination: counts add up with what the space excludes."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.config import parse_task
from autotuner.space import NoCandidateError, ways
from autotuner.space.exclusions import Exclusions, exclusions
from autotuner.tuning.prepare import prepare

_TPS = st.lists(st.sampled_from([1, 2, 3, 4, 8, 16]), min_size=1, max_size=4, unique=True)


def task(gpu: str = "h100", gpus: int = 8, **groups: Any) -> dict[str, Any]:
    return {
        "version": 2,
        "name": "t",
        "model": {"id": "meta-llama/Llama-3.1-70B-Instruct"},
        "runtime": {"isl": 2048, "osl": 512},
        "system": {"backend": "vllm", "gpu_type": gpu, "total_gpus": gpus},
        **groups,
    }


def found(document: dict[str, Any]) -> tuple[Exclusions, dict[str, int]]:
    try:
        space = prepare(parse_task(document), base=Path()).space
    except NoCandidateError as error:
        space = error.space
    return exclusions(space.regions), space.excluded


@given(_TPS, st.sampled_from([1, 2, 8]), st.sampled_from(["h100", "l4", "b200"]))
def test_counts_add_up_with_what_the_space_excludes(widths: list[int], gpus: int, gpu: str) -> None:
    document = task(
        gpu, gpus, parallel={"tp": widths}, scheduling={"max_running_requests": [8, 64]}
    )
    counted, excluded = found(document)
    assert counted.combinations == 2 * len(widths)
    assert counted.broken == sum(excluded.values())
    assert all(0 <= rule.alone <= rule.breaking <= counted.broken for rule in counted.rules)
    assert sum(rule.alone for rule in counted.rules) <= counted.broken
    assert max((rule.breaking for rule in counted.rules), default=0) <= counted.broken
    assert sum(rule.breaking for rule in counted.rules) >= counted.broken
    for rule in counted.rules:
        assert all(0 < way.admits <= rule.alone for way in rule.ways)


def test_memory_says_how_much_is_missing_and_what_would_make_it_fit() -> None:
    counted, _ = found(task("l4", 2, parallel={"tp": [1, 2]}))
    (memory,) = [rule for rule in counted.rules if rule.missing_gib is not None]
    assert memory.breaking == memory.alone == 2
    assert memory.missing_gib is not None
    assert 40 < memory.missing_gib < 60
    assert memory.nearest == {"parallel.tensor_parallel": 2}
    assert any("8 x l4" in way.text and way.admits == 1 for way in memory.ways)


def test_more_gpus_admit_what_only_the_gpus_exclude() -> None:
    document = task("h100", 4, parallel={"tp": [2, 4, 8]}, quantization={"gemm_mode": "fp8"})
    counted, _ = found(document)
    (rule,) = counted.rules
    assert (rule.breaking, rule.alone) == (1, 1)
    assert [(way.changes, way.admits) for way in rule.ways] == [({"system.total_gpus": 8}, 1)]
    assert [(value.path, value.value) for value in counted.absent_values] == [
        ("parallel.tensor_parallel", 8)
    ]


def candidates(document: dict[str, Any], changes: Mapping[str, Any]) -> int:
    """How many the space has with changed fields."""
    changed = copy.deepcopy(document)
    for path, value in changes.items():
        group, _, name = path.partition(".")
        changed.setdefault(group, {})[name] = value
    try:
        return len(prepare(parse_task(changed), base=Path()).space.candidates)
    except NoCandidateError:
        return 0


ALL_TOO_WIDE = task("h100", 2, model={"id": "Qwen/Qwen3-8B"}, parallel={"tp": [4, 8, 16]})
LONG = task(
    "h100",
    2,
    parallel={"tensor_parallel": 2},
    memory={"max_model_len": [16384, 32768, 65536, 131072], "mem_fraction_static": [0.85, 0.9]},
)
"""Nothing fits yet, so that all candidates of a changed space are admitted by the change."""


@pytest.mark.parametrize("document", [ALL_TOO_WIDE, LONG])
def test_a_change_admits_as_many_as_the_space_has_with_it(document: dict[str, Any]) -> None:
    counted, excluded = found(document)
    assert counted.broken == counted.combinations == sum(excluded.values())
    (rule,) = counted.rules
    assert len(rule.ways) > 1
    assert not any(way.estimated for way in rule.ways)
    offered = {way.text: way.admits for way in rule.ways}
    assert offered == {way.text: candidates(document, way.changes) for way in rule.ways}


def test_a_change_is_found_with_its_values_the_most_and_the_least() -> None:
    counted, _ = found(ALL_TOO_WIDE)
    (rule,) = counted.rules
    assert [(way.changes, way.admits) for way in rule.ways] == [
        ({"system.total_gpus": 16}, 3),
        ({"system.total_gpus": 4}, 1),
    ]


def test_what_is_counted_on_some_combinations_is_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    every = list(range(1, 201))
    document = task("h100", 2, parallel={"tp": [4]}, scheduling={"max_running_requests": every})
    (exact,) = found(document)[0].rules[0].ways
    assert (exact.admits, exact.estimated) == (200, False)
    monkeypatch.setattr(ways, "_JUDGED", 60)
    (some,) = found(document)[0].rules[0].ways
    assert (some.admits, some.estimated) == (200, True)


def test_a_space_that_is_too_large_to_ask_is_counted_by_reason_alone() -> None:
    space = prepare(parse_task(task(parallel={"tp": [4, 8]})), base=Path()).space
    counted = exclusions(space.regions, most=1)
    assert counted.rules == ()
    assert "more than 1 combinations" in counted.skipped


def test_a_task_without_candidates_is_an_error_that_has_what_excludes_them() -> None:
    with pytest.raises(NoCandidateError, match="GiB per GPU") as caught:
        prepare(parse_task(task("l4", 1)), base=Path())
    assert caught.value.space.candidates == ()
    assert sum(caught.value.space.excluded.values()) == caught.value.space.combinations
