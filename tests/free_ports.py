"""Ports for programs that have to be told one before they listen."""

from __future__ import annotations

import random
import socket

_FROM, _TO = 20_000, 32_000
"""Below the ports that systems give to connections, of which one could take it in the meantime."""


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    chance = random.SystemRandom()
    while True:
        port = chance.randrange(_FROM, _TO)
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
