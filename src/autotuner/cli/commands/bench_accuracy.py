"""`autotuner bench accuracy`: on publicly measured rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from autotuner.cli.home import state_folder
from autotuner.cli.output import err, out, print_json
from autotuner.config import nearest
from autotuner.errors import AutotunerError
from autotuner.evaluate.accuracy import CHOICES, PRIORS, Accuracy, CurvePoint, accuracy
from autotuner.predict.combined import best_of_both
from autotuner.tuning.forecast import PREDICTION_CACHE
from autotuner.verify.predicted_rows import DIMENSIONS
from autotuner.verify.silicon import MeasuredTable, silicon_rows

_HEADINGS = (
    *("after launches", "TTFT error", "TPOT error", "TTFT, by group", "TPOT, by group"),
    *("in TTFT interval", "in TPOT interval"),
)


def chosen_by(only: str | None) -> dict[str, str]:
    """`--only model=…,system=…,backend=…` as a mapping.

    Raises:
        AutotunerError: another name, or no value.
    """
    found = {}
    for word in (only or "").split(","):
        name, equals, value = word.partition("=")
        if not word:
            continue
        if name not in DIMENSIONS or not equals or not value:
            hint = nearest(name, list(DIMENSIONS)) if name not in DIMENSIONS else "give a value"
            raise AutotunerError(
                f"--only {word!r}: {hint}", remedy="write model=…,system=…,backend=…"
            )
        found[name] = value
    return found


def bench_accuracy(
    *, only: str | None, seeds: int, home: Path | None, as_json: bool, markdown: bool
) -> int:
    """Prints coverage and the calibration curve."""
    filters = chosen_by(only)
    table = silicon_rows()
    predictor = best_of_both(cache=state_folder(home) / PREDICTION_CACHE)
    err().print(f"predicting {len(table.rows)} measured rows with {escape(predictor.name)}")
    found = accuracy(table, predictor, only=filters, seeds=seeds)
    if as_json:
        print_json(document(found, table, predictor.name))
    elif markdown:
        print(markdown_text(found, table, predictor.name))
    else:
        _print(found, table)
    return 0


def document(found: Accuracy, table: MeasuredTable, predictor: str) -> dict[str, Any]:
    """Document of `--json`: shares, not percent. `curve` holds the launches that were chosen."""
    curves = {
        choice: [dataclasses.asdict(point) for point in found.curve if point.choice == choice]
        for choice in CHOICES
    }
    return {
        "predictor": predictor,
        "coverage": found.coverage,
        "rows": found.rows,
        "excluded": dict(table.excluded),
        "relabelled": table.relabelled,
        "with_recipe": table.with_recipe,
        "answered_by": dict(found.answered_by),
        "refused": dict(found.refused),
        "base": dict(found.base),
        "by_engine": {engine: dict(errors) for engine, errors in found.by_engine.items()},
        "groups": found.groups,
        "launches": found.launches,
        "curve": curves["chosen"],
        "random_curve": curves["random"],
    }


def _cells(point: CurvePoint) -> list[str]:
    shares = (
        *(point.ttft_median_ape, point.tpot_median_ape),
        *(point.ttft_group_ape, point.tpot_group_ape),
        *(point.ttft_interval_coverage, point.tpot_interval_coverage),
    )
    return [str(point.launches), *(f"{100 * share:.1f} %" for share in shares)]


def _sections(found: Accuracy) -> list[tuple[str, Sequence[CurvePoint]]]:
    return [
        (
            f"{PRIORS[prior]}; launches {CHOICES[choice]}",
            [p for p in found.curve if (p.prior, p.choice) == (prior, choice)],
        )
        for prior in PRIORS
        for choice in CHOICES
    ]


def _facts(found: Accuracy, table: MeasuredTable) -> list[str]:
    base = ", ".join(f"{name.upper()} {100 * ape:.1f} %" for name, ape in found.base.items())
    answered = sorted(_families(found).items(), key=lambda item: -item[1])
    return [
        f"{found.rows} measured operating points, {100 * found.coverage:.1f} % of them predicted",
        "answered by: " + ", ".join(f"{name} {count}" for name, count in answered),
        f"median error before calibration: {base}",
        f"{found.groups} groups with 10 launches or more, {found.launches} launches",
        *(f"{count} rows left out: {why}" for why, count in table.excluded.items()),
        f"{table.relabelled} rows count their GPUs twice and are read as their ids say",
        f"{table.with_recipe} rows have settings that their launch scripts say",
    ]


def _families(found: Accuracy) -> dict[str, int]:
    """Rows by what answered, versions and modes put together."""
    families: dict[str, int] = {}
    for source, count in found.answered_by.items():
        name = "mean of both" if source.startswith("mean of") else "roofline alone"
        families[name] = families.get(name, 0) + count
    return families


def _print(found: Accuracy, table: MeasuredTable) -> None:
    for line in _facts(found, table):
        out().print(escape(line), soft_wrap=True)
    for title, points in _sections(found):
        shown = Table(box=None, padding=(0, 2, 0, 0), title=title, title_justify="left")
        for heading in _HEADINGS:
            shown.add_column(heading, justify="right")
        for point in points:
            shown.add_row(*_cells(point))
        out().print()
        out().print(shown)


def markdown_text(found: Accuracy, table: MeasuredTable, predictor: str) -> str:
    """The generated part of docs/accuracy.md."""
    lines = [f"Predictor: {predictor}.", "", *(f"- {line}" for line in _facts(found, table)), ""]
    lines += ["| engine | TTFT error | TPOT error |", "|---|---|---|"]
    lines += [
        f"| {engine} | {100 * errors['ttft']:.1f} % | {100 * errors['tpot']:.1f} % |"
        for engine, errors in found.by_engine.items()
    ]
    for title, points in _sections(found):
        lines += ["", f"**{title[0].upper()}{title[1:]}**", ""]
        lines += [f"| {' | '.join(_HEADINGS)} |", f"|{'---|' * len(_HEADINGS)}"]
        lines += [f"| {' | '.join(_cells(point))} |" for point in points]
    return "\n".join(lines)
