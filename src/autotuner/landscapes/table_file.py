"""The bytes of a landscape's file, read once: what is compared is what is parsed."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import stat
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from autotuner.errors import LandscapeError

MOST_BYTES = 256 << 20
"""Of a file, and of what it unpacks to: far more than the launches of a task fill."""
_GZIP = b"\x1f\x8b"
# A pipe would make whoever opens it wait for its other end.
_OPEN = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class TableFile:
    """A file and what it holds."""

    path: Path
    content: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        """Its checksum, as it lies there."""
        return hashlib.sha256(self.content).hexdigest()

    def text(self) -> str:
        """The table, unpacked where it is gzipped.

        Raises:
            LandscapeError: it is damaged, no text, or unpacks to too much.
        """
        try:
            unpacked = self.content
            if unpacked.startswith(_GZIP):
                unpacked = gzip.GzipFile(fileobj=io.BytesIO(unpacked)).read(MOST_BYTES + 1)
            if len(unpacked) > MOST_BYTES:
                raise _too_large(self.path, "unpacks to")
            return unpacked.decode("utf-8-sig")
        except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
            raise LandscapeError(f"{self.path}: it is no CSV file ({error})") from None


def read_table_file(path: Path) -> TableFile:
    """The plain file at a path, where links lead.

    Raises:
        LandscapeError: it is missing, no plain file, too large, or cannot be read.
    """
    try:
        # Even to open a device may do something, so it is looked at before.
        is_plain = stat.S_ISREG(path.stat().st_mode)
        content = _content(path) if is_plain else None
    except FileNotFoundError:
        raise LandscapeError(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:
        raise LandscapeError(f"{path}: it is no CSV file ({error})") from None
    if content is None:
        raise LandscapeError(f"{path}: it is no CSV file, for it is no plain file")
    if len(content) > MOST_BYTES:
        raise _too_large(path, "is of")
    return TableFile(path, content)


def _content(path: Path) -> bytes | None:
    """Content of a file, cut one byte after the most; None of what is no plain file."""
    with os.fdopen(os.open(path, _OPEN), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return None
        return file.read(MOST_BYTES + 1)


def _too_large(path: Path, verb: str) -> LandscapeError:
    return LandscapeError(
        f"{path}: it {verb} more than {MOST_BYTES >> 20} MiB", remedy="give the table of one task"
    )
