"""Requirements of engines on settings, and what they keep of a GPU's memory, as Markdown tables."""

from __future__ import annotations

from typing import Any

from autotuner.engines import ENGINES, RELATIONS

_KEPT = {
    "fixed_gib": "GiB always:",
    "tensor_gib": "GiB with TP above 1:",
    "rank_gib": "GiB for each GPU of the deployment:",
    "graphs_gib": "GiB of graphs:",
    "graph_slot_mib": "MiB for each captured request:",
    "replica_slot_mib": "MiB for each of them and replica of attention:",
    "token_mib": "MiB for each token of a step:",
    "activations": "tensors of a step, computed from the model's widths, times",
    "logits": "float32 copies of the logits of all slots, where they are more than those:",
    "least_gib": "GiB at least on large GPUs:",
}


def requirements_markdown() -> str:
    """Requirements of every engine on settings when it starts."""
    lines = ["| engine | setting | relation | where | why | versions | checked in |"]
    lines.append("|---|---|---|---|---|---|---|")
    for engine in ENGINES.values():
        for row in engine.table.requirements:
            named = " x ".join(f"`{term}`" for term in row.term)
            others = (", " if row.relation.endswith("_of") else " x ").join(
                f"`{other}`" for other in row.others
            )
            where = ", ".join(f"`{key}` {_one_of(values)}" for key, values in row.when)
            bounds = (row.since and f"since {row.since}", row.until and f"until {row.until}")
            versions = " ".join(filter(None, bounds)) or f"{engine.table.version} and before"
            link = f"[source]({row.source})" if "://" in row.source else f"`{row.source}`"
            relation = f"{RELATIONS[row.relation]} {others}".strip()
            cells = (engine.name, named, relation, where, row.why, versions, link)
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _one_of(values: tuple[Any, ...]) -> str:
    """Values of a condition."""
    return " or ".join("not set" if value is None else str(value).lower() for value in values)


def memory_markdown() -> str:
    """Use that every engine makes of a GPU's memory."""
    lines = ["| engine | versions | weights and KV cache have | kept beside them | source |"]
    lines.append("|---|---|---|---|---|")
    for engine in ENGINES.values():
        for row in engine.table.memory_rows:
            use = row.use
            share = "what is left" if use.share is None else f"{use.share:g} of the memory"
            if use.of_free:
                share = f"{use.share:g} of what weights and the rest leave, for the cache"
            elif use.within:
                share += ", less what is kept"
            kept = [
                f"{_KEPT[name]} {value:g}"
                for name, value in vars(use.working).items()
                if value and name in _KEPT
            ]
            bounds = (row.since and f"since {row.since}", row.until and f"until {row.until}")
            cells = (engine.name, " ".join(filter(None, bounds)) or "all", share)
            lines.append(f"| {' | '.join(cells)} | {'; '.join(kept)} | [source]({use.source}) |")
    return "\n".join(lines)
