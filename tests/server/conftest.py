"""The service as its clients see it, on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from autotuner.server.app import create_app
from autotuner.server.service import Service
from autotuner.store import Store

ADDRESS = "http://127.0.0.1:8700"


@pytest.fixture
def service(tmp_path: Path, database: str | None) -> Iterator[Service]:
    with Store.open(tmp_path, database) as store:
        yield Service(store, tmp_path)


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service), base_url=ADDRESS) as opened:
        yield opened
