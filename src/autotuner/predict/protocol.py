"""The seam of prediction: what a predictor is asked, and what it answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from autotuner.config import Candidate
from autotuner.predict.closed_loop import e2e_ms, tok_s_per_user
from autotuner.predict.scenario import Scenario


@dataclass(frozen=True)
class Support:
    """Whether a predictor can answer, and why (not)."""

    supported: bool
    why: str

    def __bool__(self) -> bool:
        return self.supported


@dataclass(frozen=True)
class Prediction:
    """What is expected of a candidate at one load level, a closed loop of `concurrency` requests.

    Attributes:
        ttft_ms, tpot_ms: means over requests, TPOT without the first token; None where `osl` is
            1, whatever was given: a request of one token has no TPOT.
        tok_s: output tokens per second of the whole deployment.
        devices: GPUs it occupies; a CPU counts as one.
        ttft_log_std, tpot_log_std, tok_s_log_std: standard deviation of ln(measured / predicted):
            0.3 means that two measurements in three lie within a factor of 1.35.
        source: the predictor, with what it was answered from; see `kind_of`.
        memory_gib: per device, where it is predicted.
        note: what a reader has to know of this figure (queueing, a fallback).
    """

    candidate_id: str
    concurrency: int
    ttft_ms: float
    tpot_ms: float | None
    tok_s: float
    devices: int
    osl: float
    ttft_log_std: float
    tpot_log_std: float
    tok_s_log_std: float
    source: str
    memory_gib: float | None = None
    power_w: float | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if self.osl <= 1:
            object.__setattr__(self, "tpot_ms", None)

    @property
    def kind(self) -> str:
        """The kind of data that it stands on: `aiconfigurator 0.12.0 SILICON`, `roofline-1`."""
        return kind_of(self.source)

    @property
    def requests_per_s(self) -> float:
        """Requests per second of the whole deployment."""
        return self.tok_s / self.osl

    @property
    def requests_per_s_per_gpu(self) -> float:
        """Requests per second and device."""
        return self.requests_per_s / self.devices

    @property
    def tok_s_per_gpu(self) -> float:
        """Output tokens per second and device."""
        return self.tok_s / self.devices

    @property
    def tok_s_per_user(self) -> float | None:
        """Speed that one user sees: 1000 / TPOT; None without TPOT."""
        return tok_s_per_user(self.tpot_ms)

    @property
    def e2e_ms(self) -> float:
        """Mean end-to-end latency: TTFT + (OSL - 1) x TPOT."""
        return e2e_ms(self.ttft_ms, self.tpot_ms, self.osl)


def kind_of(source: str) -> str:
    """The kind of data in `Prediction.source`: what stands before a colon or comma.

    Behind them stand what one kind has many of: engines, versions, what corrected it.
    """
    return re.split("[:,]", source, maxsplit=1)[0]


@dataclass(frozen=True)
class OutOfMemory:
    """A prediction that a candidate does not fit: GiB per device needed and there, where known."""

    why: str
    needed_gib: float | None = None
    available_gib: float | None = None


@dataclass(frozen=True)
class Predictions:
    """Everything a predictor answered; each candidate asked for stands in one of the three.

    Attributes:
        points: by candidate in the order asked, load levels rising.
        out_of_memory: candidate id -> why it does not fit.
        refused: candidate id -> why nothing can be said of it.
    """

    predictor: str
    points: tuple[Prediction, ...] = ()
    out_of_memory: Mapping[str, OutOfMemory] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)

    def of(self, candidate_id: str) -> tuple[Prediction, ...]:
        """The levels of one candidate; empty where there are none."""
        return tuple(point for point in self.points if point.candidate_id == candidate_id)

    def __iter__(self) -> Iterator[Prediction]:
        return iter(self.points)


class Predictor(Protocol):
    """Says what to expect before a launch. Same question, same answer; nothing is launched.

    Example:
        if predictor.supports(scenario):
            answer = predictor.predict(scenario, candidates, (1, 8, 64))
    """

    @property
    def name(self) -> str:
        """With what decides its answers, its version among it: `roofline-1`."""

    def supports(self, scenario: Scenario) -> Support:
        """Whether it can answer for this model, device and engine. Cheap."""

    def predict(
        self, scenario: Scenario, candidates: Sequence[Candidate], load_levels: Sequence[int]
    ) -> Predictions:
        """One point for each candidate and load level that can be told."""
