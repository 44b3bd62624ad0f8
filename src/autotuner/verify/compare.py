"""Predictions against measurements as one value, from two files or from a task of ours. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autotuner.errors import VerifyError
from autotuner.predict import Predictions
from autotuner.predict.observations import measurement_mark
from autotuner.tuning.summary import TaskSummary
from autotuner.verify.analysis import (
    DEFAULT_WITHIN,
    DIMENSIONS,
    METRICS,
    Errors,
    Miss,
    PredictedChoice,
    by_dimension,
    choices,
    errors,
    worst,
)
from autotuner.verify.autotuner_reader import PREDICTIONS, measured_points
from autotuner.verify.matching import Pair, match
from autotuner.verify.points import Excluded, Point, PointFile

CORRECTED = "the prediction was corrected by this very measurement"
_CALIBRATED = re.compile(r"calibrated by [1-9]")
_SHOWN = 3


@dataclass(frozen=True)
class Side:
    """Where one side comes from, and what of it takes no part.

    Attributes:
        name: of a file, a data set or a predictor. format: one of `readers.FORMATS`, or how else.
        points: how many it has. excluded: what could not be used of it, with reasons.
        unmatched: points without a counterpart on the other side, with reasons.
        not_used: fields without counterpart here -> why.
    """

    name: str
    format: str
    points: int
    excluded: tuple[Excluded, ...] = ()
    unmatched: tuple[Excluded, ...] = ()
    not_used: Mapping[str, str] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """Predictions beside measurements: the pairs, their errors, and what was left out.

    Attributes:
        errors: metric -> errors over all pairs.
        like_for_like: the same over the pairs that are like for like.
        by: dimension -> value -> metric -> errors; dimensions of one value only are left out.
        worst: metric -> the pairs furthest off.
        choices: whether frontier and choice would have been the same, by scenario.
    """

    title: str
    predicted: Side
    actual: Side
    pairs: tuple[Pair, ...]
    errors: Mapping[str, Errors]
    like_for_like: Mapping[str, Errors]
    by: Mapping[str, Mapping[str, Mapping[str, Errors]]]
    worst: Mapping[str, Sequence[Miss]]
    choices: tuple[PredictedChoice, ...]
    within: tuple[float, ...]
    slo: Mapping[str, float]

    @property
    def alike(self) -> int:
        """How many pairs are like for like."""
        return sum(pair.like_for_like for pair in self.pairs)

    @property
    def unlike(self) -> dict[str, int]:
        """Why pairs are not like for like -> how many, the most frequent first."""
        return dict(Counter(why for pair in self.pairs for why in pair.unlike).most_common())


def compare_files(
    predicted: PointFile,
    actual: PointFile,
    *,
    within: Sequence[float] = DEFAULT_WITHIN,
    slo: Mapping[str, float] | None = None,
) -> Comparison:
    """Matches the points of two files and compares the pairs.

    Raises:
        VerifyError: no point of one has a counterpart in the other.
    """
    matching = match(predicted.points, actual.points)
    if not matching.pairs:
        reasons = [f"{one.source}: {one.why}" for one in matching.unmatched_actual]
        more = f"\n  and {len(reasons) - _SHOWN} more" if len(reasons) > _SHOWN else ""
        raise VerifyError(
            f"no point of {actual.path} has a prediction in {predicted.path}\n  "
            + "\n  ".join(reasons[:_SHOWN])
            + more,
            remedy="say what a file does not, or says otherwise, with --predicted-set or "
            "--actual-set FIELD=VALUE",
        )
    pairs = [_without_own_correction(pair, predicted.corrected_by) for pair in matching.pairs]
    return compare_pairs(
        pairs,
        predicted=_side(predicted, matching.unmatched_predicted, *_corrections(predicted, pairs)),
        actual=_side(actual, matching.unmatched_actual),
        within=within,
        slo=slo,
    )


def compare_pairs(
    pairs: Sequence[Pair],
    *,
    predicted: Side,
    actual: Side,
    title: str = "",
    within: Sequence[float] = DEFAULT_WITHIN,
    slo: Mapping[str, float] | None = None,
) -> Comparison:
    """Compares pairs that were matched elsewhere: a data set's rows, a task and its predictions."""
    alike = [pair for pair in pairs if pair.like_for_like]
    broken_down = {name: by_dimension(name, pairs, within) for name in DIMENSIONS}
    return Comparison(
        title=title or f"{predicted.name} against {actual.name}",
        predicted=predicted,
        actual=actual,
        pairs=tuple(pairs),
        errors={name: errors(metric, pairs, within) for name, metric in METRICS.items()},
        like_for_like={name: errors(metric, alike, within) for name, metric in METRICS.items()},
        by={name: values for name, values in broken_down.items() if len(values) > 1},
        worst={name: worst(metric, pairs) for name, metric in METRICS.items()},
        choices=choices(pairs, slo),
        within=tuple(within),
        slo=dict(slo or {}),
    )


