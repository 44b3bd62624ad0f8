"""`autotuner token`: its commands and their options."""

from __future__ import annotations

from typing import Annotated

import typer

from autotuner.cli.options import Home, Json

token_app = typer.Typer(
    help="Tokens: who may ask a service that is reached from elsewhere.", no_args_is_help=True
)
TokenName = Annotated[str, typer.Argument(metavar="NAME", help="Who or what uses the token.")]


@token_app.command("create")
def token_create(
    name: TokenName,
    scope: Annotated[
        str, typer.Option("--scope", help="read, write (read too) or admin (all).")
    ] = "read",
    expires: Annotated[
        float | None, typer.Option("--expires", metavar="DAYS", help="Days that it is valid.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make a token and print it, this once: only its hash is kept."""
    from autotuner.cli.commands.token import token_create as command

    command(name, scope=scope, days=expires, home=home, as_json=as_json)


@token_app.command("list")
def token_list(home: Home = None, as_json: Json = False) -> None:
    """List the tokens, with what each may do and when it was used."""
    from autotuner.cli.commands.token import token_list as command

    command(home=home, as_json=as_json)


@token_app.command("revoke")
def token_revoke(name: TokenName, home: Home = None, as_json: Json = False) -> None:
    """Make a token worthless, within seconds, also to a service that runs."""
    from autotuner.cli.commands.token import token_revoke as command

    command(name, home=home, as_json=as_json)
