"""What goes by age: answers to repeated requests, and events. Beside the requests, now and then."""

from __future__ import annotations

from datetime import datetime, timedelta

from autotuner.store import idempotency
from autotuner.store.pieces import in_pieces
from autotuner.store.schema import EventRow
from autotuner.store.sessions import Sessions

EVERY_S = 600.0
"""How often it is done."""


def keep_up(sessions: Sessions, now: datetime, *, keep_events_days: float) -> None:
    """Removes what is too old.

    Args:
        keep_events_days: events are kept for so long; 0 keeps all.
    """
    idempotency.forget_old(sessions, now)
    if keep_events_days:
        in_pieces(sessions, EventRow, EventRow.at < now - timedelta(days=keep_events_days))
