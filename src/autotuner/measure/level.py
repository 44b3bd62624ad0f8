"""The book-keeping of one load level: which requests count, when it is over, what it shows."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autotuner.measure.protocol import LevelPlan
from autotuner.measure.reply import Reply
from autotuner.measure.results import EndedBy, Measurement
from autotuner.measure.statistics import distribution, half_width95
from autotuner.measure.watch import ClientWatch

ENGINE_DIED = "the engine died"
_FAILURES_END_LEVEL = 5


@dataclass(frozen=True)
class Ticket:
    """A request under way. Those that only warm up or keep the load up are not `measured`."""

    began_s: float
    measured: bool


class Level:
    """Hands out tickets, collects replies, and sets `over` when the plan is fulfilled."""

    def __init__(self, plan: LevelPlan, on_progress: Callable[[int, int], None]) -> None:
        self.over = asyncio.Event()
        self.dropped_and_retried = 0
        self._plan = plan
        self._on_progress = on_progress
        self._warm = 0
        self._began_s: float | None = None
        self._ended_s = 0.0
        self._given = 0
        self._open = 0
        self._full: list[Reply] = []
        self._short: list[Reply] = []
        self._others: list[Reply] = []
        self._errors: Counter[str] = Counter()
        self._ended_by: EndedBy = "requests"

    def begin(self) -> Ticket:
        """A request starts now."""
        now_s = time.perf_counter()
        measured = self._warm >= self._plan.warmup_requests and not self._closed(now_s)
        if measured:
            if self._began_s is None:
                self._began_s = now_s
            self._given += 1
            self._open += 1
        return Ticket(now_s, measured)

    def end(self, ticket: Ticket, wanted_tokens: int, result: Reply | str) -> None:
        """It has ended: with a reply, or with an error in words."""
        now_s = time.perf_counter()
        self._open -= ticket.measured
        if isinstance(result, str):
            self._errors[result] += 1
            self._ended_s = now_s
        elif not ticket.measured:
            self._warm += 1
            self._others.append(result)
        else:
            self._ended_s = max(self._ended_s, result.ended_s)
            short = result.output_tokens < wanted_tokens
            (self._short if short else self._full).append(result)
            self._on_progress(self._completed(), self._plan.requests)
        self._judge(now_s)

    def left_unfinished(self, result: Reply | str) -> None:
        """What had come of a request that only kept the load up, when the level was over."""
        if isinstance(result, Reply):
            self._others.append(result)

    def measurement(self, watch: ClientWatch, *, engine_alive: bool) -> Measurement:
        """What the level shows. Requests in flight when the engine died have failed."""
        errors = Counter(self._errors)
        if not engine_alive and self._open:
            errors[ENGINE_DIED] += self._open
        failed = errors.total()
        replies = [*self._full, *self._short]
        duration_s = max(self._ended_s - (self._began_s or self._ended_s), 0.0)
        arrived = self._tokens_arrived()
        tok_s = arrived / duration_s if duration_s > 0 else 0.0
        output_tokens = sum(reply.output_tokens for reply in replies)
        ttft_ms = distribution([reply.ttft_ms for reply in self._full])
        tpots_ms = [tpot for reply in self._full if (tpot := reply.tpot_ms) is not None]
        at_once = bool(tpots_ms) and max(tpots_ms) <= 0
        return Measurement(
            concurrency=self._plan.concurrency,
            duration_s=duration_s,
            requests_completed=len(replies),
            requests_failed=failed,
            requests_short=len(self._short),
            ended_by="failed" if failed else self._ended_by,
            valid=not failed and bool(self._full) and engine_alive,
            tok_s=tok_s,
            requests_s=tok_s * len(replies) / output_tokens if output_tokens else 0.0,
            input_tokens=sum(reply.input_tokens or 0 for reply in replies),
            output_tokens=output_tokens,
            ttft_ms=ttft_ms,
            tpot_ms=None if at_once else distribution(tpots_ms),
            itl_ms=distribution([gap for reply in self._full for gap in reply.itl_ms()]),
            e2e_ms=distribution([reply.e2e_ms for reply in self._full]),
            errors=dict(errors),
            client_cpu_share=watch.cpu_share,
            client_lag_ms=watch.lag_ms,
            client_bottleneck=watch.is_bottleneck(ttft_ms.mean if ttft_ms else None),
            note=self._note(replies, at_once=at_once),
        )

    def _completed(self) -> int:
        return len(self._full) + len(self._short)

    def _closed(self, now_s: float) -> bool:
        """Whether no further request is measured: enough are, or the time is over."""
        return self._given >= self._plan.requests or self._time_is_over(now_s)

    def _time_is_over(self, now_s: float) -> bool:
        began_s = self._began_s
        return began_s is not None and now_s - began_s >= self._plan.duration_s

    def _judge(self, now_s: float) -> None:
        if self._errors.total() >= _FAILURES_END_LEVEL or ENGINE_DIED in self._errors:
            self._finish("failed")
        elif self._narrow_enough():
            self._finish("interval")
        elif self._closed(now_s) and self._open == 0:
            self._finish("requests" if self._given >= self._plan.requests else "time")

    def _finish(self, why: EndedBy) -> None:
        self._ended_by = why
        self.over.set()

    def _narrow_enough(self) -> bool:
        width = self._plan.ci_width
        if width is None or len(self._full) < self._plan.min_requests:
            return False
        return all(
            _relative_half_width(values) <= width
            for values in ([r.ttft_ms for r in self._full], [r.e2e_ms for r in self._full])
        )

    def _tokens_arrived(self) -> float:
        """Output tokens that came within the measured time, whoever asked for them."""
        began_s = self._began_s or 0.0
        return sum(
            reply.output_tokens
            * sum(began_s < at_s <= self._ended_s for at_s in reply.token_times_s)
            / len(reply.token_times_s)
            for reply in (*self._full, *self._short, *self._others)
        )

    def _note(self, replies: Sequence[Reply], *, at_once: bool) -> str:
        notes = []
        if at_once:
            notes.append("all tokens of an answer were read at once: TPOT cannot be told")
        if self.dropped_and_retried:
            notes.append(
                f"{self.dropped_and_retried} connections closed without an answer; sent again"
            )
        if any(reply.input_tokens is None for reply in replies):
            notes.append("the server gives no usage: tokens are counted from its events")
        return "; ".join(notes)


def _relative_half_width(values: Sequence[float]) -> float:
    half = half_width95(values)
    mean = sum(values) / len(values)
    return float("inf") if half is None or mean <= 0 else half / mean
