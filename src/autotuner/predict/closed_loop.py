"""A closed loop: `concurrency` users, each sending the next request when the last is answered.

Little's law (J. D. C. Little, "A Proof for the Queuing Formula: L = lambda W", Operations Research
9(3), 1961) ties the figures: requests in flight = requests/s x E2E latency. So throughput follows
from latency, and the wait of users who find no free slot from the throughput of those who have one.

Where a loop settles: prompts of some users slow down the tokens of the others. The engine is a
queue of prompts, and decoding is where users stay between two prompts: a closed network of one
station and one delay. In a round of one user every other user brings one prompt, so throughput,
TTFT and TPOT follow from one number, the share of time in which a prompt is computed. It is solved
for between bounds, since more of it always means more work done; in logarithms, where the curve is
nearly a line.

Sources: what an arriving user meets is the loop without itself (M. Reiser, S. S. Lavenberg,
"Mean-Value Analysis of Closed Multichain Queuing Networks", JACM 27(2), 1980), here with
Schweitzer's (n - 1) / n; a service under way has half its time left (Pollaczek-Khinchine, constant
service). Prompts and decoding in one step: A. Agrawal et al., "Sarathi-Serve", OSDI 2024; one after
the other: W. Kwon et al., "PagedAttention", SOSP 2023.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from autotuner.config import LoadKind, LoadLevel


def e2e_ms(ttft_ms: float, tpot_ms: float | None, osl: float) -> float:
    """Mean end-to-end latency: TTFT + (OSL - 1) x TPOT; without TPOT the first token ends it."""
    return ttft_ms + max(osl - 1, 0.0) * (tpot_ms or 0.0)


def tok_s_per_user(tpot_ms: float | None) -> float | None:
    """Speed that one user sees, in output tokens/s: 1000 / TPOT; None where there is no TPOT."""
    return 1000 / tpot_ms if tpot_ms else None


def tok_s(concurrency: float, ttft_ms: float, tpot_ms: float | None, osl: float) -> float:
    """Output tokens per second by Little's law: concurrency x OSL / E2E."""
    return 1000 * concurrency * osl / e2e_ms(ttft_ms, tpot_ms, osl)


def requests_in_flight(load: LoadLevel, latency_ms: float) -> float:
    """Mean requests in flight: as given, or rate x E2E latency."""
    return load.value if load.kind is LoadKind.CONCURRENCY else load.value * latency_ms / 1000


def tok_s_under(load: LoadLevel, ttft_ms: float, tpot_ms: float | None, osl: float) -> float:
    """Output tokens/s of a deployment that keeps up with the load."""
    if load.kind is LoadKind.RATE:
        return load.value * osl
    return tok_s(load.value, ttft_ms, tpot_ms, osl)


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


_EXACT = 1e-9
_MOST_TURNS = 60


@dataclass(frozen=True)
class Loop:
    """A closed loop on one replica, all of its users served.

    Attributes:
        users: requests in flight.
        group: prompts that come at the same time, 1 to `users`.
        later_tokens: output tokens after the first.
        tokens_per_step: of a decoding sequence; above 1 where drafts are accepted.
        mixes: a step holds a chunk of a prompt and decodes all others.
        prompts_a_step: prompts that a step holds; below 1 where one is cut into chunks.
        decode_s: seconds of a step that decodes so many sequences.
        prompts_s: seconds in which so many prompts are computed beside so many sequences.
        rounds: requests of a user in a run that starts with all users at once; may be infinite.
    """

    users: float
    group: float
    later_tokens: float
    tokens_per_step: float
    mixes: bool
    prompts_a_step: float
    decode_s: Callable[[float], float]
    prompts_s: Callable[[float, float], float]
    rounds: float = math.inf


@dataclass(frozen=True)
class Settled:
    """Means over requests, in seconds.

    Attributes:
        decoding: sequences that decode at a time.
        tpot_in_prompts: share of TPOT that passes in steps with prompts.
        ttft_in_decoding: share of TTFT that passes in steps without, before the prompt's turn.
    """

    ttft_s: float
    tpot_s: float
    decoding: float
    tpot_in_prompts: float
    ttft_in_decoding: float


