"""`autotuner token`: made, listed, revoked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from autotuner.cli.home import open_store, state_folder
from autotuner.cli.output import err, out, print_json
from autotuner.config import nearest
from autotuner.errors import AutotunerError
from autotuner.store.tokens import Token, Tokens, TokenScope


def token_create(
    name: str,
    *,
    scope: str,
    days: float | None,
    home: Path | None,
    as_json: bool,
) -> None:
    """`autotuner token create`: the token alone on stdout, so that a script can take it."""
    known = [each.value for each in TokenScope]
    if scope not in known:
        raise AutotunerError(f"--scope: {scope!r} is unknown; {nearest(scope, known)}")
    with _tokens(home) as tokens:
        clear, token = tokens.create(name, TokenScope(scope), lasts=_lasting(days))
    if as_json:
        print_json({"token": clear, **_row(token)})
        return
    until = "" if token.expires_at is None else f", valid until {_moment(token.expires_at)}"
    err().print(
        f"token {name!r}, scope {token.scope}{until}; it is shown this once:",
        markup=False,
        soft_wrap=True,
    )
    out().print(clear, markup=False, soft_wrap=True)


def token_list(*, home: Path | None, as_json: bool) -> None:
    """`autotuner token list`."""
    with _tokens(home) as tokens:
        kept = tokens.every()
    if as_json:
        print_json({"tokens": [_row(token) for token in kept]})
        return
    if not kept:
        out().print("no tokens yet; `autotuner token create NAME` makes one")
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("name", "scope", "state", "made", "expires", "last used"):
        table.add_column(title, overflow="fold")
    now = datetime.now(UTC)
    for token in kept:
        moments = (token.created_at, token.expires_at, token.last_used_at)
        cells = ("never" if moment is None else _moment(moment) for moment in moments)
        table.add_row(escape(token.name), token.scope, token.state(now), *cells)
    out().print(table)


def token_revoke(name: str, *, home: Path | None, as_json: bool) -> None:
    """`autotuner token revoke`."""
    with _tokens(home) as tokens:
        token = tokens.revoke(name)
    if as_json:
        print_json(_row(token))
        return
    out().print(f"token {name!r} is revoked", markup=False, soft_wrap=True)


@contextmanager
def _tokens(home: Path | None) -> Iterator[Tokens]:
    with open_store(state_folder(home)) as store:
        yield Tokens(store.sessions)


def _lasting(days: float | None) -> timedelta | None:
    try:
        return None if days is None else timedelta(days=days)
    except (OverflowError, ValueError):
        raise AutotunerError(f"--expires: {days} is no number of days") from None


def _row(token: Token) -> dict[str, Any]:
    moments = {
        name: None if moment is None else moment.isoformat()
        for name in ("created_at", "expires_at", "revoked_at", "last_used_at")
        for moment in [getattr(token, name)]
    }
    state = token.state(datetime.now(UTC))
    return {"name": token.name, "scope": token.scope.value, "state": state, **moments}


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
