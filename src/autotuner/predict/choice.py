"""Which predictor answers for a scenario, and why; and two of them as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from autotuner.config import Candidate, PredictionMode, PredictorName
from autotuner.predict.aiconfigurator import AiconfiguratorPredictor
from autotuner.predict.aiconfigurator_answer import Mode
from autotuner.predict.aiconfigurator_mode import Compared, common_mode
from autotuner.predict.blended import BlendedPredictor
from autotuner.predict.protocol import Prediction, Predictions, Predictor, Support
from autotuner.predict.roofline import RooflinePredictor
from autotuner.predict.scenario import Scenario

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

    def supports(self, scenario: Scenario) -> Support:
        """Whether any of them can answer; what the others say stands beside it."""
        said = [(predictor.name, predictor.supports(scenario)) for predictor in self._predictors]
        why = "; ".join(f"{name}: {support.why}" for name, support in said)
        return Support(any(support.supported for _, support in said), why)

    def predict(
        self, scenario: Scenario, candidates: Sequence[Candidate], load_levels: Sequence[int]
    ) -> Predictions:
        """All that any of them answers, in the order of the candidates."""
        return joined(self.name, self.each(scenario, candidates, load_levels), candidates)

    def each(
        self, scenario: Scenario, candidates: Sequence[Candidate], load_levels: Sequence[int]
    ) -> tuple[Predictions, ...]:
        """What each of them answers; every candidate stands in one, refused by all in the last.

        The note of a point says why the predictors before it did not answer.
        """
        parts: list[Predictions] = []
        said: dict[str, list[str]] = {}
        left = tuple(candidates)
        for predictor in self._predictors:
            answer = predictor.predict(scenario, left, load_levels)
            points = tuple(_noted(point, said.get(point.candidate_id, [])) for point in answer)
            parts.append(replace(answer, points=points, refused={}))
            for key, why in answer.refused.items():
                said.setdefault(key, []).append(f"{predictor.name}: {why}")
            left = tuple(candidate for candidate in left if candidate.id in answer.refused)
            if not left:
                break
        parts[-1] = replace(parts[-1], refused={c.id: "; ".join(said[c.id]) for c in left})
        return tuple(parts)


def best_of_both(
    mode: PredictionMode = "auto", cache: Path | None = None, first: Mode = "SILICON"
) -> FirstThatAnswers:
    """The mean of aiconfigurator and the roofline; the roofline alone where the other refuses."""
    roofline = RooflinePredictor()
    aiconfigurator = AiconfiguratorPredictor(mode=mode, cache=cache, first=first)
    return FirstThatAnswers((BlendedPredictor(aiconfigurator, roofline), roofline))


def answers(
    predictor: Predictor,
    scenario: Scenario,
    candidates: Sequence[Candidate],
    load_levels: Sequence[int],
) -> tuple[Predictions, ...]:
    """What `predictor` says, one part for each predictor that stands behind it."""
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
        wanted: `auto`, `aiconfigurator` or `roofline`.
        mode: the data that aiconfigurator answers from.
        cache: folder in which aiconfigurator's answers are kept.
        compared: what its answers will be compared with; where the mode is `auto`, the same kind of
            data answers all of it.
    """
    roofline = RooflinePredictor()
    if wanted == "roofline":
        return roofline, f"the task asks for it; {roofline.supports(scenario).why}"
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
