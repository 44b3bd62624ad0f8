"""Over which ranks an engine splits which matrices, and which quantised ones have to stay whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autotuner.engines.rows import in_range

TENSOR, ALL = "tensor", "tensor x data"


@dataclass(frozen=True)
class SplitRanks:
    """How an engine splits matrices.

    Attributes:
        over: kind of matrices -> `TENSOR` (tensor parallel ranks) or `ALL` (those of all replicas
            of attention); kinds that are left out are split over `TENSOR`. Experts follow the
            expert widths.
        whole_replicas: data parallel replicas of a mixture of experts can be deployments of their
            own, which share no experts.
        padded: weight modes whose last block is filled up where a rank's part ends within it.
        merged_whole: parts of a fused matrix (queries, keys and values; gate and up) have to be
            whole blocks too.
        source: where the engine checks it.
    """

    over: Mapping[str, str] = field(default_factory=dict)
    whole_replicas: bool = False
    padded: tuple[str, ...] = ()
    merged_whole: bool = True
    source: str = ""


def split_from(raw: Mapping[str, Any], version: str) -> SplitRanks:
    """The split of a version, from the YAML of a table.

    `merged_until` there is the last version in which parts of fused matrices have to be whole.
    """
    return SplitRanks(
        over=dict(raw.get("over", {})),
        whole_replicas=bool(raw.get("whole_replicas", False)),
        padded=tuple(raw.get("padded", ())),
        merged_whole=in_range(version, None, raw.get("merged_until")),
        source=raw.get("source", ""),
    )
