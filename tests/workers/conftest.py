"""Workers on SQLite are tried among the fast tests; the same on PostgreSQL is left to all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents and "postgresql" in item.name:
            item.add_marker(pytest.mark.slow)
