"""When a level may end before its limits, without a bias in what it shows.

A level that is looked at after every answer, and ends at the first narrow interval, ends on
samples that happen to be narrow, without the long requests that are still under way. So it is
looked at only at checkpoints that are fixed beforehand, on the first requests in the order in which
they began, all of them ended; and where it may end, it goes on to the next checkpoint with requests
that had no part in the decision.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autotuner.config import LATENCIES
from autotuner.measure.reply import Reply
from autotuner.measure.statistics import distribution

_ROUNDS = 6
"""Requests of each user before the first look: those that wait for each other come in rounds."""
_GROWTH = 1.5


@dataclass(frozen=True)
class StoppingRule:
    """How long a level measures: until `requests` are completed or `duration_s` are over.

    Where `ci_width` is given it may end earlier: when, at one of the checkpoints, the 95 % interval
    of both mean TTFT and mean E2E latency is narrower than `ci_width` times the mean on either
    side, and no limit of `slo_ms` lies inside the interval of its quantity. It then admits requests
    up to the next checkpoint, and counts all that it has admitted.

    Attributes:
        duration_s: from the first measured request; those that began within it are waited for.
        slo_ms: limits of means and percentiles, as in `LATENCIES`.
        min_requests: fewest before the first checkpoint.
    """

    requests: int
    duration_s: float
    ci_width: float | None = None
    slo_ms: tuple[tuple[str, float], ...] = ()
    min_requests: int = 32

    def checkpoints(self, users: int) -> Iterator[int]:
        """Numbers of requests at which a level is looked at; each half as much again as the last.

        Args:
            users: requests that wait for each other; 1 where none do.
        """
        count = max(self.min_requests, _ROUNDS * users)
        while True:
            yield count
            count = math.ceil(count * _GROWTH)

    def is_met(self, replies: Sequence[Reply]) -> bool:
        """Whether the means are narrow, and each SLO is met or missed clearly.

        Args:
            replies: complete ones, in the order in which their requests began.
        """
        if self.ci_width is None:
            return False
        ttft = distribution([reply.ttft_ms for reply in replies])
        e2e = distribution([reply.e2e_ms for reply in replies])
        for sample in (ttft, e2e):
            if sample is None or sample.ci95 is None or sample.ci95 > self.ci_width * sample.mean:
                return False
        tpot = distribution([tpot for reply in replies if (tpot := reply.tpot_ms) is not None])
        measured = {"ttft_ms": ttft, "tpot_ms": tpot, "e2e_ms": e2e}
        for name, limit in self.slo_ms:
            sample = measured[LATENCIES[name].mean]
            low, high = sample.interval95(name) if sample else (None, None)
            if sample and (low is None or low <= limit) and (high is None or high > limit):
                return False
        return True


class Admission:
    """Admission of requests to the sample of one level, as a `StoppingRule` has it.

    Attributes:
        wanted: requests of the sample, as things stand.
        is_narrow: whether the rule was met at a checkpoint.
        next_checkpoint: number of first requests that are looked at next; None where none are.
    """

    def __init__(self, rule: StoppingRule, users: int) -> None:
        self.rule = rule
        self.wanted = rule.requests
        self.is_narrow = False
        self._checkpoints = rule.checkpoints(users)
        self.next_checkpoint = None if rule.ci_width is None else next(self._checkpoints)

    def is_closed(self, admitted: int, elapsed_s: float) -> bool:
        """Whether no further request is measured: enough are, or the time is over."""
        return admitted >= self.wanted or elapsed_s >= self.rule.duration_s

    def is_due(self, ended: int) -> bool:
        """Whether so many ended requests reach the next checkpoint."""
        return (
            not self.is_narrow
            and self.next_checkpoint is not None
            and ended >= self.next_checkpoint
        )

    def pass_checkpoint(self) -> None:
        """Looks forward to the checkpoint after the next."""
        self.next_checkpoint = next(self._checkpoints)

    def close_at_checkpoint(self, admitted: int) -> bool:
        """Closes admission at the next checkpoint, as the rule was met; says whether it did.

        It leaves the limit as it is where that comes first.
        """
        if self.is_narrow or self.next_checkpoint is None:
            return False
        last = max(admitted, self.next_checkpoint)
        if last >= self.rule.requests:
            return False
        self.is_narrow, self.wanted = True, last
        return True
