"""Values that an engine takes where nothing is set, by its version and GPU. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from autotuner.catalog import MemoryUse, Working
from autotuner.engines.rows import in_range


@dataclass(frozen=True)
class Unset:
    """A value that an engine takes where a field is not set.

    Attributes:
        gpu_gib: it takes it on GPUs with this much memory or more.
        but: names of GPUs on which it does not.
    """

    value: Any
    gpu_gib: float = 0.0
    but: tuple[str, ...] = ()


Choice = tuple[Unset, ...]
"""Values by GPU: the first that fits counts."""


def choice_from(raw: Any) -> Choice:
    """A choice from its YAML: one value, or rows with `value`, `gpu_gib` and `but`."""
    if not isinstance(raw, list):
        return (Unset(raw),)
    return tuple(
        Unset(row["value"], row.get("gpu_gib", 0.0), tuple(row.get("but", ()))) for row in raw
    )


def chosen(choice: Choice, gpu: str | None, memory_gib: float | None) -> Any:
    """The value that is taken on a GPU; None where no row fits. An unknown GPU counts as small."""
    memory = memory_gib or 0.0
    return next((u.value for u in choice if memory >= u.gpu_gib and gpu not in u.but), None)


@dataclass(frozen=True)
class MemoryRow:
    """The use that some versions of an engine make of a GPU's memory.

    Attributes:
        graph_slots, wide_graph_slots: requests that graphs are captured for; the second from a
            tensor parallelism of 4 on.
        since, until: engine versions, both inclusive.
    """

    use: MemoryUse
    graph_slots: Choice = ()
    wide_graph_slots: Choice = ()
    since: str | None = None
    until: str | None = None


def memory_rows(raw: Any) -> tuple[MemoryRow, ...]:
    """The rows of a table's `memory`, the newest version first."""
    return tuple(_memory_row(dict(row)) for row in (raw if isinstance(raw, list) else [raw]))


def memory_use(
    rows: Iterable[MemoryRow],
    unset: Mapping[str, Choice],
    version: str,
    gpu: str | None,
    memory_gib: float | None,
) -> MemoryUse:
    """The use that a version of an engine makes of a GPU's memory; the newest's where none fits."""
    rows = tuple(rows)
    row = next((r for r in rows if in_range(version, r.since, r.until)), rows[0])

    def taken(choice: Choice) -> int:
        return int(chosen(choice, gpu, memory_gib) or 0)

    return replace(
        row.use,
        step_tokens=taken(unset.get(row.use.step, ())),
        slots=taken(unset.get("scheduling.max_running_requests", ())),
        graph_slots=taken(row.graph_slots),
        wide_graph_slots=taken(row.wide_graph_slots or row.graph_slots),
    )


def _memory_row(raw: dict[str, Any]) -> MemoryRow:
    since, until = raw.pop("since", None), raw.pop("until", None)
    slots = choice_from(raw.pop("graph_slots", 0))
    wide = choice_from(raw.pop("wide_graph_slots", []))
    working = Working(**raw.pop("working", {}))
    return MemoryRow(MemoryUse(working=working, **raw), slots, wide, since, until)
