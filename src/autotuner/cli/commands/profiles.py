"""Profiles: list, show, apply, validate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from autotuner.catalog import model_named, resolve_model
from autotuner.cli.commands.explain import print_config
from autotuner.cli.home import state_folder
from autotuner.cli.output import out, print_json
from autotuner.profiles import (
    USERS,
    ProfileRegistry,
    load_profile,
    registry_with,
)
from autotuner.report.documents import broken_row, config_document, profile_document, profile_row
from autotuner.tuning.resolve import applied


def _registry(home: Path | None) -> ProfileRegistry:
    return registry_with(state_folder(home) / USERS)


def profiles_list(*, home: Path | None, as_json: bool) -> None:
    """`autotuner profiles list`."""
    registry = _registry(home)
    rows = [profile_row(registry.get(name)) for name in registry.names()]
    rows += map(broken_row, registry.broken)
    if as_json:
        print_json({"profiles": rows})
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("profile", "from", "description"):
        table.add_column(title, overflow="fold")
    for row in rows:
        origin = "built-in" if row["builtin"] else row["source"]
        described = escape(row["description"])
        if row["problem"] is not None:
            described = f"[red]broken[/red] {escape(row['problem'])}"
        table.add_row(escape(row["name"]), escape(origin), described)
    out().print(table)


def profiles_show(name: str, *, home: Path | None, as_json: bool) -> None:
    """`autotuner profiles show`."""
    registry = _registry(home)
    profile, layers = registry.get(name), registry.layers_of(name)
    if as_json:
        print_json(profile_document(name, registry))
        return
    out().print(f"[bold]{escape(profile.name)}[/bold]: {escape(profile.description)}")
    for layer in layers:
        when = ", ".join(f"{fact}: {wanted}" for fact, wanted in layer.when) or "always"
        table = Table(box=None, padding=(0, 2, 0, 2), show_header=False)
        for _ in range(3):
            table.add_column(overflow="fold")
        for entry in layer.settings:
            value = f"rule {entry.rule}" if entry.rule else str(entry.value)
            table.add_row(escape(entry.path), escape(value), escape(f"{entry.why}\n{entry.source}"))
        out().print(f"{escape(layer.title)} [dim]when {escape(when)}[/dim]", soft_wrap=True)
        out().print(table)


def profiles_apply(name: str, where: dict[str, Any], *, home: Path | None, as_json: bool) -> None:
    """`autotuner profiles apply`."""
    model = resolve_model(model_named(where["model"], base=Path.cwd()), base=Path.cwd())
    engine, context, config = applied(name, where, model, _registry(home))
    version = engine.table.version
    if as_json:
        document = config_document(config, engine, version)
        print_json({"profile": name, "context": context.known, **document})
        return
    print_config(config, engine, version)


def profiles_validate(file: Path, *, home: Path | None, as_json: bool) -> None:
    """`autotuner profiles validate`."""
    profile = load_profile(file)
    layers = _registry(home).joined_by(profile).layers_of(profile.name)
    if as_json:
        titles = [layer.title for layer in layers]
        print_json({"valid": True, **profile_row(profile), "layers": titles})
        return
    out().print(f"{escape(str(file))} is valid: {len(layers)} layers", soft_wrap=True)
