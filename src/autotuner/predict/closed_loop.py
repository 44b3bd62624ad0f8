"""A closed loop: `concurrency` users, each sending the next request when the last is answered.

Little's law (J. D. C. Little, "A Proof for the Queuing Formula: L = lambda W", Operations Research
9(3), 1961) ties the figures: requests in flight = requests/s x E2E latency. So throughput follows
from latency, and the wait of users who find no free slot from the throughput of those who have one.
"""

from __future__ import annotations


def e2e_ms(ttft_ms: float, tpot_ms: float | None, osl: float) -> float:
    """Mean end-to-end latency: TTFT + (OSL - 1) x TPOT; without TPOT the first token ends it."""
    return ttft_ms + max(osl - 1, 0.0) * (tpot_ms or 0.0)


def tok_s_per_user(tpot_ms: float | None) -> float | None:
    """Speed that one user sees, in output tokens/s: 1000 / TPOT; None where there is no TPOT."""
    return 1000 / tpot_ms if tpot_ms else None


def tok_s(concurrency: float, ttft_ms: float, tpot_ms: float | None, osl: float) -> float:
    """Output tokens per second by Little's law: concurrency x OSL / E2E."""
    return 1000 * concurrency * osl / e2e_ms(ttft_ms, tpot_ms, osl)


def ttft_with_waiting_ms(
    concurrency: float, slots: float, ttft_ms: float, tpot_ms: float, osl: float
) -> float:
    """Mean TTFT where only `slots` of `concurrency` users are served at a time.

    With all slots taken, slots / service time requests leave per ms, so a user's round takes
    concurrency / slots service times; all of it but the service is waiting.

    Args:
        ttft_ms, tpot_ms: of the engine with `slots` requests in flight.
    """
    if concurrency <= slots:
        return ttft_ms
    service = e2e_ms(ttft_ms, tpot_ms, osl)
    return ttft_ms + service * (concurrency / slots - 1)


def ttft_at_rate_ms(concurrency: float, requests_s: float, tpot_ms: float, osl: float) -> float:
    """Mean TTFT where no more than `requests_s` are served: what Little's law leaves for it.

    concurrency / requests_s is the mean time of a request; decoding takes its part, the rest is
    waiting for and doing prefill.
    """
    return 1000 * concurrency / requests_s - max(osl - 1, 0.0) * tpot_ms
