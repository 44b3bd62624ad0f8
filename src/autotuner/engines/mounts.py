"""Files of this machine that a container has to be given for an engine to find its model in it."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from autotuner.catalog import shards_of
from autotuner.engines.spec import Mount

_BLOBS = "blobs"
"""Folder of a hub's cache with the files to which the links of its snapshots lead."""
_MOST_FOLDERS = 64


def mounts_of(models: Iterable[Path]) -> tuple[Mount, ...]:
    """The mounts for models, each at its own path.

    With a file come the other shards of its model; with a folder the files elsewhere to which links
    in it lead, as those of a snapshot in a hub's cache do.
    """
    found: dict[str, Mount] = {}
    for model in models:
        for path in map(str, shards_of(model.absolute())):
            found.setdefault(path, Mount(path, path))
        for mount in _linked(model.absolute()):
            found.setdefault(mount.target, mount)
    return tuple(found.values())


def _linked(folder: Path) -> tuple[Mount, ...]:
    try:
        return _linked_since(folder, folder.stat().st_mtime_ns) if folder.is_dir() else ()
    except OSError:
        return ()


@functools.lru_cache(_MOST_FOLDERS)
def _linked_since(folder: Path, changed_ns: int) -> tuple[Mount, ...]:
    """The mounts for links in a folder as it was last changed; launches are rendered often."""
    return tuple({mount.target: mount for mount in _of_links(folder)}.values())


def _of_links(folder: Path) -> Iterator[Mount]:
    for parent, _, names in os.walk(folder):
        for name in names:
            link = Path(parent, name)
            if not link.is_symlink():
                continue
            seen = Path(os.path.normpath(link.parent / link.readlink()))
            real = Path(os.path.realpath(link))
            # No more than this user may read: the daemon itself may read everything.
            if seen.is_relative_to(folder) or not real.is_file() or not os.access(real, os.R_OK):
                continue
            if (seen.parent.name, real.parent.name, seen.name) == (_BLOBS, _BLOBS, real.name):
                yield Mount(str(real.parent), str(seen.parent))
            elif seen.exists() and seen.samefile(real):
                yield Mount(str(real), str(seen))
