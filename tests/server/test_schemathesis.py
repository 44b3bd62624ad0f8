"""Every operation that the OpenAPI tells, asked with what fits it and with what does not.

Schemathesis makes the requests: edges of every parameter, made-up values, and sequences of
requests of which each takes from the answer before. All of its checks count.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
import yaml
from fastapi import FastAPI
from fastapi.testclient import TestClient
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from autotuner.landscapes import landscape_csv
from autotuner.server.app import create_app
from autotuner.server.service import Service
from autotuner.server.settings import ServiceSettings
from autotuner.store import Store
from autotuner.testing.made_up_landscape import made_up_landscape

ADDRESS = "http://127.0.0.1:8700"
SEED = 20261125
REFUSED_FOR_ITS_MEANING = ("400", "401", "403", "404", "409", "412", "422", "429")
"""Of a request of the right form: tasks, cursors and tokens say more than a schema can tell."""
NO_DATABASE = "none"
ELSEWHERE = r"^/api/(docker|ome)/"
"""Paths whose answer is another program's, which is not there."""
OVERLAPPING = ("/api/presets/import", "/api/presets/merge", "/api/runtime-params/validate")
"""Paths of v1 that are also `{preset_id}` or `{runtime}` to the methods that these allow."""
OF_METHODS = ("unsupported_method", "allow_header_conformance")
BY_NAME, NAMELESS = "`GET /api/tasks/name/{task_name}`", '"task_name": ""'
"""No path carries the empty name, which v1's tasks may have: another one stands there then."""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[FastAPI]:
    """A service with a finished run, a waiting task and a profile."""
    run_a_replay(tmp_path)
    with Store.open(tmp_path) as store:
        made = create_app(Service(store, tmp_path, ServiceSettings(requests_per_s=0)))
        with TestClient(made, base_url=ADDRESS) as client:
            add_a_task_and_a_profile(client)
            yield made


def run_a_replay(home: Path) -> None:
    """A run of the command line, with all that there is to tell of one."""
    (home / "table.csv").write_text(landscape_csv(made_up_landscape((1, 4, 16))), "utf-8")
    task = {
        "version": 2,
        "name": "replayed",
        "deployment_mode": "replay",
        "replay": {"landscape": "table.csv"},
        "optimization": {"strategy": "random", "budget": {"experiments": 4}},
    }
    (home / "task.yaml").write_text(yaml.safe_dump(task), "utf-8")
    words = ("tune", str(home / "task.yaml"), "--home", str(home), "--json")
    done = subprocess.run([sys.executable, "-m", "autotuner", *words], capture_output=True)
    assert done.returncode == 0, done.stderr


def add_a_task_and_a_profile(client: TestClient) -> None:
    task = {
        "version": 2,
        "name": "waiting",
        "model": {"id": "smollm2-135m"},
        "runtime": {"isl": 32, "osl": 8},
    }
    assert client.post("/api/v2/tasks/", json=task).status_code == 201
    profile = {"name": "mine", "layers": [{"set": {"misc.threads": 2}}]}
    assert client.post("/api/v2/profiles/", json=profile).status_code == 201


def faults(app: FastAPI, *, examples: int) -> tuple[int, list[str]]:
    """How many requests were made, and everything that was wrong with the answers."""
    config = {
        "base-url": ADDRESS,
        "seed": SEED,
        "continue-on-failure": True,
        # A stream that follows has no end.
        "parameters": {"query.follow": "false"},
        "generation": {"max-examples": examples, "database": NO_DATABASE},
        "checks": {
            "positive_data_acceptance": {
                "expected-statuses": ["2xx", "3xx", *REFUSED_FOR_ITS_MEANING]
            }
        },
    }
    schema = schemathesis.openapi.from_dict(
        app.openapi(), config=SchemathesisConfig.from_dict(config)
    ).exclude(path_regex=ELSEWHERE)
    schema.app = app
    requests, found, first = 0, Counter[str](), dict[str, str]()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            requests += len(event.recorder.interactions)
            for kind, example in problems_in(event):
                found[kind] += 1
                first.setdefault(kind, example)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found[repr(event)] += 1
    return requests, [f"{n} x {kind}\n{first.get(kind, '')}" for kind, n in found.items()]


def problems_in(event: events.ScenarioFinished) -> Iterator[tuple[str, str]]:
    """Each with its kind and how to see it."""
    for checks in event.recorder.checks.values():
        for check in checks:
            overlaps = event.recorder.label.endswith(OVERLAPPING) and check.name in OF_METHODS
            if (reported := check.failure_info) is not None and not overlaps:
                failure, sample = reported.failure, reported.code_sample
                if BY_NAME in failure.message and NAMELESS in sample:
                    continue
                kind = f"{event.recorder.label}, {check.name}: {failure.title}"
                yield kind, f"{failure.message}\n{sample}"


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_operation_keeps_its_word_under_thousands_of_requests(app: FastAPI) -> None:
    requests, found = faults(app, examples=20)
    assert not found, "\n\n".join(found)
    assert requests >= 5_000
