"""`autotuner migrate`: its commands and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autotuner.cli.options import Home, Json

migrate_app = typer.Typer(
    help="From version 1: its database and its task files.", no_args_is_help=True
)
Source = Annotated[
    Path, typer.Argument(metavar="SOURCE", help="Database file of version 1; only read.")
]
To = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="URL",
        envvar="AUTOTUNER_DATABASE",
        show_envvar=True,
        help="Database to move to, in place of the file in the home: postgresql://USER@HOST/NAME, "
        "sqlite:///FILE.",
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="WHAT",
        help="tasks, presets, a task's number, or a pattern of names ('llama*'); may be repeated.",
    ),
]
SkipRunning = Annotated[
    bool, typer.Option("--skip-running", help="Leave out tasks that are marked as running.")
]


@migrate_app.command("db")
def migrate_db(
    source: Source,
    to: To = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Say what would be moved; nothing is written.")
    ] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Move it, after a backup.")] = False,
    only: Only = None,
    skip_running: SkipRunning = False,
    engine: Annotated[
        str | None,
        typer.Option(help="Engine of tasks whose `base_runtime` names none."),
    ] = None,
    no_backup: Annotated[
        bool, typer.Option("--no-backup", help="Take no backup of the target first.")
    ] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Move a database of version 1 here. Interrupted or repeated, it goes on with what is left."""
    from autotuner.cli.commands.migrate import MigrationRequest
    from autotuner.cli.commands.migrate import migrate_db as command

    wanted = MigrationRequest(source, to, home, tuple(only or ()), skip_running, engine)
    command(wanted, preview=preview, apply=apply, backup=not no_backup, as_json=as_json)


@migrate_app.command("verify")
def migrate_verify(
    source: Source,
    to: To = None,
    only: Only = None,
    skip_running: SkipRunning = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Compare every value of a database of version 1 with what was moved here."""
    from autotuner.cli.commands.migrate import MigrationRequest
    from autotuner.cli.commands.migrate import migrate_verify as command

    wanted = MigrationRequest(source, to, home, tuple(only or ()), skip_running)
    raise typer.Exit(command(wanted, as_json=as_json))


@migrate_app.command("undo")
def migrate_undo(
    number: Annotated[
        int | None,
        typer.Argument(metavar="[NUMBER]", help="Of a migration; the newest if left out."),
    ] = None,
    to: To = None,
    force: Annotated[
        bool, typer.Option("--force", help="Remove also tasks that were worked on here since.")
    ] = False,
    preview: Annotated[
        bool, typer.Option("--preview", help="Say what would go, and remove nothing.")
    ] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Remove what a migration moved here; all else stays as it is."""
    from autotuner.cli.commands.migrate import migrate_undo as command

    command(number, to=to, force=force, preview=preview, home=home, as_json=as_json)


@migrate_app.command("task")
def migrate_task(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Task files of version 1, JSON or YAML.")
    ],
    preview: Annotated[
        bool, typer.Option("--preview", help="Show both versions side by side, with every note.")
    ] = False,
    engine: Annotated[
        str | None,
        typer.Option(help="Engine of the tasks, where their `base_runtime` need not tell it."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Print task files of version 1 as task files of version 2."""
    from autotuner.cli.commands.migrate_task import migrate_task as command

    raise typer.Exit(command(files, preview=preview, as_json=as_json, engine=engine))
