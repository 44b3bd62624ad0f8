"""From the learnt quantities of rows to the values that a search compares. All to be maximised."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from autotuner.config import PERCENTILES, LoadKind, LoadLevel
from autotuner.predict import e2e_ms, tok_s_per_user
from autotuner.search.hybrid.residuals import Measured
from autotuner.search.hybrid.rows import (
    QUANTITIES,
    Bools,
    Floats,
    Ints,
    Rows,
    law_residual,
    pace_ms,
)
from autotuner.search.points import COST, OBJECTIVES, OperatingPoint, quantity
from autotuner.search.strategy import SearchState


@dataclass(frozen=True)
class Quantities:
    """Figures of rows, given their natural logarithms; shapes are those of the rows asked for.

    Attributes:
        ttft, tpot, tok_s: of TTFT and TPOT in ms, and of output tokens/s of the deployment.
        tails: percentile that is asked for -> its logarithm less that of its mean.
        osl: mean output tokens of a request.
        usd_per_gpu_hour: price of a device for an hour; None where it is not known.
    """

    ttft: Floats
    tpot: Floats
    tok_s: Floats
    tails: Mapping[str, Floats]
    load: Floats
    kind: LoadKind
    gpus: Floats
    osl: Floats
    usd_per_gpu_hour: float | None = None

    @classmethod
    def of(cls, rows: Rows, at: Ints, residuals: Floats) -> Quantities:
        """Of the rows `at`, with residuals `... x q`."""
        ttft, tpot, little, *tails = np.moveaxis(rows.base[at] + residuals, -1, 0)
        return cls(
            ttft=ttft,
            tpot=tpot,
            tok_s=little - tpot * (rows.kind is LoadKind.CONCURRENCY) + np.log(rows.load[at]),
            tails=dict(zip(rows.tails, tails, strict=True)),
            load=rows.load[at],
            kind=rows.kind,
            gpus=rows.gpus[at],
            osl=rows.osl[at],
            usd_per_gpu_hour=rows.usd_per_gpu_hour,
        )

    @property
    def mean_e2e(self) -> Floats:
        """Logarithm of the mean end-to-end latency in ms; as `predict.closed_loop.e2e_ms`."""
        later = np.maximum(self.osl - 1, 0.0) * np.exp(self.tpot)
        return np.asarray(np.log(np.exp(self.ttft) + later))

    def mean(self, name: str) -> Floats:
        """Logarithm of the mean, in ms, that a percentile belongs to."""
        return {"ttft_ms": self.ttft, "tpot_ms": self.tpot}.get(
            PERCENTILES[name].mean, self.mean_e2e
        )

    def log(self, name: str) -> Floats:
        """Natural logarithm of the quantity that an objective or a limit is called by."""
        if name in PERCENTILES:
            usual = math.log(PERCENTILES[name].usual_ratio)
            return np.asarray(self.mean(name) + self.tails.get(name, usual))
        return _LOGS[name](self)

    def values(self, objectives: tuple[str, ...]) -> Floats:
        """`... x d`, to be maximised: rates as they are, others as minus their logarithms."""
        logs = ((OBJECTIVES[name].maximise, self.log(name)) for name in objectives)
        return np.stack([np.exp(log) if more else -log for more, log in logs], axis=-1)

    def within(self, slo: Mapping[str, float]) -> Bools:
        """Whether each meets every limit."""
        return np.asarray(self.excess(slo) <= 0)

    def excess(self, slo: Mapping[str, float]) -> Floats:
        """By what logarithm the limit missed most is missed; not above 0 where all are met."""
        missed = [self.log(name) - math.log(limit) for name, limit in slo.items()]
        return np.max(missed, axis=0) if missed else np.full(self.ttft.shape, -np.inf)

    def point(self, candidate: str) -> OperatingPoint:
        """The first row as an operating point."""

        def first(name: str) -> float:
            return float(np.exp(self.log(name)).flat[0])

        tpot_ms = first("tpot_ms") if self.osl.flat[0] > 1 else None
        return OperatingPoint(
            candidate_id=candidate,
            load=LoadLevel(self.kind, float(self.load.flat[0])),
            tok_s=first("tok_s"),
            tok_s_per_gpu=first("tok_s_per_gpu"),
            tok_s_per_user=tok_s_per_user(tpot_ms),
            ttft_ms=first("ttft_ms"),
            tpot_ms=tpot_ms,
            usd_per_gpu_hour=self.usd_per_gpu_hour,
            requests_per_s=first("requests_per_s"),
            **{  # type: ignore[arg-type]
                name: None if latency.mean == "tpot_ms" and tpot_ms is None else first(name)
                for name, latency in PERCENTILES.items()
            },
        )


def _usd(figures: Quantities) -> Floats:
    price = math.log((figures.usd_per_gpu_hour or math.nan) * 1e6 / 3600)
    return np.asarray(price - _per_gpu(figures))


def _per_gpu(figures: Quantities) -> Floats:
    return np.asarray(figures.tok_s - np.log(figures.gpus))


_LOGS: Mapping[str, Callable[[Quantities], Floats]] = {
    "tok_s_per_gpu": _per_gpu,
    "tok_s": lambda f: f.tok_s,
    "tok_s_per_user": lambda f: math.log(1000) - f.tpot,
    "requests_per_s": lambda f: f.tok_s - np.log(f.osl),
    "requests_per_s_per_gpu": lambda f: _per_gpu(f) - np.log(f.osl),
    "ttft_ms": lambda f: f.ttft,
    "tpot_ms": lambda f: f.tpot,
    COST: _usd,
}
"""Every objective follows from what is learnt of a row; see `Quantities.log` for percentiles."""


@dataclass(frozen=True)
class MeasuredHistory:
    """The history of a search by rows.

    Attributes:
        measured: rows with a point, and their residuals.
        percentiles: logarithms of those measured that the search asks for, in ms: `m x t`.
        tried: rows that ran or failed. ran: which of them ran.
    """

    measured: Measured
    percentiles: Floats
    tried: Ints
    ran: Bools

    def as_measured(self, rows: Rows, residuals: Floats) -> Floats:
        """`n x q` residuals with those of the tails under which measured rows have the percentiles
        that were measured, whatever is expected of their TTFT and TPOT."""
        at, found = self.measured.rows, residuals.copy()
        expected = Quantities.of(rows, at, residuals[at])
        for place, name in enumerate(rows.tails):
            column = len(QUANTITIES) + place
            ratios = self.percentiles[:, place] - expected.mean(name)
            found[at, column] = ratios - rows.base[at, column]
        return found


def measured_history(state: SearchState, rows: Rows) -> MeasuredHistory:
    """The history of a search as rows. A failed launch without levels failed at all of them."""
    index = rows.index()
    measured: list[int] = []
    logs: list[list[float]] = []
    failed: list[int] = []
    for outcome in (one for one in state.history if not one.is_not_its_own):
        for point in outcome.points:
            row = index[outcome.candidate_id, point.load]
            pace = pace_ms(point.ttft_ms, point.tpot_ms)
            little = law_residual(point.tok_s, pace, point.load)
            percentiles = [quantity(point, name) for name in rows.tails]
            ratios = [
                percentile / _mean_ms(point, name, rows.osl[row])
                for name, percentile in zip(rows.tails, percentiles, strict=True)
            ]
            figures = (point.ttft_ms, pace, little, *ratios)
            if all(1e-9 < figure < 1e12 for figure in figures):
                measured.append(row)
                logs.append([math.log(figure) for figure in (*figures, *percentiles)])
        every = [level for candidate, level in index if candidate == outcome.candidate_id]
        lost = every if outcome.status == "failed" else outcome.failed_levels
        failed.extend(
            index[outcome.candidate_id, level]
            for level in lost
            if (outcome.candidate_id, level) in index
        )
    at = np.array(measured, dtype=np.int64)
    learnt = len(rows.quantities)
    found = np.array(logs).reshape(-1, learnt + len(rows.tails))
    return MeasuredHistory(
        Measured(at, found[:, :learnt] - rows.base[at]),
        found[:, learnt:],
        np.array([*measured, *failed], dtype=np.int64),
        np.array([True] * len(measured) + [False] * len(failed), dtype=bool),
    )


def _mean_ms(point: OperatingPoint, name: str, osl: float) -> float:
    """The mean that a measured percentile belongs to."""
    mean = PERCENTILES[name].mean
    if mean == "e2e_ms":
        return e2e_ms(point.ttft_ms, point.tpot_ms, osl)
    return float(getattr(point, mean))
