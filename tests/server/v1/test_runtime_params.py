"""The names of parameters that v1's clients are offered are those of the engines' own parsers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from autotuner.engines import engine_table
from autotuner.migrate.flags import plain
from autotuner.server.v1.runtimes import runtimes

DUMPS = Path(__file__).parents[2] / "engines" / "parsers"
RECORDED = json.loads((Path(__file__).parent / "recorded.json").read_text("utf-8"))


def parser_flags(engine: str) -> list[list[str]]:
    """Names of each flag, without dashes."""
    (dump,) = DUMPS.glob(f"{engine}-*.json")
    flags = [flag["flags"] for flag in json.loads(dump.read_text("utf-8"))["flags"]]
    return [[plain(name) for name in names if name.startswith("--")] for names in flags]


def negates(name: str, names: list[str]) -> bool:
    return name.startswith("no-") and name.removeprefix("no-") in names


@pytest.mark.parametrize("engine", runtimes())
def test_each_flag_of_the_parser_has_one_name_its_longest(engine: str) -> None:
    known = set(runtimes()[engine].names)
    flags = ([name for name in names if not negates(name, names)] for names in parser_flags(engine))
    assert [names for names in flags if names and max(names, key=len) not in known] == []


@pytest.mark.parametrize("engine", runtimes())
def test_each_flag_of_the_table_is_known_by_one_of_its_names(engine: str) -> None:
    known = set(runtimes()[engine].names)
    by_name = {name: names for names in parser_flags(engine) for name in names}
    table = engine_table(engine)
    flags = {plain(flag) for rows in table.rows.values() for row in rows for flag in row.flags}
    assert [flag for flag in flags if known.isdisjoint(by_name.get(flag, [flag]))] == []


@pytest.mark.parametrize("engine", runtimes())
def test_v1s_names_are_among_them(engine: str, client: TestClient) -> None:
    url = f"/api/runtime-params/{engine}"
    (v1,) = (p["response"]["json"] for p in RECORDED if p["request"]["url"] == url)
    names = client.get(url).json()["parameters"]
    assert [name for name in v1["parameters"] if name not in names] == []
    assert names == sorted(set(names))
