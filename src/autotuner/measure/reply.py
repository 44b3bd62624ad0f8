"""One streamed answer, from the raw pieces and their times of arrival to TTFT, TPOT and ITL."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from autotuner.measure.event_stream import STRAY, server_events
from autotuner.measure.server_errors import body_text, listed, reported_error

_OUTPUT = (
    *("content", "reasoning_content", "reasoning", "refusal", "audio"),
    *("tool_calls", "function_call"),
)
"""Where a chat's delta keeps what the model wrote."""
_MOST = 10**9
DONE = b"[DONE]"
REPORTED = "the engine reported: "
"""Before the server's own words of a failure inside a stream."""


@dataclass(frozen=True)
class Reply:
    """A completed answer. Times in seconds of the clock that stamped the pieces.

    Attributes:
        token_times_s: arrival of each event that carries output; engines may put several tokens
            in one.
        ended_s: arrival of the last event that carries output; what only ends the answer or counts
            its tokens may come much later.
        output_tokens: by the server's usage; the number of events where it gives none.
        input_tokens: by the server's usage; None where it gives none.
    """

    sent_s: float
    token_times_s: tuple[float, ...]
    ended_s: float
    output_tokens: int
    input_tokens: int | None

    @property
    def ttft_ms(self) -> float:
        """Time to first token."""
        return (self.token_times_s[0] - self.sent_s) * 1000

    @property
    def e2e_ms(self) -> float:
        """End-to-end latency."""
        return (self.ended_s - self.sent_s) * 1000

    @property
    def tpot_ms(self) -> float | None:
        """Time per output token after the first; None for a single token."""
        if self.output_tokens < 2:
            return None
        return (self.e2e_ms - self.ttft_ms) / (self.output_tokens - 1)

    def itl_ms(self) -> list[float]:
        """Inter-token latencies: the gaps between events that carry output."""
        return [(after - before) * 1000 for before, after in pairwise(self.token_times_s)]

    def tokens_between(self, began_s: float, ended_s: float) -> float:
        """Output tokens that arrived after `began_s` and until `ended_s`; events share them."""
        times_s = self.token_times_s
        events = bisect_right(times_s, ended_s) - bisect_right(times_s, began_s)
        return self.output_tokens * max(events, 0) / len(times_s)


def parse_reply(
    sent_s: float,
    pieces: Sequence[bytes],
    times_s: Sequence[float],
    *,
    unfinished: bool = False,
) -> Reply | str:
    """Reads server-sent events of the OpenAI completions form, or says what is wrong with them.

    An event carries output where it has text of any kind (also of reasoning or of a tool call),
    or, after the first text, where it does not end the answer: half of a character is an event
    with an empty text. An empty event before the first text is an opener, no token.

    Args:
        pieces: the body in parts as they came; an event may begin in one and end in another.
        times_s: one for each piece; an event counts from the piece that completes it.
        unfinished: whether the answer may lack its end, as it was left on purpose.
    """
    token_times: list[float] = []
    ending_s: float | None = None
    usage: dict[str, Any] = {}
    stray: list[bytes] = []
    done = False
    for event in server_events(pieces, times_s):
        data = event.data.strip()
        if event.kind == STRAY:
            done = done or data == DONE
            stray.append(data)
            continue
        if event.kind == "error":
            return f"{REPORTED}{body_text(data)}"
        if not data:
            continue
        if data == DONE:
            done = True
            break
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            return f"an event of the stream is no JSON: {body_text(data)}"
        if not isinstance(document, dict):
            return f"an event of the stream is no JSON object: {body_text(data)}"
        if (error := reported_error(document)) is not None:
            return f"{REPORTED}{error}"
        counted = document.get("usage")
        usage = counted if isinstance(counted, dict) and counted else usage
        choices = listed(document.get("choices"))
        # Usage alone comes after the answer; beside a choice it only counts so far.
        done = done or (bool(counted) and not choices)
        for choice in choices:
            ends = bool(choice.get("finish_reason"))
            if _has_output(choice) or (token_times and not ends):
                token_times.append(event.at_s)
            elif ends:
                ending_s = event.at_s
            done = done or ends
    return (
        _reply(sent_s, token_times, ending_s, usage)
        if done or unfinished
        else _cut_off(token_times, stray, pieces)
    )


def _reply(
    sent_s: float, token_times: list[float], ending_s: float | None, usage: dict[str, Any]
) -> Reply | str:
    counted = _count(usage.get("completion_tokens"))
    if ending_s is not None and len(token_times) > 1 and counted == len(token_times) + 1:
        # One token an event, and one is missing: it has no text of its own and came with the end.
        token_times = [*token_times, ending_s]
    if not token_times:
        return "the answer has no tokens"
    return Reply(
        sent_s=sent_s,
        token_times_s=tuple(token_times),
        ended_s=token_times[-1],
        output_tokens=counted or len(token_times),
        input_tokens=_count(usage.get("prompt_tokens")),
    )


def _cut_off(token_times: list[float], stray: list[bytes], pieces: Sequence[bytes]) -> str:
    """What an answer without an end says: its stray lines are the server's own words."""
    if stray:
        said = body_text(b"\n".join(stray) if token_times else b"".join(pieces))
        return (
            f"the answer is no event stream: {said}"
            if not token_times
            else (f"the stream ended in the middle of an answer: {said}")
        )
    if not token_times:
        return "the answer has no tokens"
    return f"the stream ended in the middle of an answer, after {len(token_times)} events"


def _has_output(choice: dict[str, Any]) -> bool:
    if choice.get("text"):
        return True
    for part in (choice.get("delta"), choice.get("message")):
        if isinstance(part, dict) and any(part.get(name) for name in _OUTPUT):
            return True
    return False


def _count(value: Any) -> int | None:
    """A number of tokens as a server gives it; None where it gives none that makes sense."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < _MOST:
        return None
    return int(value)
