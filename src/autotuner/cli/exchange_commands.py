"""The commands that take over from others and hand over to them: their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autotuner.cli.options import Home, Json


def import_command(
    command: Annotated[
        list[str],
        typer.Argument(
            metavar="COMMAND",
            help="The command line in quotation marks, a file that has it, or - for stdin; or its "
            "words, after --.",
        ),
    ],
    engine: Annotated[
        str | None,
        typer.Option("--engine", help="Its engine, where the program does not tell it."),
    ] = None,
    task: Annotated[
        Path | None,
        typer.Option("--task", metavar="FILE", help="Write a whole task file instead."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Print the settings of an engine's command line (vllm serve …) as groups of a task file."""
    from autotuner.cli.commands.import_command import import_command as run

    run(command, engine=engine, task=task, force=force, as_json=as_json)


def ledger(
    task: Annotated[
        str | None,
        typer.Argument(
            metavar="[TASK]", help="Number of a task, or its name; the newest task if left out."
        ),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Say what a task tried, in order: why, with which result, what is best, what is left."""
    from autotuner.cli.commands.ledger import ledger as run

    run(task, home=home, as_json=as_json)


def skill(context: typer.Context, as_json: Json = False) -> None:
    """Print a SKILL.md: how a coding agent uses these commands; keep it among its skills."""
    from autotuner.cli.commands.skill import skill as run

    run(context.find_root().command, as_json=as_json)
