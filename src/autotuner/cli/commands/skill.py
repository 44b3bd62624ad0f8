"""`autotuner skill`: instructions for coding agents, with the commands as they are."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from autotuner import __version__
from autotuner.cli import exit_codes
from autotuner.cli.output import print_json

TEMPLATE = Path(__file__).parents[1] / "skill.md"
EXIT_CODES = {
    0: "done",
    exit_codes.NOTHING: "nothing succeeded, or no point meets the SLO that was asked about; stdout "
    "has the document all the same",
    exit_codes.MISTAKE: "a mistake in what was asked: stdout is empty, stderr has the field, the "
    "value and the remedy in a line or two. Correct that; trying again does not help",
    exit_codes.INTERRUPTED: "interrupted; `tune` still prints its document, and the same command "
    "goes on",
}
"""Exit code -> its meaning to an agent."""


def skill(root: Any, *, as_json: bool) -> None:
    """Prints a SKILL.md.

    Args:
        root: the whole command, whose table it describes.
    """
    text = skill_text(root)
    if as_json:
        front = yaml.safe_load(text.split("---\n")[1])
        print_json({**front, "version": __version__, "markdown": text})
        return
    sys.stdout.write(text)
    sys.stdout.flush()


def skill_text(root: Any) -> str:
    """The SKILL.md that describes a command."""
    codes = "\n".join(f"- {code}: {meaning}" for code, meaning in EXIT_CODES.items())
    parts = {
        "version": __version__,
        "exit_codes": codes,
        "commands": "\n".join(_row(name, command) for name, command in every_command("", root)),
    }
    text = TEMPLATE.read_text(encoding="utf-8")
    for name, part in parts.items():
        text = text.replace(f"{{{{{name}}}}}", part)
    return text


def every_command(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """`verify compare` -> its command, those in groups too; hidden ones are left out."""
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for word, child in children.items():
        if not child.hidden:
            yield from every_command(f"{name} {word}".strip(), child)


def shown_parameters(command: Any) -> list[Any]:
    """The arguments and options that `--help` shows."""
    return [p for p in command.params if not getattr(p, "hidden", False) and p.name != "help"]


def _row(name: str, command: Any) -> str:
    """A command with its arguments and options, and what it does."""
    shown = shown_parameters(command)
    words = [
        *((p.metavar or p.name.upper()) for p in shown if p.param_type_name == "argument"),
        *(f"[{p.opts[0]}]" for p in shown if p.param_type_name == "option"),
    ]
    does = " ".join((command.help or "").split())
    return f"- `{' '.join(['autotuner', name, *words])}`: {does}"
