"""Server-sent events out of the pieces in which a body arrived.

The form is that of the WHATWG HTML standard, section "Server-sent events": lines end in LF, CR LF
or a lone CR; a blank line ends an event. Beyond it, what servers send besides is kept as `stray`
lines (a proxy's error page, a bare JSON object, llama.cpp's `error: {…}`), for they say why an
answer failed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_BOM = b"\xef\xbb\xbf"
_IGNORED = (b"id", b"retry")


@dataclass(frozen=True)
class ServerEvent:
    """One event, or one line that belongs to none.

    Attributes:
        kind: the event's name, "" where it has none; `STRAY` for a line that is no field.
        data: the joined data lines, or the stray line.
        at_s: arrival of the piece that completed the last data line.
    """

    kind: str
    data: bytes
    at_s: float


STRAY = "stray line"


def server_events(pieces: Sequence[bytes], times_s: Sequence[float]) -> Iterator[ServerEvent]:
    """The events of a body, in order; one that the end of the body cuts off counts as complete.

    Args:
        pieces: the body in parts as they came; a line may begin in one and end in another.
        times_s: arrival of each piece.
    """
    kind, data, at_s = "", list[bytes](), 0.0
    for line, line_s in _lines(pieces, times_s):
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
        elif name and name not in _IGNORED:
            yield ServerEvent(STRAY, line, line_s)
    if data:
        yield ServerEvent(kind, b"\n".join(data), at_s)


def _lines(pieces: Sequence[bytes], times_s: Sequence[float]) -> Iterator[tuple[bytes, float]]:
    rest, after_cr, first, at_s = b"", False, True, 0.0
    for piece, at_s in zip(pieces, times_s, strict=True):
        if not piece:
            continue
        # CR LF is one end of a line, also where the cut goes through it.
        text = piece.removeprefix(b"\n") if after_cr else piece
        after_cr = piece.endswith(b"\r")
        if not text:
            continue
        lines = (rest + text).splitlines(keepends=True)
        rest = b"" if lines[-1][-1:] in b"\r\n" else lines.pop()
        for line in lines:
            yield (line.removeprefix(_BOM) if first else line).rstrip(b"\r\n"), at_s
            first = False
    if rest:
        yield rest.removeprefix(_BOM) if first else rest, at_s
