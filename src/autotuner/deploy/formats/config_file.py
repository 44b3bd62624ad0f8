"""The measured flags as the file that the engine's own `--config` takes, and its environment."""

from __future__ import annotations

import shlex
from typing import Any

from autotuner.config import flag_of
from autotuner.config.yaml_text import yaml_text
from autotuner.deploy.deployed_engine import DeployedEngine, DeployFileText
from autotuner.deploy.format import DeployFormat
from autotuner.deploy.formats.compose import COMPOSE
from autotuner.engines import DEFAULT_HOST, DEFAULT_PORT

_CONFIG, _ENVIRONMENT = "config.yml", "env.sh"


def _files(engine: DeployedEngine, version: str) -> tuple[DeployFileText, ...]:
    keys, others = _keys(engine)
    start = [*engine.parts.program, engine.deploy.config_flag, _CONFIG, *others]
    lines = [
        *(
            f"export {v.name}={shlex.quote(v.value)}"
            for v in engine.variables
            if v.value is not None
        ),
        *(
            f': "${{{v.name}:?is a secret: set it before}}"; export {v.name}'
            for v in engine.variables
            if v.value is None
        ),
        # A word may have several lines, none of which is a shell's.
        *(f"# {line}" for line in shlex.join(start).split("\n")),
    ]
    return (
        DeployFileText(_CONFIG, yaml_text(keys)),
        DeployFileText(_ENVIRONMENT, "\n".join(lines) + "\n"),
    )


def _keys(engine: DeployedEngine) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The flags as keys, and the words of those that no key can say: short ones, or given twice."""
    groups = _groups(engine)
    names = [group[0] for group in groups]
    keys: dict[str, Any] = {"model": engine.model}
    others: list[str] = []
    for name, *values in groups:
        if names.count(name) > 1 or not name.startswith("--"):
            others += [name, *values]
        else:
            keys[name.lstrip("-")] = (
                True if not values else values[0] if len(values) == 1 else values
            )
    return keys, tuple(others)


def _groups(engine: DeployedEngine) -> list[list[str]]:
    """Each flag with its values."""
    groups: list[list[str]] = []
    words = engine.arguments(DEFAULT_HOST, DEFAULT_PORT)
    for word in words:
        flag = flag_of(word)
        if flag is not None:
            name, has_value, value = word.partition("=")
            groups.append([name, value] if has_value else [name])
        elif groups:
            groups[-1].append(word)
    return [group for group in groups if group != ["--model", engine.model]]


def _refusal(engine: DeployedEngine) -> str | None:
    if not engine.deploy.config_flag:
        return f"{engine.parts.table.title} takes no file with its flags"
    return None


CONFIG_FILE = DeployFormat(
    name="vllm-config",
    title="vLLM config file",
    summary="config.yml for vllm serve --config, and env.sh with the variables",
    render=_files,
    start=". ./env.sh, and then the command that it ends with",
    refusal=_refusal,
    on_host=True,
    instead=(COMPOSE,),
    one_replica=True,
)
