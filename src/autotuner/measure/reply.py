"""One streamed answer: its server-sent events, what failed in it, and TTFT, TPOT and ITL.

Events have the form of the WHATWG HTML standard, section "Server-sent events": lines end in LF,
CR LF or a lone CR; a blank line ends an event. Beyond it, what servers send besides is kept as
`stray` lines (a proxy's error page, a bare JSON object, llama.cpp's `error: {…}`), for they say why
an answer failed.

Shapes of errors seen: OpenAI's `{"error": {"message": …}}` (vLLM, SGLang, TensorRT-LLM, llama.cpp,
LiteLLM, OpenRouter with the provider's own message in `metadata.raw`), a bare
`{"object": "error", …}` (vLLM and SGLang of 2023-2025), `{"error": "…"}` (Triton and
text-generation-inference), FastAPI's `{"detail": …}`, RFC 9457's `title` and `detail`, and text or
a page of a proxy (nginx, Envoy).
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

_OUTPUT = (
    *("content", "reasoning_content", "reasoning", "refusal", "audio"),
    *("tool_calls", "function_call"),
)
"""Where a chat's delta keeps what the model wrote."""
_MOST_TOKENS = 10**9
DONE = b"[DONE]"
REPORTED = "the engine reported: "
"""Before the server's own message of a failure inside a stream."""


@dataclass(frozen=True)
class Reply:
    """A completed answer. Times in seconds of the clock that stamped the fragments.

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
    fragments: Sequence[bytes],
    times_s: Sequence[float],
    *,
    unfinished: bool = False,
) -> Reply | str:
    """Reads server-sent events of the OpenAI completions form, or says what is wrong with them.

    An event carries output where it has text of any kind (also of reasoning or of a tool call),
    or, after the first text, where it does not end the answer: half of a character is an event
    with an empty text. An empty event before the first text is an opener, no token.

    Args:
        fragments: the body in parts as they came; an event may begin in one and end in another.
        times_s: one for each fragment; an event counts from the fragment that completes it.
        unfinished: whether the answer may lack its end, as it was left on purpose.
    """
    token_times: list[float] = []
    ending_s: float | None = None
    usage: dict[str, Any] = {}
    stray: list[bytes] = []
    done = False
    for event in server_events(fragments, times_s):
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
        else _cut_off(token_times, stray, fragments)
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


def _cut_off(token_times: list[float], stray: list[bytes], fragments: Sequence[bytes]) -> str:
    """Error message of an answer without an end; its stray lines are the server's own."""
    if stray:
        message = body_text(b"\n".join(stray) if token_times else b"".join(fragments))
        return (
            f"the answer is no event stream: {message}"
            if not token_times
            else (f"the stream ended in the middle of an answer: {message}")
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
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0 < value < _MOST_TOKENS
    ):
        return None
    return int(value)


_BOM = b"\xef\xbb\xbf"
_IGNORED_FIELDS = (b"id", b"retry")


@dataclass(frozen=True)
class ServerEvent:
    """One event, or one line that belongs to none.

    Attributes:
        kind: the event's name, "" where it has none; `STRAY` for a line that is no field.
        data: the joined data lines, or the stray line.
        at_s: arrival of the fragment that completed the last data line.
    """

    kind: str
    data: bytes
    at_s: float


STRAY = "stray line"


def server_events(fragments: Sequence[bytes], times_s: Sequence[float]) -> Iterator[ServerEvent]:
    """The events of a body, in order; one that the end of the body cuts off counts as complete.

    Args:
        fragments: the body in parts as they came; a line may begin in one and end in another.
        times_s: arrival of each fragment.
    """
    kind, data, at_s = "", list[bytes](), 0.0
    for line, line_s in _lines(fragments, times_s):
        if not line:
            if data:
                yield ServerEvent(kind, b"\n".join(data), at_s)
            kind, data = "", []
            continue
        name, colon, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            data.append(value)
            at_s = line_s
        elif name == b"event" and colon:
            kind = value.strip().decode("utf-8", errors="replace")
        elif name == b"error" and colon:
            yield ServerEvent("error", value, line_s)
        elif name and name not in _IGNORED_FIELDS:
            yield ServerEvent(STRAY, line, line_s)
    if data:
        yield ServerEvent(kind, b"\n".join(data), at_s)


