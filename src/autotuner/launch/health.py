"""Asks a health endpoint, with as little work as possible: the engine is loading meanwhile."""

from __future__ import annotations

from autotuner.errors import NoAnswerError
from autotuner.http_client import BaseUrl, get


async def answers_ok(base: BaseUrl, path: str) -> bool:
    """Whether GET `path` answers 200 now; False also where nobody listens."""
    try:
        return (await get(base, path)).status == 200
    except NoAnswerError:
        return False
