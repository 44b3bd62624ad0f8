"""Shape of the answer to how many: behind `autotuner size --json` and the API."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from autotuner.config import LoadLevel
from autotuner.tuning.summary import Scalar


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class TrafficView(_View):
    """Traffic that comes in: a rate, or users."""

    requests_per_s: float | None
    users: float | None
    think_s: float | None
    """Seconds from an answer to its user's next request; null of a rate."""


class SizedTraceView(_View):
    """Trace that the traffic is of: requests counted by windows of one length."""

    path: str
    format: str
    isl: float | None
    """Mean tokens of a request; null where the trace does not say them, as `osl`."""
    osl: float | None
    requests: int
    span_s: float
    window_s: float
    windows: int
    quantile: float
    """Share of the windows whose rate is `requests_per_s` at the most."""
    requests_per_s: float
    mean_per_s: float
    most_per_s: float
    """Rate of the fullest window."""


class SizedGpuView(_View):
    """A GPU that was compared; `cpu` is one too."""

    gpu: str
    usd_per_gpu_hour: float | None
    candidates: int
    holding: int
    """Candidates that hold the traffic with enough replicas."""
    gpus: int | None
    """GPUs of the smallest deployment, 0 on a CPU; null where there is none."""
    usd_per_hour: float | None


class ReplicaCapacityView(_View):
    """The most that one replica holds within the limits."""

    load: LoadLevel
    requests_per_s: float
    interval: tuple[float, float]
    """80 % interval of predictions; both ends are the value where it was measured."""


class DeploymentView(_View):
    """So many replicas of one candidate under the traffic."""

    gpu: str
    engine: str
    candidate: str
    is_baseline: bool
    """Whether it is the baseline of the task, and so no candidate."""
    settings: dict[str, Scalar]
    replicas: int
    replicas_interval: tuple[int, int | None]
    """Where all is as good, and as bad, as its interval allows; the second is null where no load
    level is within the limits for certain."""
    gpus_per_replica: int
    gpus: int
    """0 on a CPU."""
    requests_per_s: float
    """Of all replicas."""
    capacity: ReplicaCapacityView
    utilisation: float
    """Share of what the replicas hold that the traffic uses."""
    latencies_ms: dict[str, float]
    """Expected of a replica at its share of the traffic."""
    between: list[LoadLevel]
    """Levels that these are interpolated between."""
    usd_per_hour: float | None
    usd_per_million_tokens: float | None
    """Over output tokens."""
    usd_per_million_input_tokens: float | None
    usd_per_million_total_tokens: float | None
    command: str
    """Command of one replica."""
    unserved: str | None
    """Reason why the command does not serve what the figures are of; null where it does."""


class SizedMonthView(_View):
    """The deployment that is smallest in the last month, in one month."""

    month: int
    traffic: TrafficView
    gpu: str
    candidate: str
    is_baseline: bool
    replicas: int
    gpus: int
    usd_per_hour: float | None


class NearestReplicaView(_View):
    """Where nothing holds any load: the candidate that misses least, and the limit."""

    gpu: str
    engine: str
    candidate: str
    is_baseline: bool
    settings: dict[str, Scalar]
    load: LoadLevel
    limit: str
    limit_ms: float
    value_ms: float | None
    over: float | None
    """Share of the limit by which the value is above it; null where the value is not known."""


class SizeView(_View):
    """Replicas and GPUs that hold a traffic within limits, and what they cost."""

    task: str
    model: str
    source: Literal["measured", "predicted"]
    traffic: TrafficView
    trace: SizedTraceView | None
    """Null where the traffic is given as a rate or as users."""
    slo: dict[str, float]
    headroom: float
    gpus: list[SizedGpuView]
    refused: dict[str, str]
    """GPU -> why nothing is predicted there."""
    candidates: int
    holding: int
    deployments: list[DeploymentView]
    """The smallest first."""
    cheapest: DeploymentView | None
    growth: list[SizedMonthView]
    nearest: NearestReplicaView | None
    notes: list[str]
