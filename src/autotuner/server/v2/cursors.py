"""Cursors: where a page ended, as text that clients hand back unread."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any

from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.v2.routing import MOST_ID, is_storable

_LONGEST = 1_000


def cursor_of(order: str, value: str, row_id: int) -> str:
    """Where a page in that order ended: the last one's sort value, as its answer tells it."""
    text = json.dumps([order, value, row_id], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_of(cursor: str, order: str, *, is_time: bool = False) -> tuple[Any, int]:
    """The sort value and the id that a page goes on behind.

    Raises:
        ProblemError: it is no cursor of a list in that order.
    """
    try:
        if len(cursor) > _LONGEST:
            raise ValueError("too long")
        padded = cursor + "=" * (-len(cursor) % 4)
        said, value, row_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if said != order:
            raise ValueError("of another order")
        if type(row_id) is not int or not 0 <= row_id <= MOST_ID:
            raise ValueError("no id")
        if not isinstance(value, str) or not is_storable(value):
            raise ValueError("no value")
        if is_time:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                raise ValueError("no moment")
            return moment.astimezone(UTC), row_id
        return value, row_id
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
        raise ProblemError(
            ProblemKind.INVALID_CURSOR,
            "the cursor is not one that this list gave for this order; start without one",
        ) from None
