"""docs/cli.md's generated part: every command with its arguments and options, out of Typer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from autotuner.cli.app import app


def commands() -> str:
    """One section for each command, in the order of `autotuner --help`."""
    return "\n\n".join(_section(name, command) for name, command in every_command())


def every_command() -> Iterator[tuple[str, Any]]:
    """`verify compare` -> its command, those in groups too; hidden ones are left out."""
    yield from _below("", typer.main.get_command(app))


def options_of(command: Any) -> list[Any]:
    """The arguments and options that `--help` shows."""
    return [p for p in command.params if not getattr(p, "hidden", False) and p.name != "help"]


def _below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for word, child in children.items():
        if not child.hidden:
            yield from _below(f"{name} {word}".strip(), child)


def _section(name: str, command: Any) -> str:
    lines = [f"### autotuner {name}", "", (command.help or "").strip()]
    params = options_of(command)
    if params:
        lines += ["", "| argument or option | default | meaning |", "|---|---|---|"]
        lines += [_row(param) for param in params]
    return "\n".join(lines)


def _row(param: Any) -> str:
    if param.param_type_name == "argument":
        named = param.metavar or param.name.upper()
        shown = named if named.startswith("[") or param.required else f"[{named}]"
    else:
        shown = ", ".join(param.opts)
        shown += "" if param.is_flag else f" {param.metavar or _takes(param)}"
    meaning = (param.help or "").replace("|", "\\|").strip()
    if param.envvar:
        meaning += f" Variable: `{param.envvar}`."
    return f"| `{shown}` | {_default(param)} | {meaning} |"


def _takes(param: Any) -> str:
    words = {int: "N", float: "NUMBER", Path: "PATH"}
    return words.get(param.type_descriptor.annotation, "TEXT")


def _default(param: Any) -> str:
    value = param.default
    if param.required:
        return "required"
    if (
        value is None
        or value is False
        or value == ()
        or not isinstance(value, str | int | float | Path)
    ):
        return ""
    return f"`{value}`"
