"""docs/cli.md's generated part: every command with its arguments and options, out of Typer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from autotuner.cli.app import app
from autotuner.cli.commands.skill import every_command, shown_parameters


def commands() -> str:
    """One section for each command, in the order of `autotuner --help`."""
    return "\n\n".join(
        _section(name, command) for name, command in every_command("", typer.main.get_command(app))
    )


def _section(name: str, command: Any) -> str:
    lines = [f"### autotuner {name}", "", (command.help or "").strip()]
    params = shown_parameters(command)
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
