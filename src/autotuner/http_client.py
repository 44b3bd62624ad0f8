"""One HTTP client for what engines say of themselves: their health, metrics and models.

It sends GET alone. Load is put on engines by `measure`, whose own connections stamp every byte;
addresses are taken apart here for both, so that none is read in two ways.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from autotuner.errors import AddressError, NoAnswerError

if TYPE_CHECKING:
    import ssl

_PORTS = {"http": 80, "https": 443}
_TIMEOUT_S = 5.0
_CHUNK_BYTES = 64 * 1024
_LONGEST_BYTES = 16 * 2**20
"""Of an answer: metrics of a large engine take some hundred KiB."""


@dataclass(frozen=True)
class BaseUrl:
    """Where a server answers; `str` of it is the address.

    Attributes:
        scheme: `http` or `https`.
        host: a name or an IP address, IPv6 without its brackets.
        path: what stands before every path of the server; no slash at its end.
    """

    scheme: str
    host: str
    port: int
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> BaseUrl:
        """The parts of an address.

        Raises:
            AddressError: it is no address of an HTTP server, or holds what no client here sends.
        """
        try:
            parts = urlsplit(text)
            port = parts.port
            host = (parts.hostname or "").encode("idna").decode("ascii")
        except ValueError as error:
            raise _refusal(text, str(error)) from None
        if parts.scheme not in _PORTS:
            raise _refusal(text, f"its scheme is {parts.scheme or 'missing'!r}, not http or https")
        if not host or not text.isprintable() or " " in text:
            raise _refusal(text, "it names no host")
        if parts.username is not None or parts.password is not None:
            hidden = text.replace(f"{parts.netloc.rpartition('@')[0]}@", "***@")
            raise _refusal(hidden, "it holds a user name or password, which is not sent")
        if parts.query or parts.fragment:
            raise _refusal(text, "it holds a query or a fragment")
        if port == 0:
            raise _refusal(text, "nobody can listen on port 0")
        return cls(parts.scheme, host, port or _PORTS[parts.scheme], parts.path.rstrip("/"))

    @property
    def is_encrypted(self) -> bool:
        """Whether it is spoken to by TLS."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """Host and port as the header `Host` has them: the scheme's own port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


@dataclass(frozen=True)
class HttpAnswer:
    """What a server has answered."""

    status: int
    body: bytes


async def get(base: BaseUrl, path: str, *, timeout_s: float = _TIMEOUT_S) -> HttpAnswer:
    """Asks `base` for `path`. Redirections are answers, and not followed.

    Raises:
        NoAnswerError: nobody listens, the certificate is not trusted, no answer came in time, or
            it is no HTTP.
    """
    import h11  # here: most commands ask no engine

    try:
        async with asyncio.timeout(timeout_s):
            return await _exchange(base, path)
    except TimeoutError:
        raise NoAnswerError(f"GET {base}{path}: no answer within {timeout_s:g} s") from None
    except OSError as error:
        raise NoAnswerError(f"GET {base}{path}: {error.strerror or error}") from None
    except h11.ProtocolError as error:
        raise NoAnswerError(f"GET {base}{path}: no HTTP: {error}") from None


async def _exchange(base: BaseUrl, path: str) -> HttpAnswer:
    import h11

    reader, writer = await asyncio.open_connection(base.host, base.port, ssl=_context(base))
    try:
        connection = h11.Connection(h11.CLIENT)
        headers = [("Host", base.authority), ("Accept", "*/*"), ("Connection", "close")]
        asked = h11.Request(method="GET", target=f"{base.path}{path}", headers=headers)
        writer.write(connection.send(asked) or b"")
        connection.send(h11.EndOfMessage())
        status, body = 0, bytearray()
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await reader.read(_CHUNK_BYTES))
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > _LONGEST_BYTES:
                    raise h11.RemoteProtocolError(f"more than {_LONGEST_BYTES} bytes")
            elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                return HttpAnswer(status, bytes(body))
    finally:
        writer.close()


def _context(base: BaseUrl) -> ssl.SSLContext | None:
    if not base.is_encrypted:
        return None
    import ssl

    return ssl.create_default_context()


def _refusal(text: str, why: str) -> AddressError:
    return AddressError(
        f"{text!r} is no address of an engine: {why}",
        remedy="write it as http://HOST:PORT, or https://HOST:PORT",
    )