def _without_own_correction(pair: Pair, corrected_by: frozenset[str]) -> Pair:
    """The pair; not like for like where its measurement corrected its prediction."""
    seen = pair.actual
    if seen.ttft_ms is None or seen.tok_s is None:
        return pair
    if measurement_mark(seen.load, seen.ttft_ms, seen.tok_s) not in corrected_by:
        return pair
    return replace(pair, unlike=(*pair.unlike, CORRECTED))


def _corrections(predicted: PointFile, pairs: Sequence[Pair]) -> tuple[str, ...]:
    """The observations that corrected the predictions, as far as their file names them."""
    themselves = sum(CORRECTED in pair.unlike for pair in pairs)
    if themselves:
        return (
            f"{themselves} of {len(pairs)} predictions were corrected by the very measurements "
            "that they are compared with: their errors say nothing of a new launch",
        )
    sources = (str(pair.predicted.originals.get("source", "")) for pair in pairs)
    if not predicted.corrected_by and any(_CALIBRATED.search(source) for source in sources):
        return (
            "the predictions were corrected by earlier measurements; this file does not say "
            "whether by those that they are compared with (`predict --save` does)",
        )
    return ()


def _side(file: PointFile, unmatched: tuple[Excluded, ...], *notes: str) -> Side:
    return Side(
        name=file.path,
        format=file.format,
        points=len(file.points),
        excluded=file.excluded,
        unmatched=unmatched,
        not_used=file.not_used,
        notes=(*file.notes, *notes),
    )


def compare_task(
    summary: TaskSummary,
    predictions: Predictions,
    *,
    within: Sequence[float] = DEFAULT_WITHIN,
    slo: Mapping[str, float] | None = None,
) -> Comparison:
    """The measurements of a task against the predictions of the same candidates and loads.

    Candidates of the task for which there is no prediction are listed with the predictor's reason.

    Raises:
        VerifyError: nothing that was measured was predicted.
    """
    actual = measured_points(summary, f"task {summary.task.id} '{summary.task.name}'")
    return compare_files(
        predicted_points(predictions, summary, actual.points), actual, within=within, slo=slo
    )


def predicted_points(
    predictions: Predictions, summary: TaskSummary, actual: Sequence[Point]
) -> PointFile:
    """The predictions of a task's candidates, on the terms of its own measurements."""
    settings = {experiment.id: dict(experiment.settings) for experiment in summary.experiments}
    terms = {point.candidate: point for point in actual}
    points = []
    for prediction in predictions:
        if prediction.candidate_id not in settings:
            continue
        measured = terms.get(prediction.candidate_id)
        names: dict[str, Any] = {}
        if measured is not None:
            shared = ("model", "engine", "engine_version", "system", "isl", "lengths", "layout")
            names = {name: getattr(measured, name) for name in shared}
        points.append(
            Point(
                load=prediction.load,
                ttft_ms=prediction.ttft_ms,
                tpot_ms=prediction.tpot_ms,
                tok_s=prediction.tok_s,
                gpus=prediction.devices,
                candidate=prediction.candidate_id,
                settings=settings[prediction.candidate_id],
                osl=prediction.osl,
                source=f"{prediction.candidate_id} at {prediction.load}",
                remarks=(prediction.note,) if prediction.note else (),
                **names,
            )
        )
    reasons = {id_: found.why for id_, found in predictions.out_of_memory.items()}
    excluded = tuple(
        Excluded(id_, why)
        for id_, why in (reasons | dict(predictions.refused)).items()
        if id_ in settings
    )
    return PointFile(predictions.predictor, PREDICTIONS, tuple(points), excluded)
