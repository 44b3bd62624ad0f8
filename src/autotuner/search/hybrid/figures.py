"""From the learnt quantities of rows to the values that a search compares. All to be maximised."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from autotuner.search.hybrid.residuals import Measured
from autotuner.search.hybrid.rows import NO_TPOT_MS, Bools, Floats, Ints, Rows
from autotuner.search.strategy import SearchState


@dataclass(frozen=True)
class Figures:
    """Figures of rows, given their logarithms; shapes are those of the rows asked for.

    Attributes:
        ttft, tpot, tok_s: natural logarithms, of ms and of tokens/s of the deployment.
    """

    ttft: Floats
    tpot: Floats
    tok_s: Floats
    concurrency: Floats
    gpus: Floats

    @classmethod
    def of(cls, rows: Rows, at: Ints, residuals: Floats) -> Figures:
        """Of the rows `at`, with residuals `... x 3`."""
        logs = rows.base[at] + residuals
        tok_s = logs[..., 2] - logs[..., 1] + np.log(rows.concurrency[at])
        return cls(logs[..., 0], logs[..., 1], tok_s, rows.concurrency[at], rows.gpus[at])

    @property
    def e2e(self) -> Floats:
        """Logarithm of the end-to-end latency in ms: by Little's law, concurrency / rate."""
        return np.asarray(math.log(1000) + np.log(self.concurrency) - self.tok_s)

    def values(self, objectives: tuple[str, ...]) -> Floats:
        """`... x d`: rates as they are, latencies and costs as minus their logarithms."""
        return np.stack([_VALUES[name](self) for name in objectives], axis=-1)

    def within(self, slo: Mapping[str, float]) -> Bools:
        """Whether each meets every limit."""
        return np.asarray(self.excess(slo) <= 0)

    def excess(self, slo: Mapping[str, float]) -> Floats:
        """By what logarithm the limit missed most is missed; not above 0 where all are met."""
        logs = {"ttft_ms": self.ttft, "tpot_ms": self.tpot, "e2e_p90_ms": self.e2e}
        missed = [logs[name] - math.log(limit) for name, limit in slo.items()]
        return np.max(missed, axis=0) if missed else np.full(self.ttft.shape, -np.inf)


_VALUES: Mapping[str, Callable[[Figures], Floats]] = {
    "tok_s_per_gpu": lambda f: np.exp(f.tok_s) / f.gpus,
    "tok_s": lambda f: np.exp(f.tok_s),
    # Up to the mean answer's length, which rows share.
    "requests_per_s_per_gpu": lambda f: np.exp(f.tok_s) / f.gpus,
    "requests_per_s": lambda f: np.exp(f.tok_s),
    "tok_s_per_user": lambda f: 1000 * np.exp(-f.tpot),
    "ttft_ms": lambda f: -f.ttft,
    "tpot_ms": lambda f: -f.tpot,
    "e2e_p90_ms": lambda f: -f.e2e,
    "usd_per_million_tokens": lambda f: f.tok_s - np.log(f.gpus),
}


@dataclass(frozen=True)
class Seen:
    """What the history tells of the rows.

    Attributes:
        measured: rows with a point, and their residuals.
        tried: rows that ran or failed. ran: which of them ran.
    """

    measured: Measured
    tried: Ints
    ran: Bools


def seen(state: SearchState, rows: Rows) -> Seen:
    """The history of a search as rows. A failed launch without levels failed at all of them."""
    index = rows.index()
    measured: list[int] = []
    logs: list[tuple[float, float, float]] = []
    failed: list[int] = []
    for outcome in state.history:
        for point in outcome.points:
            tpot_ms = point.tpot_ms or NO_TPOT_MS
            rest = point.tok_s * tpot_ms / point.concurrency
            figures = (point.ttft_ms, tpot_ms, rest)
            if all(1e-9 < figure < 1e12 for figure in figures):
                measured.append(index[outcome.candidate_id, point.concurrency])
                logs.append((math.log(figures[0]), math.log(figures[1]), math.log(rest)))
        every = [level for candidate, level in index if candidate == outcome.candidate_id]
        lost = every if outcome.status == "failed" else outcome.failed_levels
        failed.extend(
            index[outcome.candidate_id, level]
            for level in lost
            if (outcome.candidate_id, level) in index
        )
    at = np.array(measured, dtype=np.int64)
    residuals = np.array(logs).reshape(-1, 3) - rows.base[at]
    return Seen(
        Measured(at, residuals),
        np.array([*measured, *failed], dtype=np.int64),
        np.array([True] * len(measured) + [False] * len(failed), dtype=bool),
    )
