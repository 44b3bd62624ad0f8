"""Tables of the service: endpoints, transitions, problems, settings, policy, flags."""

from __future__ import annotations

import tempfile
from pathlib import Path

from field_docs import format_value, meaning

from autotuner.engines import ENGINES
from autotuner.server.app import create_app
from autotuner.server.problems import ProblemKind
from autotuner.server.service import Service
from autotuner.server.settings import ServiceSettings, variable_of
from autotuner.server.v1.routing import TAG
from autotuner.store import Store
from autotuner.store.transitions import ASKED_OF_WORKERS, TRANSITIONS
from autotuner.workers.policy import Policy, allowed_flags


def endpoints() -> str:
    """Every operation, by its tag; v1's have a chapter of their own."""
    with tempfile.TemporaryDirectory() as home, Store.open(Path(home)) as store:
        paths = create_app(Service(store, Path(home))).openapi()["paths"]
    by_tag: dict[str, list[str]] = {}
    for path, operations in paths.items():
        for method, operation in operations.items():
            if TAG in operation.get("tags", ()):
                continue
            does = (operation.get("description") or "").partition("\n")[0]
            row = f"| `{method.upper()} {path}` | {does} |"
            by_tag.setdefault(operation.get("tags", ["others"])[0], []).append(row)
    parts = [
        "\n".join([f"### {tag.capitalize()}", "", "| request | does |", "|---|---|", *rows])
        for tag, rows in by_tag.items()
    ]
    return "\n\n".join(parts)


def transitions() -> str:
    """Action, and what follows it in each state."""
    lines = ["| action | for a task that is | makes it |", "|---|---|---|"]
    for action, changes in TRANSITIONS.items():
        follows: dict[str, list[str]] = {}
        for before, after in changes.items():
            follows.setdefault(after, []).append(f"`{before}`")
        lines += [f"| {action} | {', '.join(b)} | `{after}` |" for after, b in follows.items()]
        if action in ASKED_OF_WORKERS:
            lines.append(f"| {action} | `running` | `{ASKED_OF_WORKERS[action]}`, soon |")
    return "\n".join(lines)


def errors() -> str:
    """The kinds of problems."""
    lines = ["| `type` | status | title | what it means, and what to do |", "|---|---|---|---|"]
    kinds = sorted(ProblemKind, key=lambda kind: (kind.status, kind.slug))
    lines += [f"| `{k.type}` | {k.status} | {k.title} | {k.meaning} |" for k in kinds]
    return "\n".join(lines)


def settings() -> str:
    """The service's settings."""
    lines = ["| setting | variable | left out | meaning |", "|---|---|---|---|"]
    for name, info in ServiceSettings.model_fields.items():
        in_file = isinstance(info.default, Policy)
        variable = "in the file only" if in_file else f"`{variable_of(name)}`"
        left_out = "see below" if in_file else format_value(info.default)
        lines.append(f"| `{name}` | {variable} | {left_out} | {meaning(info)} |")
    return "\n".join(lines)


def policy() -> str:
    """Fields of the policy."""
    lines = ["| setting | left out | meaning |", "|---|---|---|"]
    for name, info in Policy.model_fields.items():
        default = format_value(info.get_default(call_default_factory=True))
        lines.append(f"| `{name}` | {default} | {meaning(info)} |")
    return "\n".join(lines)


def flags() -> str:
    """Flags allowed in misc.extra_args, by engine."""
    lines = ["| engine | flags |", "|---|---|"]
    for engine in ENGINES:
        allowed = ", ".join(f"`{flag}`" for flag in sorted(allowed_flags(engine)))
        lines.append(f"| {engine} | {allowed} |")
    return "\n".join(lines)
