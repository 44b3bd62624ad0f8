"""Measured rows beside what a predictor says of them, and as a comparison."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotuner.config import LoadLevel, content_id, nearest
from autotuner.errors import AutotunerError, VerifyError
from autotuner.predict import Observation, Prediction, Predictions, Predictor, tok_s
from autotuner.predict.aiconfigurator.predictor import OTHER_FORMATS
from autotuner.predict.calibration_kernel import Place
from autotuner.predict.combined import answers
from autotuner.verify.compare import Comparison, Side, compare_pairs
from autotuner.verify.matching import pair_of
from autotuner.verify.points import Excluded, Point
from autotuner.verify.silicon import MeasuredRow, MeasuredTable

DIMENSIONS = ("model", "system", "backend")
"""By which rows may be chosen, as `MeasuredRow.group` has them."""


@dataclass(frozen=True)
class Judged:
    """A measured row beside its prediction, and the name of the predictor that made it."""

    row: MeasuredRow
    base: Prediction
    predictor: str = ""

    @property
    def measured(self) -> dict[str, float]:
        """`ttft` and `tpot` in ms."""
        return {"ttft": self.row.ttft_ms, "tpot": self.row.tpot_ms}

    @property
    def predicted(self) -> dict[str, float]:
        """`ttft` and `tpot` in ms."""
        return {"ttft": self.base.ttft_ms, "tpot": self.base.tpot_ms or math.nan}

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
            in_flight=self.row.concurrency,
            base_ttft_ms=self.base.ttft_ms,
            base_tpot_ms=self.base.tpot_ms,
            members=self.base.other_members,
        )


def chosen_rows(rows: Sequence[MeasuredRow], only: Mapping[str, str]) -> list[MeasuredRow]:
    """The rows whose `model`, `system` and `backend` are those of `only`, whatever their case.

    Raises:
        AutotunerError: no row has such a value (names the nearest), or none has them all.
    """
    for name, value in only.items():
        known = sorted({row.group[DIMENSIONS.index(name)] for row in rows})
        if value.lower() not in map(str.lower, known):
            raise AutotunerError(f"--only {name}={value}: {nearest(value, known)}")
    found = [
        row
        for row in rows
        if all(
            row.group[DIMENSIONS.index(name)].lower() == value.lower()
            for name, value in only.items()
        )
    ]
    if not found:
        filters = ",".join(f"{name}={value}" for name, value in only.items()) or "no filter"
        raise AutotunerError(f"--only {filters}: no measured row is left")
    return found


def judged_rows(
    rows: Sequence[MeasuredRow], predictor: Predictor
) -> tuple[list[Judged], dict[str, str]]:
    """Each row beside its prediction; id -> why of those that have none."""
    together: dict[Any, list[MeasuredRow]] = defaultdict(list)
    for row in rows:
        asked = row.scenario
        together[(*row.group, asked.engine_version, asked.isl, asked.osl)].append(row)
    judged: list[Judged] = []
    refused: dict[str, str] = {}
    for alike in together.values():
        candidates = {row.candidate.id: row.candidate for row in alike}
        levels = sorted({LoadLevel.concurrency(row.concurrency) for row in alike})
        parts = answers(predictor, alike[0].scenario, list(candidates.values()), levels)
        points = {
            (point.candidate_id, point.load): (point, part.predictor)
            for part in parts
            for point in part.points
        }
        for row in alike:
            found = points.get((row.candidate.id, LoadLevel.concurrency(row.concurrency)))
            if found is not None and found[0].tpot_ms is not None:
                judged.append(Judged(row, *found))
            else:
                refused[row.id] = _why(parts, row.candidate.id)
    return judged, refused


def compare_rows(
    table: MeasuredTable,
    predictor: Predictor,
    *,
    only: Mapping[str, str],
    within: Sequence[float],
    slo: Mapping[str, float],
) -> Comparison:
    """The measured rows against a predictor, as `verify dataset` shows it.

    Raises:
        AutotunerError: no row is left by `only`, or none is predicted.
    """
    rows = chosen_rows(table.rows, only)
    judged, refused = judged_rows(rows, predictor)
    if not judged:
        reasons = "; ".join(why for why, _ in Counter(refused.values()).most_common(3))
        raise VerifyError(f"none of the {len(rows)} rows is predicted: {reasons}")
    pairs = [pair_of(_predicted(one), _measured(one.row)) for one in judged]
    read = ["throughput follows from the measured latencies by Little's law"]
    read += [f"{count} rows left out: {why}" for why, count in table.excluded.items()]
    if table.relabelled:
        read.append(f"{table.relabelled} rows count their GPUs twice and are read as their ids say")
    if table.with_recipe:
        read.append(f"{table.with_recipe} rows have settings that their launch scripts say")
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


def row_observations(
    judged: Sequence[Judged], *, source: str, origin: str = "", licence: str = ""
) -> tuple[Observation, ...]:
    """Measured rows as what calibration learns from; throughput that no row has by Little's law."""
    return tuple(
        Observation(
            model=one.row.model,
            family=one.row.scenario.facts.architecture,
            engine=one.row.scenario.engine,
            engine_version=one.row.scenario.engine_version,
            device=one.row.scenario.device,
            devices=one.base.devices,
            settings=one.row.candidate.settings(),
            isl=one.row.scenario.isl,
            osl=one.row.scenario.osl,
            load=LoadLevel.concurrency(one.row.concurrency),
            ttft_ms=one.row.ttft_ms,
            tpot_ms=one.row.tpot_ms,
            tok_s=_tok_s(one.row),
            base=one.predictor,
            base_ttft_ms=one.base.ttft_ms,
            base_tpot_ms=one.base.tpot_ms,
            members=one.base.other_members,
            launch=content_id(list(one.row.launch)),
            tool=one.row.tool,
            source=source,
            origin=origin,
            licence=licence,
        )
        for one in judged
    )


def _why(parts: Sequence[Predictions], candidate_id: str) -> str:
    if any(candidate_id in part.out_of_memory for part in parts):
        return "predicted not to fit, and it did"
    reasons = (part.refused[candidate_id] for part in parts if candidate_id in part.refused)
    return next(reasons, "no answer for this load, or no TPOT, since every answer has one token")


def _tok_s(row: MeasuredRow) -> float:
    return row.tok_s or tok_s(row.concurrency, row.ttft_ms, row.tpot_ms, row.scenario.osl)


def _measured(row: MeasuredRow) -> Point:
    return Point(
        load=LoadLevel.concurrency(row.concurrency),
        ttft_ms=row.ttft_ms,
        tpot_ms=row.tpot_ms,
        tok_s=_tok_s(row),
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
