"""Steps that tests of launchers share, whatever kind of launcher it is."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from autotuner.engines import LaunchSpec
from autotuner.errors import NoAnswerError
from autotuner.http_client import BaseUrl, get
from autotuner.launch import EngineHandle, RunningEngine
from autotuner.testing.processes import MARK

_DEATH_S = 20.0
_POLL_S = 0.01


@dataclass(frozen=True)
class SeenServing:
    """Observations of an engine while it served, and after it was stopped."""

    mark: str
    served: bool
    serves_after: bool
    running: Sequence[str]
    left: Sequence[str]
    gpus: tuple[str, ...] | None


def marked(spec: LaunchSpec) -> tuple[LaunchSpec, str]:
    """`spec` with a mark in its environment, which everything that it starts inherits."""
    mark = uuid.uuid4().hex
    return replace(spec, env=(*spec.env, (MARK, mark))), mark


def in_shell(spec: LaunchSpec, script: str) -> LaunchSpec:
    """`spec` started by a shell that runs `script`; the engine's own words are `"$@"`."""
    return replace(spec, argv=("sh", "-c", script, "sh", *spec.argv))


async def answers(engine: RunningEngine, path: str) -> bool:
    """Whether an engine answers 200 at its address now."""
    try:
        return (await get(BaseUrl.parse(engine.base_url), path, timeout_s=10)).status == 200
    except NoAnswerError:
        return False


async def has_ended(engine: RunningEngine) -> None:
    """Waits for the news that an engine has ended."""
    async with asyncio.timeout(_DEATH_S):
        while engine.exit_code() is None:  # noqa: ASYNC110 - there is nothing else to ask
            await asyncio.sleep(_POLL_S)


def by_text(handle: EngineHandle) -> EngineHandle:
    """The handle after a way through text, as another process reads it from the store."""
    return EngineHandle(**json.loads(json.dumps(asdict(handle))))
