"""Results that lie in a folder of this machine, read as a whole so that they can be kept.

No link is followed: the caller has judged where the path leads, and a link that is put in its place
afterwards leads nowhere. Each part is opened from the folder before it, never by the whole path.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autotuner.errors import VerifyError

MOST_FILES = 500
"""Files of one folder: a load generator writes one a level."""
MOST_DEEP = 20
"""Folders in each other; far more than any tool writes."""
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A pipe would make whoever opens it wait for its other end.
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def read_placed(path: Path, root: Path, most_bytes: int) -> list[tuple[str, bytes]]:
    """Name and content of the file at `path`, or of all files of the folder there.

    Names are those below the folder, with `/`. What is no plain file (a link, a pipe) and what is
    hidden (begins with a dot) is left out; what cannot be read is not.

    Args:
        root: the folder that `path` lies in; neither has links left in it.

    Raises:
        VerifyError: nothing is there, it cannot be read, or it is more than is read at once.
    """
    try:
        with _folder_of(path, root) as (folder, name):
            if not name or stat.S_ISDIR(_mode(folder, name)):
                return list(_of_folder(folder, name or ".", path, most_bytes))
            content = _content(folder, name, most_bytes)
    except OSError as error:
        raise VerifyError(f"{path} cannot be read: {error.strerror}") from None
    if content is None:
        raise VerifyError(f"{path} is no plain file", remedy="give a file, or a folder of files")
    if len(content) > most_bytes:
        raise _too_large(path, most_bytes)
    return [(name, content)]


@contextmanager
def _folder_of(path: Path, root: Path) -> Iterator[tuple[int, str]]:
    """The folder that holds a path, opened, and the path's last part; "" of the root itself."""
    *parents, name = path.relative_to(root).parts or ("",)
    folder = os.open(root, _OPEN_FOLDER)
    try:
        for part in parents:
            inner = os.open(part, _OPEN_FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        yield folder, name
    finally:
        os.close(folder)


def _of_folder(parent: int, name: str, path: Path, most_bytes: int) -> Iterator[tuple[str, bytes]]:
    left, found = most_bytes, 0
    walk = os.fwalk(name, dir_fd=parent, follow_symlinks=False, onerror=_raised)
    for where, folders, files, folder in walk:
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        below = Path(where).relative_to(name)
        if len(below.parts) > MOST_DEEP:
            raise VerifyError(
                f"{path} holds folders in each other more than {MOST_DEEP} deep",
                remedy="give the folder of one run",
            )
        for file in sorted(one for one in files if not one.startswith(".")):
            content = _content(folder, file, left)
            if content is None:
                continue
            left, found = left - len(content), found + 1
            if left < 0:
                raise _too_large(path, most_bytes)
            if found > MOST_FILES:
                raise VerifyError(
                    f"{path} holds more than {MOST_FILES} files",
                    remedy="give the folder of one run",
                )
            yield (below / file).as_posix(), content
    if not found:
        raise VerifyError(f"{path} holds no file")


def _raised(error: OSError) -> None:
    """Lets no folder that cannot be read pass for one that is not there."""
    raise error


def _content(folder: int, name: str, most_bytes: int) -> bytes | None:
    """Content of a file, cut one byte after the most; None of what is no plain file."""
    if not stat.S_ISREG(_mode(folder, name)):
        return None
    with os.fdopen(os.open(name, _OPEN_FILE, dir_fd=folder), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return None
        return file.read(most_bytes + 1)


def _mode(folder: int, name: str) -> int:
    return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode


def _too_large(path: Path, most_bytes: int) -> VerifyError:
    return VerifyError(
        f"{path} holds more than {most_bytes >> 20} MiB", remedy="give the results of one run"
    )