def settle(loop: Loop) -> Settled:
    """Means over a run: its first round, when all prompts come at once, and the steady state.

    Whichever way a round's prompts are spread over it, it holds the same work: a longer wait for
    the first token is made up for by fewer interruptions later.
    """
    steady = _steady(loop)
    first_s = loop.prompts_s(loop.users, loop.users / 2) * _first_token_share(loop, loop.users)
    share = 1 / loop.rounds
    ttft_s = (1 - share) * steady.ttft_s + share * max(first_s, steady.ttft_s)
    if loop.later_tokens < 1:
        return replace(steady, ttft_s=ttft_s)
    saved_s = (ttft_s - steady.ttft_s) / loop.later_tokens
    undisturbed_s = loop.decode_s(steady.decoding) / loop.tokens_per_step
    return replace(
        steady,
        ttft_s=ttft_s,
        tpot_s=max(steady.tpot_s - saved_s, min(undisturbed_s, steady.tpot_s)),
    )


def _steady(loop: Loop) -> Settled:
    """Users = throughput x (TTFT + later tokens x TPOT)."""
    groups = loop.users / loop.group

    def round_in_services(busy: float) -> tuple[float, Settled, float]:
        service, state = _at(loop, busy)
        return (state.ttft_s + loop.later_tokens * state.tpot_s) * busy / service, state, service

    asked, state, service = round_in_services(1.0)
    if asked < groups:
        # Prompts alone fill the time: whoever does not decode waits for its turn.
        waiting_s = groups * service - loop.later_tokens * state.tpot_s
        return replace(state, ttft_s=waiting_s, ttft_in_decoding=0.0)

    def excess(log_busy: float) -> float:
        return math.log(round_in_services(math.exp(log_busy))[0] / groups)

    at_one = math.log(asked / groups)
    # A group that meets no other has a round in proportion to `busy`: this guess is exact then.
    log_busy = _rising_zero(excess, guess=-at_one, high=0.0, at_high=at_one)
    return round_in_services(math.exp(log_busy))[1]


def _rising_zero(
    function: Callable[[float], float], *, guess: float, high: float, at_high: float
) -> float:
    """Where a rising function that is `at_high` > 0 at `high` is zero.

    By false position in the Illinois form (M. Dowell, P. Jarratt, "A Modified Regula Falsi Method",
    BIT 11, 1971): the value at an end that stays is halved, so that both ends come nearer.
    """
    low, at_low = guess, function(guess)
    while at_low > _EXACT:
        high, at_high, low = low, at_low, low - 1
        at_low = function(low)
    middle, value, kept = low, at_low, 0.0
    for _ in range(_MOST_TURNS):
        if abs(value) <= _EXACT:
            break
        middle = (low * at_high - high * at_low) / (at_high - at_low)
        value = function(middle)
        if value < 0:
            low, at_low = middle, value
            at_high *= 0.5 if kept < 0 else 1.0
        else:
            high, at_high = middle, value
            at_low *= 0.5 if kept > 0 else 1.0
        kept = value
    return middle


def _at(loop: Loop, busy: float) -> tuple[float, Settled]:
    """Seconds of a group's prompts, and the state, if prompts took `busy` of the time."""
    groups = loop.users / loop.group
    met = busy * (groups - 1) / groups
    turns = (1 - met / 2) / (1 - met)
    decoding = max(loop.users - loop.group * met * turns, min(1.0, loop.users))
    service, step = loop.prompts_s(loop.group, decoding), loop.decode_s(decoding)
    own_s = service * _first_token_share(loop, loop.group)
    if loop.mixes:
        mixed = service / max(loop.group / loop.prompts_a_step, 1.0)
        between = 1 / (met / mixed + (1 - met) / step)
        # While the rest of the own group is computed, a step brings one token too.
        rest_s, later = service - own_s, max(loop.later_tokens, 1.0)
        between = (max(later - rest_s / mixed, 0.0) * between + rest_s) / later
    else:
        # Who is through waits for the rest of the group.
        between = step / (1 - met) + (service - own_s) / max(loop.later_tokens, 1.0)
    under_way_s = (groups - 1) / groups * step / 2
    tpot_s = between / loop.tokens_per_step
    ttft_s = service * (turns - 1) + own_s + under_way_s
    return service, Settled(ttft_s, tpot_s, decoding, met, under_way_s / ttft_s)


def _first_token_share(loop: Loop, prompts: float) -> float:
    """Mean share of the time for so many prompts after which one is through, first come first.

    Prompts of one step are through together; the i-th of m steps ends after i / m of the time.
    """
    ends = max(min(prompts / loop.prompts_a_step, prompts), 1.0)
    return (1 + 1 / ends) / 2
