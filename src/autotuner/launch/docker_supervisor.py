"""Stands beside a container, so that no engine in it outlives the tuner.

Run as a program of its own: `python -I -S docker_supervisor.py NAME`. Its standard input is a pipe
whose other end only the tuner holds. Its first line says as JSON where the daemon and Python's
packages are; then `created` says that the container exists, and `gone` that nothing is left to do.
When the pipe closes without `gone`, `kill -9` of the tuner included, the supervisor removes the
container by itself.

Imports next to nothing until then: one supervisor starts with every container.
"""

from __future__ import annotations

import json
import signal
import sys
import time

_BEING_CREATED_S = 20.0
"""For so long a container may still appear that its dead owner has asked for."""
_AWAY_S = 600.0
"""For so long a daemon that does not answer is asked again."""
_POLL_S = 0.2


def main(argv: list[str]) -> int:
    """Waits for the end of the tuner or of its container; 1 where one could not be removed."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    first = sys.stdin.readline()
    heard = sys.stdin.read().split()
    if not first or "gone" in heard:
        return 0
    where = json.loads(first)
    sys.path[:] = where["path"]
    return _remove(argv[0], where["address"], was_created="created" in heard)


def _remove(name: str, address: str, *, was_created: bool) -> int:
    import os

    import docker
    from docker.errors import APIError, DockerException
    from docker.utils import kwargs_from_env
    from requests.exceptions import RequestException

    given = kwargs_from_env({**os.environ, "DOCKER_HOST": address})
    began_s = time.monotonic()
    waits_s = _BEING_CREATED_S
    while time.monotonic() - began_s < waits_s:
        try:
            client = docker.APIClient(version="auto", **given)
            client.remove_container(name, force=True, v=True)
            return 0
        except APIError as error:
            if error.status_code == 404 and was_created:
                return 0
        except (DockerException, RequestException, OSError):
            waits_s = _AWAY_S
        time.sleep(_POLL_S)
    return 0 if waits_s == _BEING_CREATED_S and not was_created else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
