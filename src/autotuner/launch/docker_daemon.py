"""Asks a Docker daemon, or Podman's service, through the library `docker`.

The one place that talks to a daemon: launches, `doctor`, and version 1's pages of containers. Where
the daemon is, `DOCKER_HOST` and Docker's current context say, as for Docker's own tools. Every
method blocks; each raises `DockerUnavailableError` where no daemon answers, and
`DockerRefusedError` where it refuses.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import socket
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from autotuner.errors import LaunchError
from autotuner.launch.docker_address import USUAL_ADDRESS, address_for, unreachable, why_unusable
from autotuner.launch.docker_failures import DockerUnavailableError
from autotuner.launch.ports import LOOPBACK
from autotuner.launch.threaded import Interruption

if TYPE_CHECKING:
    import docker
    import requests

_WAIT_S = 30.0
LOOK_S = 5.0
"""The longest wait for each answer, for whoever only looks."""
_WORK_S = 300.0
"""For containers that are made and started: volumes are filled, and drivers of GPUs woken."""
_WORK = ("create_container_from_config", "start", "put_archive", "import_image_from_file")
_PODMAN = "Podman Engine"
_NAME = re.compile(r"[a-zA-Z0-9][\w.-]*")
"""Name or id of a container."""
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}
"""The kernel's names -> those of images."""


