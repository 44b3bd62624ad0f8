"""`autotuner skill`: all that it names exists, and no command waits for an answer."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
import yaml
from pydantic import BaseModel
from running import Run
from test_json import document

import autotuner
from autotuner.cli.app import app
from autotuner.cli.commands.skill import EXIT_CODES, every_command, shown_parameters, skill_text
from autotuner.tuning.baseline_views import Settled
from autotuner.tuning.confirmation_views import ConfirmationView
from autotuner.tuning.summary import TaskSummary

ROOT = typer.main.get_command(app)
COMMANDS = dict(every_command("", ROOT))
TEXT = skill_text(ROOT)
OTHER_OUTPUT = {"schema", "serve", "worker"}
"""JSON anyway, and services."""
FIGURES_OF_A_COMPARISON = {"ratio", "low", "high", "probability_better", "settled"}
ASKING = {"confirm", "prompt", "input", "getpass"}
DOCS = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")


def named_commands() -> Iterator[str]:
    """Every `autotuner …` that the text has."""
    text = TEXT.replace("\n", " ")
    yield from (found.group(1) for found in re.finditer(r"`(autotuner [^`]+)`", text))


def options_of(command: Any) -> set[str]:
    return {name for p in shown_parameters(command) for name in (*p.opts, *p.secondary_opts)}


def test_every_command_and_option_that_it_names_exists() -> None:
    named = [line for line in named_commands() if "COMMAND --help" not in line]
    assert len(named) > len(COMMANDS)
    for line in named:
        words = shlex.split(line)[1:]
        name = next((" ".join(words[:n]) for n in (2, 1) if " ".join(words[:n]) in COMMANDS), None)
        assert name is not None, line
        given = {word.strip("[]") for word in words if word.strip("[").startswith("--")}
        assert given <= options_of(COMMANDS[name]), line


def test_it_names_every_command() -> None:
    named = " ".join(named_commands())
    assert [name for name in COMMANDS if f"autotuner {name}" not in named] == []
    assert "{{" not in TEXT
    assert len(EXIT_CODES) == 4
    assert all(f"- {code}: " in TEXT for code in EXIT_CODES)


def test_its_head_is_what_agents_read() -> None:
    _, front, body = TEXT.split("---\n", 2)
    head = yaml.safe_load(front)
    assert set(head) == {"name", "description"}
    assert re.fullmatch(r"[a-z0-9-]{1,64}", head["name"])
    assert 0 < len(head["description"]) <= 1024
    assert body.lstrip().startswith("# ")


def field_rows() -> list[tuple[str, list[str]]]:
    rows = re.findall(r"^\| (`.*) \| (`.*) \|$", TEXT, re.MULTILINE)
    return [(commands, re.findall(r"`([\w.]+)`", fields)) for commands, fields in rows]


@pytest.mark.parametrize(("commands", "fields"), field_rows())
def test_the_fields_that_matter_are_documented(commands: str, fields: list[str]) -> None:
    for name in re.findall(r"`([\w-]+)`", commands):
        assert name in COMMANDS
    for field in fields:
        assert f"`{field.rpartition('.')[2]}`" in DOCS, field


def fields_of_a_summary() -> set[str]:
    """Paths of the row of `show`, and those that the text has elsewhere."""
    row = next(found for commands, found in field_rows() if "`show`" in commands)
    roots = "baseline|confirmation|recommended|frontier"
    return {*row, *re.findall(rf"`((?:{roots})\.[\w.]+)`", TEXT)}


@pytest.mark.parametrize("path", sorted(fields_of_a_summary()))
def test_the_fields_of_a_summary_are_its_own(path: str) -> None:
    model: Any = TaskSummary
    for name in path.split("."):
        annotation = model.model_fields[name].annotation
        inner = [annotation, *getattr(annotation, "__args__", ())]
        model = next(
            (one for one in inner if isinstance(one, type) and issubclass(one, BaseModel)), None
        )


def test_it_says_how_to_read_how_sure_a_result_is() -> None:
    section = TEXT.partition("## How much better, how sure")[2].partition("\n## ")[0]
    statuses = get_args(ConfirmationView.model_fields["status"].annotation)
    needed = {*statuses, *get_args(Settled), *FIGURES_OF_A_COMPARISON, "optimization.confirm"}
    assert [name for name in sorted(needed) if f"`{name}`" not in section] == []
    assert "Unclear is no improvement; not settled is not proven." in TEXT


def test_every_command_has_json() -> None:
    without = {name for name, command in COMMANDS.items() if "--json" not in options_of(command)}
    assert without == OTHER_OUTPUT


def test_what_asks_can_be_answered_beforehand() -> None:
    folder = Path(autotuner.__file__).parent / "cli"
    asking = {
        path.stem
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ASKING & {getattr(node.func, "attr", ""), getattr(node.func, "id", "")}
    }
    assert asking == {"observations"}
    assert "--yes" in options_of(COMMANDS["observations forget"])


def test_the_document_has_the_text(run: Run) -> None:
    found = document(run("skill", "--json"))
    assert found["markdown"] == run("skill").stdout == TEXT
    assert found["name"] == "inference-autotuner"
