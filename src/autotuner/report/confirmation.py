"""What further launches say of the recommended candidate, on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autotuner.search.points import percent
from autotuner.tuning.baseline_words import certainty_text, gain
from autotuner.tuning.confirmation_views import ConfirmationView, ContenderView


def print_confirmation(confirmation: ConfirmationView, console: Console) -> None:
    """Prints whether the recommended candidate is confirmed, and what it was compared with."""
    colour = "green" if confirmation.status == "confirmed" else "yellow"
    headline = escape(confirmation.headline)
    console.print(f"[bold {colour}]{headline}[/bold {colour}]", soft_wrap=True)
    if confirmation.contenders:
        table = Table(box=None, padding=(0, 2, 0, 0))
        for name in ("recommended against", "launches", "better by", "95 % interval", "how sure"):
            table.add_column(name, justify="right" if name == "launches" else "left")
        for other in confirmation.contenders:
            table.add_row(*contender_row(other))
        console.print(table)
    for note in confirmation_notes(confirmation):
        console.print(note, soft_wrap=True)


def contender_row(other: ContenderView) -> tuple[str, ...]:
    """One that the recommended candidate is compared with: cells of a table."""
    name = "the baseline" if other.is_baseline else f"launch {other.index}"
    return (
        f"{name} at {other.load}",
        str(other.launches),
        gain(other.ratio),
        f"{gain(other.low)} to {gain(other.high)}",
        certainty_text(other.probability_better, other.settled),
    )


def confirmation_notes(confirmation: ConfirmationView) -> list[str]:
    """Sentences about the scatter from launch to launch, a drift, and a changed recommendation."""
    notes = []
    if confirmation.scatter is not None:
        notes.append(
            "launches of one configuration differ from each other by about "
            f"{percent(confirmation.scatter)} (standard deviation); intervals include it"
        )
    drift = confirmation.drift
    if drift is not None and drift.is_seen:
        notes.append(
            f"the machine drifted by {gain(drift.ratio)} ({gain(drift.low)} to {gain(drift.high)}) "
            "from the first to the last launch that is compared; comparisons are corrected for it, "
            "figures are as measured"
        )
    moved = confirmation.moved_from
    if moved is not None:
        notes.append(
            f"before it was launch {moved.index} at {moved.load} that looked best: further "
            "launches changed the order"
        )
    return notes
