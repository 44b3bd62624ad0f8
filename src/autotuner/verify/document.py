"""A comparison as the JSON document that is public, and as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from autotuner.verify.analysis import METRICS, Errors, Miss
from autotuner.verify.choice import Choice
from autotuner.verify.compare import Comparison, Side
from autotuner.verify.matching import Pair
from autotuner.verify.requirements import Verdict


def comparison_document(comparison: Comparison, verdicts: Sequence[Verdict] = ()) -> dict[str, Any]:
    """The whole comparison; errors and shares in percent. docs/json.md describes it."""
    return {
        "schema_version": 1,
        "title": comparison.title,
        "predicted": _side(comparison.predicted),
        "actual": _side(comparison.actual),
        "within": list(comparison.within),
        "slo": dict(comparison.slo),
        "metrics": _errors(comparison.errors),
        "unlike": comparison.unlike,
        "like_for_like": _errors(comparison.like_for_like),
        "by": {
            dimension: {value: _errors(told) for value, told in values.items()}
            for dimension, values in comparison.by.items()
        },
        "worst": {
            name: [_miss(miss) for miss in misses] for name, misses in comparison.worst.items()
        },
        "choices": [_choice(choice) for choice in comparison.choices],
        "pairs": pair_rows(comparison.pairs),
        "requirements": [
            {**asdict(verdict.requirement), "found": verdict.found, "met": verdict.met}
            for verdict in verdicts
        ],
    }


def pair_rows(pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    """One flat row a pair: what it is, both sides' figures, the error of each in percent."""
    rows = []
    for pair in pairs:
        row: dict[str, Any] = {**_place(pair)}
        for name, metric in METRICS.items():
            predicted, actual = metric.of(pair.predicted), metric.of(pair.actual)
            unit = "" if name == "tok_s" else f"_{metric.unit}"
            row[f"predicted_{name}{unit}"] = predicted
            row[f"actual_{name}{unit}"] = actual
            both = predicted is not None and actual is not None
            row[f"{name}_error"] = 100 * (predicted - actual) / actual if both else None  # type: ignore[operator]  # `both` says so
        row["like_for_like"] = pair.like_for_like
        row["unlike"] = "; ".join(pair.unlike)
        row["predicted_source"] = pair.predicted.source
        row["actual_source"] = pair.actual.source
        rows.append(row)
    return rows


def _place(pair: Pair) -> dict[str, Any]:
    told = {name: pair.told(name) for name in ("model", "engine", "system", "candidate")}
    return {
        **told,
        "layout": pair.label,
        **{name: pair.told(name) for name in ("gpus", "isl", "osl")},
        "concurrency": pair.actual.concurrency,
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "name": side.name,
        "format": side.format,
        "points": side.points,
        "excluded": [asdict(one) for one in side.excluded],
        "unmatched": [asdict(one) for one in side.unmatched],
        "not_used": dict(side.not_used or {}),
        "notes": list(side.notes),
    }


def _errors(found: Mapping[str, Errors]) -> dict[str, Any]:
    return {
        name: {
            "pairs": told.pairs,
            "missing": told.missing,
            "mape": told.mape,
            "median_ape": told.median_ape,
            "bias": told.bias,
            "spearman": told.spearman,
            "within": {f"{limit:g}": share for limit, share in told.within.items()},
        }
        for name, told in found.items()
    }


def _miss(miss: Miss) -> dict[str, Any]:
    place = _place(miss.pair)
    figures = {"predicted": miss.predicted, "actual": miss.actual, "error": miss.error}
    return {**place, **figures, "source": miss.pair.actual.source}


def _choice(choice: Choice) -> dict[str, Any]:
    plain = {
        name: getattr(choice, name)
        for name in (
            *("scenario", "points", "predicted_frontier", "actual_frontier", "common"),
            *("hypervolume_ratio", "same", "regret", "meets_slo"),
        )
    }
    return {**plain, "chosen": _place(choice.chosen), "best": _place(choice.best)}
