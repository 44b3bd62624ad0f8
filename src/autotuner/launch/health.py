"""Asks a health endpoint, with as little work as possible: the engine is loading meanwhile."""

from __future__ import annotations

import asyncio

_ANSWER_TIMEOUT_S = 5.0


async def answers_ok(host: str, port: int, path: str) -> bool:
    """Whether GET `path` answers 200 now; False also where nobody listens."""
    try:
        async with asyncio.timeout(_ANSWER_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
                writer.write(request.encode())
                status = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return status.split()[1:2] == [b"200"]
