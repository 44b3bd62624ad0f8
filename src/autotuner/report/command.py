"""A command line on the terminal, with what is to be known of it and a request to try it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape

from autotuner.engines import LaunchSpec
from autotuner.engines.sample_request import SENT_WHEN
from autotuner.landscapes import unserved
from autotuner.tuning.host_command import planned_command
from autotuner.tuning.prepare import Prepared


def command_fields(
    prepared: Prepared, spec: LaunchSpec, settings: Mapping[str, Any]
) -> dict[str, str | None]:
    """The command line of a candidate, and why it does not serve what the figures are of."""
    command = planned_command(prepared, spec, settings)
    return {"command": command, "unserved": unserved(spec.command())}


def print_command(command: str, console: Console, sample_request: str | None = None) -> None:
    """Prints the line unwrapped, below a warning where it does not serve what was measured.

    Args:
        sample_request: printed below it, with what is to be known before it is sent.
    """
    warning = unserved_warning(command)
    if warning is not None:
        console.print(f"[bold yellow]{escape(warning)}[/bold yellow]", soft_wrap=True)
    console.print(command, soft_wrap=True, markup=False, highlight=False)
    if sample_request is not None:
        console.print(f"\nTry it; {SENT_WHEN}:", soft_wrap=True)
        console.print(sample_request, soft_wrap=True, markup=False, highlight=False)


def unserved_warning(command: str) -> str | None:
    """That the command does not serve what was measured, and why; None where it does."""
    reason = unserved(command)
    return None if reason is None else f"This does not serve what was measured: {reason}"
