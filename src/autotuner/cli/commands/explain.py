"""`autotuner explain`: every field's value, who set it, what it replaced, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.markup import escape

from autotuner.cli.commands.plan import prepare_file
from autotuner.cli.home import state_folder
from autotuner.cli.output import out, print_json
from autotuner.engines import FIELDS, Engine
from autotuner.profiles import Origin, ResolvedConfig
from autotuner.report.documents import config_document, unset_fields
from autotuner.report.points import value_text


def explain(path: Path, *, home: Path | None, as_json: bool) -> None:
    """`autotuner explain`."""
    prepared = prepare_file(path, state_folder(home))
    if as_json:
        variants = [
            {
                "engine": v.engine.name,
                "engine_version": v.installation.version,
                "context": v.context.known,
                **config_document(v.config, v.engine, v.installation.version),
            }
            for v in prepared.variants
        ]
        document = {"task": prepared.task.name, "model_notes": list(prepared.model.notes)}
        print_json({**document, "variants": variants})
        return
    for note in prepared.model.notes:
        out().print(f"[yellow]note[/yellow] {escape(note)}", soft_wrap=True)
    for variant in prepared.variants:
        gpu = variant.context.gpu_type or "this machine"
        title = f"{prepared.model.name} on {variant.engine.name} {variant.installation.version}"
        out().print(f"[bold]{escape(f'{title}, {gpu}')}[/bold]", soft_wrap=True)
        print_config(variant.config, variant.engine, variant.installation.version)


def print_config(config: ResolvedConfig, engine: Engine, version: str) -> None:
    """Every field with its provenance, for people."""
    unset = unset_fields(config, engine, version)
    for path in sorted(config.provenance, key=FIELDS.index):
        _print_field(path, config, unset.get(path, ""))
    by_reason: dict[str, list[str]] = {}
    for path, reason in unset.items():
        if path not in config.provenance:
            by_reason.setdefault(reason, []).append(path)
    for reason, paths in by_reason.items():
        out().print(f"{escape(reason)}: [dim]{escape(', '.join(paths))}[/dim]", soft_wrap=True)
    for skipped in config.skipped:
        out().print(f"not applied: {escape(f'{skipped.layer}: {skipped.reason}')}", soft_wrap=True)


def _print_field(path: str, config: ResolvedConfig, unset: str) -> None:
    origins = config.provenance[path]
    winner = next((o for o in origins if o.status == "set"), None)
    value = _values(config.settings[path]) if winner else f"({unset})"
    layer = f"  [dim]{escape(winner.layer)}[/dim]" if winner else ""
    out().print(f"[bold]{escape(path)}[/bold] = {escape(value)}{layer}", soft_wrap=True)
    lines = [winner.why] if winner and winner.why else []
    lines += [_format_origin(other) for other in reversed(origins) if other is not winner]
    for line in lines:
        out().print(f"    {escape(line)}", soft_wrap=True)


def _format_origin(origin: Origin) -> str:
    value = "" if origin.value is None else f" {_values(origin.value)}"
    if origin.status == "replaced":
        return f"replaces{value} of {origin.layer}"
    return f"left out{value} of {origin.layer}: {origin.why}"


def _values(value: Any) -> str:
    return ", ".join(map(value_text, value)) if isinstance(value, list) else value_text(value)
