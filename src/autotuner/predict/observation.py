"""One measured operating point beside what a base predictor said of it: what calibration learns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from autotuner.config import content_id

_POSITIVE = (
    *("devices", "isl", "osl", "concurrency"),
    *("ttft_ms", "tpot_ms", "tok_s", "base_ttft_ms", "base_tpot_ms"),
)
_TPOT = ("tpot_ms", "base_tpot_ms")


def measurement_mark(concurrency: int, ttft_ms: float, tok_s: float) -> str:
    """A word by which the same measured level is known again, in whatever file it stands."""
    return content_id([concurrency, f"{ttft_ms:.6g}", f"{tok_s:.6g}"], 12)


@dataclass(frozen=True)
class Observation:
    """A measured operating point. Units as everywhere: ms, output tokens/s of the deployment.

    Attributes:
        family: the model's architecture (`LlamaForCausalLM`), where it is known.
        device: as `Scenario.device`; `devices`: how many of them.
        settings: `group.field` -> value of the candidate.
        launch: observations of one engine start share it.
        tpot_ms, base_tpot_ms: None where every answer has one token.
        base, base_ttft_ms, base_tpot_ms: the base predictor's name and what it predicted.
        tool: the load generator. source: where it comes from (`run 3`, a file's name).
    """

    model: str
    family: str | None
    engine: str
    engine_version: str | None
    device: str
    devices: int
    settings: Mapping[str, Any]
    isl: float
    osl: float
    concurrency: int
    ttft_ms: float
    tpot_ms: float | None
    tok_s: float
    base: str
    base_ttft_ms: float
    base_tpot_ms: float | None
    launch: str
    tool: str = "autotuner"
    source: str = ""
    at: datetime | None = None

    @property
    def mark(self) -> str:
        """See `measurement_mark`."""
        return measurement_mark(self.concurrency, self.ttft_ms, self.tok_s)

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            value = getattr(self, name)
            if value is None and name in _TPOT:
                continue
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name}: expected a positive number, got {value!r}")
