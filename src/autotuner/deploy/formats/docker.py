"""A `docker run` command, published on this machine alone."""

from __future__ import annotations

import shlex

from autotuner.deploy.deployed_engine import DeployedEngine, DeployFileText
from autotuner.deploy.format import DeployFormat
from autotuner.deploy.formats.compose import COMPOSE
from autotuner.engines.docker_run import DockerRun


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
    lines.append("exec " + " \\\n  ".join(_run(engine).fragments()))
    return (DeployFileText("run.sh", "\n".join(lines) + "\n"),)


def _run(engine: DeployedEngine) -> DockerRun:
    return DockerRun(
        image=engine.image or "",
        program=engine.program,
        arguments=engine.parts.arguments,
        variables=tuple((v.name, v.value) for v in engine.variables_inside),
        files=tuple(file.name for file in engine.files),
        mounts=engine.mounts,
        gpus=engine.gpus,
        is_downloaded=engine.is_downloaded,
        options=engine.confined,
    )


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
    confines="all",
    instead=(COMPOSE,),
    one_replica=True,
)
