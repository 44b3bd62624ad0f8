"""Lists of commands with their summaries whole, where Typer's own cuts them to one line."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup


class WholeSummaries(TyperGroup):
    """Group of commands whose help page shows the summary of each, wrapped."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Writes the name and the summary of every command that is not hidden."""
        commands = [self.get_command(ctx, name) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(c.name, c.help) for c in commands if c and not c.hidden])
