"""The seam of prediction: what a predictor is asked, and what it answers.

A `Scenario` is what candidates are predicted for: one model, on one kind of device, with one
engine. A `Prediction` has its uncertainty: ln(measured / predicted) is taken as normal around 0.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from autotuner.catalog import Gpu, ModelFacts
from autotuner.config import (
    LATENCIES,
    PERCENTILES,
    Candidate,
    LoadKind,
    LoadLevel,
    whole_replicas,
)
from autotuner.predict.closed_loop import e2e_ms, requests_in_flight, tok_s_per_user
from autotuner.predict.time_parts import TimeParts


@dataclass(frozen=True)
class Scenario:
    """The circumstances that all candidates of one question share.

    Attributes:
        model: name as the catalog or the task has it.
        engine, engine_version: as `system.backend` names it; the version may be unknown.
        gpu: the device, with what the task says of it put in place of the catalog's figures; for
            a CPU with what `calibrate-device` measured, where it was measured.
        device: what observations belong to: the GPU's name, or the CPU's with its cores.
        isl, osl: mean tokens of a request.
        osl_spread: standard deviation of output tokens over their mean; with 0 the users of a
            closed loop stay in step.
        requests: measured at a load level, which starts with all its users at once.
        prefix: tokens of the prompt that are cached already.
        defaults: `group.field` -> the engine's value where a candidate says nothing.
    """

    model: str
    facts: ModelFacts
    engine: str
    engine_version: str | None
    gpu: Gpu
    device: str
    isl: float
    osl: float
    prefix: float = 0.0
    osl_spread: float = 0.0
    requests: int | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def value(self, candidate: Candidate, path: str) -> Any:
        """`group.field` of a candidate, else the engine's default; None where neither says."""
        found = candidate.get(path)
        return self.defaults.get(path) if found is None else found

    def width(self, candidate: Candidate, name: str) -> int:
        """`parallel.NAME`; 1 where it is not set."""
        return int(self.value(candidate, f"parallel.{name}") or 1)

    def shares_experts(self, candidate: Candidate) -> bool:
        """Whether data parallel replicas share experts: of a mixture of experts, but whole ones."""
        whole = whole_replicas(functools.partial(self.value, candidate))
        return bool(self.facts.is_moe) and not whole

    def steps_unseen(self, candidate: Candidate) -> float:
        """Decoding steps that pass, on average, before the scheduler looks for a new request."""
        between = self.value(candidate, "scheduling.receive_interval") or 1
        return (int(between) - 1) / 2

    def devices(self, candidate: Candidate) -> int:
        """Devices that a candidate occupies: TP x PP x DP; a CPU counts as one."""
        if self.gpu.is_cpu:
            return 1
        names = ("tensor_parallel", "pipeline_parallel", "data_parallel")
        tensor, pipeline, data = (self.width(candidate, name) for name in names)
        return tensor * pipeline * data


@dataclass(frozen=True)
class Support:
    """Whether a predictor can answer, and why (not)."""

    supported: bool
    why: str

    def __bool__(self) -> bool:
        return self.supported


@dataclass(frozen=True)
class Member:
    """Answer of one predictor of a blend for a point.

    Attributes:
        name: the predictor's, as observations know it.
        ttft_ms, tpot_ms: its own means; no TPOT where every answer has one token.
        ttft_weight, tpot_weight: its share in the mean of logarithms that the blend is.
        percentiles: name of `PERCENTILES` -> ms, of those that it predicts itself.
    """

    name: str
    ttft_ms: float
    tpot_ms: float | None
    ttft_weight: float
    tpot_weight: float
    percentiles: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Prediction:
    """Expected performance of a candidate at one load level.

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
        ttft_p90_ms, ttft_p99_ms, tpot_p90_ms, tpot_p99_ms, e2e_p90_ms, e2e_p99_ms: percentiles
            over requests, where they are predicted.
        percentiles_from: what tells them (`simulated requests`); empty where nothing does.
        parts: where the time goes, where the roofline can tell.
        members: the predictors that it is a blend of; none where one answers alone.
    """

    candidate_id: str
    load: LoadLevel
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
    ttft_p90_ms: float | None = None
    ttft_p99_ms: float | None = None
    tpot_p90_ms: float | None = None
    tpot_p99_ms: float | None = None
    e2e_p90_ms: float | None = None
    e2e_p99_ms: float | None = None
    percentiles_from: str = ""
    parts: TimeParts | None = None
    members: tuple[Member, ...] = ()

    def __post_init__(self) -> None:
        if self.osl <= 1:
            object.__setattr__(self, "tpot_ms", None)

    @property
    def kind(self) -> str:
        """The kind of data that it stands on: `aiconfigurator 0.12.0 SILICON`, `roofline-3`."""
        return kind_of(self.source)

    @property
    def other_members(self) -> Mapping[str, tuple[float, float | None]]:
        """Name -> TTFT and TPOT of the members but the first, from which weights are counted."""
        return {one.name: (one.ttft_ms, one.tpot_ms) for one in self.members[1:]}

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
    def in_flight(self) -> float:
        """Mean requests in flight, by Little's law in an open loop."""
        return requests_in_flight(self.load, self.e2e_ms)

    @property
    def e2e_ms(self) -> float:
        """Mean end-to-end latency: TTFT + (OSL - 1) x TPOT."""
        return e2e_ms(self.ttft_ms, self.tpot_ms, self.osl)


