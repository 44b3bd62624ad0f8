"""The book-keeping of one load level: which requests count, when it is over, what it shows."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

from autotuner.measure.disturbance import ClientWatch
from autotuner.measure.protocol import LevelPlan
from autotuner.measure.reply import Reply
from autotuner.measure.results import EndedBy, Measurement
from autotuner.measure.statistics import distribution
from autotuner.measure.stopping import checkpoints, may_end

ENGINE_DIED = "the engine died"
_FAILURES_END_LEVEL = 5

InBackground = Callable[[Callable[[], bool], Callable[[bool], None]], None]
"""Computes the first elsewhere and calls the second with its result, on the caller's thread."""


@dataclass(frozen=True, eq=False)
class Ticket:
    """A request under way. One that only warms up or keeps the load up has no `number`.

    `number` counts the measured requests in the order in which they begin, from 0.
    """

    began_s: float
    number: int | None


class Level:
    """Hands out tickets, collects replies, and sets `over` when the plan is fulfilled.

    Where requests warm up, others count once those have ended and all users are in flight.

    Args:
        on_progress: called with how many measured requests have ended, and how many are wanted.
        in_background: where looks at the sample are computed; at once where left out.
        clock: seconds, the clock of the replies.
    """

    def __init__(
        self,
        plan: LevelPlan,
        on_progress: Callable[[int, int], None],
        *,
        in_background: InBackground = lambda compute, then: then(compute()),
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.over = asyncio.Event()
        self.dropped_and_retried = 0
        self._plan = plan
        self._on_progress = on_progress
        self._in_background = in_background
        self._clock = clock
        self._warm = 0
        self._in_flight = 0
        self._all_have_begun = False
        self._began_s: float | None = None
        self._ended_s = 0.0
        self._wanted = plan.requests
        self._is_narrow = False
        self._given = 0
        self._under_way: set[int] = set()
        self._unread = self._arrived = 0
        self._unread_tickets: set[Ticket] = set()
        self._known = 0
        self._full: dict[int, Reply] = {}
        self._short: dict[int, Reply] = {}
        self._failed: set[int] = set()
        self._others: list[Reply] = []
        self._errors: Counter[str] = Counter()
        self._ended_by: EndedBy = "requests"
        self._looks = checkpoints(plan)
        self._next_look = next(self._looks) if plan.ci_width is not None else None

    def begin(self) -> Ticket:
        """A request starts now."""
        now_s = self._clock()
        self._in_flight += 1
        self._all_have_begun |= self._in_flight >= self._plan.concurrency
        first = self._plan.warmup_requests
        is_warm = not first or (self._all_have_begun and self._warm >= first)
        if not is_warm or self._closed(now_s):
            return Ticket(now_s, None)
        if self._began_s is None:
            self._began_s = now_s
        ticket = Ticket(now_s, self._given)
        self._under_way.add(self._given)
        self._given += 1
        self._unread += 1
        return ticket

    def arrived(self, ticket: Ticket) -> None:
        """The answer is complete; `end` says later what is in it."""
        if ticket in self._unread_tickets:
            return
        self._unread_tickets.add(ticket)
        self._in_flight -= 1
        if ticket.number is None:
            self._warm += 1
        else:
            self._under_way.discard(ticket.number)
            self._arrived += 1
            self._on_progress(self._arrived, self._wanted)

    @property
    def wants_reading(self) -> bool:
        """Whether something depends on answers that have arrived: the end of the level, a look at
        the sample, or whether the first ones have failed inside their streams."""
        is_due = self._next_look is not None and self._arrived >= self._next_look
        return self.has_arrived or is_due or self._arrived <= _FAILURES_END_LEVEL

    @property
    def has_arrived(self) -> bool:
        """Whether no request is left for which others have to keep the load up."""
        return self._closed(self._clock()) and not self._under_way

    def end(self, ticket: Ticket, wanted_tokens: int, result: Reply | str) -> None:
        """It has ended: with a reply, or with an error in words."""
        now_s = self._clock()
        number = ticket.number
        self._unread -= number is not None
        if isinstance(result, Reply):
            self.arrived(ticket)
        elif ticket not in self._unread_tickets:
            self._in_flight -= 1
        self._under_way.discard(-1 if number is None else number)
        self._unread_tickets.discard(ticket)
        if isinstance(result, str):
            self._errors[result] += 1
            self._ended_s = max(self._ended_s, now_s)
            if number is not None:
                self._failed.add(number)
        elif number is None:
            self._others.append(result)
        else:
            self._ended_s = max(self._ended_s, result.ended_s)
            short = result.output_tokens < wanted_tokens
            (self._short if short else self._full)[number] = result
        self._look()
        self._judge(now_s)

    def left_unfinished(self, result: Reply | str) -> None:
        """What had come of a request that only kept the load up, when the level was over."""
        if isinstance(result, Reply):
            self._others.append(result)

    def measurement(self, watch: ClientWatch, *, engine_alive: bool) -> Measurement:
        """What the level shows. Requests in flight when the engine died have failed."""
        errors = Counter(self._errors)
        if not engine_alive and self._unread:
            errors[ENGINE_DIED] += self._unread
        failed = errors.total()
        full = self._in_order(self._full)
        replies = [*full, *self._in_order(self._short)]
        duration_s = max(self._ended_s - (self._began_s or self._ended_s), 0.0)
        tok_s = self._tokens_arrived() / duration_s if duration_s > 0 else 0.0
        output_tokens = sum(reply.output_tokens for reply in replies)
        ttft_ms = distribution([reply.ttft_ms for reply in full])
        tpots_ms = [tpot for reply in full if (tpot := reply.tpot_ms) is not None]
        at_once = bool(tpots_ms) and max(tpots_ms) <= 0
        return Measurement(
            concurrency=self._plan.concurrency,
            duration_s=duration_s,
            requests_completed=len(replies),
            requests_failed=failed,
            requests_short=len(self._short),
            ended_by="failed" if failed else self._ended_by,
            valid=not failed and bool(full) and engine_alive,
            tok_s=tok_s,
            requests_s=tok_s * len(replies) / output_tokens if output_tokens else 0.0,
            input_tokens=sum(reply.input_tokens or 0 for reply in replies),
            output_tokens=output_tokens,
            ttft_ms=ttft_ms,
            tpot_ms=None if at_once else distribution(tpots_ms),
            itl_ms=distribution(list(chain.from_iterable(reply.itl_ms() for reply in full))),
            e2e_ms=distribution([reply.e2e_ms for reply in full]),
            errors=dict(errors),
            client_cpu_share=watch.cpu_share,
            client_lag_ms=watch.lag_ms,
            client_worst_lag_ms=watch.worst_lag_ms,
            client_bottleneck=watch.is_bottleneck(ttft_ms.mean if ttft_ms else None),
            note=self._note(replies, at_once=at_once),
        )

    def _in_order(self, replies: dict[int, Reply]) -> list[Reply]:
        return [replies[number] for number in sorted(replies)]

    def _closed(self, now_s: float) -> bool:
        """Whether no further request is measured: enough are, or the time is over."""
        return self._given >= self._wanted or self._time_is_over(now_s)

    def _time_is_over(self, now_s: float) -> bool:
        began_s = self._began_s
        return began_s is not None and now_s - began_s >= self._plan.duration_s

    def _judge(self, now_s: float) -> None:
        if self._errors.total() >= _FAILURES_END_LEVEL or ENGINE_DIED in self._errors:
            self._finish("failed")
        elif self._closed(now_s) and self._unread == 0:
            if self._given < self._wanted:
                self._finish("time")
            else:
                self._finish("interval" if self._is_narrow else "requests")

    def _finish(self, why: EndedBy) -> None:
        self._ended_by = why
        self.over.set()

    def _look(self) -> None:
        """Looks at the sample where the first requests up to the next checkpoint have ended."""
        while (
            self._known in self._full or self._known in self._short or self._known in self._failed
        ):
            self._known += 1
        while (
            not self._is_narrow and self._next_look is not None and self._known >= self._next_look
        ):
            first = {n: reply for n, reply in self._full.items() if n < self._next_look}
            self._next_look = next(self._looks)
            self._in_background(partial(may_end, self._plan, self._in_order(first)), self._decide)

    def _decide(self, is_narrow: bool) -> None:
        """Closes admission at the next checkpoint; what is under way is waited for."""
        if not is_narrow or self._is_narrow or self._next_look is None:
            return
        if max(self._given, self._next_look) < self._plan.requests:
            self._is_narrow = True
            self._wanted = max(self._given, self._next_look)
            self._judge(self._clock())

    def _tokens_arrived(self) -> float:
        """Output tokens that came within the measured time, whoever asked for them."""
        began_s, ended_s = self._began_s or 0.0, self._ended_s
        replies = chain(self._full.values(), self._short.values(), self._others)
        return sum(reply.tokens_between(began_s, ended_s) for reply in replies)

    def _note(self, replies: Sequence[Reply], *, at_once: bool) -> str:
        notes = []
        if at_once:
            notes.append("all tokens of an answer were read at once: TPOT is unknown")
        if self.dropped_and_retried:
            notes.append(
                f"{self.dropped_and_retried} connections closed without an answer; sent again"
            )
        if any(reply.input_tokens is None for reply in replies):
            notes.append("the server gives no usage: tokens are counted from its events")
        return "; ".join(notes)
