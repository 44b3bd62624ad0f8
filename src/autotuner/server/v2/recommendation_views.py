"""Models of the answer of predictions alone, as `autotuner recommend --json` has it too."""

from __future__ import annotations

from typing import Literal

from pydantic import TypeAdapter

from autotuner.config import LoadLevel
from autotuner.server.v2.plan_views import PredictedRecommendation
from autotuner.server.v2.routing import View


class RecommendedByPrediction(PredictedRecommendation):
    """Predicted operating point of one of several engines."""

    engine: str
    verdict: Literal["meets", "unclear", "misses"] | None
    """The worst of its limits'; null without any."""
    kind: str
    """The kind of data that it is predicted from."""
    replicas_that_fit: int
    """On the GPUs that there are."""
    sample_request: str | None
    """A request that tries the engine."""


class AlternativeView(RecommendedByPrediction):
    """The next best of another kind."""

    differs: list[Literal["engine", "layout", "formats"]]
    """The respects in which it differs from the recommended point."""


class ComparedEngineView(View):
    """An engine whose candidates were predicted."""

    engine: str
    engine_version: str
    candidates: int
    predicted: int
    out_of_memory: int
    refused: int
    """Candidates of which no predictor says anything."""
    predictor: str | None
    why: str
    observations: int
    """Number of earlier measurements that corrected the predictions."""


class RequestTokensView(View):
    """Tokens of a request."""

    isl: int
    osl: int


class RivalView(View):
    """A candidate that only a measurement tells apart from the recommended one."""

    engine: str
    candidate: str


class MeasuringTaskView(View):
    """The task that measures the candidates of one engine, and what that takes."""

    engine: str
    launches: int
    minutes: float | None
    usd: float | None
    load: list[LoadLevel]
    load_missing: list[LoadLevel]
    """The load that was asked about, where the task does not measure it."""
    commands: list[str]


class MeasuringView(View):
    """Points that only measuring tells apart, and the tasks that do."""

    kinds: int
    """Kinds of points that were predicted."""
    rivals: int
    """Other kinds that may be better, or may meet the SLO, within the intervals."""
    first_rivals: list[RivalView]
    tasks: list[MeasuringTaskView]


class RecommendationView(View):
    """The answer of predictions alone."""

    model: str
    gpu: str
    gpus: int
    """0 on a CPU."""
    workload: RequestTokensView
    slo: dict[str, float]
    usd_per_gpu_hour: float | None
    engines: list[ComparedEngineView]
    refused: dict[str, str]
    """Engine -> why it cannot serve the model there."""
    mixed: str | None
    """Sentence about the kinds of data that are compared; null where it is one."""
    meets_slo: bool
    recommended: RecommendedByPrediction | None
    """Where nothing is within the SLO the nearest to it; null where nothing is predicted."""
    certain: RecommendedByPrediction | None
    """The best whose intervals are within all limits, where that is another."""
    alternatives: list[AlternativeView]
    why_not: list[str]
    """Why nothing is within the SLO and what would change it; empty where something is."""
    measuring: MeasuringView | None
    warnings: list[str]
    seconds: float


RECOMMENDATION: TypeAdapter[RecommendationView] = TypeAdapter(RecommendationView)
