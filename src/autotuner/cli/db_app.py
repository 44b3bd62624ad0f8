"""`autotuner db`: its commands and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autotuner.cli.options import Database, Home, Json

db_app = typer.Typer(help="The database: status, backup, upgrade, downgrade.", no_args_is_help=True)
Force = Annotated[bool, typer.Option("--force", help="Go on although a task is marked as running.")]


@db_app.command("status")
def db_status(home: Home = None, database: Database = None, as_json: Json = False) -> None:
    """Show the schema's revision, the newest one, and running tasks."""
    from autotuner.cli.commands.db import db_status as command

    command(home=home, database=database, as_json=as_json)


@db_app.command("backup")
def db_backup(
    target: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="Where to; the home's backups/ if left out."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    home: Home = None,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Copy the database to a file while others use it; PostgreSQL's with pg_dump."""
    from autotuner.cli.commands.db import db_backup as command

    command(target, force=force, home=home, database=database, as_json=as_json)


@db_app.command("upgrade")
def db_upgrade(
    revision: Annotated[
        str, typer.Argument(metavar="[REVISION]", help="The newest if left out.")
    ] = "head",
    force: Force = False,
    home: Home = None,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Bring the schema up, after a backup of a SQLite file."""
    from autotuner.cli.commands.db import db_move as command

    command(revision, down=False, force=force, home=home, database=database, as_json=as_json)


@db_app.command("downgrade")
def db_downgrade(
    revision: Annotated[str, typer.Argument(metavar="REVISION", help="Of the older version.")],
    force: Force = False,
    home: Home = None,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Bring the schema down for an older version, after a backup of a SQLite file."""
    from autotuner.cli.commands.db import db_move as command

    command(revision, down=True, force=force, home=home, database=database, as_json=as_json)
