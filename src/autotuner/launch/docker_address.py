"""Which Docker daemon is meant, as Docker's own tools find it, and why it cannot be reached."""

from __future__ import annotations

import errno
import os
import re
import ssl
from collections.abc import Mapping
from pathlib import Path

from autotuner.launch.docker_failures import DockerUnavailableError

USUAL_ADDRESS = "unix:///var/run/docker.sock"
_ADDRESS = re.compile(
    r"unix://.+|(?:(?:tcp|https?)://)?(?:\[[0-9a-fA-F:.]+\]|[^/\[\]:\s]+)(?::[0-9]{1,5})?(?:/.*)?"
)
_NO_SOCKET = (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTSOCK)
_NO_RIGHT = (errno.EACCES, errno.EPERM)
_LONGEST_WHY = 200
_MEANINGS = (
    (
        r"certificate and key files must be provided",
        "DOCKER_TLS_VERIFY is set, and DOCKER_CERT_PATH has no cert.pem and key.pem",
        "put ca.pem, cert.pem and key.pem there, or unset DOCKER_TLS_VERIFY",
    ),
    (
        r"WRONG_VERSION_NUMBER|UNKNOWN_PROTOCOL",
        "it speaks no TLS there",
        "unset DOCKER_TLS_VERIFY, or give the port at which it does (2376)",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED",
        "its certificate is not trusted",
        "give the ca.pem that it is signed with in DOCKER_CERT_PATH, and its name in DOCKER_HOST",
    ),
    (
        r"Read timed out",
        "it does not answer",
        "see what it waits for (`journalctl -u docker`), or restart it",
    ),
    (
        r"HTTP request to an HTTPS server",
        "it speaks TLS there",
        "set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to its ca.pem, cert.pem and key.pem",
    ),
    (
        r"API version: (?:404 Client Error|Expecting value|Extra data)",
        "no Docker daemon answers there, but another program",
        "see that DOCKER_HOST says where the daemon is",
    ),
)
"""Of what the library says: pattern, meaning and remedy; an error of TLS has the number of another
of the operating system."""


def address_for(environment: Mapping[str, str]) -> str:
    """The address in `DOCKER_HOST`, else in Docker's context.

    Raises:
        DockerUnavailableError: the context cannot be used.
    """
    return environment.get("DOCKER_HOST") or _of_context(environment.get("DOCKER_CONTEXT"))


def why_unusable(address: str) -> DockerUnavailableError | None:
    """The error of an address at which no daemon can be asked; None where one can."""
    if address.startswith("ssh://"):
        return DockerUnavailableError(
            f"Unable to connect to Docker daemon at {address}: ssh:// is not served",
            remedy="have the daemon listen with TLS (DOCKER_HOST=tcp://HOST:2376, "
            "DOCKER_TLS_VERIFY=1), or tune on that machine",
        )
    if not _ADDRESS.fullmatch(address):
        return DockerUnavailableError(
            f"Unable to connect to Docker daemon at {address!r}: that is no address of a daemon",
            remedy="write DOCKER_HOST as unix:///PATH or tcp://HOST:PORT",
        )
    return None


def unreachable(
    address: str, error: BaseException, environment: Mapping[str, str] = os.environ
) -> DockerUnavailableError:
    """The error of a daemon that does not answer, by the operating system's reason."""
    for pattern, meaning, remedy in _MEANINGS:
        if re.search(pattern, str(error)):
            return _unavailable(address, meaning, remedy)
    reason = _os_error(error)
    code = reason.errno if reason is not None else None
    why = (reason and reason.strerror) or str(error) or type(error).__name__
    remedy = "see that it runs, and that DOCKER_HOST says where"
    if isinstance(reason, ssl.SSLError):
        code, remedy = None, "compare DOCKER_TLS_VERIFY and DOCKER_CERT_PATH with its own TLS"
    rootless = _rootless_address(environment)
    if code in (*_NO_RIGHT, *_NO_SOCKET) and rootless not in (None, address):
        remedy = f"to use your own daemon, which is rootless: export DOCKER_HOST={rootless}"
    elif code in _NO_RIGHT:
        remedy = (
            "this user may not use its socket: `sudo usermod -aG docker $USER` and log in "
            "again, or use a rootless daemon"
        )
    elif code in _NO_SOCKET:
        remedy = "start it (`sudo systemctl start docker`), or say where it is with DOCKER_HOST"
    return _unavailable(address, " ".join(why.split())[:_LONGEST_WHY], remedy)


def _unavailable(address: str, why: str, remedy: str) -> DockerUnavailableError:
    return DockerUnavailableError(
        f"Unable to connect to Docker daemon at {address}: {why}", remedy=remedy
    )


def _rootless_address(environment: Mapping[str, str]) -> str | None:
    """Address of the user's own daemon, which runs without root; None where there is none."""
    folder = environment.get("XDG_RUNTIME_DIR")
    path = Path(folder, "docker.sock") if folder else None
    return f"unix://{path}" if path is not None and path.is_socket() else None


def _of_context(name: str | None) -> str:
    """The address in Docker's context of that name, or in the current one.

    Raises:
        DockerUnavailableError: there is no such context, or it has certificates of its own.
    """
    try:
        from docker.context import ContextAPI
        from docker.errors import DockerException
    except ImportError:
        return USUAL_ADDRESS  # which says why when it is asked
    try:
        context = ContextAPI.get_context(name)
    except (DockerException, OSError, ValueError):
        context = None
    of_name = f"context {name}" if name else "current context"
    if context is None:
        raise DockerUnavailableError(
            f"Unable to connect to Docker daemon: Docker's {of_name} cannot be read",
            remedy="`docker context ls` shows which there are; or set DOCKER_HOST",
        )
    if context.TLSConfig is not None:
        # The supervisor, and whoever ends what is left, know a daemon by its address alone.
        raise DockerUnavailableError(
            f"Unable to connect to Docker daemon: Docker's {of_name} has certificates of its own, "
            "which are not used",
            remedy=f"set DOCKER_HOST={context.Host}, DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH "
            "(its ca.pem, cert.pem and key.pem)",
        )
    return str(context.Host or USUAL_ADDRESS)


def _os_error(error: BaseException) -> OSError | None:
    """The operating system's error that another was made of."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, OSError) and isinstance(one.errno, int):
            return one
        inside = (*one.args, one.__cause__, one.__context__, getattr(one, "reason", None))
        waiting += [each for each in inside if isinstance(each, BaseException)]
    return None
