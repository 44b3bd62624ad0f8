"""A database of version 1, and a store to move it to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from v1_database import built

from autotuner.store import Store


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return built(tmp_path / "v1.db", tasks=12, experiments=5)


@pytest.fixture
def store(tmp_path: Path, database: str | None) -> Iterator[Store]:
    with Store.open(tmp_path / "home", database) as opened_store:
        yield opened_store
