"""Answers of `/verify`: comparisons, accuracy over all tasks, results that were uploaded."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from autotuner.config import LoadLevel
from autotuner.report.comparison import comparison_document
from autotuner.server.v2.routing import View
from autotuner.verify import Comparison, Errors
from autotuner.verify.accuracy import AccuracyRow, StoredAccuracy
from autotuner.verify.point_views import ResultPointView

MOST_PAIRS = 5_000
_MOST_LISTED = 200


class MetricErrorsView(View):
    """Errors of one metric, percent; null where there are too few pairs."""

    pairs: int
    missing: int
    """Pairs of which one side does not state it."""
    mape: float | None
    median_ape: float | None
    bias: float | None
    """Geometric mean of predicted / measured: 1.2 is 20 % too high."""
    spearman: float | None
    """Rank correlation: whether the order is right."""
    within: dict[str, float]
    """Percent of the measured value -> share of pairs with no greater error, percent."""


class StageErrorsView(MetricErrorsView):
    """The same of one stage of prediction."""

    in_interval: float | None
    """Share of measurements inside the 80 % interval that was stated, percent."""


class AccuracyRowView(View):
    """Accuracy over the levels that have something in common."""

    value: str
    """An engine, a system, a model, a load, a predictor; or how many launches came before."""
    levels: int
    tasks: int
    stages: dict[str, dict[str, StageErrorsView]]
    """`base` (the predictor alone) and `calibrated` -> `ttft_ms`, `tpot_ms`, `tok_s` -> errors."""


class AccuracyView(View):
    """How far predictions were from what was measured, over all tasks that are stored."""

    overall: AccuracyRowView
    by: dict[str, list[AccuracyRowView]]
    """`engine`, `system`, `model`, `load`, `predictor` -> errors of each of its values."""
    learning: list[AccuracyRowView]
    """Errors after 0, 1, 2, … launches of the task; the last one holds that many and more."""
    choices: dict[str, list[str]]
    """`engine`, `system`, `model` -> every value that one can ask for."""
    is_whole: bool
    """False where older levels were left out."""
    replayed: int
    """Levels left out because a table was replayed: nothing was measured."""
    disturbed: int
    """Levels left out because others used the machine, or the load generator was late: predictions
    are not to blame. Calibration leaves them out too."""


class ResultFileView(View):
    """Results of another program that were uploaded."""

    id: str
    name: str
    format: str
    """As `autotuner verify compare` names it: `vllm-bench`, `genai-bench`, `aiconfigurator`."""
    points: int
    """Operating points that can be used."""
    excluded: int
    """Entries that cannot."""
    bytes: int
    added_at: datetime


class ResultFileList(View):
    """Results that are kept, the newest first."""

    items: list[ResultFileView]
    formats: dict[str, str]
    """Format that is read -> what it is."""
    roots: list[str]
    """Folders of the service's machine whose results it may read, by their path."""


class LeftOutView(View):
    """Something that takes no part, and why."""

    source: str
    why: str


class ResultPointsView(View):
    """Operating points of uploaded results."""

    file: ResultFileView
    items: list[ResultPointView]
    excluded: list[LeftOutView]
    """The first of the entries that cannot be used."""
    notes: list[str]
    models: list[str]
    """As far as the points state them, as in all the lists below."""
    engines: list[str]
    engine_versions: list[str]
    systems: list[str]
    workloads: list[str]


class ComparedSideView(View):
    """One side of a comparison, and what of it takes no part."""

    name: str
    format: str
    points: int
    excluded: list[LeftOutView]
    unmatched: list[LeftOutView]
    """Points without a counterpart on the other side."""
    left_out: int
    """How many are excluded or unmatched: the lists hold the first of them."""
    not_used: dict[str, str]
    notes: list[str]


class PairPlaceView(View):
    """An operating point by what both sides state of it."""

    model: str | None
    engine: str | None
    system: str | None
    candidate: str | None
    layout: str
    gpus: int | None
    isl: float | None
    osl: float | None
    load: LoadLevel


