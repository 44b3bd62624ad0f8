"""Ports and addresses of this machine."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from typing import TypeVar

from autotuner.engines import FailureKind
from autotuner.launch.protocol import LaunchFailed

T = TypeVar("T")

LOOPBACK = "127.0.0.1"
_TRIES = 3


def free_port() -> int:
    """A port that is free now. Another process may still take it first: callers try again."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


async def tried_on_ports(launch: Callable[[], Awaitable[T]]) -> T:
    """A launch that takes a free port, and takes another one where that is taken meanwhile.

    Raises:
        LaunchFailed: as `launch`, or each port was taken.
    """
    for _ in range(_TRIES - 1):
        try:
            return await launch()
        except LaunchFailed as failed:
            if failed.failure.kind is not FailureKind.PORT_TAKEN:
                raise
    return await launch()


def is_free(port: int) -> bool:
    """Whether nobody listens on `port`; connections that linger after a close do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def is_own(address: str) -> bool:
    """Whether an IPv4 address is one of this machine's."""
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
        return True
