"""Tables of what is known: engines, profiles and their rules, devices, fields of aiconfigurator."""

from __future__ import annotations

from field_docs import cell, meaning

from autotuner.catalog import ResolvedModel, gpus
from autotuner.cli.commands.engines import coverage_markdown
from autotuner.engines import ENGINES, EngineFile
from autotuner.engines.file_reading import model_in
from autotuner.profiles import (
    BUILTIN,
    FACTS,
    RULES,
    TaskContext,
    builtin_registry,
)
from autotuner.tuning.resolve import Expressible, layered, with_memory_use
from autotuner.verify.aiconfigurator_fields import table

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


def coverage() -> str:
    """Field x engine."""
    mappings = {name: engine.table.mappings() for name, engine in ENGINES.items()}
    places = range(len(next(iter(mappings.values()))))
    rows = [{name: mapping[place] for name, mapping in mappings.items()} for place in places]
    return coverage_markdown({next(iter(row.values())).path: row for row in rows})


def engine_keys() -> str:
    """Keys of an engine's file."""
    lines = ["| key | needed | meaning |", "|---|---|---|"]
    for name, info in EngineFile.model_fields.items():
        lines.append(f"| `{name}` | {'yes' if info.is_required() else ''} | {meaning(info)} |")
        part = model_in(info.annotation)
        for inner, field in part.model_fields.items() if part else ():
            if field.description:
                lines.append(f"| `{name}.{inner}` |  | {meaning(field)} |")
    return "\n".join(lines)


def profiles() -> str:
    """Settings of the built-in profiles for four systems."""
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
    """Facts that conditions may use."""
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


def aligned() -> str:
    """Our fields beside aiconfigurator's three names for each."""
    head = "field here | unit | in its task | in its results | in a deployment that it writes"
    lines = [f"| {head} | values | where it is absent |", "|---|---|---|---|---|---|---|"]
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
