"""Several predictors as one, and which answers for a scenario.

`BlendedPredictor` is the weighted geometric mean of two. Kernels measured one by one and bytes
over bandwidth err in ways of their own: on the published measured rows their residuals correlate
by about 0.55, so the mean of their logarithms is nearer to the truth than either
(docs/accuracy.md).
Where one of them has no answer, neither has the blend; `FirstThatAnswers` asks the next then.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autotuner.config import (
    Candidate,
    LoadKind,
    LoadLevel,
    PredictionMode,
    PredictorName,
    kind_of_levels,
)
from autotuner.config.extensions import PREDICTORS
from autotuner.predict.aiconfigurator.answers import Mode
from autotuner.predict.aiconfigurator.predictor import (
    AiconfiguratorPredictor,
    Compared,
    common_mode,
)
from autotuner.predict.closed_loop import tok_s_under
from autotuner.predict.open_loop import LADDER, at_rates
from autotuner.predict.predictor import (
    Member,
    OutOfMemory,
    Prediction,
    Predictions,
    Predictor,
    Scenario,
    Support,
    scaled_percentiles,
)
from autotuner.predict.roofline.predictor import RooflinePredictor

CORRELATION = 0.55
"""Of the residuals of aiconfigurator and the roofline."""


@dataclass(frozen=True)
class Weights:
    """How much of a mean of logarithms is the second predictor's."""

    ttft: float = 0.5
    tpot: float = 0.5


ROOFLINE_WEIGHTS = Weights(ttft=0.75)
"""Of the roofline beside aiconfigurator, whose kernels know nothing of what the host takes to
launch those of a prompt. On the rows on which the roofline's constants were chosen
(`roofline.rates`) the median error of TTFT falls with the weight, from 38 to 28 % (vLLM), 69 to
52 % (SGLang), 51 to 41 % (TensorRT-LLM); a quarter is left to measured kernels, as a hedge."""


@dataclass(frozen=True)
class BlendedPredictor:
    """Answers where both do; a candidate that only one says does not fit is refused.

    Example:
        BlendedPredictor(AiconfiguratorPredictor(), RooflinePredictor())
    """

    first: Predictor
    second: Predictor
    weights: Weights = Weights()

    @property
    def name(self) -> str:
        """Both names."""
        return f"mean of {self.first.name} and {self.second.name}"

    @property
    def load_kinds(self) -> frozenset[LoadKind]:
        """The answers of both."""
        return self.first.load_kinds & self.second.load_kinds

    def supports(self, scenario: Scenario) -> Support:
        """Whether both can answer; else why one cannot."""
        for predictor in (self.first, self.second):
            support = predictor.supports(scenario)
            if not support:
                return Support(False, f"{predictor.name}: {support.why}")
        return Support(True, f"{self.first.name} and {self.second.name} both know it")

    def predict(
        self, scenario: Scenario, candidates: Sequence[Candidate], load_levels: Sequence[LoadLevel]
    ) -> Predictions:
        """The mean of both, level by level."""
        one = self.first.predict(scenario, candidates, load_levels)
        # What the first does not answer is not asked of the second.
        answered = {point.candidate_id for point in one.points} | set(one.out_of_memory)
        asked = [candidate for candidate in candidates if candidate.id in answered]
        two = self.second.predict(scenario, asked, load_levels)
        other = {(point.candidate_id, point.load): point for point in two.points}
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
            self._mean(point, other[point.candidate_id, point.load])
            for point in one.points
            if point.candidate_id not in refused
        )
        return Predictions(self.name, points, memory, _in_order(refused, candidates))

    def _mean(self, one: Prediction, two: Prediction) -> Prediction:
        weights = self.weights
        ttft_ms = one.ttft_ms ** (1 - weights.ttft) * two.ttft_ms**weights.ttft
        tpot_ms = None
        if one.tpot_ms and two.tpot_ms:
            tpot_ms = one.tpot_ms ** (1 - weights.tpot) * two.tpot_ms**weights.tpot
        return replace(
            one,
            ttft_ms=ttft_ms,
            tpot_ms=tpot_ms,
            tok_s=tok_s_under(one.load, ttft_ms, tpot_ms, one.osl),
            ttft_log_std=_log_std(one.ttft_log_std, two.ttft_log_std, weights.ttft),
            tpot_log_std=_log_std(one.tpot_log_std, two.tpot_log_std, weights.tpot),
            tok_s_log_std=_log_std(one.tok_s_log_std, two.tok_s_log_std, weights.tpot),
            source=_source(one, two),
            memory_gib=one.memory_gib or two.memory_gib,
            note="; ".join(dict.fromkeys(filter(None, (one.note, two.note)))),
            **scaled_percentiles(one if one.percentiles_from else two, ttft_ms, tpot_ms),
            parts=one.parts or two.parts,
            members=(
                Member(
                    self.first.name, one.ttft_ms, one.tpot_ms, 1 - weights.ttft, 1 - weights.tpot
                ),
                Member(self.second.name, two.ttft_ms, two.tpot_ms, weights.ttft, weights.tpot),
            ),
        )