class DockerRefusedError(LaunchError):
    """The daemon refuses.

    Attributes:
        status: of HTTP, as the daemon has it.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class DaemonFacts:
    """A daemon, and the machine that it runs on.

    Attributes:
        id: which daemon it is, for as long as it keeps its data.
        host: the name of its machine.
        architecture: of images that run there, as images have it.
        runs_nvidia: whether it has a runtime for NVIDIA's GPUs.
        is_rootless: whether root in its containers is the user that it runs as.
    """

    id: str
    host: str
    version: str
    architecture: str
    cpus: int
    memory_gib: float
    runs_nvidia: bool
    is_rootless: bool = False


def reference_of(image: str) -> tuple[str, str]:
    """Repository and tag of an image, or repository and digest; `latest` where it has neither."""
    if "@" in image:
        repository, _, digest = image.partition("@")
        return _without_tag(repository), digest
    repository = _without_tag(image)
    return repository, image[len(repository) + 1 :] or "latest"


def _without_tag(image: str) -> str:
    head, _, last = image.rpartition("/")
    return "/".join(filter(None, (head, last.partition(":")[0])))


class DockerDaemon:
    """A daemon at `unix:///PATH` or `tcp://HOST:PORT`.

    Args:
        unusable: why it cannot be asked, which is raised when it is.
        wait_s: the longest for an answer; work on containers may take longer.
    """

    def __init__(
        self,
        address: str = USUAL_ADDRESS,
        *,
        unusable: DockerUnavailableError | None = None,
        wait_s: float = _WAIT_S,
    ) -> None:
        self.address = address
        self._wait_s = wait_s
        self._unusable = unusable or why_unusable(address)

    @classmethod
    def here(
        cls, environment: Mapping[str, str] = os.environ, *, wait_s: float = _WAIT_S
    ) -> DockerDaemon:
        """The daemon that Docker's own tools would use."""
        try:
            return cls(address_for(environment), wait_s=wait_s)
        except DockerUnavailableError as error:
            return cls(unusable=error)

    @property
    def is_here(self) -> bool:
        """Whether it runs on this machine."""
        host = self._host
        if not host or host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

    @property
    def published_at(self) -> str:
        """The address of its machine at which containers' ports are published: the loopback, or
        the one that it answers at."""
        if self._unusable is not None:
            raise self._unusable
        if self.is_here or self._host is None:
            return LOOPBACK
        try:
            found = socket.getaddrinfo(self._host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise unreachable(self.address, error) from None
        found.sort(key=lambda one: one[0] is not socket.AF_INET)  # what every network can publish
        return str(found[0][4][0])

    @property
    def _host(self) -> str | None:
        try:
            return urlsplit(self.address).hostname
        except ValueError:
            return None

    def facts(self) -> DaemonFacts:
        """The daemon and its machine."""
        found = self.info()
        machine = str(found.get("Architecture", ""))
        runtimes = found.get("Runtimes") or {}
        return DaemonFacts(
            id=self._id(found),
            host=str(found.get("Name", "")),
            version=str(found.get("ServerVersion", "")),
            architecture=_ARCHITECTURES.get(machine, machine),
            cpus=int(found.get("NCPU") or 0),
            memory_gib=int(found.get("MemTotal") or 0) / 2**30,
            runs_nvidia="nvidia" in runtimes,
            is_rootless="name=rootless" in (found.get("SecurityOptions") or ()),
        )

    def _id(self, info: Mapping[str, Any]) -> str:
        """One that lasts: Podman, which runs no daemon, makes up another at each request."""
        components = self._answer("version").get("Components") or ()
        if any(one.get("Name") == _PODMAN for one in components):
            place = f"{info.get('Name')}:{info.get('DockerRootDir')}"
            return str(uuid.uuid5(uuid.NAMESPACE_URL, place))
        return str(info.get("ID") or info.get("Name", ""))

    def info(self) -> dict[str, Any]:
        """The daemon itself, in its own words."""
        found: dict[str, Any] = self._answer("info")
        return found

    def containers(self, *, stopped: bool, label: str | None = None) -> list[dict[str, Any]]:
        """Every running container as the daemon describes it, the `stopped` ones too."""
        filters = {} if label is None else {"label": label}
        found = self._answer("containers", all=stopped, filters=filters)
        return [one for each in found if (one := self.container_if_there(each["Id"])) is not None]

    def container(self, name: str) -> dict[str, Any]:
        """A container, by id or name."""
        found: dict[str, Any] = self._of_container("inspect_container", name)
        return found

    def container_if_there(self, name: str) -> dict[str, Any] | None:
        """The same; None where it was removed."""
        try:
            return self.container(name)
        except DockerRefusedError as error:
            if error.status == 404:
                return None
            raise

    def stats(self, name: str) -> dict[str, Any]:
        """Counters of what a container uses, a second apart."""
        found: dict[str, Any] = self._of_container("stats", name, stream=False)
        return found

    def logs(self, name: str, *, tail: int, timestamps: bool) -> str:
        """The last lines of a container's output."""
        body: bytes = self._of_container("logs", name, tail=tail, timestamps=timestamps)
        return body.decode(errors="replace")

    def follow(self, name: str, *, since_s: float = 0.0) -> Iterator[bytes]:
        """A container's output as it comes, until it ends."""
        with self._asked():
            yield from self._client.logs(
                name, stream=True, follow=True, since=since_s if since_s else None
            )

    def clock_ahead_s(self) -> float:
        """Seconds by which the clock of its machine is ahead of this one's."""
        stated = None if self.is_here else self.info().get("SystemTime")
        return datetime.fromisoformat(stated).timestamp() - time.time() if stated else 0.0

    def was_signalled(self, name: str, *, until_s: float) -> bool:
        """Whether somebody had the daemon end a container, or the daemon itself has.

        Args:
            until_s: on the clock of its machine, which is waited for.
        """
        filters, until = {"container": name, "event": "kill"}, f"{until_s:.9f}"
        events = self._answer("events", since=1, until=until, decode=True, filters=filters)
        with self._asked():
            return any(True for _ in events)

    def act(self, name: str, action: str, *, timeout_s: int | None = None) -> None:
        """Starts, stops or restarts a container, which has `timeout_s` to end by itself."""
        waits = {} if timeout_s is None else {"timeout": timeout_s}
        self._of_container(action, name, **waits)

    def signal(self, name: str, number: int) -> None:
        """Sends a signal to a container's first process."""
        self._of_container("kill", name, signal=number)

    def remove(self, name: str, *, force: bool) -> None:
        """Removes a container and its own volumes; a running one only with `force`."""
        self._of_container("remove_container", name, force=force, v=True)

    def image(self, reference: str) -> dict[str, Any] | None:
        """An image that the daemon has; None where it has not."""
        try:
            found: dict[str, Any] = self._answer("inspect_image", reference)
            return found
        except DockerRefusedError as error:
            if error.status == 404:
                return None
            raise

    def pull(self, reference: str, interruption: Interruption) -> Iterator[dict[str, Any]]:
        """Fetches an image; what the daemon reports of it, line by line.

        Args:
            interruption: closes the connection, whereupon the daemon gives the image up.
        """
        repository, tag = reference_of(reference)
        with self._asked():
            client = self._connected(_WAIT_S)
            # It answers when it has found the image, and the library shows its lines alone.
            client.hooks["response"].append(
                lambda response, **_: interruption.closes(lambda: _close(response))
            )
            for line in client.pull(repository, tag, stream=True, decode=True):
                if "error" in line:
                    raise DockerRefusedError(500, str(line["error"]))
                yield line

    def tag(self, reference: str, other: str) -> None:
        """Gives an image another name."""
        self._answer("tag", reference, *reference_of(other))

    def create(self, name: str, request: Mapping[str, Any]) -> None:
        """Makes a container.

        Args:
            request: as the daemon's API has it.
        """
        self._answer("create_container_from_config", dict(request), name)

    def put_files(self, name: str, folder: str, archive: bytes) -> None:
        """Unpacks a tar archive into a folder of a container."""
        self._of_container("put_archive", name, folder, archive)

    def import_image(
        self, path: Path, repository: str, tag: str, changes: Sequence[str] = ()
    ) -> None:
        """Makes an image of a tar archive of its root."""
        found = self._answer(
            "import_image_from_file", str(path), repository=repository, tag=tag, changes=changes
        )
        # The daemon answers 200 before it begins; how it went is in the text.
        last = json.loads(str(found).strip().splitlines()[-1])
        if "error" in last:
            raise DockerRefusedError(500, str(last["error"]))
        self._answer("tag", last["status"], repository, tag)  # which Podman has not read

    @cached_property
    def _client(self) -> docker.APIClient:
        return self._connected(self._wait_s)

    @cached_property
    def _slow_work_client(self) -> docker.APIClient:
        return self._connected(_WORK_S)

    def _connected(self, wait_s: float) -> docker.APIClient:
        if self._unusable is not None:
            raise self._unusable
        import docker
        from docker.utils import kwargs_from_env

        given = {
            k: v for k, v in os.environ.items() if k in ("DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY")
        }
        found = kwargs_from_env({**given, "DOCKER_HOST": self.address})
        return docker.APIClient(version="auto", timeout=wait_s, **found)

    def _of_container(self, method: str, name: str, *words: Any, **named: Any) -> Any:
        # The library leaves '/' and '..' in the path that it asks for.
        if not _NAME.fullmatch(name):
            raise DockerRefusedError(404, f"No such container: {name}")
        return self._answer(method, name, *words, **named)

    def _answer(self, method: str, *words: Any, **named: Any) -> Any:
        with self._asked():
            client = self._slow_work_client if method in _WORK else self._client
            return getattr(client, method)(*words, **named)

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """The library's errors as ours."""
        try:
            from docker.errors import APIError, DockerException
            from requests.exceptions import RequestException
            from urllib3.exceptions import HTTPError
        except ImportError as error:
            raise DockerUnavailableError(
                f"Docker's library cannot be loaded: {error}", remedy="pip install docker"
            ) from None
        try:
            yield
        except APIError as error:
            status = error.status_code or 500
            raise DockerRefusedError(status, str(error.explanation or error)) from None
        except (
            DockerException,
            RequestException,
            HTTPError,
            OSError,
            ValueError,
            KeyError,
        ) as error:
            raise unreachable(self.address, error) from None


def _close(response: requests.Response) -> None:
    """Closes the connection of an answer that another thread reads."""
    from docker.types import CancellableStream

    with suppress(AttributeError, OSError):  # it is closed already
        CancellableStream(iter(()), response).close()
