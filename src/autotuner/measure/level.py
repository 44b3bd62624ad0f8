"""The book-keeping of one load level: which requests count, when it is over, what it shows."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from statistics import fmean

from autotuner.measure.disturbance import ClientWatch
from autotuner.measure.protocol import LevelPlan
from autotuner.measure.reply import Reply
from autotuner.measure.results import EndedBy, Measurement
from autotuner.measure.statistics import distribution
from autotuner.measure.stopping import Admission

ENGINE_DIED = "the engine died"
_FAILURES_END_LEVEL = 5
_RISE, _FEWEST_OF_THIRD, _FEWEST_SERVED = 2.0, 3, 0.8
"""An open loop is saturated where latencies of the last third of a level are so many times those
of the first, with so many requests each, or where less than this share of the rate is served."""

InBackground = Callable[[Callable[[], bool], Callable[[bool], None]], None]
"""Computes the first elsewhere and calls the second with its result, on the caller's thread."""


@dataclass(frozen=True, eq=False)
class Ticket:
    """A request under way. One that only warms up or keeps the load up has no `number`.

    Attributes:
        number: counts the measured requests in the order in which they begin, from 0.
        scheduled_s: when it was due in an open loop; None in a closed one.
    """

    began_s: float
    number: int | None
    scheduled_s: float | None = None