class ComparedChoiceView(View):
    """Whether one would have chosen the same by prediction and by measurement."""

    scenario: str
    points: int
    predicted_frontier: int
    actual_frontier: int
    common: int
    hypervolume_ratio: float
    """Of the measured figures of the predicted frontier, 0 to 1."""
    same: bool
    regret: float | None
    """Share of the best point's utility that the chosen one lacks, percent."""
    meets_slo: bool | None
    chosen: PairPlaceView
    best: PairPlaceView


class PairFiguresView(View):
    """Both sides of one metric; the error in percent, positive where the prediction is too high."""

    predicted: float
    actual: float
    error: float


class ComparedPairView(PairPlaceView):
    """A prediction beside its measurement."""

    figures: dict[str, PairFiguresView]
    """`ttft`, `tpot`, `tpot_with_first`, `tok_s`, where both sides state it."""
    unlike: list[str]
    """Why more than the prediction's error sets them apart; empty where nothing does."""
    predicted_source: str
    actual_source: str


class ResultComparisonView(View):
    """Predictions beside measurements, whoever made either."""

    title: str
    predicted: ComparedSideView
    actual: ComparedSideView
    metrics: dict[str, MetricErrorsView]
    like_for_like: dict[str, MetricErrorsView]
    """The same over the pairs that nothing but the prediction's error sets apart."""
    unlike: dict[str, int]
    """Why pairs are not like for like -> how many."""
    by: dict[str, dict[str, dict[str, MetricErrorsView]]]
    """Dimension -> value -> metric -> errors, where there are several values."""
    choices: list[ComparedChoiceView]
    pairs: list[ComparedPairView]
    """The first 5,000; `/verify/comparison/pairs` has them all."""
    total_pairs: int
    within: list[float]
    slo: dict[str, float]


def comparison_view(comparison: Comparison) -> dict[str, Any]:
    """A comparison as it is answered: the document of `verify compare --json`, its lists cut."""
    document = comparison_document(comparison)
    pairs = document["pairs"][:MOST_PAIRS]
    reasons = [pair.unlike for pair in comparison.pairs[:MOST_PAIRS]]
    return {
        **document,
        "predicted": _side(document["predicted"]),
        "actual": _side(document["actual"]),
        "pairs": [
            {**row, "unlike": list(why), "figures": _figures(row)}
            for row, why in zip(pairs, reasons, strict=True)
        ],
        "total_pairs": len(comparison.pairs),
    }


def _side(side: dict[str, Any]) -> dict[str, Any]:
    lists = {name: side[name][:_MOST_LISTED] for name in ("excluded", "unmatched")}
    return {**side, **lists, "left_out": len(side["excluded"]) + len(side["unmatched"])}


def _figures(row: dict[str, Any]) -> dict[str, Any]:
    units = {"ttft": "_ms", "tpot": "_ms", "tpot_with_first": "_ms", "tok_s": ""}
    return {
        name: {
            "predicted": row[f"predicted_{name}{unit}"],
            "actual": row[f"actual_{name}{unit}"],
            "error": row[f"{name}_error"],
        }
        for name, unit in units.items()
        if row[f"{name}_error"] is not None
    }


def accuracy_view(found: StoredAccuracy, **more: Any) -> dict[str, Any]:
    """Accuracy as it is answered."""
    return {
        "overall": _row(found.overall),
        "by": {name: [_row(row) for row in rows] for name, rows in found.by.items()},
        "learning": [_row(row) for row in found.learning],
        **more,
    }


def _row(row: AccuracyRow) -> dict[str, Any]:
    stages = {
        stage: {
            name: {**_errors(one.errors), "in_interval": one.in_interval}
            for name, one in metrics.items()
        }
        for stage, metrics in row.stages.items()
    }
    return {"value": row.value, "levels": row.levels, "tasks": row.tasks, "stages": stages}


def _errors(errors: Errors) -> dict[str, Any]:
    within = {f"{limit:g}": share for limit, share in errors.within.items()}
    return {**vars(errors), "within": within}
