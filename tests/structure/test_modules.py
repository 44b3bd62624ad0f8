"""Modules: they import one way, are of a readable size, and are named after what they hold."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sources import PACKAGE, ROOT, python_files

MOST_LINES = 400
NAMELESS = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in python_files(PACKAGE)
}


def imports(path: Path) -> Iterator[str]:
    """The modules of the package that a file names, wherever in it: also those of types alone."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module in MODULES:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)


def circles(graph: dict[str, set[str]]) -> list[str]:
    """Modules on circles of imports or between two: what is neither a source nor a sink of all."""
    left = {name: others - {name} for name, others in graph.items()}
    while True:
        imported = {other for others in left.values() for other in others}
        ends = {name for name, others in left.items() if not others or name not in imported}
        if not ends:
            return sorted(left)
        left = {name: others - ends for name, others in left.items() if name not in ends}


def test_no_modules_import_each_other() -> None:
    graph = {name: set(imports(path)) for name, path in MODULES.items()}
    assert circles(graph) == []


def test_a_circle_is_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}
    assert circles(graph) == ["b", "c"]


@pytest.mark.parametrize("folder", ["src", "scripts", "bench", "tests"])
def test_no_file_is_longer_than_a_reader_can_hold(folder: str) -> None:
    lines = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in python_files(ROOT / folder)
    }
    long = {name: count for name, count in lines.items() if count > MOST_LINES}
    assert long == {}


def test_every_module_is_named_after_what_it_holds() -> None:
    assert [name for name in MODULES if NAMELESS & set(name.split("."))] == []


def test_every_test_file_has_a_name_of_its_own() -> None:
    """Modules of tests are imported by that name, so the second of two alike does not run."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []
