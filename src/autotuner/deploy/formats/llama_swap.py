"""llama-swap: the measured command as one of the models that it starts on demand."""

from __future__ import annotations

import shlex

from autotuner.config.yaml_text import Quoted, yaml_text
from autotuner.deploy.deployed_engine import DeployedEngine, DeployFileText, EngineVariable
from autotuner.deploy.format import DeployFormat
from autotuner.deploy.formats.compose import COMPOSE
from autotuner.engines import DEFAULT_HOST

_PORT = "PORT-OF-LLAMA-SWAP"
_MACRO = "${"


def _models(engine: DeployedEngine, version: str) -> tuple[DeployFileText, ...]:
    words = (*engine.parts.program, *engine.arguments(DEFAULT_HOST, _PORT))
    line = " ".join("${PORT}" if word == _PORT else shlex.quote(word) for word in words)
    variables = [_assignment(v) for v in engine.variables]
    model = {
        "cmd": line,
        **({"env": variables} if variables else {}),
        "checkEndpoint": engine.ready_path,
    }
    document = {"healthCheckTimeout": 3600, "models": {engine.served_name: model}}
    return (DeployFileText("llama-swap.yaml", yaml_text(document)), *engine.files)


def _assignment(variable: EngineVariable) -> str:
    """A variable with its value; a secret is one of llama-swap's own environment, without which it
    takes no file, and which it escapes for double quotation marks."""
    if variable.value is None:
        return Quoted(f"{variable.name}=${{env.{variable.name}}}")
    return f"{variable.name}={variable.value}"


def _refusal(engine: DeployedEngine) -> str | None:
    words = (*engine.parts.program, *engine.parts.arguments)
    variables = [v.value or "" for v in engine.variables]
    if any(_MACRO in text for text in (engine.served_name, *words, *variables)):
        return "llama-swap would replace the ${…} that the command has"
    if any("\n" in word for word in words):
        return "llama-swap reads a command line by line, and this one has a word of several lines"
    return None


LLAMA_SWAP = DeployFormat(
    name="llama-swap",
    title="llama-swap",
    summary="the measured command as a model that llama-swap starts on demand",
    render=_models,
    start="llama-swap --config {file}",
    refusal=_refusal,
    on_host=True,
    instead=(COMPOSE,),
    one_replica=True,
)
