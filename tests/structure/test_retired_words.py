"""Retired words: nothing is called by a private word where the field has a standard term."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from sources import PACKAGE, ROOT, python_files

TABLE: dict[str, dict[str, str]] = yaml.safe_load(
    (Path(__file__).parent / "retired_words.yaml").read_text("utf-8")
)
NAMES, CLASSES, FIELDS, PHRASES = (TABLE[k] for k in ("names", "classes", "fields", "phrases"))
_PHRASE = re.compile(rf"\b({'|'.join(PHRASES)})\b", re.IGNORECASE)
_PART = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_KEY = re.compile(r"[a-z_]+")
FOREIGN = {"tell"}
"""Names of the standard library's that our classes may have: `tell` of a file."""

Place = tuple[int, str]


def names_of(tree: ast.AST) -> Iterator[Place]:
    """Names that a file gives to anything, with their lines; and texts that can be keys."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.keyword(arg=str(name)):
                yield node.value.lineno, name
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr
            case ast.alias(asname=str(name)):
                yield node.lineno, name
            case ast.Constant(value=str(text)) if _KEY.fullmatch(text):
                yield node.lineno, text


def members_of(tree: ast.AST) -> Iterator[tuple[int, str, dict[str, str]]]:
    """Classes and their fields, each with the table that holds for it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield node.lineno, node.name, CLASSES
            for inner in node.body:
                if isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name):
                    yield inner.lineno, inner.target.id, FIELDS


def faults_of_names(tree: ast.AST, module: str = "") -> Iterator[Place]:
    """The retired names of a file, each with its line and what to say instead."""
    for line, name in [(0, module), *names_of(tree)]:
        if new := retired_name(name):
            yield line, f"{name!r}: say {new}"
    for line, name, table in members_of(tree):
        if name in table:
            yield line, f"{name!r}: say {table[name]}"


def texts_of(source: str, tree: ast.AST) -> Iterator[Place]:
    """The comments, and every line of every text: docstrings and messages."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from enumerate(node.value.split("\n"), node.lineno)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def beginnings(tree: ast.AST) -> Iterator[Place]:
    """Docstrings that begin with no noun and no verb, each with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))) if text.startswith("What "):
                yield node.lineno, "'What …': begin with the noun of what it is, or with a verb"


def retired_name(name: str) -> str | None:
    """What to call it instead; None where the name is fine."""
    if name in FOREIGN:
        return None
    return next((NAMES[p] for part in _PART.findall(name) if (p := part.lower()) in NAMES), None)


def retired_phrases(lines: Iterable[Place]) -> Iterator[Place]:
    """The retired words of texts, each with its line and what to say instead."""
    for line, text in lines:
        for found in _PHRASE.finditer(text):
            yield line, f"{found.group()!r}: say {PHRASES[found.group().lower()]}"


def faults_of_python(path: Path, *, prose: bool = True) -> list[str]:
    """Every retired word of a Python file: `file:line: word: what to say`."""
    source = path.read_text("utf-8")
    tree, where = ast.parse(source), path.relative_to(ROOT)
    named = faults_of_names(tree, path.stem)
    written = [*retired_phrases(texts_of(source, tree)), *beginnings(tree)] if prose else []
    return [f"{where}:{line}: {what}" for line, what in sorted({*named, *written})]


def faults_of_text(path: Path) -> list[str]:
    """Every retired word of a document, a template or a table."""
    lines = enumerate(path.read_text("utf-8").splitlines(), 1)
    return [f"{path.relative_to(ROOT)}:{line}: {what}" for line, what in retired_phrases(lines)]


def documents() -> list[Path]:
    """What people read beside code: documents, templates, tables."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    found += sorted((ROOT / "docs").rglob("*.md"))
    for suffix in ("*.j2", "*.yaml", "*.css", "*.js", "*.html"):
        found += sorted(PACKAGE.rglob(suffix))
    return found


ROOMS = sorted(path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file())


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_uses_a_retired_word(room: str) -> None:
    found = [fault for path in python_files(PACKAGE / room) for fault in faults_of_python(path)]
    assert found == []


def test_no_document_uses_a_retired_word() -> None:
    assert [fault for path in documents() for fault in faults_of_text(path)] == []


@pytest.mark.parametrize("folder", ["scripts", "bench", "tests"])
def test_nothing_else_is_named_by_a_retired_word(folder: str) -> None:
    own = Path(__file__)
    files = [path for path in python_files(ROOT / folder) if path != own]
    assert [fault for path in files for fault in faults_of_python(path, prose=False)] == []


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("told = 1", 1),
        ("def tell_all(said): ...", 2),
        ("class PlanOutlook: ...", 1),
        ("self.telling = f(untold=2)", 2),
        ("a = {'is_told': 1}", 1),
        ("# what people are told", 1),
        ('def f():\n    """The likeness of two.\n\n    It has\n    a memory wall.\n    """', 2),
        ("raise E(f'the warden of {name} is gone')", 1),
        ("place = file.tell()", 0),
        ("retold = foretell = 1  # of which nobody tells", 0),
        ("class A:\n    wanted: str\n    rest = 1", 1),
        ("wanted = 1", 0),
        ("settings = LayerValue('a good fit within the limit, with the rest')", 0),
    ],
)
def test_names_and_texts_are_looked_at(source: str, count: int) -> None:
    tree: Any = ast.parse(source)
    assert len([*faults_of_names(tree), *retired_phrases(texts_of(source, tree))]) == count
