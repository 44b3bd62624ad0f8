"""Sessions of browsers: begun with a token, kept as a hash, found by the secret in a cookie."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from autotuner.store.schema import BrowserSessionRow, TokenRow
from autotuner.store.sessions import Sessions, delete_in_batches
from autotuner.store.tokens import Token, Tokens, token_of

PREFIX = "ats_"
"""Beginning of every secret, so that one that leaks is recognised."""
LASTS = timedelta(hours=12)
_RANDOM_BYTES = 32
_CSRF = b"csrf"


@dataclass(frozen=True)
class BrowserSession:
    """A browser that is signed in.

    Attributes:
        token: with which it signed in; its scope is the session's.
        csrf_token: value that the service's pages send beside the cookie; no other page knows it.
        expires_at: also the end of the token, where that is sooner.
    """

    token: Token
    csrf_token: str
    expires_at: datetime


class BrowserSessions:
    """Sessions of one database.

    A session is valid as long as its token is.

    Args:
        tokens: of the same database; their clock is the sessions' too.
    """

    def __init__(self, sessions: Sessions, tokens: Tokens) -> None:
        self._sessions = sessions
        self._tokens = tokens

    def begin(self, token: Token) -> tuple[str, BrowserSession] | None:
        """A new session: its secret, for the cookie, and what is known of it.

        None where the token has been revoked or has expired since it was found.
        """
        secret, now = PREFIX + secrets.token_urlsafe(_RANDOM_BYTES), self._tokens.now()
        with self._sessions.writing() as session:
            row = session.scalar(select(TokenRow).where(TokenRow.name == token.name))
            if row is None or token_of(row).state(now) != "valid":
                return None
            ends = min(now + LASTS, row.expires_at or now + LASTS)
            session.add(
                BrowserSessionRow(
                    token_id=row.id, sha256=_digest(secret), created_at=now, expires_at=ends
                )
            )
            return secret, BrowserSession(token_of(row), csrf_token_of(secret), ends)

    def find(self, secret: str) -> BrowserSession | None:
        """The session of a secret; None where it is unknown, has ended, or its token has."""
        if not secret.startswith(PREFIX):
            return None
        digest, now = _digest(secret), self._tokens.now()
        query = (
            select(BrowserSessionRow, TokenRow)
            .join(TokenRow, TokenRow.id == BrowserSessionRow.token_id)
            .where(BrowserSessionRow.sha256 == digest)
        )
        with self._sessions.reading() as session:
            found = session.execute(query).first()
            if found is None or not hmac.compare_digest(found[0].sha256, digest):
                return None
            ends, token = found[0].expires_at, token_of(found[1])
        if ends <= now or token.state(now) != "valid":
            return None
        self._tokens.note_use(token)
        return BrowserSession(token, csrf_token_of(secret), ends)

    def end(self, secret: str) -> None:
        """From now on the secret is unknown; one that is already stays so."""
        with self._sessions.writing() as session:
            digest = _digest(secret)
            session.execute(delete(BrowserSessionRow).where(BrowserSessionRow.sha256 == digest))


def forget_ended(sessions: Sessions, now: datetime) -> int:
    """Removes sessions whose time is over; returns how many."""
    return delete_in_batches(sessions, BrowserSessionRow, BrowserSessionRow.expires_at <= now)


def csrf_token_of(secret: str) -> str:
    """The CSRF token of a session: it follows from the secret, which does not follow from it."""
    code = hmac.digest(_bytes(secret), _CSRF, "sha256")
    return base64.urlsafe_b64encode(code).rstrip(b"=").decode()


def _digest(secret: str) -> str:
    return hashlib.sha256(_bytes(secret)).hexdigest()


def _bytes(secret: str) -> bytes:
    return secret.encode("utf-8", "surrogateescape")
