"""From the learnt quantities of rows to the values that a search compares. All to be maximised."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from autotuner.config import LoadKind, LoadLevel
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
from autotuner.search.points import COST, OBJECTIVES, OperatingPoint
from autotuner.search.strategy import SearchState


@dataclass(frozen=True)
class Quantities:
    """Figures of rows, given their natural logarithms; shapes are those of the rows asked for.

    Attributes:
        ttft, tpot, tok_s, tail: of TTFT and TPOT in ms, of output tokens/s of the deployment, and
            of the 90th percentile of E2E latency over its mean.
        osl: mean output tokens of a request.
        usd_per_gpu_hour: price of a device for an hour; None where it is not known.
    """

    ttft: Floats
    tpot: Floats
    tok_s: Floats
    tail: Floats
    load: Floats
    kind: LoadKind
    gpus: Floats
    osl: Floats
    usd_per_gpu_hour: float | None = None

    @classmethod
    def of(cls, rows: Rows, at: Ints, residuals: Floats) -> Quantities:
        """Of the rows `at`, with residuals `... x 4`."""
        ttft, tpot, little, tail = np.moveaxis(rows.base[at] + residuals, -1, 0)
        return cls(
            ttft=ttft,
            tpot=tpot,
            tok_s=little - tpot * (rows.kind is LoadKind.CONCURRENCY) + np.log(rows.load[at]),
            tail=tail,
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

    def log(self, name: str) -> Floats:
        """Natural logarithm of the quantity that an objective or a limit is called by."""
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
            e2e_p90_ms=first("e2e_p90_ms"),
            usd_per_gpu_hour=self.usd_per_gpu_hour,
            requests_per_s=first("requests_per_s"),
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
    "e2e_p90_ms": lambda f: f.mean_e2e + f.tail,
    COST: _usd,
}
"""Every objective follows from what is learnt of a row."""


@dataclass(frozen=True)
class MeasuredHistory:
    """The history of a search by rows.

    Attributes:
        measured: rows with a point, and their residuals.
        e2e: logarithms of the measured 90th percentiles of E2E latency in ms: `m`.
        tried: rows that ran or failed. ran: which of them ran.
    """

    measured: Measured
    e2e: Floats
    tried: Ints
    ran: Bools

    def as_measured(self, rows: Rows, residuals: Floats) -> Floats:
        """`n x 4` residuals with those of `tail` under which measured rows have the 90th percentile
        that was measured, whatever is expected of their TTFT and TPOT."""
        at, found = self.measured.rows, residuals.copy()
        mean = Quantities.of(rows, at, residuals[at]).mean_e2e
        found[at, _TAIL] = self.e2e - mean - rows.base[at, _TAIL]
        return found


_TAIL = QUANTITIES.index("tail")


def measured_history(state: SearchState, rows: Rows) -> MeasuredHistory:
    """The history of a search as rows. A failed launch without levels failed at all of them."""
    index = rows.index()
    measured: list[int] = []
    logs: list[tuple[float, ...]] = []
    failed: list[int] = []
    for outcome in state.history:
        for point in outcome.points:
            row = index[outcome.candidate_id, point.load]
            pace = pace_ms(point.ttft_ms, point.tpot_ms)
            little = law_residual(point.tok_s, pace, point.load)
            tail = point.e2e_p90_ms / e2e_ms(point.ttft_ms, point.tpot_ms, rows.osl[row])
            figures = (point.ttft_ms, pace, little, tail)
            if all(1e-9 < figure < 1e12 for figure in figures):
                measured.append(row)
                logs.append((*map(math.log, figures), math.log(point.e2e_p90_ms)))
        every = [level for candidate, level in index if candidate == outcome.candidate_id]
        lost = every if outcome.status == "failed" else outcome.failed_levels
        failed.extend(
            index[outcome.candidate_id, level]
            for level in lost
            if (outcome.candidate_id, level) in index
        )
    at = np.array(measured, dtype=np.int64)
    found = np.array(logs).reshape(-1, len(QUANTITIES) + 1)
    return MeasuredHistory(
        Measured(at, found[:, :-1] - rows.base[at]),
        found[:, -1],
        np.array([*measured, *failed], dtype=np.int64),
        np.array([True] * len(measured) + [False] * len(failed), dtype=bool),
    )
