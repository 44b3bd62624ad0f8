"""Confirmation of the recommended candidate by further launches, on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autotuner.tuning.confirmation_views import ConfirmationView


def print_confirmation(confirmation: ConfirmationView, console: Console) -> None:
    """Prints whether the recommended candidate is confirmed, and what it was compared with."""
    colour = "green" if confirmation.status == "confirmed" else "yellow"
    headline = escape(confirmation.headline)
    console.print(f"[bold {colour}]{headline}[/bold {colour}]", soft_wrap=True)
    if confirmation.contenders:
        table = Table(box=None, padding=(0, 2, 0, 0))
        table.add_column("recommended against")
        table.add_column("launches", justify="right")
        table.add_column("better by", justify="right", no_wrap=True)
        table.add_column("95 % interval")
        table.add_column("how sure")
        for other in confirmation.contenders:
            cells = (str(other.launches), other.change, other.interval, other.certainty)
            table.add_row(other.name, *cells)
        console.print(table)
    for note in confirmation.notes:
        console.print(note, soft_wrap=True)