NOT_IN_COLUMNS = (*PERCENTILES, "percentiles_from", "parts", "members")
"""Fields that are not kept in a column of their own: percentiles are one document, and the
predictor has the rest when it is asked again."""


def percentiles_document(point: Prediction) -> dict[str, Any]:
    """The percentiles that are predicted, and what they stand on, by the names of the fields."""
    names = (*PERCENTILES, "percentiles_from")
    return {name: value for name in names if (value := getattr(point, name))}


def scaled_percentiles(point: Prediction, ttft_ms: float, tpot_ms: float | None) -> dict[str, Any]:
    """The percentiles of a point whose means are changed, in proportion to the means."""
    means = {
        "ttft_ms": ttft_ms,
        "tpot_ms": tpot_ms,
        "e2e_ms": e2e_ms(ttft_ms, tpot_ms, point.osl),
    }
    found: dict[str, Any] = {"percentiles_from": point.percentiles_from}
    for name, latency in PERCENTILES.items():
        value, mean, former = (
            getattr(point, name),
            means[latency.mean],
            getattr(point, latency.mean),
        )
        found[name] = value * mean / former if value and mean and former else None
    return found


def latency_ms(point: Prediction, name: str) -> float | None:
    """A latency of `LATENCIES`; what does not tell a percentile has its usual ratio to the mean.

    None of TPOT where there is none.
    """
    latency, mean = LATENCIES[name], getattr(point, LATENCIES[name].mean)
    given: float | None = getattr(point, name) if latency.percentile else mean
    return mean * latency.usual_ratio if given is None and mean is not None else given


def describe_percentile(point: Prediction, name: str) -> str:
    """Basis of a predicted percentile, in words; empty of a mean."""
    latency = LATENCIES[name]
    if latency.percentile is None:
        return ""
    if getattr(point, name) is not None:
        return point.percentiles_from
    return f"{latency.usual_ratio:g} times the mean, the usual ratio: nothing tells it yet"


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


CLOSED_LOOPS = frozenset({LoadKind.CONCURRENCY})
ANY_LOAD = frozenset(LoadKind)
"""Of `Predictor.load_kinds`."""


class Predictor(Protocol):
    """Says what to expect before a launch. Same question, same answer; nothing is launched.

    Example:
        if predictor.supports(scenario):
            answer = predictor.predict(scenario, candidates, [LoadLevel.concurrency(8)])
    """

    @property
    def name(self) -> str:
        """With what decides its answers, its version among it: `roofline-3`."""

    @property
    def load_kinds(self) -> frozenset[LoadKind]:
        """Kinds of load that it answers itself; of others `combined.answers` asks it for these."""

    def supports(self, scenario: Scenario) -> Support:
        """Whether it can answer for this model, device and engine. Cheap."""

    def predict(
        self, scenario: Scenario, candidates: Sequence[Candidate], load_levels: Sequence[LoadLevel]
    ) -> Predictions:
        """One point for each candidate and load level that it can predict."""


METRICS = {"ttft_ms": "ttft_log_std", "tpot_ms": "tpot_log_std", "tok_s": "tok_s_log_std"}
"""Predicted quantity -> the field of its uncertainty."""

SPREADS = METRICS | {
    "tok_s_per_user": "tpot_log_std",
    **dict.fromkeys(
        (
            *("tok_s_per_gpu", "requests_per_s", "requests_per_s_per_gpu"),
            "usd_per_million_tokens",
        ),
        "tok_s_log_std",
    ),
    **{name: METRICS.get(found.mean, "tok_s_log_std") for name, found in PERCENTILES.items()},
}
"""A quantity of a predicted point -> the field of its uncertainty: that of what it is a multiple or
a fraction of; E2E latency is as unsure as throughput (Little)."""

Verdict = Literal["meets", "unclear", "misses"]
"""How an interval stands to a limit: below it, around it, above it."""


def log_std(point: object, name: str) -> float:
    """Standard deviation of ln(measured / predicted) of a quantity of `SPREADS`.

    Args:
        point: a prediction, or a view of one with fields of the same names.
    """
    std = float(getattr(point, SPREADS[name]))
    if name not in PERCENTILES:
        return std
    share = 1.0 if getattr(point, name) is None else RATIO_KNOWN
    return math.hypot(std, share * PERCENTILES[name].ratio_log_std)


RATIO_KNOWN = 0.5
"""Of the scatter of usual ratios, what is left where a predictor gives the percentile."""
STDS_80 = 1.2815515655446004
"""Standard deviations on either side that hold 80 % of a normal distribution: its 90 % quantile."""


def limit_interval80(point: Prediction, name: str) -> tuple[float, float]:
    """The 80 % interval of what a limit is of: a latency of `LATENCIES` that exists here.

    Of a percentile it has both what the mean and what the ratio to it may be off.
    """
    value = latency_ms(point, name)
    if value is None:
        raise ValueError(f"{name} does not exist where every answer has one token")
    return interval80(value, log_std(point, name))


def verdict(interval: tuple[float, float], limit: float) -> Verdict:
    """How the interval stands to an upper limit."""
    low, high = interval
    return "meets" if high <= limit else "misses" if low > limit else "unclear"


def interval80(predicted: float, log_std: float) -> tuple[float, float]:
    """Where four measurements in five are expected: predicted / factor to predicted x factor."""
    factor = math.exp(STDS_80 * log_std)
    return predicted / factor, predicted * factor
