"""docs/cli.md: every command has a section, and every option a row that says what it means."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from autotuner.cli.app import app

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for word, child in children.items():
        if not child.hidden:
            yield from commands(f"{name} {word}", child)


def test_every_command_and_option_is_documented() -> None:
    sections = dict(
        section.partition("\n")[::2]
        for section in PAGE.read_text(encoding="utf-8").split("\n### ")[1:]
    )
    found = dict(commands("autotuner", typer.main.get_command(app)))
    assert len(found) > 30
    assert sections.keys() == found.keys()
    for name, command in found.items():
        assert command.help, name
        for param in command.params:
            if param.name == "help" or getattr(param, "hidden", False):
                continue
            assert param.help, f"{name}: {param.name} has no meaning"
            meaning = param.help.strip().replace("|", "\\|")
            rows = [row for row in sections[name].splitlines() if meaning in row]
            words = param.opts if param.param_type_name == "option" else []
            assert any(all(word in row for word in words) for row in rows), param.name
