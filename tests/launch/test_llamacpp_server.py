"""llama.cpp behind the local launcher: the real engine, and the contract of its table."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from autotuner.catalog import ResolvedModel, resolve_model
from autotuner.config import Candidate, Model
from autotuner.engines import Engine, FailureKind, Installation, LaunchSpec, engine_named
from autotuner.launch import LocalLauncher
from autotuner.testing.engine_contract import EngineContract
from autotuner.testing.launcher_contract import LauncherContract
from autotuner.testing.processes import LocalProcesses

SMALL = Candidate.from_settings(
    {
        "memory.max_model_len": 128,
        "scheduling.max_running_requests": 1,
        "misc.threads": 1,
    }
)


def spec(**changes: object) -> LaunchSpec:
    engine = engine_named("llamacpp")
    model = resolve_model(Model(id="smollm2-135m"), base=Path())
    return engine.render(SMALL.model_copy(update=changes), model, engine.find(None))


class TestLlamaCppServer(LocalProcesses, LauncherContract):
    def launcher(self) -> LocalLauncher:
        return LocalLauncher(stop_grace_s=3)

    def good_spec(self) -> LaunchSpec:
        return spec()

    def failing_spec(self, kind: FailureKind) -> LaunchSpec | None:
        good = spec()
        path = str(resolve_model(Model(id="smollm2-135m"), base=Path()).path)
        if kind is FailureKind.UNKNOWN_FLAG:
            return replace(good, argv=(*good.argv, "--no-such-flag"))
        if kind is FailureKind.MODEL_LOAD:
            no_model = __file__  # a file, and no GGUF
            return replace(good, argv=tuple(no_model if w == path else w for w in good.argv))
        if kind is FailureKind.BAD_SETTING:
            words = ("--flash-attn", "off", "--cache-type-k", "q8_0", "--cache-type-v", "q8_0")
            return replace(good, argv=(*good.argv, *words))
        if kind is FailureKind.OUT_OF_MEMORY:
            return replace(good, argv=(*good.argv, "--ctx-size", "8000000"))
        return None


class TestLlamaCppTable(EngineContract):
    def engine(self) -> Engine:
        return engine_named("llamacpp")

    def model(self) -> ResolvedModel:
        return resolve_model(Model(id="smollm2-135m"), base=Path())

    def installation(self) -> Installation:
        return Installation("llamacpp", ("llama-server",), "1", "here")


def test_the_engine_that_is_found_can_be_started() -> None:
    found = engine_named("llamacpp").find(None)
    assert shutil.which(found.command[0]) is not None
    assert found.version
