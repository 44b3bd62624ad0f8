"""The commands that take over from others and hand over to them: their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autotuner.cli.options import Home, Json, TaskId


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


def export(
    number: TaskId = None,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="What to deploy: shell, docker, compose, kubernetes, llm-d, kserve, dynamo, sky, "
            "systemd, llama-swap, vllm-config, aiconfigurator. Results: csv: a row for each "
            "measured level; json: what `show --json` prints; frontier: a script with each "
            "command of the frontier; landscape: a table that a replay launches from (CSV).",
        ),
    ] = "landscape",
    point: Annotated[
        str | None,
        typer.Option(
            "--point",
            metavar="CANDIDATE[@LOAD]",
            help="The point to deploy; the recommended one if left out. predicted: the best of "
            "those that were never measured (predicted:CANDIDATE[@LOAD]: that one); disagg: a "
            "draft of a prefill and a decode engine, from predictions.",
        ),
    ] = None,
    target_version: Annotated[
        str | None,
        typer.Option(
            "--target-version",
            help="The version to write for, where formats differ (kserve: v1alpha1; dynamo: "
            "v1alpha1), or of the engine whose flags have other names; --list names them.",
        ),
    ] = None,
    replicas: Annotated[
        int | None, typer.Option("--replicas", help="How many engines; 1 if left out.")
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option("--rate", help="As many replicas as hold so many requests/s within the SLO."),
    ] = None,
    users: Annotated[
        float | None,
        typer.Option("--users", help="As many replicas as hold so many users within the SLO."),
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(
            "--image", help="Container image with its tag; the engine's of the measured version."
        ),
    ] = None,
    program: Annotated[
        str | None,
        typer.Option("--program", help="Words that start the engine in that image."),
    ] = None,
    api_key: Annotated[
        bool,
        typer.Option("--api-key", help="Have requests carry a key, which is taken from a secret."),
    ] = False,
    listing: Annotated[
        bool,
        typer.Option("--list", help="Say which formats fit the task's engine, and why not."),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Where to write, a folder for several files; tables are gzipped where it ends "
            "in .gz.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Write a task in another form, or what deploys the engine of one of its points."""
    from autotuner.cli.commands.export import TableWishes
    from autotuner.cli.commands.export import export as run
    from autotuner.cli.commands.export_deployment import DeploymentWishes

    deployment = DeploymentWishes(
        point,
        target_version,
        replicas,
        rate,
        users,
        image,
        program,
        api_key=api_key,
        listing=listing,
    )
    table = TableWishes(form, output, force=force, as_json=as_json)
    run(number, home=home, wishes=table, deployment=deployment)


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
