"""What the documents say is so."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import typing
from pathlib import Path

import pytest
import typer
import yaml
from pydantic import BaseModel

from autotuner.cli.app import app
from autotuner.config import GROUPS, LengthDistribution, TaskConfig, parse_task
from autotuner.config.task import Combination
from autotuner.engines import FailureKind
from autotuner.measure import Distribution, Measurement
from autotuner.search import OBJECTIVES, STRATEGIES
from autotuner.tuning import summary

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize(
    "view",
    [
        summary.TaskSummary,
        summary.TaskFacts,
        summary.ExperimentView,
        summary.FailureView,
        summary.PointView,
        summary.RecommendedView,
        summary.SearchView,
        summary.LaunchView,
        summary.PredictedPointView,
        Measurement,
        Distribution,
    ],
)
def test_every_field_of_the_json_output_is_documented(view: type[BaseModel]) -> None:
    text = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    assert [name for name in view.model_fields if f"`{name}`" not in text] == []


def test_every_kind_of_failure_is_documented() -> None:
    text = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    assert [kind.value for kind in FailureKind if f"`{kind.value}`" not in text] == []


def test_every_dependency_has_its_line() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["llamacpp"],
        *project["dependency-groups"]["dev"],
        *project["build-system"]["requires"],
    ]
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()
    names = [re.split(r"[<>=\[]", line)[0] for line in wanted]
    assert [name for name in names if name not in text] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_inside_the_repository_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (document.parent / link).exists()] == []


def test_every_strategy_and_objective_has_its_place() -> None:
    text = (ROOT / "docs" / "strategies.md").read_text(encoding="utf-8")
    assert [name for name in STRATEGIES if f"\n## `{name}`\n" not in text] == []
    assert [name for name in OBJECTIVES if f"`{name}`" not in text] == []


def test_the_generated_parts_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "write_docs.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == ""


def test_every_command_is_documented() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    click_app = typer.main.get_command(app)
    names = []
    for name, command in click_app.commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        names += [f"{name} {sub}" for sub in inner] if inner else [name]
    assert [name for name in names if f"`{name}" not in text and f"r {name}" not in text] == []


def test_the_profile_in_the_docs_is_the_example() -> None:
    block = (ROOT / "docs" / "profiles.md").read_text(encoding="utf-8")
    shown = re.search(r"```yaml\n(.*?)```", block, re.DOTALL)
    example = (ROOT / "examples" / "profiles" / "long_prompts.yaml").read_text(encoding="utf-8")
    assert shown is not None
    assert yaml.safe_load(shown.group(1)) == yaml.safe_load(example)


def parts_of(model: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """The models of which a task is made, by name."""
    found = {model.__name__: model}
    for info in model.model_fields.values():
        waiting = [info.annotation]
        while waiting:
            part = waiting.pop()
            waiting += typing.get_args(part)
            if isinstance(part, type) and issubclass(part, BaseModel):
                found |= {} if part.__name__ in found else parts_of(part)
    return found


def test_every_option_of_a_task_is_documented_with_its_meaning_and_default() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split(" | ")] for line in text.splitlines()]
    documented = {
        (row[0].strip("|` "), row[-1].strip("| ").partition(" Also: ")[0]) for row in rows
    }
    defaults = {(row[0].strip("|` "), row[2]) for row in rows if len(row) == 4}
    models = parts_of(TaskConfig)
    assert {"Benchmark", "BudgetConfig", "Slo", "SchedulingAxes"} <= set(models)
    for model in models.values():
        for name, info in model.model_fields.items():
            is_group = name in GROUPS and issubclass(model, Combination)
            if not is_group and model is not LengthDistribution:
                meaning = " ".join((info.description or "").split())
                assert meaning, f"{model.__name__}.{name} says nothing"
                assert (name, meaning) in documented, f"{model.__name__}.{name}"
    assert ("ready_timeout_s", "`300`") in defaults
    assert ("min_gain", "none") in defaults


@pytest.mark.parametrize(
    "name",
    [
        "configuration",
        "profiles",
        "migration",
        "strategies",
        "schema_alignment",
        "aiconfigurator_files",
        "verification",
    ],
)
def test_the_index_leads_to_every_document(name: str) -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert f"({name}.md)" in index


def test_no_document_is_missing_from_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    names = [path.name for path in (ROOT / "docs").glob("*.md") if path.name != "README.md"]
    assert [name for name in names if f"({name})" not in index] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_task_in_the_docs_is_valid(document: Path) -> None:
    blocks = re.findall(r"```yaml\n(version: 2.*?)```", document.read_text("utf-8"), re.DOTALL)
    for block in blocks:
        assert parse_task(yaml.safe_load(block)).version == 2
