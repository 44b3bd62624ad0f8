"""Tables that travel inside the package are read fast, without a look for keys given twice."""

from __future__ import annotations

from pathlib import Path

import pytest

import autotuner
from autotuner.config import parse_document
from autotuner.config.tables import fast_document

PACKAGE = Path(autotuner.__file__).parent
TABLES = sorted(PACKAGE.rglob("*.yaml"))


@pytest.mark.parametrize("path", TABLES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_key_stands_once(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert parse_document(text) == fast_document(text)


def test_tables_are_found() -> None:
    assert len(TABLES) > 20