def _source(one: Prediction, two: Prediction) -> str:
    """The kind of both first, then what else each says."""
    details = (p.source.removeprefix(p.kind).lstrip(":, ") for p in (one, two))
    kind = f"mean of {one.kind} and {two.kind}"
    return ": ".join(filter(None, (kind, "; ".join(filter(None, details)))))


def _log_std(one: float, two: float, weight: float) -> float:
    """Of the weighted mean of two correlated logarithms."""
    mine, theirs = (1 - weight) * one, weight * two
    return math.sqrt(mine**2 + theirs**2 + 2 * CORRELATION * mine * theirs)


def _in_order(refused: Mapping[str, str], candidates: Sequence[Candidate]) -> dict[str, str]:
    return {c.id: refused[c.id] for c in candidates if c.id in refused}


_ANY: tuple[Mode, str] = ("SILICON", "")
Choose = Callable[[Scenario], tuple[Predictor, str]]
"""Chooses the predictor of a scenario, and says why in words."""


class FirstThatAnswers:
    """Predictors in order: what one refuses, the next is asked.

    Example:
        both = FirstThatAnswers((aiconfigurator, roofline))
    """

    def __init__(self, predictors: Sequence[Predictor]) -> None:
        self._predictors = tuple(predictors)

    @property
    def name(self) -> str:
        """All their names, in order."""
        return ", else ".join(predictor.name for predictor in self._predictors)

    @property
    def load_kinds(self) -> frozenset[LoadKind]:
        """The answers of all of them."""
        return frozenset.intersection(*(one.load_kinds for one in self._predictors))

    def supports(self, scenario: Scenario) -> Support:
        """Whether any of them can answer; what the others say stands beside it."""
        reasons = [(predictor.name, predictor.supports(scenario)) for predictor in self._predictors]
        why = "; ".join(f"{name}: {support.why}" for name, support in reasons)
        return Support(any(support.supported for _, support in reasons), why)

    def predict(
        self, scenario: Scenario, candidates: Sequence[Candidate], load_levels: Sequence[LoadLevel]
    ) -> Predictions:
        """All that any of them answers, in the order of the candidates."""
        return joined(self.name, self.each(scenario, candidates, load_levels), candidates)

    def each(
        self, scenario: Scenario, candidates: Sequence[Candidate], load_levels: Sequence[LoadLevel]
    ) -> tuple[Predictions, ...]:
        """The answers of each of them; every candidate stands in one, refused by all in the last.

        The note of a point says why the predictors before it did not answer.
        """
        parts: list[Predictions] = []
        reasons: dict[str, list[str]] = {}
        left = tuple(candidates)
        for predictor in self._predictors:
            answer = predictor.predict(scenario, left, load_levels)
            points = tuple(_noted(point, reasons.get(point.candidate_id, [])) for point in answer)
            parts.append(replace(answer, points=points, refused={}))
            for key, why in answer.refused.items():
                reasons.setdefault(key, []).append(f"{predictor.name}: {why}")
            left = tuple(candidate for candidate in left if candidate.id in answer.refused)
            if not left:
                break
        parts[-1] = replace(parts[-1], refused={c.id: "; ".join(reasons[c.id]) for c in left})
        return tuple(parts)


