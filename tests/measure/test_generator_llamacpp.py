"""The streaming load generator on the real llama.cpp with a small model."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from autotuner.catalog import resolve_model
from autotuner.config import Candidate, Model
from autotuner.engines import engine_named
from autotuner.launch import LocalLauncher
from autotuner.measure import Endpoint, LoadGenerator, StreamingLoadGenerator
from autotuner.testing.loadgen_contract import AnyEngineContract, EngineUnderLoad


class TestStreamingLoadGeneratorOnLlamaCpp(AnyEngineContract):
    def generator(self) -> LoadGenerator:
        return StreamingLoadGenerator()

    @asynccontextmanager
    async def engine(self, *fake_flags: str) -> AsyncIterator[EngineUnderLoad]:
        engine = engine_named("llamacpp")
        settings = {"memory.max_model_len": 128, "scheduling.max_running_requests": 2}
        spec = engine.render(
            Candidate.from_settings(settings | {"misc.threads": 1}),
            resolve_model(Model(id="smollm2-135m"), base=Path()),
            engine.find(None),
        )
        with tempfile.TemporaryDirectory() as folder:
            launch = LocalLauncher().launch(
                spec, (), log_path=Path(folder) / "engine.log", ready_timeout_s=120
            )
            async with await launch as running:
                endpoint = Endpoint(running.base_url, spec.model_name, spec.api_path)
                yield endpoint, lambda: running.exit_code() is None
