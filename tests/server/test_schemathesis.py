"""Every operation that the OpenAPI tells, asked with what fits it and with what does not."""

from __future__ import annotations

import collections
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok

from autotuner.server.app import create_app
from autotuner.server.service import Service
from autotuner.server.settings import ServiceSettings
from autotuner.store import Store

CASES = collections.Counter()
CONFIG = {
    "seed": 20261125,
    "base-url": "http://127.0.0.1:8700",
    "checks": {
        "positive_data_acceptance": {
            "expected-statuses": ["2xx", "3xx", "400", "401", "403", "404", "409", "412", "422"]
        },
    },
}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Any]:
    with Store.open(tmp_path) as store:
        service = Service(store, tmp_path, ServiceSettings(requests_per_s=0))
        app = create_app(service)
        loaded = schemathesis.openapi.from_dict(
            app.openapi(), config=SchemathesisConfig.from_dict(CONFIG)
        )
        loaded.app = app
        yield loaded


schema = schemathesis.pytest.from_fixture("api")


@schema.parametrize()
@hypothesis.settings(
    max_examples=10,
    deadline=None,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
def test_every_operation_keeps_its_word(case: schemathesis.Case) -> None:
    CASES["n"] += 1
    case.call_and_validate()
