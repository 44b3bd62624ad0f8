"""Rendered command lines against the flags that the engines' own parsers declare."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from candidates import MODELS, SETTINGS, expressible, model, reported
from hypothesis import given, settings
from hypothesis import strategies as st

from autotuner.engines import engine_named

DUMPS = Path(__file__).parent / "parsers"
SWITCHES = ("StoreTrueAction", "BooleanOptionalAction", "DeprecatedStoreTrueAction")


def declared(engine: str) -> dict[str, dict[str, Any]]:
    document = json.loads(next(DUMPS.glob(f"{engine}-*.json")).read_text(encoding="utf-8"))
    assert document["version"] == engine_named(engine).table.version
    return {flag: row for row in document["flags"] for flag in row["flags"]}


FLAGS = {engine: declared(engine) for engine in ("vllm", "sglang", "lmdeploy")}


@pytest.mark.parametrize("engine", FLAGS)
@settings(max_examples=200)
@given(SETTINGS, st.sampled_from(MODELS))
def test_every_flag_and_value_is_declared(engine: str, chosen: dict[str, Any], name: str) -> None:
    for flag, value in reported(expressible(engine, chosen, name)[1]).items():
        row = FLAGS[engine].get(flag)
        assert row is not None, f"{flag} is not declared"
        assert (value is True) == (row["kind"] in SWITCHES), flag
        if row["choices"]:
            assert value in row["choices"], flag


@pytest.mark.parametrize("engine", FLAGS)
def test_every_declared_name_means_its_own_flag(engine: str) -> None:
    table = engine_named(engine).table
    facts = model(MODELS[1]).facts
    for flag, row in FLAGS[engine].items():
        others = [name for name in row["flags"] if not name.startswith("--no-")]
        of_any = [table.spoken_for([name], table.version, facts)[name] for name in others]
        assert len(set(of_any)) <= 1, f"{others}: one of these is missing among the aliases"
        fields = table.spoken_for([flag], table.version, facts)[flag]
        for path in fields:
            row_of_field = table.row(path, table.version, facts)
            assert row_of_field is not None
            assert row_of_field.claims & {*row["flags"]}, f"{flag} is taken for {path}"


@pytest.mark.parametrize("engine", FLAGS)
def test_the_share_of_memory_is_the_parsers_default(engine: str) -> None:
    table = engine_named(engine).table
    row = table.row("memory.mem_fraction_static", table.version, model(MODELS[0]).facts)
    assert row is not None
    assert FLAGS[engine][row.flags[0]]["default"] in (None, table.memory.share)


@pytest.mark.parametrize("engine", FLAGS)
def test_every_flag_of_the_table_is_declared(engine: str) -> None:
    table = engine_named(engine).table
    rows = [
        table.row(path, table.version, model(name).facts) for path in table.rows for name in MODELS
    ]
    flags = {
        word
        for row in rows
        if row is not None
        for word in (*row.flags, row.json_flag, row.negated or "", *row.also)
        if word.startswith("--")
    }
    assert sorted(flags - set(FLAGS[engine])) == []
    assert sorted(table.reserved - set(FLAGS[engine])) == []
