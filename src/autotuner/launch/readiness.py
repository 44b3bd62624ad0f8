"""Waits until an engine answers."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

from autotuner.errors import NoAnswerError
from autotuner.http_client import BaseUrl, get
from autotuner.launch.protocol import Failure, LaunchFailed

POLL_S = 0.02


async def until_ready(
    base: BaseUrl,
    paths: Sequence[str],
    *,
    has_ended: Callable[[], bool],
    pause: Callable[[], Awaitable[object]],
    diagnose: Callable[[], Failure],
    timeout_s: float,
) -> None:
    """Returns once every one of `paths` has answered 200, in their order.

    Args:
        pause: waits for a moment, or until the engine has ended.
        diagnose: why it is not ready, or has ended.

    Raises:
        LaunchFailed: the engine ended first, or the time is over.
    """
    deadline = time.monotonic() + timeout_s
    left = list(paths)
    while time.monotonic() < deadline:
        if await _answers_ok(base, left[0]) and not has_ended():
            left.pop(0)
            if not left:
                return
            continue
        await pause()
        if has_ended():
            raise LaunchFailed(diagnose())
    failure = diagnose()
    raise LaunchFailed(
        Failure(failure.kind, f"{failure.message} ({timeout_s:g} s)", failure.log_tail)
    )


async def _answers_ok(base: BaseUrl, path: str) -> bool:
    """Whether GET `path` answers 200 now; False also where nobody listens."""
    try:
        return (await get(base, path)).status == 200
    except NoAnswerError:
        return False
