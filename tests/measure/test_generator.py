"""The streaming load generator: the contract on the fake engine, and the addresses it serves."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from autotuner.engines import PORT, LaunchSpec
from autotuner.errors import AutotunerError
from autotuner.launch import LocalLauncher
from autotuner.measure import Endpoint, LoadGenerator, StreamingLoadGenerator
from autotuner.testing.loadgen_contract import EngineUnderLoad, LoadGeneratorContract
from autotuner.testing.small_levels import plan


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


@pytest.mark.parametrize(
    ("base_url", "message"),
    [
        ("https://engine.example", "TLS"),
        ("engine:8000", "scheme"),
        ("http://", "host"),
        ("http://engine:port", "[Pp]ort"),
        ("http://user:word@engine", "password"),
    ],
)
def test_an_address_that_it_cannot_serve_is_refused(base_url: str, message: str) -> None:
    level = StreamingLoadGenerator().run(
        Endpoint(base_url, "fake"), plan(1, 1), engine_alive=lambda: True
    )
    with pytest.raises(AutotunerError, match=message):
        asyncio.run(level)


def test_an_address_with_a_path_is_served_below_it() -> None:
    asked: list[list[str]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:2])
        writer.write(b"HTTP/1.1 503 busy\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def load() -> int:
        server = await asyncio.start_server(serve, "localhost", 0)
        port: int = server.sockets[0].getsockname()[1]
        endpoint = Endpoint(f"http://localhost:{port}/replica/1", "fake")
        await StreamingLoadGenerator().run(endpoint, plan(1, 1), engine_alive=lambda: True)
        return port

    port = asyncio.run(load())
    host = f"Host: localhost:{port}"
    assert asked[0] == ["GET /replica/1/v1/models HTTP/1.1", host]
    assert asked[1] == ["POST /replica/1/v1/completions HTTP/1.1", host]