def best_of_both(
    mode: PredictionMode = "auto", cache: Path | None = None, first: Mode = "SILICON"
) -> FirstThatAnswers:
    """The mean of aiconfigurator and the roofline; the roofline alone where the other refuses."""
    roofline = RooflinePredictor()
    aiconfigurator = AiconfiguratorPredictor(mode=mode, cache=cache, first=first)
    blended = BlendedPredictor(aiconfigurator, roofline, ROOFLINE_WEIGHTS)
    return FirstThatAnswers((blended, roofline))


def answers(
    predictor: Predictor,
    scenario: Scenario,
    candidates: Sequence[Candidate],
    load_levels: Sequence[LoadLevel],
) -> tuple[Predictions, ...]:
    """The answers of `predictor`, one part for each predictor that stands behind it.

    Rates that it does not answer itself are derived from the closed loop (`open_loop`).
    """
    kind = kind_of_levels(load_levels)
    if kind is LoadKind.RATE and kind not in predictor.load_kinds:
        parts = answers(predictor, scenario, candidates, LADDER)
        return tuple(at_rates(part, load_levels) for part in parts)
    if isinstance(predictor, FirstThatAnswers):
        return predictor.each(scenario, candidates, load_levels)
    return (predictor.predict(scenario, candidates, load_levels),)


def joined(name: str, parts: Sequence[Predictions], candidates: Sequence[Candidate]) -> Predictions:
    """Several answers as one, in the order of `candidates`."""
    place = {candidate.id: index for index, candidate in enumerate(candidates)}
    points = [point for part in parts for point in part.points]
    return Predictions(
        predictor=name,
        points=tuple(sorted(points, key=lambda point: place[point.candidate_id])),
        out_of_memory={key: why for part in parts for key, why in part.out_of_memory.items()},
        refused={key: why for part in parts for key, why in part.refused.items()},
    )


def predictor_for(
    scenario: Scenario,
    wanted: PredictorName = "auto",
    mode: PredictionMode = "auto",
    cache: Path | None = None,
    compared: Compared = (),
) -> tuple[Predictor, str]:
    """The predictor that answers for `scenario`, and why this one.

    Args:
        wanted: of `PREDICTORS`; one that a package adds is made without arguments.
        mode: the data that aiconfigurator or AISimulate answers from.
        cache: folder in which their answers are kept.
        compared: what its answers will be compared with; where the mode is `auto`, the same kind of
            data answers all of it.

    Raises:
        AutotunerError: the predictor asked for cannot be loaded.
    """
    if wanted not in ("auto", "aiconfigurator"):
        given = {"mode": mode, "cache": cache} if wanted == "aisimulate" else {}
        chosen: Predictor = PREDICTORS.load(wanted)(**given)
        return chosen, f"the task asks for it; {chosen.supports(scenario).why}"
    roofline = RooflinePredictor()
    aiconfigurator = AiconfiguratorPredictor(mode=mode, cache=cache)
    support = aiconfigurator.supports(scenario)
    first, same = common_mode(aiconfigurator, compared) if support and mode == "auto" else _ANY
    aiconfigurator = AiconfiguratorPredictor(mode=mode, cache=cache, first=first)
    if wanted == "aiconfigurator":
        return aiconfigurator, _joined("the task asks for it", support.why, same)
    if not support:
        return roofline, f"{roofline.supports(scenario).why}; {support.why}"
    if not roofline.supports(scenario):
        return aiconfigurator, _joined(support.why, same, roofline.supports(scenario).why)
    both = "its mean with the roofline, which answers alone for what it refuses"
    return best_of_both(mode, cache, first), _joined(support.why, both, same)


def _joined(*reasons: str) -> str:
    return "; ".join(filter(None, reasons))


def _noted(point: Prediction, refusals: Sequence[str]) -> Prediction:
    """The point, with why the predictors before did not answer."""
    return replace(point, note="; ".join(filter(None, (point.note, *refusals))))
