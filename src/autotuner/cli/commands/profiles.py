"""Profiles: list, show, apply, validate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from autotuner.catalog import model_named, resolve_model
from autotuner.cli.commands.explain import config_document, print_config
from autotuner.cli.home import PROFILES, state_folder
from autotuner.cli.output import out, print_json
from autotuner.engines import engine_named
from autotuner.profiles import (
    BUILTIN,
    Profile,
    ProfileRegistry,
    Setting,
    TaskContext,
    load_profile,
    registry_with,
)
from autotuner.tuning.resolve import Expressible, layered


def _registry(home: Path | None) -> ProfileRegistry:
    return registry_with(state_folder(home) / PROFILES)


def profiles_list(*, home: Path | None, as_json: bool) -> None:
    """`autotuner profiles list`."""
    registry = _registry(home)
    rows = [_row(registry.get(name)) for name in registry.names()]
    if as_json:
        print_json({"profiles": rows})
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("profile", "from", "description"):
        table.add_column(title, overflow="fold")
    for row in rows:
        origin = "built-in" if row["builtin"] else row["source"]
        table.add_row(escape(row["name"]), escape(origin), escape(row["description"]))
    out().print(table)


def profiles_show(name: str, *, home: Path | None, as_json: bool) -> None:
    """`autotuner profiles show`."""
    registry = _registry(home)
    profile, layers = registry.get(name), registry.layers_of(name)
    if as_json:
        shown = [
            {
                "layer": layer.title,
                "when": dict(layer.when),
                "settings": {s.path: _setting(s) for s in layer.settings},
            }
            for layer in layers
        ]
        print_json({**_row(profile), "layers": shown})
        return
    out().print(f"[bold]{escape(profile.name)}[/bold]: {escape(profile.description)}")
    for layer in layers:
        when = ", ".join(f"{fact}: {wanted}" for fact, wanted in layer.when) or "always"
        table = Table(box=None, padding=(0, 2, 0, 2), show_header=False)
        for _ in range(3):
            table.add_column(overflow="fold")
        for said in layer.settings:
            value = f"rule {said.rule}" if said.rule else str(said.value)
            table.add_row(escape(said.path), escape(value), escape(f"{said.why}\n{said.source}"))
        out().print(f"{escape(layer.title)} [dim]when {escape(when)}[/dim]", soft_wrap=True)
        out().print(table)


def profiles_apply(name: str, where: dict[str, Any], *, home: Path | None, as_json: bool) -> None:
    """`autotuner profiles apply`."""
    engine = engine_named(where["runtime"])
    model = resolve_model(model_named(where["model"], base=Path.cwd()), base=Path.cwd())
    context = TaskContext(**where, facts=model.facts)
    version = engine.table.version
    config = layered(engine, _registry(home), (name,)).build(
        context, Expressible(engine.name, version, model)
    )
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
        print_json({"valid": True, **_row(profile), "layers": [layer.title for layer in layers]})
        return
    out().print(f"{escape(str(file))} is valid: {len(layers)} layers", soft_wrap=True)


def _row(profile: Profile) -> dict[str, Any]:
    return {
        "name": profile.name,
        "description": profile.description,
        "extends": profile.extends,
        "builtin": profile.name in BUILTIN,
        "source": profile.source,
    }


def _setting(said: Setting) -> dict[str, Any]:
    return {"value": said.value, "rule": said.rule, "why": said.why, "source": said.source}
