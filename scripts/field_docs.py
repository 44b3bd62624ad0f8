"""Tables of fields: groups of a task, other options, described GPUs; and how values are written."""

from __future__ import annotations

import types
import typing
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from autotuner.config import (
    GROUPS,
    Benchmark,
    DescribedGpu,
    DockerConfig,
    LengthDistribution,
    LoadLevel,
    TaskConfig,
)
from autotuner.config.deployment import RayConfig, ReplayConfig
from autotuner.config.extensions import ExtensionPoint
from autotuner.config.optimization import BudgetConfig, Optimization
from autotuner.config.slo import Slo
from autotuner.config.task import (
    Model,
    PredictionConfig,
)

KINDS = {
    int: "whole number",
    float: "number",
    bool: "true or false",
    str: "text",
    Any: "anything",
    LengthDistribution: "lengths: `D(isl,osl)`, `N(…)`, `U(…)`",
}
OPTIONS: dict[str, type[BaseModel]] = {
    "": TaskConfig,
    "model": Model,
    "optimization": Optimization,
    "optimization.budget": BudgetConfig,
    "benchmark": Benchmark,
    "slo": Slo,
    "prediction": PredictionConfig,
    "replay": ReplayConfig,
    "docker": DockerConfig,
    "ray": RayConfig,
}
"""Place of a part in a task -> its model; the groups have tables of their own."""


def fields() -> str:
    """One table for each group."""
    parts = []
    for group, model in GROUPS.items():
        aliases: dict[str, list[str]] = {}
        for alias, name in model.ALIASES.items():
            aliases.setdefault(name, []).append(f"`{alias}`")
        lines = [f"### {group}", "", model.__doc__ or "", "", "| field | takes | meaning |"]
        lines.append("|---|---|---|")
        for name, info in model.model_fields.items():
            description = meaning(info)
            if name in aliases:
                description += f" Also: {', '.join(aliases[name])}."
            lines.append(f"| `{name}` | {kind_of(info.annotation)} | {description} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def options() -> str:
    """Every option of a task beside the groups."""
    parts = []
    for place, model in OPTIONS.items():
        title = f"`{place}`" if place else "The document"
        lines = [f"### {title}", "", "| field | takes | default | meaning |", "|---|---|---|---|"]
        for name, info in model.model_fields.items():
            if name not in GROUPS:
                default = "needed" if info.is_required() else default_of(info)
                row = [f"`{name}`", values_of(info), default, meaning(info)]
                lines.append(f"| {' | '.join(row)} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def described() -> str:
    """Facts of a GPU that a user describes."""
    lines = ["| field | takes | default | meaning |", "|---|---|---|---|"]
    for name, info in DescribedGpu.model_fields.items():
        default = "needed" if info.is_required() else format_value(info.default)
        also = [f"`{alias}`" for alias, own in DescribedGpu.ALIASES.items() if own == name]
        description = meaning(info) + (f" Also: {', '.join(also)}." if also else "")
        lines.append(f"| `{name}` | {kind_of(info.annotation)} | {default} | {description} |")
    return "\n".join(lines)


def default_of(info: FieldInfo) -> str:
    """A field's default, for people; that of a part is what its own fields say."""
    value = info.get_default(call_default_factory=True)
    return "see its fields" if isinstance(value, BaseModel) else format_value(value)


def values_of(info: FieldInfo) -> str:
    """Description of the values of a field: names, where it names an extension."""
    points = [found for found in info.metadata if isinstance(found, ExtensionPoint)]
    return ", ".join(f"`{name}`" for name in points[0]) if points else kind_of(info.annotation)


def kind_of(annotation: Any) -> str:
    """Description of the values of a field."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{word}`" for word in inner)
    if origin is typing.Annotated:
        return kind_of(inner[0])
    if origin in (types.UnionType, typing.Union):
        return ", ".join(dict.fromkeys(kind_of(part) for part in inner if part is not type(None)))
    if origin is tuple:
        part = kind_of(inner[0])
        return "list of words" if part == "text" else f"list of {part}"
    if origin is dict:
        return f"mapping: {kind_of(inner[0])} -> {kind_of(inner[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "mapping"
    if annotation is LoadLevel:
        return "mapping"
    return KINDS.get(annotation, str(annotation))


def meaning(info: FieldInfo) -> str:
    """A field's own words, on one line."""
    return " ".join((info.description or "").split())


def format_value(value: Any) -> str:
    """A default, for people."""
    if value in ((), {}, None):
        return "none"
    if value == "":
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(f"`{item}`" for item in value)
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def cell(value: Any) -> str:
    """A value or the values of an axis."""
    if value is None:
        return ""
    return " ".join(str(item) for item in value) if isinstance(value, list) else str(value)
