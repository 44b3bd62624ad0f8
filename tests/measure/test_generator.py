"""The streaming load generator: the contract on the fake engine."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from autotuner.engines import PORT, LaunchSpec
from autotuner.launch import LocalLauncher
from autotuner.measure import Endpoint, LoadGenerator, StreamingLoadGenerator
from autotuner.testing.loadgen_contract import EngineUnderLoad, LoadGeneratorContract


class TestStreamingLoadGenerator(LoadGeneratorContract):
    def generator(self) -> LoadGenerator:
        return StreamingLoadGenerator()

    @asynccontextmanager
    async def engine(self, *fake_flags: str) -> AsyncIterator[EngineUnderLoad]:
        argv = (sys.executable, "-m", "autotuner.testing.fake_engine", "--port", PORT, *fake_flags)
        spec = LaunchSpec("llamacpp", (*argv, "--alias", "fake"), "fake")
        with tempfile.TemporaryDirectory() as folder:
            launch = LocalLauncher(stop_grace_s=0.5).launch(
                spec, (), log_path=Path(folder) / "engine.log", ready_timeout_s=60
            )
            async with await launch as running:
                endpoint = Endpoint(running.base_url, spec.model_name, spec.api_path)
                yield endpoint, lambda: running.exit_code() is None
