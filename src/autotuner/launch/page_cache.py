"""How much of a model the kernel holds in memory before an engine reads it.

The first launch after the machine was started reads the model from its disk, later ones from the
page cache; a start that takes longer than others is seen to have begun cold.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from autotuner.engines import LaunchSpec

NAME = "page cache"
"""Its name beside the caches of an engine."""
_GIB = 2**30
_SMALLEST_BYTES = 1 << 20
"""Files below this, such as a tokenizer's, say nothing of the time that a model takes to load."""


def page_cache_of(spec: LaunchSpec) -> dict[str, str]:
    """The share of the model's files that is in memory, in words, by `NAME`; empty where the kernel
    does not say."""
    try:
        found = [resident_bytes(file) for file in _large_files(m.source for m in spec.mounts)]
    except OSError:
        return {}  # a file that cannot be read is the engine's to report
    if not found or None in found:
        return {}
    resident = sum(pair[0] for pair in found if pair)
    total = sum(pair[1] for pair in found if pair)
    return {NAME: f"{resident / _GIB:.2f} of {total / _GIB:.2f} GiB of the model"}


def resident_bytes(file: Path) -> tuple[int, int] | None:
    """Bytes of a file that are in memory, and all that it has; None where the kernel keeps that
    from this user, as it does of files that the user may not write (mincore(2)).

    Raises:
        OSError: it cannot be read.
    """
    size = file.stat().st_size
    if sys.platform != "linux" or not os.access(file, os.W_OK):
        return None
    with file.open("rb") as opened:
        # Private, so that its address can be asked for; nothing is written, or read into memory.
        access = mmap.PROT_READ | mmap.PROT_WRITE
        mapped = mmap.mmap(opened.fileno(), size, mmap.MAP_PRIVATE, access)
    pages = -(-size // mmap.PAGESIZE)
    states = (ctypes.c_ubyte * pages)()
    start = ctypes.c_char.from_buffer(mapped)
    try:
        refused = ctypes.CDLL(None).mincore(
            ctypes.c_void_p(ctypes.addressof(start)), ctypes.c_size_t(size), states
        )
    finally:
        del start
        mapped.close()
    if refused:
        return None
    return min(bytes(states).count(1) * mmap.PAGESIZE, size), size


def _large_files(sources: Iterable[str]) -> Iterator[Path]:
    for source in map(Path, sources):
        files = sorted(source.rglob("*")) if source.is_dir() else [source]
        yield from (f for f in files if f.is_file() and f.stat().st_size >= _SMALLEST_BYTES)
