"""Engines' logs: their last lines, and what is added to them, from under one folder only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

_CHUNK_BYTES = 1 << 16
_LONGEST_LINE_BYTES = 16_384
"""What a line may have; a longer one is told in parts."""
MOST_LINES = 10_000
_MOST_BYTES = 4 << 20
"""What is read of a log at the most to find its last lines."""


def confined_log(written: str, root: Path) -> Path | None:
    """The log at that path; None where it lies outside `root`, is no file, or is not here."""
    try:
        path = Path(written).resolve(strict=True)
        return path if path.is_file() and path.is_relative_to(root.resolve()) else None
    except OSError:
        return None


def last_lines(path: Path, lines: int) -> tuple[list[str], int]:
    """The last lines of a log, and the byte behind them.

    A line that is not ended yet counts once it is: it is left to whoever reads on.
    """
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        start = max(0, end - _MOST_BYTES)
        position, blocks, found = end, [], 0
        while position > start and found <= lines:
            step = min(_CHUNK_BYTES, position - start)
            position -= step
            file.seek(position)
            blocks.append(file.read(step))
            found += blocks[-1].count(b"\n")
    text = b"".join(reversed(blocks))
    whole, _, rest = text.rpartition(b"\n") if b"\n" in text else (b"", b"", text)
    kept = whole.split(b"\n")[-lines:] if whole and lines else []
    return [_decoded(line) for line in kept], end - len(rest)


class LogReader:
    """Reads a log on from some byte, a few lines at a time; a log that was begun anew, anew."""

    def __init__(self, path: Path, position: int) -> None:
        self._path = path
        self._position = position
        self._inode = _inode(path)
        self._rest = b""

    def more(self, *, to_the_end: bool = False) -> list[str]:
        """Lines that have been added since the last call.

        Args:
            to_the_end: whether nothing will be added any more, so that an open line counts.
        """
        try:
            with self._path.open("rb") as file:
                self._begin_anew_where_replaced(file)
                file.seek(self._position)
                block = file.read(_CHUNK_BYTES)
        except OSError:
            block = b""
        self._position += len(block)
        *lines, self._rest = (self._rest + block).split(b"\n")
        if self._rest and (len(self._rest) > _LONGEST_LINE_BYTES or (to_the_end and not block)):
            lines, self._rest = [*lines, self._rest], b""
        return [_decoded(line) for line in lines]

    def _begin_anew_where_replaced(self, file: BinaryIO) -> None:
        state = os.fstat(file.fileno())
        if state.st_ino != self._inode or state.st_size < self._position:
            self._inode, self._position, self._rest = state.st_ino, 0, b""


def _inode(path: Path) -> int:
    return path.stat().st_ino


def _decoded(line: bytes) -> str:
    return line.rstrip(b"\r").decode("utf-8", errors="replace")
