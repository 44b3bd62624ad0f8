"""Replays cases in several processes."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from autotuner.evaluate.baselines import contender
from autotuner.evaluate.search_cases import Case, Scores, Subject, scored
from autotuner.search import Strategy


@dataclass
class Worker:
    """Replays cases in one process; strategies are made once, as an oracle's truth is costly."""

    subjects: Sequence[Subject]
    strategies: dict[tuple[int, str], Strategy] = field(default_factory=dict)

    def scored(self, case: Case) -> Scores:
        """One case."""
        key, subject = (case.subject, case.strategy), self.subjects[case.subject]
        if key not in self.strategies:
            self.strategies[key] = contender(case.strategy, subject.landscape)
        return scored(subject, case, self.strategies[key])


def run_cases(
    subjects: Sequence[Subject], cases: Sequence[Case], *, jobs: int = 1
) -> Iterator[tuple[Case, Scores]]:
    """Replays every case, in the order given; with one job in this process, else in `jobs` others.

    Each of several has one thread for linear algebra, so that they do not slow each other.
    """
    if jobs == 1:
        worker = Worker(subjects)
        yield from ((case, worker.scored(case)) for case in cases)
        return
    context = multiprocessing.get_context("spawn")
    with (
        one_thread(),
        ProcessPoolExecutor(jobs, context, _begin, (subjects,)) as pool,
    ):
        yield from zip(cases, pool.map(_scored, cases), strict=True)


@contextmanager
def one_thread() -> Iterator[None]:
    """Processes started meanwhile use one thread each for linear algebra."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


_worker = Worker(())


def _begin(subjects: Sequence[Subject]) -> None:
    global _worker  # the only state that a pool's initializer can leave to its calls
    _worker = Worker(subjects)


def _scored(case: Case) -> Scores:
    return _worker.scored(case)