def _lines(fragments: Sequence[bytes], times_s: Sequence[float]) -> Iterator[tuple[bytes, float]]:
    rest, after_cr, first, at_s = b"", False, True, 0.0
    for fragment, at_s in zip(fragments, times_s, strict=True):
        if not fragment:
            continue
        # CR LF is one end of a line, also where the cut goes through it.
        text = fragment.removeprefix(b"\n") if after_cr else fragment
        after_cr = fragment.endswith(b"\r")
        if not text:
            continue
        lines = (rest + text).splitlines(keepends=True)
        rest = b"" if lines[-1][-1:] in b"\r\n" else lines.pop()
        for line in lines:
            yield (line.removeprefix(_BOM) if first else line).rstrip(b"\r\n"), at_s
            first = False
    if rest:
        yield rest.removeprefix(_BOM) if first else rest, at_s


_LONGEST_ERROR = 200
_ERROR_KEYS = ("message", "msg", "detail", "error", "errors", "error_message", "reason", "title")
_FAILED_REASONS = ("error", "abort")
_TAGS = re.compile(r"<(?:style|script|head).*?</(?:style|script|head)>|<[^>]*>", re.DOTALL | re.I)


def error_text(document: Any) -> str:
    """The message of an error, whatever shape the server gave it; at most 200 characters."""
    error = document.get("error") if isinstance(document, dict) else None
    return " ".join((_message(document) or str(error or document)).split())[:_LONGEST_ERROR]


def body_text(body: bytes) -> str:
    """The message in the body of a failed request: JSON, plain text or a page; "" if empty."""
    text = body.decode("utf-8", errors="replace").strip()
    try:
        return error_text(json.loads(text))
    except (ValueError, RecursionError):
        shown = _TAGS.sub(" ", text) if text.startswith("<") else text
        return " ".join((shown.strip() or text).split())[:_LONGEST_ERROR]


def reported_error(event: dict[str, Any]) -> str | None:
    """The error that an event of a stream states; None where it states none.

    `"error": null`, and an error in which every field is empty, are none: some servers send the
    key with every event.
    """
    if _filled(event.get("error")):
        return error_text(event)
    for choice in listed(event.get("choices")):
        if _filled(choice.get("error")):
            return error_text(choice)
        reason = choice.get("finish_reason")
        cause = reason.get("type") if isinstance(reason, dict) else reason
        if isinstance(cause, str) and cause.lower() in _FAILED_REASONS:
            return error_text(reason) if isinstance(reason, dict) else f"finish_reason {cause!r}"
    if event.get("object") == "error" or event.get("type") == "error":
        return error_text(event)
    if (
        "choices" not in event
        and "usage" not in event
        and any(_filled(event.get(key)) for key in _ERROR_KEYS)
    ):
        return error_text(event)
    return None


def listed(value: Any) -> list[dict[str, Any]]:
    """The objects of a list in a document that may hold anything."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _message(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return "; ".join(filter(None, map(_message, value)))
    if not isinstance(value, dict):
        return ""
    inner = value.get("error")
    if isinstance(inner, dict | list) and (found := _message(inner)):
        return found
    message = next((found for name in _ERROR_KEYS if (found := _message(value.get(name)))), "")
    metadata = value.get("metadata")
    raw = _message(metadata.get("raw")) if isinstance(metadata, dict) else ""
    return f"{message}: {raw}" if message and raw and raw not in message else message or raw


def _filled(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_filled, value.values()))
    if isinstance(value, list):
        return any(map(_filled, value))
    return bool(value)
