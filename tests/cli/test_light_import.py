"""The command starts light: what is heavy loads when a command needs it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import typer
from running import Run

from autotuner.cli.app import app

HEAVY = (
    "alembic",
    "jinja2",
    "matplotlib",
    "numpy",
    "optuna",
    "pandas",
    "psutil",
    "pydantic",
    "pynvml",
    "rich",
    "sqlalchemy",
    "xllamacpp",
)


@pytest.mark.parametrize(
    "program",
    [
        "import autotuner.cli",
        "from autotuner.cli import main; sys.argv = ['autotuner', '--help']; main()",
    ],
)
def test_nothing_heavy_is_loaded(program: str) -> None:
    shown = f"print('loaded', *(m for m in {HEAVY!r} if m in sys.modules))"
    code = f"import sys, atexit; atexit.register(lambda: {shown}); {program}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded"


@pytest.mark.parametrize("group", [(), ("bench",)])
def test_a_list_of_commands_has_their_whole_summaries(group: tuple[str, ...], run: Run) -> None:
    whole: Any = typer.main.get_command(app)
    for name in group:
        whole = whole.commands[name]
    shown = " ".join(run(*group, "--help").stdout.split())
    for name, command in whole.commands.items():
        assert (f" {name} {command.help}" in shown) is not command.hidden, name


def test_without_a_command_the_list_is_a_mistakes_answer(run: Run) -> None:
    done = run()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == run("--help").stdout
