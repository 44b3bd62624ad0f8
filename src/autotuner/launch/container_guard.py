"""The supervisor of a container, as its owner sees it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Self

from autotuner.errors import LaunchError
from autotuner.launch import docker_supervisor

_END_S = 5.0


class ContainerGuard:
    """A process that removes a container should this one die; see `docker_supervisor`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @classmethod
    def over(cls, name: str, address: str) -> Self:
        """Begins before the container is made.

        Raises:
            LaunchError: no process can be started.
        """
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", docker_supervisor.__file__, name],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                text=True,
            )
        except OSError as error:
            raise LaunchError(f"no process can be started: {error.strerror}") from None
        guard = cls(process)
        guard._say(json.dumps({"address": address, "path": sys.path}))
        return guard

    def created(self) -> None:
        """The container exists."""
        self._say("created")

    def gone(self) -> None:
        """Nothing is left to guard."""
        self._say("gone")
        self.leave()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def leave(self) -> None:
        """Leaves the container to the supervisor, which removes it as soon as it can."""
        if self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except OSError:
                return

    def _say(self, line: str) -> None:
        if self._process.stdin is None or self._process.stdin.closed:
            return
        try:
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
        except OSError:
            return  # it was killed; others find what is left by the handle and the labels