class Level:
    """Hands out tickets, collects replies, and sets `over` when the plan is fulfilled.

    Where requests warm up, others count once those have ended and all users are in flight.

    Args:
        on_progress: called with how many measured requests have ended, and how many are wanted.
        in_background: where samples are looked at; at once where left out.
        clock: seconds, the clock of the replies.

    Attributes:
        sent: requests that have begun, warm-up included.
        in_flight: those of them that have not ended.
        next_due_s: when the next request is due in an open loop.
        held_back: whether a request that was due had to wait as too many were under way.
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
        self.sent = self.in_flight = 0
        self.held_back = False
        self.next_due_s: float | None = None
        self._due_after_s: float | None = None
        self._plan = plan
        self._on_progress = on_progress
        self._in_background = in_background
        self._clock = clock
        self._users = plan.arrival_process().users or 1
        self._warm = self._peak = 0
        self._all_have_begun = False
        self._began_s: float | None = None
        self._ended_s = 0.0
        self._admission = Admission(plan.stop, self._users)
        self._admitted = 0
        self._scheduled: list[tuple[float, float]] = []
        self._under_way: set[int] = set()
        self._unread = self._arrived = 0
        self._unread_tickets: set[Ticket] = set()
        self._ended_in_order = 0
        self._full: dict[int, Reply] = {}
        self._short: dict[int, Reply] = {}
        self._failed: set[int] = set()
        self._others: list[Reply] = []
        self._errors: Counter[str] = Counter()
        self._ended_by: EndedBy = "requests"

    def may_send(self) -> bool:
        """Whether a request that is due in an open loop may be sent, or waits for one to end.

        Those that keep the load up go no higher than it was: where the engine does not keep up,
        more and more of them would only keep the measured ones from ending.
        """
        if not self._is_closed(self._clock()):
            self.held_back |= self.in_flight >= self._plan.most_in_flight
            return self.in_flight < self._plan.most_in_flight
        return self.in_flight < min(self._peak, self._plan.most_in_flight)

    def begin(self, scheduled_s: float | None = None) -> Ticket:
        """A request starts now; it was due at `scheduled_s`, on the clock of the replies."""
        now_s = self._clock()
        self.sent += 1
        self.in_flight += 1
        self._peak = max(self._peak, self.in_flight)
        self._all_have_begun |= self.in_flight >= self._users
        first = self._plan.warmup_requests
        is_warm = not first or (self._all_have_begun and self._warm >= first)
        if self._began_s is not None and self._is_closed(now_s) and self._due_after_s is None:
            self._due_after_s = scheduled_s
        if not is_warm or self._is_closed(now_s):
            return Ticket(now_s, None, scheduled_s)
        if self._began_s is None:
            self._began_s = now_s
        ticket = Ticket(now_s, self._admitted, scheduled_s)
        if scheduled_s is not None:
            self._scheduled.append((scheduled_s, now_s))
        self._under_way.add(self._admitted)
        self._admitted += 1
        self._unread += 1
        return ticket

    def arrived(self, ticket: Ticket) -> None:
        """The answer is complete; `end` says later what is in it."""
        if ticket in self._unread_tickets:
            return
        self._unread_tickets.add(ticket)
        self.in_flight -= 1
        if ticket.number is None:
            self._warm += 1
        else:
            self._under_way.discard(ticket.number)
            self._arrived += 1
            self._on_progress(self._arrived, self._admission.wanted)

    @property
    def wants_reading(self) -> bool:
        """Whether something depends on answers that have arrived: the end of the level, a look at
        the sample, or whether the first ones have failed inside their streams."""
        is_due = self._admission.is_due(self._arrived)
        return self.has_arrived or is_due or self._arrived <= _FAILURES_END_LEVEL

    @property
    def has_arrived(self) -> bool:
        """Whether no request is left for which others have to keep the load up."""
        return self._is_closed(self._clock()) and not self._under_way

    @property
    def admits_for_s(self) -> float:
        """Seconds for which requests are still measured; infinite where no time ends that."""
        if self._began_s is None or self._is_closed(now_s := self._clock()):
            return math.inf
        return self._began_s + self._plan.stop.duration_s - now_s

    def end(self, ticket: Ticket, wanted_tokens: int, result: Reply | str) -> None:
        """It has ended: with a reply, or with an error message."""
        now_s = self._clock()
        number = ticket.number
        self._unread -= number is not None
        if isinstance(result, Reply):
            self.arrived(ticket)
        elif ticket not in self._unread_tickets:
            self.in_flight -= 1
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
        self.judge()

    def left_unfinished(self, result: Reply | str) -> None:
        """The part of a reply that only kept the load up which had come when the level was over."""
        if isinstance(result, Reply):
            self._others.append(result)

    def judge(self) -> None:
        """Sets `over` if the level is: by failures, or as all that it admitted has been read."""
        if self._errors.total() >= _FAILURES_END_LEVEL or ENGINE_DIED in self._errors:
            self._finish("failed")
        elif self._is_closed(self._clock()) and self._unread == 0:
            if self._admitted < self._admission.wanted:
                self._finish("time")
            else:
                self._finish("interval" if self._admission.is_narrow else "requests")

    def measurement(self, watch: ClientWatch, *, engine_alive: bool) -> Measurement:
        """The measurement of the level. Requests in flight when the engine died have failed."""
        errors = Counter(self._errors)
        if not engine_alive and self._unread:
            errors[ENGINE_DIED] += self._unread
        failed = errors.total()
        full = self._in_order(self._full)
        replies = [*full, *self._in_order(self._short)]
        duration_s = max(self._until_s() - (self._began_s or self._ended_s), 0.0)
        tok_s = self._tokens_arrived() / duration_s if duration_s > 0 else 0.0
        output_tokens = sum(reply.output_tokens for reply in replies)
        ttft_ms = distribution([reply.ttft_ms for reply in full])
        tpots_ms = [tpot for reply in full if (tpot := reply.tpot_ms) is not None]
        at_once = bool(tpots_ms) and max(tpots_ms) <= 0
        requests_s = tok_s * len(replies) / output_tokens if output_tokens else 0.0
        delays_ms = [(began_s - due_s) * 1000 for due_s, began_s in self._scheduled]
        saturated = self._is_saturated(requests_s, [reply.e2e_ms for reply in full])
        return Measurement(
            load=self._plan.load,
            duration_s=duration_s,
            requests_completed=len(replies),
            requests_failed=failed,
            requests_short=len(self._short),
            ended_by="failed" if failed else self._ended_by,
            valid=not failed and bool(full) and engine_alive,
            tok_s=tok_s,
            requests_s=requests_s,
            input_tokens=sum(reply.input_tokens or 0 for reply in replies),
            output_tokens=output_tokens,
            ttft_ms=ttft_ms,
            tpot_ms=None if at_once else distribution(tpots_ms),
            itl_ms=distribution(list(chain.from_iterable(reply.itl_ms() for reply in full))),
            e2e_ms=distribution([reply.e2e_ms for reply in full]),
            errors=dict(errors),
            saturated=saturated,
            client_delay_ms=fmean(delays_ms) if delays_ms else None,
            client_worst_delay_ms=max(delays_ms, default=None),
            client_cpu_share=watch.cpu_share,
            client_lag_ms=watch.lag_ms,
            client_worst_lag_ms=watch.worst_lag_ms,
            client_bottleneck=watch.is_bottleneck(ttft_ms.mean if ttft_ms else None),
            began_at=self._began_at(),
            note=self._note(replies, at_once=at_once, saturated=saturated),
        )

    def _began_at(self) -> datetime | None:
        """Time of day at which the measured window began."""
        if self._began_s is None:
            return None
        return datetime.now(UTC) - timedelta(seconds=self._clock() - self._began_s)

    def _in_order(self, replies: dict[int, Reply]) -> list[Reply]:
        return [replies[number] for number in sorted(replies)]

    def _is_closed(self, now_s: float) -> bool:
        elapsed_s = 0.0 if self._began_s is None else now_s - self._began_s
        return self._admission.is_closed(self._admitted, elapsed_s)

    def _finish(self, why: EndedBy) -> None:
        self._ended_by = why
        self.over.set()

    def _look(self) -> None:
        """Looks at the sample where the first requests up to the next checkpoint have ended."""
        while any(self._ended_in_order in x for x in (self._full, self._short, self._failed)):
            self._ended_in_order += 1
        while self._admission.is_due(self._ended_in_order):
            checkpoint = self._admission.next_checkpoint
            first = {n: reply for n, reply in self._full.items() if n < (checkpoint or 0)}
            self._admission.pass_checkpoint()
            self._in_background(
                partial(self._plan.stop.is_met, self._in_order(first)), self._decide
            )

    def _decide(self, is_met: bool) -> None:
        """Closes admission at the next checkpoint; what is under way is waited for."""
        if is_met and self._admission.close_at_checkpoint(self._admitted):
            self.judge()

    def _until_s(self) -> float:
        """End of the measured time: the last measured end, and in an open loop the time at which
        the next request was due, for a rate counts the distance after each request."""
        after_s = self._next_after_s()
        return self._ended_s if after_s is None else max(self._ended_s, after_s)

    def _next_after_s(self) -> float | None:
        """When the request after the last measured one was due; None in a closed loop."""
        return self._due_after_s if self._due_after_s is not None else self.next_due_s

    def _is_saturated(self, served_s: float, e2e_ms: Sequence[float]) -> bool:
        """Whether the engine fell behind the schedule of an open loop.

        Then requests queue up, and latencies depend on the length of the level: those of its last
        third are a multiple of those of the first. A level without a warm-up begins with an empty
        engine, and so serves less at first.
        """
        after_s = self._next_after_s()
        if not self._scheduled or after_s is None:
            return False
        third = len(e2e_ms) // 3
        rises = third >= _FEWEST_OF_THIRD and fmean(e2e_ms[-third:]) > _RISE * fmean(e2e_ms[:third])
        offered_s = len(self._scheduled) / max(after_s - self._scheduled[0][0], 1e-9)
        lags = self._plan.warmup_requests > 0 and served_s < _FEWEST_SERVED * offered_s
        return self.held_back or rises or lags

    def _tokens_arrived(self) -> float:
        """Output tokens that came within the measured time, whoever asked for them."""
        began_s, ended_s = self._began_s or 0.0, self._until_s()
        replies = chain(self._full.values(), self._short.values(), self._others)
        return sum(reply.tokens_between(began_s, ended_s) for reply in replies)

    def _note(self, replies: Sequence[Reply], *, at_once: bool, saturated: bool) -> str:
        notes = []
        if saturated:
            notes.append(
                f"the engine does not keep up with {self._plan.load.long}: latencies grow with the "
                "length of the level"
            )
        if self.held_back:
            notes.append(
                f"with {self._plan.most_in_flight} requests in flight, further ones had to wait "
                "in the load generator"
            )
        if at_once:
            notes.append("all tokens of an answer were read at once: TPOT is unknown")
        if self.dropped_and_retried:
            notes.append(
                f"{self.dropped_and_retried} connections closed without an answer; sent again"
            )
        if any(reply.input_tokens is None for reply in replies):
            notes.append("the server gives no usage: tokens are counted from its events")
        return "; ".join(notes)
