"""The launcher on Ray: the contract on the fake engine, on a cluster of three nodes."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest

from autotuner.cluster.launcher import RayLauncher
from autotuner.config import RayConfig
from autotuner.engines import HOST, PORT, FailureKind, LaunchSpec, engine_named
from autotuner.testing.launcher_contract import LauncherContract
from autotuner.testing.processes import LocalProcesses

PATTERNS = engine_named("llamacpp").table.failures
FLAGS = {
    FailureKind.OUT_OF_MEMORY: ("--fail", "oom-start"),
    FailureKind.NOT_READY: ("--fail", "hang-start"),
}


def fake(*flags: str, gpus: int = 0) -> LaunchSpec:
    engine = (sys.executable, "-m", "autotuner.testing.fake_engine")
    argv = (*engine, "--host", HOST, "--port", PORT, *flags)
    return LaunchSpec("llamacpp", argv, "fake", failure_patterns=PATTERNS, gpus=gpus)


LAUNCHER = RayLauncher(RayConfig(), environment=os.environ)
"""One for all tests: it keeps its reservations on the nodes."""


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
class TestRayLauncher(LocalProcesses, LauncherContract):
    owner_starts_by = "spawn"

    def launcher(self) -> RayLauncher:
        return LAUNCHER

    def good_spec(self) -> LaunchSpec:
        return fake()

    def failing_spec(self, kind: FailureKind) -> LaunchSpec | None:
        return fake(*FLAGS[kind]) if kind in FLAGS else None

    def visible_gpus(self, mark: str) -> Any:
        """Ray's choice, whatever devices are named."""
        return None
