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

from autotuner.measure.protocol import LevelPlan
from autotuner.measure.reply import Reply
from autotuner.measure.statistics import distribution

_ROUNDS = 6
"""Requests of each user before the first look: those that wait for each other come in rounds."""
_GROWTH = 1.5


def checkpoints(plan: LevelPlan) -> Iterator[int]:
    """Numbers of requests at which a level is looked at; each half as much again as the last."""
    count = max(plan.min_requests, _ROUNDS * plan.concurrency)
    while True:
        yield count
        count = math.ceil(count * _GROWTH)


def may_end(plan: LevelPlan, replies: Sequence[Reply]) -> bool:
    """Whether the replies say enough: the means are narrow, and each SLO is met or missed clearly.

    Args:
        replies: complete ones, in the order in which their requests began.
    """
    if plan.ci_width is None:
        return False
    ttft = distribution([reply.ttft_ms for reply in replies])
    e2e = distribution([reply.e2e_ms for reply in replies])
    for shown in (ttft, e2e):
        if shown is None or shown.ci95 is None or shown.ci95 > plan.ci_width * shown.mean:
            return False
    tpot = distribution([tpot for reply in replies if (tpot := reply.tpot_ms) is not None])
    measured = {"ttft_ms": ttft, "tpot_ms": tpot, "e2e_p90_ms": e2e}
    for name, limit in plan.slo_ms:
        shown = measured.get(name)
        low, high = shown.interval95(name) if shown else (None, None)
        if shown and (low is None or low <= limit) and (high is None or high > limit):
            return False
    return True
