"""`autotuner serve` as a process that tests and scripts start, kill and start again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import httpx

WAIT_S = 60.0
_ADDRESS = re.compile(r"serves on http://[\d.]+:(\d+)")
Found = TypeVar("Found")


class ServiceProcess:
    """`autotuner serve` on one home; it can be killed and started again at the same address.

    Args:
        host: IPv4 address of this machine; one that others reach asks everybody for a token.
    """

    def __init__(self, home: Path, host: str = "127.0.0.1") -> None:
        self.home = home
        self._host = host
        self._log = home / "serve.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self.port}"

    @property
    def api(self) -> str:
        return f"{self.url}/api/v2"

    def start(self, *words: str, **settings: str) -> None:
        """Starts it and waits until it answers; `settings` are variables of its environment."""
        self.home.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            where = ("--host", self._host, "--port", str(self.port))
            self._process = subprocess.Popen(
                [sys.executable, "-m", "autotuner", "serve", *where, *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | {"AUTOTUNER_HOME": str(self.home)} | settings,
            )
        self.port = int(self._wait(lambda: _ADDRESS.search(self._log.read_text("utf-8")))[1])
        self._wait(self._answers)

    def kill(self) -> None:
        """Ends it without a chance to say goodbye."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Ends it in order, if it runs."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=WAIT_S)
            self._process = None

    def create(self, document: dict[str, object], *, start: bool = False) -> int:
        """Creates a task by the API; its number."""
        answer = httpx.post(
            f"{self.api}/tasks/", params={"start": start}, json=document, timeout=WAIT_S
        )
        answer.raise_for_status()
        return int(answer.json()["id"])

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def _wait(self, found: Callable[[], Found | None]) -> Found:
        deadline = time.monotonic() + WAIT_S
        while not (value := found()):
            if time.monotonic() > deadline:
                raise TimeoutError(self._log.read_text("utf-8"))
            time.sleep(0.05)
        return value
