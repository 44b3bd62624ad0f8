"""Asks a Docker daemon, by its HTTP API over its socket: https://docs.docker.com/reference/api/engine/

Where it is, `DOCKER_HOST` says, as for Docker's own tools.
"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from autotuner.errors import AutotunerError

USUAL_ADDRESS = "unix:///var/run/docker.sock"
_WAIT_S = 10.0
_GONE = 404
_LONGEST_BYTES = 16 * 2**20
_FRAME_BYTES = 8
"""Head of a piece of a log: which stream it is of, and its length."""


class DockerUnavailableError(AutotunerError):
    """There is no Docker daemon, or it does not answer."""


class DockerRefusedError(AutotunerError):
    """The daemon refuses.

    Attributes:
        status: of HTTP, as the daemon has it.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class DockerDaemon:
    """A daemon at `unix:///PATH` or `tcp://HOST:PORT`."""

    address: str = USUAL_ADDRESS

    def containers(self, *, stopped: bool) -> list[dict[str, Any]]:
        """Every running container as the daemon describes it, the `stopped` ones too."""
        found = self._json("GET", "/containers/json", {"all": str(int(stopped))})
        return [one for each in found if (one := self._container_if_there(each["Id"])) is not None]

    def container(self, name: str) -> dict[str, Any]:
        """A container, by id or name."""
        found: dict[str, Any] = self._json("GET", _path(name, "json"))
        return found

    def _container_if_there(self, name: str) -> dict[str, Any] | None:
        try:
            return self.container(name)
        except DockerRefusedError as error:
            if error.status == _GONE:  # removed since it was listed
                return None
            raise

    def stats(self, name: str) -> dict[str, Any]:
        """Counters of what a container uses, a second apart."""
        found: dict[str, Any] = self._json("GET", _path(name, "stats"), {"stream": "0"})
        return found

    def logs(self, name: str, *, tail: str, timestamps: bool) -> str:
        """The last lines of a container's output."""
        query = {"stdout": "1", "stderr": "1", "tail": tail, "timestamps": str(int(timestamps))}
        has_terminal = bool(self.container(name).get("Config", {}).get("Tty"))
        body = self._ask("GET", _path(name, "logs"), query)
        return (body if has_terminal else _without_frames(body)).decode(errors="replace")

    def info(self) -> dict[str, Any]:
        """The daemon itself."""
        found: dict[str, Any] = self._json("GET", "/info")
        return found

    def act(self, name: str, action: str, *, timeout_s: int | None = None) -> None:
        """Starts, stops or restarts a container, which has `timeout_s` to end by itself."""
        query = {} if timeout_s is None else {"t": str(timeout_s)}
        self._ask("POST", _path(name, action), query, wait_s=_WAIT_S + (timeout_s or 0))

    def remove(self, name: str, *, force: bool) -> None:
        """Removes a container; a running one only with `force`."""
        self._ask("DELETE", f"/containers/{quote(name, safe='')}", {"force": str(int(force))})

    def _json(self, method: str, path: str, query: Mapping[str, str] | None = None) -> Any:
        try:
            return json.loads(self._ask(method, path, query or {}))
        except ValueError:
            raise self._unavailable("it does not answer with JSON") from None

    def _ask(
        self, method: str, path: str, query: Mapping[str, str], *, wait_s: float = _WAIT_S
    ) -> bytes:
        """The body of an answer.

        Raises:
            DockerUnavailableError: no daemon answers.
            DockerRefusedError: it refuses.
        """
        connection = self._connection(wait_s)
        try:
            connection.request(method, f"{path}?{urlencode(query)}" if query else path)
            answer = connection.getresponse()
            body = answer.read(_LONGEST_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise self._unavailable(str(error) or type(error).__name__) from None
        finally:
            connection.close()
        if answer.status >= 400:
            raise DockerRefusedError(answer.status, _reason(body))
        return body

    def _connection(self, wait_s: float) -> http.client.HTTPConnection:
        try:
            parts = urlsplit(self.address)
            port = parts.port
        except ValueError:
            raise self._unavailable("DOCKER_HOST is no address") from None
        if parts.scheme == "unix":
            return _UnixConnection(parts.path, wait_s)
        if parts.scheme in ("tcp", "http") and parts.hostname:
            return http.client.HTTPConnection(parts.hostname, port or 2375, timeout=wait_s)
        raise self._unavailable("DOCKER_HOST is neither unix:///PATH nor tcp://HOST:PORT")

    def _unavailable(self, reason: str) -> DockerUnavailableError:
        return DockerUnavailableError(
            f"Unable to connect to Docker daemon at {self.address}: {reason}",
            remedy="start it, or say where it is with DOCKER_HOST",
        )


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a socket of the file system."""

    def __init__(self, path: str, wait_s: float) -> None:
        super().__init__("localhost", timeout=wait_s)
        self._path = path

    def connect(self) -> None:
        """Connects to the socket's file."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _path(name: str, what: str) -> str:
    return f"/containers/{quote(name, safe='')}/{what}"


def _reason(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body[:200].decode(errors="replace")


def _without_frames(log: bytes) -> bytes:
    """The text of a log whose two streams come in pieces."""
    pieces, at = [], 0
    while at + _FRAME_BYTES <= len(log):
        end = at + _FRAME_BYTES + int.from_bytes(log[at + 4 : at + _FRAME_BYTES], "big")
        pieces.append(log[at + _FRAME_BYTES : end])
        at = end
    return b"".join(pieces)
