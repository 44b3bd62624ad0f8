"""Reads logs that others write: their ends, and what is appended to them, line by line.

A line ends with a newline; it is whole only then. Text is UTF-8; what is not becomes U+FFFD.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

MOST_BYTES = 4 << 20
"""Most bytes that are read of the end of a log."""
_CHUNK_BYTES = 1 << 16
_LONGEST_LINE_BYTES = 16_384
_COMPARED_BYTES = 64


def confined_log(written: str, root: Path) -> Path | None:
    """Log at a path; None if it lies outside `root`, is not a file, or does not exist."""
    try:
        path = Path(written).resolve(strict=True)
        return path if path.is_file() and path.is_relative_to(root.resolve()) else None
    except OSError:
        return None


def near_end(path: Path, most_bytes: int = MOST_BYTES) -> int:
    """Position of the first line that begins in the last `most_bytes` of a log.

    The middle of a line where none begins there.

    Raises:
        FileNotFoundError: there is no log.
    """
    with path.open("rb") as file:
        start = file.seek(0, os.SEEK_END) - most_bytes
        if start <= 0:
            return 0
        # From the byte before: where that ends a line, the next one is whole.
        file.seek(start - 1)
        found = file.read(most_bytes).find(b"\n")
        return start + found if found >= 0 else start


def end_of_log(path: Path, most_bytes: int = MOST_BYTES) -> str:
    """The end of a log, from the beginning of a line; empty where there is no log."""
    try:
        start = near_end(path, most_bytes)
        with path.open("rb") as file:
            file.seek(start)
            return _decoded(file.read(most_bytes))
    except FileNotFoundError:
        return ""


def last_lines(path: Path, lines: int) -> tuple[list[str], int]:
    """Last lines of a log, and the position behind them.

    A line that is not whole yet is left to the next read.
    """
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        start = max(0, end - MOST_BYTES)
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
    return [_line(line) for line in kept], end - len(rest)


class LogReader:
    """Reads what is appended to a log; one that was truncated or replaced, from its beginning.

    Args:
        path: a log, which need not exist yet.
        position: where to begin, in bytes.
        chunk_bytes: how much is read at once.
        longest_line_bytes: longest line; longer ones are split between characters.
    """

    def __init__(
        self,
        path: Path,
        position: int = 0,
        *,
        chunk_bytes: int = _CHUNK_BYTES,
        longest_line_bytes: int = _LONGEST_LINE_BYTES,
    ) -> None:
        self._path = path
        self._position = position
        self._chunk_bytes = chunk_bytes
        self._longest_line_bytes = longest_line_bytes
        self._inode: int | None = None
        self._behind = b""
        self._rest = b""

    def more(self, *, to_the_end: bool = False) -> list[str]:
        """Lines that were appended since the last call; none only where nothing whole was.

        Args:
            to_the_end: whether nothing more will be appended, so that the last line is whole.
        """
        lines: list[bytes] = []
        at_end = False
        while not lines and not at_end:
            block = self._block()
            at_end = len(block) < self._chunk_bytes
            *lines, rest = (self._rest + block).split(b"\n")
            *begun, self._rest = self._pieces(rest)
            lines = [piece for line in lines for piece in self._pieces(line)] + begun
        if to_the_end and at_end and self._rest:
            lines, self._rest = [*lines, self._rest], b""
        return [_line(line) for line in lines]

    def _block(self) -> bytes:
        try:
            with self._path.open("rb") as file:
                if not self._goes_on(file):
                    self._position, self._behind, self._rest = 0, b"", b""
                file.seek(self._position)
                block = file.read(self._chunk_bytes)
        except FileNotFoundError:
            return b""
        self._position += len(block)
        self._behind = (self._behind + block)[-_COMPARED_BYTES:]
        return block

    def _goes_on(self, file: BinaryIO) -> bool:
        """Whether this is the file that was read before, and what was read is still there."""
        state = os.fstat(file.fileno())
        before, self._inode = self._inode, state.st_ino
        if before not in (None, state.st_ino) or state.st_size < self._position:
            return False
        file.seek(self._position - len(self._behind))
        return file.read(len(self._behind)) == self._behind

    def _pieces(self, line: bytes) -> list[bytes]:
        """A line, split where it is too long."""
        pieces = []
        while len(line) > self._longest_line_bytes:
            end = most = self._longest_line_bytes
            # A character has four bytes at most.
            while end > most - 3 and line[end] & 0xC0 == 0x80:
                end -= 1
            pieces.append(line[:end])
            line = line[end:]
        return [*pieces, line]


def _line(line: bytes) -> str:
    return _decoded(line.rstrip(b"\r"))


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", errors="replace")
