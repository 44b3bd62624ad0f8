"""Where a closed loop settles: prompts of some users slow down the tokens of the others. Pure.

The engine is a queue of prompts, and decoding is where users stay between two prompts: a closed
network of one station and one delay. In a round of one user every other user brings one prompt, so
throughput, TTFT and TPOT follow from one number, the share of time in which a prompt is computed.
It is solved for by bisection, since more of it always means more work done.

Sources: Little's law; what an arriving user meets is the loop without itself (M. Reiser, S. S.
Lavenberg, "Mean-Value Analysis of Closed Multichain Queuing Networks", JACM 27(2), 1980), here with
Schweitzer's (n - 1) / n; a service under way has half its time left (Pollaczek-Khinchine, constant
service). Prompts and decoding in one step: A. Agrawal et al., "Sarathi-Serve", OSDI 2024; one after
the other: W. Kwon et al., "PagedAttention", SOSP 2023.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_BISECTIONS = 40


@dataclass(frozen=True)
class Loop:
    """A closed loop on one replica, all of its users served.

    Attributes:
        users: requests in flight.
        group: prompts that come at the same time and are computed together, 1 to `users`.
        later_tokens: output tokens after the first.
        tokens_per_step: of a decoding sequence; above 1 where drafts are accepted.
        mixes: a step holds a chunk of a prompt and decodes all others.
        chunks: steps that a group's prompts take.
        decode_s: seconds of a step that decodes so many sequences.
        prompts_s: seconds in which a group's prompts are computed beside so many sequences.
    """

    users: float
    group: float
    later_tokens: float
    tokens_per_step: float
    mixes: bool
    chunks: float
    decode_s: Callable[[float], float]
    prompts_s: Callable[[float], float]


@dataclass(frozen=True)
class Settled:
    """Means over requests, in seconds; `decoding`: sequences that decode at a time."""

    ttft_s: float
    tpot_s: float
    decoding: float


def settle(loop: Loop) -> Settled:
    """The steady state: users = throughput x (TTFT + later tokens x TPOT)."""
    groups = loop.users / loop.group

    def round_in_services(busy: float) -> tuple[float, Settled, float]:
        service, state = _at(loop, busy)
        return (state.ttft_s + loop.later_tokens * state.tpot_s) * busy / service, state, service

    low, high = 0.0, 1.0
    asked, state, service = round_in_services(high)
    if asked < groups:
        # Prompts alone fill the time: whoever does not decode waits for its turn.
        waiting_s = groups * service - loop.later_tokens * state.tpot_s
        return Settled(waiting_s, state.tpot_s, state.decoding)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        asked, state, _ = round_in_services(middle)
        low, high = (middle, high) if asked < groups else (low, middle)
    return state


def _at(loop: Loop, busy: float) -> tuple[float, Settled]:
    """Seconds of a group's prompts, and the state, if prompts took `busy` of the time."""
    groups = loop.users / loop.group
    met = busy * (groups - 1) / groups
    turns = (1 - met / 2) / (1 - met)
    decoding = max(loop.users - loop.group * met * turns, min(1.0, loop.users))
    service, step = loop.prompts_s(decoding), loop.decode_s(decoding)
    if loop.mixes:
        mixed = service / loop.chunks
        between = 1 / (met / mixed + (1 - met) / step)
    else:
        between = step / (1 - met)
    under_way_s = (groups - 1) / groups * step / 2
    tpot_s = between / loop.tokens_per_step
    return service, Settled(service * turns + under_way_s, tpot_s, decoding)
