"""Measures this machine's CPU for predictions, and keeps it."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape
from rich.table import Table

from autotuner.cli.home import state_folder
from autotuner.cli.output import out, print_json
from autotuner.predict.device_speed import FILE_NAME, calibrate_device


def calibrate(*, home: Path | None, as_json: bool) -> None:
    """`autotuner calibrate-device`."""
    folder = state_folder(home)
    speed = calibrate_device(folder)
    kept = folder / FILE_NAME
    if as_json:
        print_json({**speed.written(), "kept": str(kept)})
        return
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("device", escape(f"{speed.device}, {speed.threads} cores"))
    table.add_row("memory bandwidth", f"{speed.bandwidth_gb_s:.1f} GB/s")
    for name, tflops in speed.tflops.items():
        table.add_row(f"matrix product, {name}", f"{1000 * tflops:.0f} GFLOP/s")
    table.add_row("kept in", escape(str(kept)))
    out().print(table)
