"""Two predictors as one: the geometric mean of what both say.

Kernels measured one by one and bytes over bandwidth err in ways of their own: on the published
measured rows their residuals correlate by about 0.55, so the mean of their logarithms is nearer to
the truth than either (docs/accuracy.md). Where one of them has no answer, neither has the blend.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from autotuner.config import Candidate
from autotuner.predict.closed_loop import tok_s
from autotuner.predict.protocol import OutOfMemory, Prediction, Predictions, Predictor, Support
from autotuner.predict.scenario import Scenario

CORRELATION = 0.55
"""Of the residuals of aiconfigurator and the roofline."""


@dataclass(frozen=True)
class BlendedPredictor:
    """Answers where both do; a candidate that only one says does not fit is refused.

    Example:
        BlendedPredictor(AiconfiguratorPredictor(), RooflinePredictor())
    """

    first: Predictor
    second: Predictor

    @property
    def name(self) -> str:
        """Both names."""
        return f"mean of {self.first.name} and {self.second.name}"

    def supports(self, scenario: Scenario) -> Support:
        """Whether both can answer; else why one cannot."""
        for predictor in (self.first, self.second):
            support = predictor.supports(scenario)
            if not support:
                return Support(False, f"{predictor.name}: {support.why}")
        return Support(True, f"{self.first.name} and {self.second.name} both know it")

    def predict(
        self, scenario: Scenario, candidates: Sequence[Candidate], load_levels: Sequence[int]
    ) -> Predictions:
        """The mean of both, level by level."""
        one = self.first.predict(scenario, candidates, load_levels)
        # What the first does not tell is not asked of the second.
        told = {point.candidate_id for point in one.points} | set(one.out_of_memory)
        asked = [candidate for candidate in candidates if candidate.id in told]
        two = self.second.predict(scenario, asked, load_levels)
        other = {(point.candidate_id, point.concurrency): point for point in two.points}
        refused = {**one.refused, **two.refused}
        memory: dict[str, OutOfMemory] = {}
        for mine, theirs, who in (
            (one.out_of_memory, two, self.first.name),
            (two.out_of_memory, one, self.second.name),
        ):
            for key, why in mine.items():
                if key in theirs.out_of_memory:
                    memory[key] = why
                else:
                    refused.setdefault(key, f"only {who} says that it does not fit: {why.why}")
        points = tuple(
            _mean(point, other[point.candidate_id, point.concurrency])
            for point in one.points
            if point.candidate_id not in refused
        )
        return Predictions(self.name, points, memory, _in_order(refused, candidates))


def _mean(one: Prediction, two: Prediction) -> Prediction:
    ttft_ms = math.sqrt(one.ttft_ms * two.ttft_ms)
    tpot_ms = math.sqrt(one.tpot_ms * two.tpot_ms) if one.tpot_ms and two.tpot_ms else None
    return replace(
        one,
        ttft_ms=ttft_ms,
        tpot_ms=tpot_ms,
        tok_s=tok_s(one.concurrency, ttft_ms, tpot_ms, one.osl),
        ttft_log_std=_log_std(one.ttft_log_std, two.ttft_log_std),
        tpot_log_std=_log_std(one.tpot_log_std, two.tpot_log_std),
        tok_s_log_std=_log_std(one.tok_s_log_std, two.tok_s_log_std),
        source=_source(one, two),
        memory_gib=one.memory_gib or two.memory_gib,
        note="; ".join(dict.fromkeys(filter(None, (one.note, two.note)))),
    )


def _source(one: Prediction, two: Prediction) -> str:
    """The kind of both first, then what else each says."""
    details = (p.source.removeprefix(p.kind).lstrip(":, ") for p in (one, two))
    kind = f"mean of {one.kind} and {two.kind}"
    return ": ".join(filter(None, (kind, "; ".join(filter(None, details)))))


def _log_std(one: float, two: float) -> float:
    """Of the mean of two correlated logarithms."""
    return math.sqrt(one**2 + two**2 + 2 * CORRELATION * one * two) / 2


def _in_order(refused: Mapping[str, str], candidates: Sequence[Candidate]) -> dict[str, str]:
    return {c.id: refused[c.id] for c in candidates if c.id in refused}
