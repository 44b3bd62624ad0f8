"""Results of one load level. Latencies in ms, throughput in output tokens/s."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from autotuner.config import LoadLevel, with_former_load
from autotuner.measure.disturbance import MachineLoad
from autotuner.measure.energy import Energy

EndedBy = Literal["requests", "time", "interval", "failed", "cancelled"]

QuantileInterval = tuple[float | None, float | None]
_PERCENTILES = ("p50", "p90", "p95", "p99")


class Distribution(BaseModel):
    """A sample's summary, all in the sample's unit.

    Percentiles interpolate linearly (type 7 of Hyndman and Fan, 1996).

    Attributes:
        ci95: half width of the mean's 95 % confidence interval (`measure.intervals`); None below
            two values.
        p50_ci95, p90_ci95, p95_ci95, p99_ci95: lower and upper end of the percentile's 95 %
            confidence interval; an end is None where the sample is too small for one, as the upper
            one of p90 below 36 values; None where both are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = Field(ge=0)
    mean: float
    std: float
    min: float
    p50: float
    p90: float
    p95: float
    p99: float
    max: float
    ci95: float | None = None
    p50_ci95: QuantileInterval | None = None
    p90_ci95: QuantileInterval | None = None
    p95_ci95: QuantileInterval | None = None
    p99_ci95: QuantileInterval | None = None

    def quantity(self, name: str) -> float:
        """The value of a quantity of an operating point: p90 for `…_p90_ms`, else the mean."""
        return float(getattr(self, _percentile(name) or "mean"))

    def interval95(self, name: str) -> QuantileInterval:
        """The interval of a quantity of an operating point: of p90 for `…_p90_ms`, else the mean's.

        An end is None where the sample says none.
        """
        percentile = _percentile(name)
        if percentile is not None:
            found: QuantileInterval | None = getattr(self, f"{percentile}_ci95")
            return found or (None, None)
        if self.ci95 is None:
            return None, None
        return self.mean - self.ci95, self.mean + self.ci95


def _percentile(name: str) -> str | None:
    """`p90` of `e2e_p90_ms`; None of `ttft_ms`, which is a mean."""
    part = name.removesuffix("_ms").rpartition("_")[2]
    return part if part in _PERCENTILES else None


class MeasuredNode(BaseModel):
    """The machine of a cluster that a level was measured on.

    Attributes:
        processor, cores: of its CPU, and how many of it a process there may use.
        is_as_described: False for an engine on a CPU that is another than that of the machine which
            the task was started on, and whose name the results bear.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str
    processor: str
    cores: int
    is_as_described: bool


class Measurement(BaseModel):
    """One operating point: what one load level yields.

    Failed and short requests are counted and never averaged into the latencies. `valid` is False
    where any request failed or the engine died: such a level takes no part in the frontier.

    Attributes:
        tool: the load generator; figures of different ones are never compared unmarked.
        original: what another tool reported, in its own units.
        duration_s: from the first measured request's start to the last one's end; in an open loop
            at least until the next request is due.
        tok_s: output tokens per second of the whole deployment: all that arrived within
            `duration_s`, those of the requests that only keep the load up included.
        requests_s: `tok_s` over the mean output tokens of a request.
        input_tokens, output_tokens: exact sums over completed requests.
        errors: message -> count, over the failed requests.
        requests_short: answers with fewer output tokens than asked for.
        client_cpu_share: CPU seconds of the load generator per second of the level.
        client_lag_ms: mean delay of the generator's own event loop; where the kernel does not stamp
            what arrives, about what it adds to TTFT.
        client_worst_lag_ms: the longest delay of it.
        saturated: open loop: the engine did not keep up with the rate, so latencies depend on how
            long the level lasted, and are lower bounds.
        client_delay_ms: mean delay of the generator behind the schedule of an open loop, from when
            a request was due until it was sent; part of its latencies. None in a closed loop.
        client_worst_delay_ms: the longest delay of it.
        client_bottleneck: True where the generator, not the engine, may have set the figures:
            it was short of CPU, its worst lag is above 25 ms and above a quarter of the mean TTFT,
            or its mean lag is above 1 ms and above 2 % of it.
        machine: load of the machine while the level ran; None where it is not known.
        node: of a cluster, that it was measured on; None for this machine.
        began_at: when the measured window began; None where the load generator does not say.
        compiling: whether the engine compiled or tuned something while the level ran, also when it
            was measured again: nothing is learnt from it.
        caches: variables that say where its engine keeps what it compiles, with the folders that
            they named; `page cache` with the share of the model that was in memory before it
            started.
        energy: of the measured window, or why it was not measured; None of a replay, of a file, and
            of levels of earlier versions.
        launch: number of the engine start that it was measured on, of its candidate.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    load: LoadLevel
    duration_s: float
    requests_completed: int
    requests_failed: int
    requests_short: int
    ended_by: EndedBy
    valid: bool
    tok_s: float
    requests_s: float
    input_tokens: int
    output_tokens: int
    ttft_ms: Distribution | None = None
    tpot_ms: Distribution | None = None
    itl_ms: Distribution | None = None
    e2e_ms: Distribution | None = None
    errors: dict[str, int] = Field(default_factory=dict)
    client_cpu_share: float = 0.0
    client_lag_ms: float = 0.0
    client_worst_lag_ms: float = 0.0
    saturated: bool = False
    client_delay_ms: float | None = None
    client_worst_delay_ms: float | None = None
    client_bottleneck: bool = False
    machine: MachineLoad | None = None
    node: MeasuredNode | None = None
    began_at: datetime | None = None
    compiling: bool = False
    caches: dict[str, str] = Field(default_factory=dict)
    energy: Energy | None = None
    launch: int = 1
    note: str = ""
    tool: str = "autotuner"
    original: dict[str, Any] | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_before(cls, value: Any) -> Any:
        return with_former_load(value)

    @property
    def joules_per_output_token(self) -> float | None:
        """Mean power over output tokens per second; None where no energy was measured."""
        power_w = None if self.energy is None else self.energy.power_w
        return None if power_w is None or not self.tok_s > 0 else power_w / self.tok_s

    @property
    def is_steady(self) -> bool:
        """Whether its figures are an operating point: valid, and of a load that the engine keeps up
        with."""
        return self.valid and not self.saturated

    @property
    def is_disturbed(self) -> bool:
        """Whether others loaded the machine meanwhile, or the load generator was late."""
        return self.client_bottleneck or (self.machine is not None and self.machine.busy)
