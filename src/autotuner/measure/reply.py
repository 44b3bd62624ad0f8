"""One streamed answer, from the raw pieces and their times of arrival to TTFT, TPOT and ITL."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any


@dataclass(frozen=True)
class Reply:
    """A completed answer. Times in seconds of the clock that stamped the pieces.

    Attributes:
        token_times_s: arrival of each event that carries output; engines may put several tokens
            in one.
        ended_s: arrival of the event that ends the answer.
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


def parse_reply(sent_s: float, pieces: Sequence[bytes], times_s: Sequence[float]) -> Reply | str:
    """Reads server-sent events of the OpenAI completions form, or says what is wrong with them.

    Args:
        pieces: the body in parts as they came; an event may begin in one and end in another.
        times_s: one for each piece; an event counts from the piece that completes it.
    """
    token_times: list[float] = []
    ended_s: float | None = None
    usage: dict[str, Any] | None = None
    rest = b""
    for piece, at_s in zip(pieces, times_s, strict=True):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if not line.startswith(b"data:"):
                continue
            data = line[5:].strip()
            if data == b"[DONE]":
                continue
            try:
                event = json.loads(data)
            except ValueError:
                return "an event of the stream is no JSON"
            if "error" in event:
                return f"the engine reported: {error_text(event)}"
            usage = event.get("usage") or usage
            for choice in event.get("choices") or ():
                reason = choice.get("finish_reason")
                if choice.get("text") or reason is None:
                    token_times.append(at_s)
                if reason is not None:
                    ended_s = at_s
    if not token_times:
        return "the answer has no tokens"
    counted = usage or {}
    return Reply(
        sent_s=sent_s,
        token_times_s=tuple(token_times),
        ended_s=ended_s if ended_s is not None else token_times[-1],
        output_tokens=int(counted.get("completion_tokens") or len(token_times)),
        input_tokens=counted.get("prompt_tokens"),
    )


def error_text(document: Any) -> str:
    """The message of an OpenAI-style error, whatever shape the server gave it."""
    error = document.get("error", document) if isinstance(document, dict) else document
    if isinstance(error, dict):
        error = error.get("message", error)
    return str(error)[:200]
