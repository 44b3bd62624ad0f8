"""Writes the generated parts of the documents, between their markers; `--check` only compares.

python scripts/write_docs.py
"""

from __future__ import annotations

import re
import sys
import tempfile
import types
import typing
from pathlib import Path
from typing import Any, Literal

from command_docs import commands
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from autotuner.catalog import ResolvedModel, gpus
from autotuner.cli.commands.engine_tables import memory_markdown, requirements_markdown
from autotuner.cli.commands.engines import coverage_markdown
from autotuner.config import GROUPS, DescribedGpu, LengthDistribution, TaskConfig
from autotuner.config.optimization import BudgetConfig, Optimization
from autotuner.config.task import (
    Benchmark,
    Model,
    PredictionConfig,
    ReplayConfig,
    Slo,
)
from autotuner.engines import ENGINES, EngineFile
from autotuner.engines.file_reading import model_in
from autotuner.profiles import (
    BUILTIN,
    FACTS,
    RULES,
    TaskContext,
    builtin_registry,
)
from autotuner.server.app import create_app
from autotuner.server.problems import ProblemKind
from autotuner.server.service import Service
from autotuner.server.settings import ServiceSettings, variable_of
from autotuner.store import Store
from autotuner.store.transitions import ASKED_OF_WORKERS, TRANSITIONS
from autotuner.tuning.resolve import Expressible, layered, with_memory_use
from autotuner.verify.aiconfigurator_fields import table
from autotuner.workers.flags import allowed_flags
from autotuner.workers.policy import Policy

DOCS = Path(__file__).parents[1] / "docs"
SYSTEMS = (
    ("Llama-3.1-8B", "l4", 1),
    ("Llama-3.1-70B", "h100", 8),
    ("DeepSeek-V3", "h200", 8),
    ("Qwen3-30B-A3B", "rtx_pro_6000", 2),
)
SHOWN = {
    "parallel.tensor_parallel": "TP",
    "parallel.data_parallel": "DP",
    "parallel.moe_expert_parallel": "EP",
    "quantization.gemm_mode": "weights",
    "quantization.kvcache_mode": "KV",
    "memory.mem_fraction_static": "memory",
    "memory.max_model_len": "length",
    "scheduling.max_running_requests": "requests",
    "scheduling.max_num_batched_tokens": "step",
    "attention.chunked_prefill_size": "chunk",
    "runtime.nextn": "drafted",
}


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
}
"""Where in a task a part stands -> its model; the groups have tables of their own."""


