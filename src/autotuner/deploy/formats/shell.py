"""A shell script with the measured command."""

from __future__ import annotations

import shlex

from autotuner.deploy.deployed_engine import DeployedEngine, DeployFileText
from autotuner.deploy.format import DeployFormat
from autotuner.deploy.formats.docker import DOCKER
from autotuner.engines import DEFAULT_HOST, DEFAULT_PORT


def _script(engine: DeployedEngine, version: str) -> tuple[DeployFileText, ...]:
    lines = ["#!/bin/sh", "set -e"]
    lines += [
        f"printf %s {shlex.quote(file.text)} > {shlex.quote(file.name)}" for file in engine.files
    ]
    for variable in engine.variables:
        if variable.value is None:
            lines.append(f': "${{{variable.name}:?is a secret: set it before}}"')
        else:
            lines.append(f"export {variable.name}={shlex.quote(variable.value)}")
    words = (*engine.parts.program, *engine.arguments(DEFAULT_HOST, DEFAULT_PORT))
    lines.append(f"exec {shlex.join(words)}")
    return (DeployFileText("serve.sh", "\n".join(lines) + "\n"),)


SHELL = DeployFormat(
    name="shell",
    title="Shell script",
    summary="the measured command on this machine, on 127.0.0.1",
    render=_script,
    start="sh {file}",
    on_host=True,
    instead=(DOCKER,),
    one_replica=True,
)
