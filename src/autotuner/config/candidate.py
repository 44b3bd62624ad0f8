"""One fully resolved configuration."""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Callable
from typing import Any

from autotuner.config.document import Document
from autotuner.config.groups import (
    GROUPS,
    Attention,
    Memory,
    Misc,
    Parallel,
    Quantization,
    Runtime,
    Scheduling,
    System,
)

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def content_id(content: Any, length: int = 12) -> str:
    """A stable id: the first hex digits of SHA-256 over the canonical JSON of `content`."""
    text = _CANONICAL.encode(content)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


EXPERT_WIDTHS = tuple(
    f"parallel.{name}" for name in ("expert_parallel", "moe_tensor_parallel", "moe_expert_parallel")
)
REPLICA_WIDTHS = ("parallel.tensor_parallel", "parallel.data_parallel", *EXPERT_WIDTHS)
"""Fields that decide whether replicas share experts."""


def whole_replicas(value_of: Callable[[str], Any]) -> bool:
    """Whether data parallel replicas of a mixture of experts share nothing, its experts neither.

    Said by both widths of the experts, where these multiply to the tensor width of one replica;
    experts that all replicas share fill tensor x data parallel ranks.

    Args:
        value_of: the value of a `group.field`; None where it is not set.
    """
    either, sliced, spread = map(value_of, EXPERT_WIDTHS)
    spread = spread or either
    if not sliced or not spread or (value_of("parallel.data_parallel") or 1) == 1:
        return False
    return bool(sliced * spread == (value_of("parallel.tensor_parallel") or 1))


class Candidate(Document):
    """A configuration of scalars only. Equal content has an equal `id`, on any machine."""

    runtime: Runtime = Runtime()
    system: System = System()
    parallel: Parallel = Parallel()
    quantization: Quantization = Quantization()
    memory: Memory = Memory()
    scheduling: Scheduling = Scheduling()
    attention: Attention = Attention()
    misc: Misc = Misc()

    @classmethod
    def from_settings(cls, settings: dict[str, Any]) -> Candidate:
        """From `group.field` -> value, the inverse of `settings`."""
        groups: dict[str, dict[str, Any]] = {}
        for path, value in settings.items():
            group, _, field = path.partition(".")
            groups.setdefault(group, {})[field] = value
        return cls.model_validate(groups)

    def settings(self) -> dict[str, Any]:
        """`group.field` -> value of every field that is set, in the groups' order."""
        return {
            f"{group}.{field}": value
            for group in GROUPS
            for field, value in getattr(self, group)
            .model_dump(mode="json", exclude_none=True)
            .items()
        }

    def get(self, path: str) -> Any:
        """The value of `group.field`; None where it is not set."""
        group, _, field = path.partition(".")
        return getattr(getattr(self, group), field)

    @property
    def gpus(self) -> int:
        """GPUs that it occupies: tensor x pipeline x data parallel; 0 on a CPU."""
        if self.system.gpu_type is None or self.system.gpu_type.lower() == "cpu":
            return 0
        widths = (
            self.parallel.tensor_parallel,
            self.parallel.pipeline_parallel,
            self.parallel.data_parallel,
        )
        return math.prod(width or 1 for width in widths)

    @functools.cached_property
    def id(self) -> str:
        """Twelve hex digits, a hash of the canonical content."""
        return content_id(self.settings())
