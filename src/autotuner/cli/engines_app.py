"""The commands under `autotuner engines`, and their options."""

from __future__ import annotations

from typing import Annotated

import typer

from autotuner.cli.options import Json

engines_app = typer.Typer(help="The engines, and how each says every field.", no_args_is_help=True)


@engines_app.command("list")
def engines_list(as_json: Json = False) -> None:
    """List the engines that a task may name, and which are installed here."""
    from autotuner.cli.commands.engines import engines_list as command

    command(as_json=as_json)


@engines_app.command("show")
def engines_show(
    engine: Annotated[str, typer.Argument(metavar="ENGINE", help="As `engines list` names it.")],
    version: Annotated[
        str | None, typer.Option("--engine-version", help="Of the engine; the newest if left out.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show how an engine says every field of the eight groups."""
    from autotuner.cli.commands.engines import engines_show as command

    command(engine, version=version, as_json=as_json)


@engines_app.command("coverage")
def engines_coverage(
    as_json: Json = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the table as the documentation holds it.")
    ] = False,
) -> None:
    """Show field x engine: flag, key, variable, or why not."""
    from autotuner.cli.commands.engines import engines_coverage as command

    command(as_json=as_json, markdown=markdown)
