"""Measured rows beside what a predictor says of them, and as a comparison."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotuner.predict import Prediction, Predictions, Predictor, tok_s
from autotuner.predict.aiconfigurator import OTHER_FORMATS
from autotuner.predict.likeness import Place
from autotuner.verify.compare import Comparison, Side, compare_pairs
from autotuner.verify.matching import pair_of
from autotuner.verify.points import Excluded, Point
from autotuner.verify.silicon import MeasuredRow, MeasuredTable

DIMENSIONS = ("model", "system", "backend")
"""By which rows may be chosen, as `MeasuredRow.group` has them."""


@dataclass(frozen=True)
class Judged:
    """A measured row beside its prediction."""

    row: MeasuredRow
    base: Prediction

    @property
    def measured(self) -> dict[str, float]:
        """`ttft` and `tpot` in ms."""
        return {"ttft": self.row.ttft_ms, "tpot": self.row.tpot_ms}

    @property
    def predicted(self) -> dict[str, float]:
        """`ttft` and `tpot` in ms."""
        return {"ttft": self.base.ttft_ms, "tpot": self.base.tpot_ms}

    def residual(self, quantity: str) -> float:
        """ln(measured / predicted)."""
        return math.log(self.measured[quantity] / self.predicted[quantity])

    @property
    def place(self) -> Place:
        """The row as calibration sees it."""
        scenario = self.row.scenario
        return Place(
            model=self.row.model,
            family=scenario.facts.architecture,
            engine=scenario.engine,
            device=scenario.device,
            launch=repr(self.row.launch),
            settings=self.row.candidate.settings(),
            isl=scenario.isl,
            osl=scenario.osl,
            concurrency=self.row.concurrency,
            base_ttft_ms=self.base.ttft_ms,
            base_tpot_ms=self.base.tpot_ms,
        )


def chosen_rows(rows: Sequence[MeasuredRow], only: Mapping[str, str]) -> list[MeasuredRow]:
    """The rows whose `model`, `system` and `backend` are those of `only`, whatever their case."""
    return [
        row
        for row in rows
        if all(
            row.group[DIMENSIONS.index(name)].lower() == value.lower()
            for name, value in only.items()
        )
    ]


def judged_rows(
    rows: Sequence[MeasuredRow], predictor: Predictor
) -> tuple[list[Judged], dict[str, str]]:
    """Each row beside its prediction; id -> why of those that have none."""
    together: dict[Any, list[MeasuredRow]] = defaultdict(list)
    for row in rows:
        together[(*row.group, row.scenario.isl, row.scenario.osl)].append(row)
    judged: list[Judged] = []
    refused: dict[str, str] = {}
    for alike in together.values():
        candidates = {row.candidate.id: row.candidate for row in alike}
        levels = sorted({row.concurrency for row in alike})
        answer = predictor.predict(alike[0].scenario, list(candidates.values()), levels)
        points = {(point.candidate_id, point.concurrency): point for point in answer.points}
        for row in alike:
            point = points.get((row.candidate.id, row.concurrency))
            if point is not None:
                judged.append(Judged(row, point))
            else:
                refused[row.id] = _why(answer, row.candidate.id)
    return judged, refused


def compare_rows(
    table: MeasuredTable,
    predictor: Predictor,
    *,
    only: Mapping[str, str],
    within: Sequence[float],
    slo: Mapping[str, float],
) -> Comparison:
    """The measured rows against a predictor, as `verify dataset` shows it."""
    rows = chosen_rows(table.rows, only)
    judged, refused = judged_rows(rows, predictor)
    pairs = [pair_of(_predicted(one), _measured(one.row)) for one in judged]
    read = ["throughput follows from the measured latencies by Little's law"]
    read += [f"{count} rows left out: {why}" for why, count in table.excluded.items()]
    if table.relabelled:
        read.append(f"{table.relabelled} rows count their GPUs twice and are read as their ids say")
    return compare_pairs(
        pairs,
        predicted=Side(
            name=predictor.name,
            format="predictor",
            points=len(judged),
            excluded=(),
            unmatched=(),
            not_used={},
            notes=(f"{len(judged)} of {len(rows)} rows are predicted",),
        ),
        actual=Side(
            name=table.source,
            format="silicon",
            points=len(rows),
            excluded=(),
            unmatched=tuple(Excluded(key, why) for key, why in refused.items()),
            not_used={},
            notes=tuple(read),
        ),
        title=f"{predictor.name} against the measured rows of {table.source}",
        within=within,
        slo=slo,
    )


def _why(answer: Predictions, candidate_id: str) -> str:
    memory = answer.out_of_memory.get(candidate_id)
    if memory is not None:
        return "predicted not to fit, and it did"
    return answer.refused.get(candidate_id, "no answer for this load")


def _measured(row: MeasuredRow) -> Point:
    return Point(
        concurrency=row.concurrency,
        ttft_ms=row.ttft_ms,
        tpot_ms=row.tpot_ms,
        tok_s=tok_s(row.concurrency, row.ttft_ms, row.tpot_ms, row.scenario.osl),
        gpus=row.scenario.devices(row.candidate),
        model=row.model,
        engine=row.scenario.engine,
        system=row.scenario.device,
        candidate=row.candidate.id,
        settings=row.candidate.settings(),
        isl=row.scenario.isl,
        osl=row.scenario.osl,
        source=row.id,
    )


def _predicted(one: Judged) -> Point:
    measured, point = _measured(one.row), one.base
    return Point(
        **{
            **vars(measured),
            "ttft_ms": point.ttft_ms,
            "tpot_ms": point.tpot_ms,
            "tok_s": point.tok_s,
            "source": point.source,
            # Waiting and fallbacks are part of the answer; other number formats are not like these.
            "remarks": (OTHER_FORMATS,) if OTHER_FORMATS in point.note else (),
        }
    )
