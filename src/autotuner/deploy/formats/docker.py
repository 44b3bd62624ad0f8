"""A `docker run` command, published on this machine alone."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from autotuner.deploy.deployed_engine import (
    FILES_FOLDER,
    HUB_CACHE,
    HUB_TOKEN,
    PORT_INSIDE,
    DeployedEngine,
    DeployFileText,
)
from autotuner.deploy.format import DeployFormat
from autotuner.engines import DEFAULT_HOST, DEFAULT_PORT

_CACHE = "autotuner-models"


def _script(engine: DeployedEngine, version: str) -> tuple[DeployFileText, ...]:
    lines = ["#!/bin/sh", "set -e"]
    lines += [
        f"printf %s {shlex.quote(file.text)} > {shlex.quote(file.name)}" for file in engine.files
    ]
    lines += [
        f': "${{{variable.name}:?is a secret: set it before}}"'
        for variable in engine.variables_inside
        if variable.value is None
    ]
    lines.append(" \\\n  ".join(("exec docker run --rm", *_options(engine), _command(engine))))
    return (DeployFileText("run.sh", "\n".join(lines) + "\n"),)


def _options(engine: DeployedEngine) -> Iterator[str]:
    yield f"--publish {DEFAULT_HOST}:{DEFAULT_PORT}:{PORT_INSIDE}"
    yield f"--shm-size {int(engine.shm_gib * 1024)}m"
    if engine.gpus:
        yield f"--gpus {engine.gpus} --ulimit memlock=-1 --ulimit stack=67108864"
    for variable in engine.variables_inside:
        pair = variable.name if variable.value is None else f"{variable.name}={variable.value}"
        yield f"--env {shlex.quote(pair)}"
    for mount in engine.mounts:
        yield f"--volume {shlex.quote(f'{mount.source}:{mount.target}:ro')}"
    for file in engine.files:
        yield f'--volume "$PWD/{file.name}:{FILES_FOLDER}/{file.name}:ro"'
    if engine.is_downloaded:
        yield f"--env HF_HOME={HUB_CACHE} --env {HUB_TOKEN} --volume {_CACHE}:{HUB_CACHE}"


def _command(engine: DeployedEngine) -> str:
    program, *words = (*engine.program, *engine.inside())
    entry, image = shlex.quote(program), shlex.quote(engine.image or "")
    return f"--entrypoint {entry} {image} {shlex.join(words)}"


def _refusal(engine: DeployedEngine) -> str | None:
    if engine.gpus and engine.vendor != "nvidia":
        return f"`docker run --gpus` gives no GPUs of {engine.vendor}"
    return None


DOCKER = DeployFormat(
    name="docker",
    title="Docker command",
    summary="a docker run command, published on 127.0.0.1",
    render=_script,
    start="sh {file}",
    refusal=_refusal,
    needs_image=True,
    instead="compose",
    one_replica=True,
)
