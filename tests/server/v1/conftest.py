"""A service with v1's API, on each database in turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from autotuner.server.app import create_app
from autotuner.server.service import Service
from autotuner.server.settings import ServiceSettings
from autotuner.store import Store


@pytest.fixture
def service(tmp_path: Path, database: str | None) -> Iterator[Service]:
    with Store.open(tmp_path, database) as store:
        yield Service(store, tmp_path, ServiceSettings(requests_per_s=10_000))


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    app = create_app(service)
    with TestClient(app, base_url="http://127.0.0.1:8787") as opened:
        yield opened
