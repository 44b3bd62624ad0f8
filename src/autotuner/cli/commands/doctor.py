"""Inventory of this machine: engines, models, devices, and a writable home."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from autotuner import __version__
from autotuner.catalog import known_models, resolve_model, this_device
from autotuner.cli.home import state_folder
from autotuner.cli.output import out, print_json
from autotuner.config import Model
from autotuner.engines import ENGINES
from autotuner.errors import AutotunerError
from autotuner.launch import LauncherState, launcher_states
from autotuner.predict.device_speed import DeviceSpeed, device_speed
from autotuner.report.documents import installed
from autotuner.workers.devices import found_gpus
from autotuner.workers.machine import GpuKind, gpu_kinds


def doctor(*, home: Path | None, as_json: bool) -> int:
    """`autotuner doctor`; 0 where a task can be tuned, 1 where something is missing."""
    folder = state_folder(home)
    engines = [installed(name) for name in ENGINES]
    models = [_model(row.id) for row in known_models().values() if row.package]
    writable = _writable(folder)
    ready = writable and any(e["found"] for e in engines) and any(m["found"] for m in models)
    device, speed = this_device(), device_speed(folder, measure=False)
    kinds = gpu_kinds(found_gpus())
    document: dict[str, Any] = {
        "autotuner": __version__,
        "ready": ready,
        "home": {"path": str(folder), "writable": writable},
        "devices": [
            {
                "kind": "cpu",
                "name": device.name,
                "cores": device.cores,
                "memory_gib": device.memory_gib,
                "bandwidth_gb_s": None if speed is None else speed.bandwidth_gb_s,
                "tflops": None if speed is None else dict(speed.tflops),
            },
            *map(_gpus, kinds),
        ],
        "engines": engines,
        "models": models,
        "launchers": list(map(_launcher, launcher_states())),
    }
    if as_json:
        print_json(document)
    else:
        _print(document, [f"{device}; {_speed_text(speed)}", *map(_gpu_text, kinds)])
    return 0 if ready else 1


def _model(name: str) -> dict[str, Any]:
    try:
        found = resolve_model(Model(id=name), base=Path())
    except AutotunerError as error:
        return {"name": name, "found": False, "problem": error.message, "remedy": error.remedy}
    size_mib = (found.facts.size_bytes or 0) / 2**20
    return {"name": name, "found": True, "path": str(found.path), "size_mib": round(size_mib, 1)}


def _launcher(state: LauncherState) -> dict[str, Any]:
    if state.problem:
        return {
            "name": state.name,
            "found": False,
            "problem": state.problem,
            "remedy": state.remedy,
        }
    return {"name": state.name, "found": True, "about": state.about}


def _speed_text(speed: DeviceSpeed | None) -> str:
    if speed is None:
        return "its speed is measured by the first plan, predict or tune that needs it"
    tflops = ", ".join(f"{value:.3g} TFLOP/s {form}" for form, value in speed.tflops.items())
    return f"{speed.bandwidth_gb_s:.3g} GB/s, {tflops} as measured"


def _writable(folder: Path) -> bool:
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK)


def _gpus(kind: GpuKind) -> dict[str, Any]:
    entry = kind.entry
    return {
        "kind": "gpu",
        "name": kind.name,
        "count": kind.count,
        "memory_gib": kind.memory_gib,
        "bandwidth_gb_s": None if entry is None else entry.bandwidth_gb_s,
        "tflops": None if entry is None else dict(entry.tflops),
    }


def _gpu_text(kind: GpuKind) -> str:
    text = f"gpu: {kind.count} x {kind.name}, {kind.memory_gib:.0f} GiB each"
    if kind.entry is None:
        return f"{text}; not in the catalog: describe it in gpus.yaml of the home"
    return f"{text}; {kind.entry.bandwidth_gb_s:.3g} GB/s by its data sheet"


def _print(document: dict[str, Any], devices: Sequence[str]) -> None:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column()
    table.add_column(overflow="fold")
    table.add_row("", "[bold]autotuner[/bold]", __version__)
    home = document["home"]
    table.add_row(_mark(home["writable"]), "[bold]home[/bold]", escape(home["path"]))
    for device in devices:
        table.add_row(_mark(True), "[bold]device[/bold]", escape(device))
    for kind in ("engines", "models"):
        for row in document[kind]:
            text = (
                row.get("origin") or f"{row['path']} ({row['size_mib']} MiB)"
                if row["found"]
                else f"{row['problem']}\n{row['remedy']}"
            )
            name = f"[bold]{kind[:-1]}[/bold]"
            table.add_row(_mark(row["found"]), name, escape(f"{row['name']}: {text}"))
    for row in document["launchers"]:
        # A task that names none needs this machine alone.
        mark = _mark(True) if row["found"] else "[dim]-[/dim]"
        text = row["about"] if row["found"] else f"{row['problem']}\n{row['remedy']}"
        table.add_row(mark, "[bold]launcher[/bold]", escape(f"{row['name']}: {text}"))
    out().print(table)
    out().print("ready" if document["ready"] else "not ready: see the lines marked 'missing'")


def _mark(found: bool) -> str:
    return "[green]ok[/green]" if found else "[red]missing[/red]"
