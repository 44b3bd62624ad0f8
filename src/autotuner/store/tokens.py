"""API tokens: made once in clear, kept as a hash, found by what a request sends."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from autotuner.errors import AutotunerError, NameTakenError, NotFoundError, StoreError
from autotuner.store.schema import TokenRow
from autotuner.store.sessions import Sessions

PREFIX = "at_"
"""Beginning of every token, so that one that leaks is recognised."""
_RANDOM_BYTES = 32
LONGEST_NAME = 100
LONGEST = timedelta(days=3660)
_USED_AGAIN = timedelta(minutes=1)
"""Uses nearer to each other than this are one: a request would else be a write each."""
_log = logging.getLogger(__name__)


class TokenScope(StrEnum):
    """Rights of a token; each includes those before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    def covers(self, needed: TokenScope) -> bool:
        """Whether a token of this scope may do what needs `needed`."""
        order = list(TokenScope)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True)
class Token:
    """A token as it is kept: nothing here makes a request.

    Attributes:
        expires_at: None where it never does.
        last_used_at: to a minute; None where it never was.
    """

    name: str
    scope: TokenScope
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def state(self, now: datetime) -> str:
        """`valid`, `revoked` or `expired`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "valid"


class Tokens:
    """The tokens of one database.

    Args:
        now: the moment, in UTC.
    """

    def __init__(
        self, sessions: Sessions, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._sessions = sessions
        self.now = now

    def create(
        self, name: str, scope: TokenScope, *, lasts: timedelta | None = None
    ) -> tuple[str, Token]:
        """A new token: its clear text, which is shown this once, and what is kept of it.

        Args:
            lasts: None for ever.

        Raises:
            NameTakenError: there is or was one of that name.
            AutotunerError: the name is none, or it would last for no time or too long.
        """
        if not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
            raise AutotunerError(
                f"{name!r} is not a valid name of a token",
                remedy=f"give 1 to {LONGEST_NAME} characters that can be printed",
            )
        if lasts is not None and not timedelta(0) < lasts <= LONGEST:
            raise AutotunerError(
                f"a token cannot last {lasts / timedelta(days=1):g} days",
                remedy=f"give more than 0 and at most {LONGEST.days} days, or none at all",
            )
        clear = PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
        now = self.now()
        row = TokenRow(
            name=name,
            scope=scope.value,
            sha256=_digest(clear),
            created_at=now,
            expires_at=None if lasts is None else now + lasts,
        )
        with self._sessions.writing() as session:
            session.add(row)
            try:
                session.flush()
            except IntegrityError:
                raise NameTakenError(
                    f"there is a token {name!r} already, or there was one",
                    remedy="give another name; a name stays with its token, revoked or not",
                ) from None
            return clear, token_of(row)

    def every(self) -> tuple[Token, ...]:
        """All there ever were, in the order of their making."""
        with self._sessions.reading() as session:
            return tuple(map(token_of, session.scalars(select(TokenRow).order_by(TokenRow.id))))

    def revoke(self, name: str) -> Token:
        """From now on the token of that name is refused; one that is already stays as it is.

        Raises:
            NotFoundError: there is none of that name.
        """
        with self._sessions.writing() as session:
            row = session.scalar(select(TokenRow).where(TokenRow.name == name).with_for_update())
            if row is None:
                raise NotFoundError(
                    f"there is no token {name!r}", remedy="`autotuner token list` shows all"
                )
            row.revoked_at = row.revoked_at or self.now()
            session.flush()
            return token_of(row)

    def find(self, clear: str) -> Token | None:
        """The token of that clear text; None where it is unknown, revoked or expired."""
        if not clear.startswith(PREFIX):
            return None
        digest = _digest(clear)
        with self._sessions.reading() as session:
            row = session.scalar(select(TokenRow).where(TokenRow.sha256 == digest))
            if row is None or not hmac.compare_digest(row.sha256, digest):
                return None
            token = token_of(row)
        if token.state(self.now()) != "valid":
            return None
        self.note_use(token)
        return token

    def note_use(self, token: Token) -> None:
        """Keeps that a token is used now, unless it was within the last minute."""
        now = self.now()
        if token.last_used_at is not None and now - token.last_used_at < _USED_AGAIN:
            return
        try:
            with self._sessions.writing() as session:
                row = session.scalar(select(TokenRow).where(TokenRow.name == token.name))
                if row is not None:
                    row.last_used_at = now
        except StoreError as error:
            # Reading goes on where nothing can be written: a full disk locks nobody out.
            _log.warning("the use of the token %r is not noted: %s", token.name, error)


def _digest(clear: str) -> str:
    return hashlib.sha256(clear.encode("utf-8", "surrogateescape")).hexdigest()


def token_of(row: TokenRow) -> Token:
    """A token as its row keeps it."""
    return Token(
        name=row.name,
        scope=TokenScope(row.scope),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )
