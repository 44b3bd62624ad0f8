"""Observations in files: there and back without loss, and every fault with its line and field."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.config import LoadLevel
from autotuner.errors import ConfigError
from autotuner.predict import Observation
from autotuner.predict.observations import observation_id, plain, read_lines, written_lines

POSITIVE = st.floats(min_value=1e-6, max_value=1e9)
WORDS = st.text(max_size=20).filter(lambda text: text == text.encode("utf-8", "ignore").decode())
SETTINGS = st.dictionaries(WORDS, st.none() | st.booleans() | st.integers(-9, 9) | WORDS)
OBSERVATIONS = st.builds(
    Observation,
    model=WORDS,
    family=st.none() | WORDS,
    engine=WORDS,
    engine_version=st.none() | WORDS,
    device=WORDS,
    devices=st.integers(1, 64),
    settings=SETTINGS,
    isl=POSITIVE,
    osl=POSITIVE,
    load=st.integers(1, 4096).map(LoadLevel.concurrency),
    ttft_ms=POSITIVE,
    tpot_ms=POSITIVE,
    tok_s=POSITIVE,
    base=WORDS,
    base_ttft_ms=POSITIVE,
    base_tpot_ms=POSITIVE,
    launch=WORDS,
    tool=WORDS,
    source=WORDS,
    at=st.none() | st.datetimes(timezones=st.just(UTC)),
)
SEEN = Observation(
    *("m", "LlamaForCausalLM", "vllm", "0.11", "h100_sxm", 2, {"parallel.tensor_parallel": 2}),
    *(512, 64, LoadLevel.concurrency(8), 120.0, 11.5, 600.0, "roofline-1", 90.0, 10.0, "launch"),
)


@given(st.lists(OBSERVATIONS, max_size=4))
def test_there_and_back_is_the_identity(found: list[Observation]) -> None:
    assert read_lines(written_lines(found), source="file") == tuple(found)


@given(OBSERVATIONS)
def test_where_an_observation_comes_from_does_not_change_its_id(seen: Observation) -> None:
    moved = replace(seen, source="another file", at=datetime(2026, 1, 1, tzinfo=UTC))
    assert observation_id(moved) == observation_id(seen)
    assert observation_id(replace(seen, launch=f"{seen.launch}2")) != observation_id(seen)


def test_a_file_names_itself_where_its_lines_do_not() -> None:
    document = {key: value for key, value in plain(SEEN).items() if key not in ("source", "at")}
    (found,) = read_lines(f"\n{json.dumps(document)}\n\n", source="lab.jsonl")
    assert found == replace(SEEN, source="lab.jsonl")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ttft_ms": -1}, ["ttft_ms", "-1"]),
        ({"tok_s": 0}, ["tok_s", "0"]),
        ({"tpot_ms": float("nan")}, ["tpot_ms", "nan"]),
        ({"base_ttft_ms": float("inf")}, ["base_ttft_ms", "inf"]),
        ({"load": {"kind": "concurrency", "value": 0}}, ["load", "concurrency", "0"]),
        ({"devices": 1.5}, ["devices", "1.5"]),
        ({"ttft_ms": "fast"}, ["ttft_ms", "fast"]),
        ({"settings": []}, ["settings"]),
        ({"at": "yesterday"}, ["at", "yesterday"]),
        ({"model": None}, ["model", "None"]),
        ({"ttft": 3}, ["ttft", "did you mean 'ttft_ms'"]),
    ],
)
def test_a_fault_is_reported_with_line_and_field(changes: dict[str, Any], words: list[str]) -> None:
    lines = f"{json.dumps(plain(SEEN))}\n{json.dumps(plain(SEEN) | changes)}\n"
    with pytest.raises(ConfigError) as caught:
        read_lines(lines, source="lab.jsonl")
    for word in ("lab.jsonl", "line 2", "nothing was imported", *words):
        assert word in str(caught.value)
    assert "line 1" not in str(caught.value)


@pytest.mark.parametrize("line", ["{", "[1]", "3", "nonsense"])
def test_a_line_that_is_no_object_is_reported(line: str) -> None:
    with pytest.raises(ConfigError, match="line 1"):
        read_lines(line, source="lab.jsonl")


def test_every_field_that_is_missing_is_reported() -> None:
    document = {key: v for key, v in plain(SEEN).items() if key not in ("model", "launch")}
    with pytest.raises(ConfigError) as caught:
        read_lines(json.dumps(document), source="lab.jsonl")
    assert [str(p).partition(":")[2].split(":")[0].strip() for p in caught.value.problems] == [
        "model",
        "launch",
    ]


def test_many_faults_are_reported_in_few_lines() -> None:
    with pytest.raises(ConfigError, match="15 more faults"):
        read_lines("nonsense\n" * 25, source="lab.jsonl")


def test_a_line_of_before_there_were_loads_is_the_same_observation() -> None:
    (line,) = written_lines([SEEN]).splitlines()
    former = json.loads(line)
    former["concurrency"] = former.pop("load")["value"]
    (found,) = read_lines(json.dumps(former), source="lab.jsonl")
    assert found == SEEN
    assert observation_id(found) == "a4f4cf96c0b9a30e", "as it was then"
