"""Candidates in tables: short ids that commands take, settings that all rows share said once."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from autotuner.errors import AutotunerError
from autotuner.report.point_table import (
    SHORTEST,
    Candidates,
    PointRow,
    candidate_named,
    print_point_table,
    row_settings,
    short_ids,
)

HEX = st.text("0123456789abcdef", min_size=12, max_size=12)
ALIKE = st.builds(
    "{}{}".format, st.sampled_from(["aaaaaaaa", "aaaaaaab"]), st.text("01", min_size=4, max_size=4)
)
SETTINGS: dict[str, dict[str, Any]] = {
    "aaaaaaaa0001": {
        "parallel.tensor_parallel": 2,
        "quantization.gemm_mode": "fp8",
        "runtime.isl": 8,
    },
    "bbbbbbbb0002": {
        "parallel.tensor_parallel": 4,
        "quantization.gemm_mode": "fp8",
        "runtime.isl": 8,
    },
}
AXES = ("parallel.tensor_parallel", "quantization.gemm_mode")


@given(st.sets(HEX | ALIKE, min_size=1, max_size=40))
def test_a_short_id_names_its_candidate_and_no_other(ids: set[str]) -> None:
    for full, short in short_ids(ids).items():
        assert full.startswith(short)
        assert len(short) >= SHORTEST
        assert candidate_named(short, ids, option="--candidate", where="a task") == full


def test_what_names_none_or_several_is_refused_with_candidates() -> None:
    ids = ["abc000000001", "abc000000002", "def000000003"]
    with pytest.raises(AutotunerError, match="begins 2 candidates of run 3: abc000000001, abc000"):
        candidate_named("abc", ids, option="--candidate", where="run 3")
    for wrong in ("x", "", "def000000004"):
        with pytest.raises(AutotunerError, match="is no candidate of run 3") as caught:
            candidate_named(wrong, ids, option="--candidate", where="run 3")
        assert "def000000003" in caught.value.remedy
    assert candidate_named("DEF", ids, option="--candidate", where="run 3") == "def000000003"


@given(
    st.dictionaries(
        HEX,
        st.fixed_dictionaries({path: st.sampled_from([1, 2]) for path in AXES}),
        min_size=1,
        max_size=6,
    )
)
def test_common_and_own_settings_are_all_searched_ones_once(rows: dict[str, Any]) -> None:
    found = row_settings(rows, AXES)
    for key, settings in rows.items():
        words = f"{found.common} {found.own[key]}".split()
        expected = [f"{path.partition('.')[2]}={value}" for path, value in settings.items()]
        assert sorted(words) == sorted(expected)


def printed(width: int, *, short: bool = False) -> str:
    console = Console(file=io.StringIO(), width=width)
    heads = [f"figure{n}" for n in range(6)]
    rows = [PointRow(key, ("123.4", *["1"] * 5)) for key in SETTINGS]
    print_point_table(console, "Points", heads, rows, Candidates(SETTINGS, AXES), short=short)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_a_table_fits_the_terminal_and_loses_nothing(width: int) -> None:
    text = printed(width)
    assert all(len(line) <= width for line in text.splitlines())
    assert "all rows: gemm_mode=fp8" in text
    assert text.count("gemm_mode") == 1
    for word in ("tensor_parallel=2", "tensor_parallel=4", "aaaaaaa", "bbbbbbb", "123.4"):
        assert word in text
    assert "isl" not in text, "what is not searched is the same for every candidate"


def test_short_names_of_settings() -> None:
    assert "all rows: weights fp8" in printed(120, short=True)
    assert "TP 4" in printed(120, short=True)