def options() -> str:
    """Every option of a task beside the groups."""
    parts = []
    for place, model in OPTIONS.items():
        title = f"`{place}`" if place else "The document"
        lines = [f"### {title}", "", "| field | takes | default | meaning |", "|---|---|---|---|"]
        for name, info in model.model_fields.items():
            if name not in GROUPS:
                default = "needed" if info.is_required() else default_of(info)
                row = [f"`{name}`", kind_of(info.annotation), default, meaning(info)]
                lines.append(f"| {' | '.join(row)} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def default_of(info: FieldInfo) -> str:
    """A field's default, for people; that of a part is what its own fields say."""
    value = info.get_default(call_default_factory=True)
    return "see its fields" if isinstance(value, BaseModel) else format_value(value)


def aligned() -> str:
    """Our fields beside aiconfigurator's three names for each."""
    head = "field here | unit | in its task | in its results | in a deployment that it writes"
    lines = [f"| {head} | values | where it is silent |", "|---|---|---|---|---|---|---|"]
    for row in table().rows:
        names = [f"`{name}`" if name else "" for name in (row.task, row.column, row.params)]
        if row.role_names:
            names[0] += f" (apart: {', '.join(f'`{name}`' for name in row.role_names)})"
        values = ", ".join(f"`{value}`" for value in row.values) or "any"
        renamed = ", ".join(f"`{ours}` → `{theirs}`" for ours, theirs in row.renamed.items())
        values += f"; {renamed}" if renamed else ""
        many = " (list)" if row.many else ""
        default = "" if row.default is None else f"`{row.default}`"
        cells = [f"`{row.ours}`{many}", row.unit, *names, values, default]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def only_here() -> str:
    """Our fields without a counterpart."""
    rows = [f"| `{path}` | {why} |" for path, why in table().only_ours.items()]
    return "\n".join(["| field here | why it has no counterpart |", "|---|---|", *rows])


def only_there() -> str:
    """Their fields without a counterpart."""
    rows = [f"| `{name}` | {why} |" for name, why in table().only_theirs.items()]
    return "\n".join(["| its field | why it has no counterpart |", "|---|---|", *rows])


def kind_of(annotation: Any) -> str:
    """What a field takes, for people."""
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
    return KINDS.get(annotation, str(annotation))


def coverage() -> str:
    """Field x engine."""
    mappings = {name: engine.table.sayings() for name, engine in ENGINES.items()}
    places = range(len(next(iter(mappings.values()))))
    rows = [{name: mapping[place] for name, mapping in mappings.items()} for place in places]
    return coverage_markdown({next(iter(row.values())).path: row for row in rows})


def profiles() -> str:
    """What the built-in profiles make of four systems."""
    lines = [f"| model, GPUs | profile | engine | {' | '.join(SHOWN.values())} |"]
    lines.append("|---|---|---|" + "---|" * len(SHOWN))
    for model, gpu, count in SYSTEMS:
        for profile in BUILTIN:
            for engine in ("sglang", "vllm"):
                context = TaskContext(model, engine, gpu, count, isl=2048, osl=512)
                context = with_memory_use(context, ENGINES[engine], ENGINES[engine].table.version)
                resolved = ResolvedModel(model, model, context.model_facts)
                refuses = Expressible(engine, ENGINES[engine].table.version, resolved)
                factory = layered(ENGINES[engine], builtin_registry(), (profile,))
                settings = factory.build(context, refuses).settings
                cells = [cell(settings.get(path)) for path in SHOWN]
                where = f"{model}, {count} x {gpu}"
                lines.append(f"| {where} | {profile} | {engine} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(value: Any) -> str:
    """A value or the values of an axis."""
    if value is None:
        return ""
    return " ".join(str(item) for item in value) if isinstance(value, list) else str(value)


def reasons() -> str:
    """Every setting of every built-in profile, with its condition, reason and source."""
    lines = ["| profile, layer | when | setting | value | why |", "|---|---|---|---|---|"]
    for name in ("base", *BUILTIN):
        for layer in builtin_registry().layers_of(name):
            when = ", ".join(f"{fact}: {wanted}" for fact, wanted in layer.when)
            for setting in layer.settings:
                value = f"rule `{setting.rule}`" if setting.rule else f"`{cell(setting.value)}`"
                why = f"{setting.why} ([source]({setting.source}))"
                lines.append(f"| {layer.title} | {when} | `{setting.path}` | {value} | {why} |")
    return "\n".join(lines)


def rules() -> str:
    """The rules."""
    rows = [
        f"| `{rule.name}` | {rule.meaning} | {', '.join(f'`{path}`' for path in rule.sets)} |"
        for rule in RULES.values()
    ]
    return "\n".join(["| rule | value | for |", "|---|---|---|", *rows])


def facts() -> str:
    """What conditions may ask for."""
    kinds = {bool: "true or false", float: "number", str: "text"}
    rows = [f"| `{fact.name}` | {kinds[fact.kind]} | {fact.meaning} |" for fact in FACTS.values()]
    return "\n".join(["| fact | is | meaning |", "|---|---|---|", *rows])


def devices() -> str:
    """The GPUs of the catalog."""
    names = "name | other names | GiB | GB/s | 16-bit, FP8 TFLOP/s | link GB/s | USD/h | source"
    lines = [f"| {names} |", "|---|---|---|---|---|---|---|---|"]
    for gpu in gpus().values():
        wide = gpu.tflops.get("bfloat16", gpu.tflops.get("float16"))
        flops = ", ".join(cell(figure) for figure in (wide, gpu.tflops.get("fp8"))).strip(", ")
        link = f"{gpu.interconnect} {cell(gpu.interconnect_gb_s)}".strip()
        known = (gpu.memory_gib, gpu.bandwidth_gb_s)
        cells = [f"`{gpu.name}`", ", ".join(gpu.aliases), *map(cell, known), flops, link]
        lines.append(
            f"| {' | '.join(cells)} | {cell(gpu.price_usd_hour)} | [data sheet]({gpu.source}) |"
        )
    return "\n".join(lines)


def described() -> str:
    """Facts of a GPU that a user describes."""
    lines = ["| field | takes | default | meaning |", "|---|---|---|---|"]
    for name, info in DescribedGpu.model_fields.items():
        default = "needed" if info.is_required() else format_value(info.default)
        also = [f"`{alias}`" for alias, own in DescribedGpu.ALIASES.items() if own == name]
        description = meaning(info) + (f" Also: {', '.join(also)}." if also else "")
        lines.append(f"| `{name}` | {kind_of(info.annotation)} | {default} | {description} |")
    return "\n".join(lines)


def errors() -> str:
    """The kinds of problems."""
    lines = ["| `type` | status | title | what it means, and what to do |", "|---|---|---|---|"]
    kinds = sorted(ProblemKind, key=lambda kind: (kind.status, kind.slug))
    lines += [f"| `{k.type}` | {k.status} | {k.title} | {k.meaning} |" for k in kinds]
    return "\n".join(lines)


def endpoints() -> str:
    """Every operation, by its tag."""
    with tempfile.TemporaryDirectory() as home, Store.open(Path(home)) as store:
        paths = create_app(Service(store, Path(home))).openapi()["paths"]
    by_tag: dict[str, list[str]] = {}
    for path, operations in paths.items():
        for method, operation in operations.items():
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
    """What the operator may allow."""
    lines = ["| setting | left out | meaning |", "|---|---|---|"]
    for name, info in Policy.model_fields.items():
        lines.append(
            f"| `{name}` | {format_value(info.get_default(call_default_factory=True))} | {meaning(info)} |"
        )
    return "\n".join(lines)


def flags() -> str:
    """What misc.extra_args may hold."""
    lines = ["| engine | flags |", "|---|---|"]
    for engine in ENGINES:
        allowed = ", ".join(f"`{flag}`" for flag in sorted(allowed_flags(engine)))
        lines.append(f"| {engine} | {allowed} |")
    return "\n".join(lines)


def engine_keys() -> str:
    """What an engine's file may say."""
    lines = ["| key | needed | meaning |", "|---|---|---|"]
    for name, info in EngineFile.model_fields.items():
        lines.append(f"| `{name}` | {'yes' if info.is_required() else ''} | {meaning(info)} |")
        part = model_in(info.annotation)
        for inner, field in part.model_fields.items() if part else ():
            if field.description:
                lines.append(f"| `{name}.{inner}` |  | {meaning(field)} |")
    return "\n".join(lines)


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


PARTS = {
    "api.md": {"endpoints": endpoints, "transitions": transitions, "errors": errors},
    "api_security.md": {"settings": settings, "policy": policy, "flags": flags},
    "cli.md": {"commands": commands},
    "configuration.md": {
        "options": options,
        "fields": fields,
        "devices": devices,
        "described": described,
    },
    "engines.md": {
        "coverage": coverage,
        "engine-keys": engine_keys,
        "requirements": requirements_markdown,
        "memory": memory_markdown,
    },
    "schema_alignment.md": {"aligned": aligned, "here": only_here, "there": only_there},
    "profiles.md": {"profiles": profiles, "reasons": reasons, "rules": rules, "facts": facts},
}


def written(name: str) -> str:
    """The document as it should be."""
    text = (DOCS / name).read_text(encoding="utf-8")
    for part, make in PARTS[name].items():
        begin, end = f"<!-- generated: {part} -->", f"<!-- end: {part} -->"
        pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"docs/{name} has no marks for {part}")
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}\n{make()}\n{end}{rest.partition(end)[2]}"
    return text


def main() -> int:
    """Writes all; with `--check` says which differ."""
    stale = [n for n in PARTS if written(n) != (DOCS / n).read_text(encoding="utf-8")]
    if "--check" in sys.argv:
        print("\n".join(f"docs/{name} is stale: python scripts/write_docs.py" for name in stale))
        return 1 if stale else 0
    for name in stale:
        (DOCS / name).write_text(written(name), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
