"""Operating points as files tell them, predicted or measured, in our units."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from autotuner.config import Candidate
from autotuner.predict import e2e_ms

MACHINE_FIELDS = ("runtime.", "system.")
"""Groups that say what is asked and on what; all but `system.serving_mode` are told apart."""

_WIDTHS = {
    "tp": "tensor_parallel",
    "pp": "pipeline_parallel",
    "dp": "data_parallel",
    "ep": "expert_parallel",
    "moe_tp": "moe_tensor_parallel",
    "moe_ep": "moe_expert_parallel",
}


@dataclass(frozen=True)
class Point:
    """One load level of one configuration. A figure or name that its file does not tell is None.

    Attributes:
        concurrency: requests in flight, over the whole deployment.
        ttft_ms, tpot_ms: means over requests, TPOT without the first token; no TPOT where every
            answer has one.
        tok_s: output tokens per second of the whole deployment, first tokens counted.
        gpus: devices that the deployment occupies; a CPU counts as one.
        settings: `group.field` -> value, as far as the file tells them.
        layout: how workers are laid out, where `parallel` cannot say it (prefill and decode apart).
        isl, osl: mean tokens of a request.
        lengths: the distribution they are the means of, where it is not one fixed length.
        load: `closed` (so many users, each waiting for its answer) or `steady` (so many requests
            always in flight, none of them starting or waiting).
        tpot_as: how the file states TPOT: `without_first` or `with_first` token.
        tool: what measured it.
        source: where in the file it stands.
        originals: the file's own fields, in its own units.
        remarks: what a reader has to know of this point.
    """

    concurrency: int
    ttft_ms: float | None = None
    tpot_ms: float | None = None
    tok_s: float | None = None
    gpus: int | None = None
    model: str | None = None
    engine: str | None = None
    engine_version: str | None = None
    system: str | None = None
    candidate: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    layout: str | None = None
    isl: float | None = None
    osl: float | None = None
    lengths: str | None = None
    load: str = "closed"
    tpot_as: str = "without_first"
    tool: str | None = None
    source: str = ""
    originals: Mapping[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @property
    def tok_s_per_gpu(self) -> float | None:
        """Output tokens per second and device."""
        return self.tok_s / self.gpus if self.tok_s and self.gpus else None

    @property
    def e2e_ms(self) -> float | None:
        """Mean end-to-end latency: TTFT + (OSL - 1) x TPOT."""
        if self.ttft_ms is None or self.osl is None or (self.tpot_ms is None and self.osl > 1):
            return None
        return e2e_ms(self.ttft_ms, self.tpot_ms, self.osl)

    @property
    def tpot_with_first_ms(self) -> float | None:
        """TPOT with the first token: E2E / OSL, the time of the first spread over all tokens."""
        if self.e2e_ms is None or not self.osl or self.tpot_ms is None:
            return None
        return self.e2e_ms / self.osl

    @property
    def tells_layout(self) -> bool:
        """Whether it says how its workers are laid out."""
        return bool(self.layout) or any(path.startswith("parallel.") for path in self.settings)

    @property
    def label(self) -> str:
        """How its workers are laid out, `tp2 dp2`; its candidate where it tells no layout."""
        if self.layout:
            return self.layout
        if not self.tells_layout:
            return self.candidate or "unknown"
        widths = {short: self.settings.get(f"parallel.{name}") for short, name in _WIDTHS.items()}
        wide = [f"{short}{width}" for short, width in widths.items() if width not in (None, 1)]
        return " ".join(wide) or "tp1"

    @functools.cached_property
    def identity(self) -> dict[str, Any]:
        """The settings by which candidates are told apart: all but workload, device and engine."""
        return {
            path: value
            for path, value in self.settings.items()
            if path == "system.serving_mode" or not path.startswith(MACHINE_FIELDS)
        }

    def with_settings(self, settings: Mapping[str, Any], **names: Any) -> Point:
        """The point with further settings and names, which replace what the file says."""
        return replace(self, settings={**self.settings, **settings}, **names)


@dataclass(frozen=True)
class Excluded:
    """Something in a file that takes no part, and why."""

    source: str
    why: str


@dataclass(frozen=True)
class PointFile:
    """What one file or folder says.

    Attributes:
        path: as the user gave it.
        format: one of `readers.FORMATS`.
        not_used: fields of the file that have no counterpart here -> why.
        notes: how its figures were converted, and what else holds for the whole file.
        corrected_by: marks of the measurements that corrected its predictions; see
            `predict.observation.measurement_mark`.
    """

    path: str
    format: str
    points: tuple[Point, ...]
    excluded: tuple[Excluded, ...] = ()
    not_used: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    corrected_by: frozenset[str] = frozenset()


def occupied(settings: Mapping[str, Any]) -> int | None:
    """Devices of a deployment by its parallel widths; None where no width is told."""
    widths = {path: value for path, value in settings.items() if path.startswith("parallel.")}
    if not widths:
        return None
    return max(Candidate.from_settings({"system.gpu_type": "gpu", **widths}).gpus, 1)
