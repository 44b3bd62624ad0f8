"""Operating points of files, predicted or measured, and their figures in our units.

TPOT has two definitions. Without the first token: (E2E - TTFT) / (OSL - 1), the time between two
tokens of an answer; ours, and aiconfigurator's unless `--inclusive-tpot` was given. With it:
E2E / OSL, which spreads the wait for the first token over all. `Point` holds the former and
derives the latter.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from autotuner.config import Candidate, LoadLevel
from autotuner.predict import e2e_ms

MACHINE_FIELDS = ("runtime.", "system.")
"""Groups that say what is asked and on what; all but `system.serving_mode` distinguish points."""

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
    """One load level of one configuration. A figure or name that its file does not state is None.

    Attributes:
        load: over the whole deployment.
        ttft_ms, tpot_ms: means over requests, TPOT without the first token; no TPOT where every
            answer has one.
        tok_s: output tokens per second of the whole deployment, first tokens counted.
        gpus: devices that the deployment occupies; a CPU counts as one.
        settings: `group.field` -> value, as far as the file states them.
        layout: how workers are laid out, where `parallel` cannot say it (prefill and decode apart).
        isl, osl: mean tokens of a request.
        lengths: the distribution they are the means of, where it is not one fixed length.
        loop: `closed` (so many users, each waiting for its answer) or `steady` (so many requests
            always in flight, none of them starting or waiting).
        tpot_as: how the file states TPOT: `without_first` or `with_first` token.
        tool: what measured it.
        source: where in the file it stands.
        originals: the file's own fields, in its own units.
        remarks: what a reader has to know of this point.
    """

    load: LoadLevel
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
    loop: str = "closed"
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
    def has_layout(self) -> bool:
        """Whether it says how its workers are laid out."""
        return bool(self.layout) or any(path.startswith("parallel.") for path in self.settings)

    @property
    def label(self) -> str:
        """How its workers are laid out, `tp2 dp2`; its candidate where it states no layout."""
        if self.layout:
            return self.layout
        if not self.has_layout:
            return self.candidate or "unknown"
        widths = {short: self.settings.get(f"parallel.{name}") for short, name in _WIDTHS.items()}
        wide = [f"{short}{width}" for short, width in widths.items() if width not in (None, 1)]
        return " ".join(wide) or "tp1"

    @functools.cached_property
    def identity(self) -> dict[str, Any]:
        """The settings that distinguish candidates: all but workload, device and engine."""
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
    """The points of one file or folder.

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
    """Devices of a deployment by its parallel widths; None where no width is known."""
    widths = {path: value for path, value in settings.items() if path.startswith("parallel.")}
    if not widths:
        return None
    return max(Candidate.from_settings({"system.gpu_type": "gpu", **widths}).gpus, 1)


FIGURES: dict[str, tuple[str, float]] = {
    "ttft_ms": ("ttft_ms", 1.0),
    "ttft_s": ("ttft_ms", 1000.0),
    "tpot_ms": ("tpot_ms", 1.0),
    "tpot_s": ("tpot_ms", 1000.0),
    "tpot_with_first_ms": ("tpot_with_first_ms", 1.0),
    "tpot_with_first_s": ("tpot_with_first_ms", 1000.0),
    "e2e_ms": ("e2e_ms", 1.0),
    "e2e_s": ("e2e_ms", 1000.0),
    "tok_s": ("tok_s", 1.0),
    "tok_s_per_gpu": ("tok_s_per_gpu", 1.0),
}
"""Column of a file -> (quantity, factor to its unit here)."""


def figure(name: str, value: Any) -> float:
    """A measured or predicted quantity.

    Raises:
        ValueError: not a number, not finite, zero or negative; names the field and the value.
    """
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
        if str(value).strip().lower() not in ("nan", "+nan", "-nan"):
            raise ValueError(f"{name} is {value!r:.80} and no number") from None
    if math.isnan(number):
        raise ValueError(f"{name} is NaN")
    if not math.isfinite(number) or number <= 0:
        raise ValueError(f"{name} is {value}, expected a positive number")
    return number


def whole(name: str, value: Any) -> int:
    """A count: concurrency, GPUs.

    Raises:
        ValueError: not a whole number of at least 1.
    """
    number = figure(name, value)
    if number != int(number):
        raise ValueError(f"{name} is {value}, expected a whole number")
    return int(number)


def tpot_from_e2e_ms(e2e_ms: float, ttft_ms: float, osl: float) -> float:
    """TPOT without the first token: (E2E - TTFT) / (OSL - 1).

    Raises:
        ValueError: an answer has a single token, or E2E is not above TTFT.
    """
    if osl <= 1:
        raise ValueError(f"osl is {osl:g}: an answer of one token has no time per output token")
    if e2e_ms <= ttft_ms:
        raise ValueError(f"E2E latency is {e2e_ms:g} ms, not above a TTFT of {ttft_ms:g} ms")
    return (e2e_ms - ttft_ms) / (osl - 1)


def tpot_without_first_ms(with_first_ms: float, ttft_ms: float, osl: float) -> float:
    """From TPOT with the first token (E2E / OSL) to TPOT without it; raises as above."""
    return tpot_from_e2e_ms(with_first_ms * osl, ttft_ms, osl)


def states_with_first(tpot_ms: float, ttft_ms: float, e2e_ms: float, osl: float) -> bool:
    """Whether a file's TPOT is E2E / OSL rather than (E2E - TTFT) / (OSL - 1)."""
    without = (e2e_ms - ttft_ms) / (osl - 1) if osl > 1 else math.inf
    return abs(tpot_ms - e2e_ms / osl) < abs(tpot_ms - without)
