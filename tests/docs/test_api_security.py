"""The chapter on security says what is so; its tables are generated, and compared elsewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from autotuner.config import parse_task
from autotuner.errors import PolicyError
from autotuner.server.problems import problem_of, problem_response
from autotuner.server.security.authentication import attempts, required_scope
from autotuner.server.settings import ServiceSettings, load_settings
from autotuner.workers.policy import Policy
from autotuner.workers.violations import require_allowed

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "api_security.md").read_text(encoding="utf-8")
API = (DOCS / "api.md").read_text(encoding="utf-8")


def example(kind: str) -> str:
    (found,) = re.findall(rf"```{kind}\n(.*?)```", TEXT, re.DOTALL)
    return str(found)


def test_every_setting_is_documented() -> None:
    names = [*ServiceSettings.model_fields, *Policy.model_fields]
    assert [name for name in names if f"| `{name}` |" not in TEXT] == []


def test_the_settings_of_the_example_are_valid_and_demand_tokens(tmp_path: Path) -> None:
    path = tmp_path / "service.yaml"
    path.write_text(example("yaml"), encoding="utf-8")
    found = load_settings(path, environment={}, flags={})
    assert found.token_required
    assert found.policy.models == yaml.safe_load(example("yaml"))["policy"]["models"]


def test_the_problem_of_the_example_is_what_is_answered() -> None:
    document = {"version": 2, "name": "x", "model": {"path": "/etc/passwd"}}
    policy = Policy(model_roots=(Path("/srv/models"),))
    with pytest.raises(PolicyError) as refused:
        require_allowed(parse_task(document), policy)
    answer = problem_response(problem_of(refused.value), "/api/v2/tasks/")
    reported = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", API, re.DOTALL)]
    assert json.loads(answer.body) in reported


def test_the_figures_of_the_text_are_the_codes() -> None:
    assert required_scope("GET", "/healthz") is None
    assert required_scope("GET", "/readyz") is None
    tried = attempts()
    assert [tried.take("address") for _ in range(20)] == [0] * 20
    assert 0 < tried.take("address") <= 1
