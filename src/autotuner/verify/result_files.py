"""Results of other programs that were given to the service, kept so that a link to a comparison can
be followed again. Each has an id: the hash of its content."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePath

from autotuner.errors import AutotunerError, NotFoundError, VerifyError
from autotuner.verify.files import unpacked
from autotuner.verify.placed_results import MOST_FILES, read_placed
from autotuner.verify.points import PointFile
from autotuner.verify.readers import read_points

MOST_KEPT = 200
_MOST_KEPT_BYTES = 1 << 30
_LONGEST_NAME = 200
"""Bytes, not characters: file systems take 255, and a number may come before it."""
_TAKEN = frozenset({errno.EEXIST, errno.ENOTEMPTY})
_UNSAFE = re.compile(r"[^\w.,()+=@ -]")
_ABOUT, _FILES = "about.json", "results"
_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class ResultFile:
    """Results that are kept: one file, or the files of one run of a tool.

    Attributes:
        name: as its sender calls it; of several files that of the first and how many there are.
        points: operating points of it that can be used; `excluded`: what cannot be.
        bytes: of its files, unpacked.
    """

    id: str
    name: str
    format: str
    points: int
    excluded: int
    bytes: int
    added_at: datetime


class ResultFiles:
    """Keeps uploaded results in a folder, a folder each.

    Args:
        folder: made with the first one.
        most_bytes: of one upload, unpacked.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes

    def keep(
        self, files: Sequence[tuple[str, bytes]], format_name: str | None = None
    ) -> ResultFile:
        """The results that these files (name, content) are, kept from now on.

        Args:
            format_name: one of `FORMATS`; None where it is to be detected.

        Raises:
            VerifyError: they are no results that are read, too large, or too many are kept.
            AutotunerError: the folder cannot be written.
        """
        contents = self._contents(files)
        first, *others = contents
        return self._kept(
            contents, f"{first} and {len(others)} more" if others else first, format_name
        )

    def keep_placed(self, path: Path, root: Path, format_name: str | None = None) -> ResultFile:
        """A copy of the results at a path of this machine: a file, or the folder of one run.

        Args:
            root: the folder that `path` lies in; neither has links left in it.

        Raises:
            VerifyError: as `keep`, or nothing is there.
            AutotunerError: the folder of what is kept cannot be written.
        """
        contents: dict[str, bytes] = {}
        left, plain = self._most_bytes, _PlainPaths()
        for name, raw in read_placed(path, root, left):
            content = unpacked(raw, name, left)
            left -= len(content)
            contents[plain.of(name)] = content
        return self._kept(contents, _safe_name(path.name), format_name)

    def _kept(
        self, contents: Mapping[str, bytes], title: str, format_name: str | None
    ) -> ResultFile:
        digest = hashlib.sha256((format_name or "").encode())
        for name, content in contents.items():
            digest.update(f"\0{name}\0{len(content)}\0".encode())
            digest.update(content)
        found = digest.hexdigest()[:16]
        if (known := self._about(found)) is not None:
            return known
        size = sum(map(len, contents.values()))
        self._require_room(size)
        try:
            return self._written(found, contents, title, format_name)
        except OSError as error:
            raise _not_written(error) from None

    def _written(
        self, found: str, contents: Mapping[str, bytes], title: str, format_name: str | None
    ) -> ResultFile:
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".incoming-", dir=self._folder) as incoming:
            place = Path(incoming) / found
            (place / _FILES).mkdir(parents=True)
            for name, content in contents.items():
                target = place / _FILES / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            points = _read(place / _FILES, title, format_name)
            about = ResultFile(
                id=found,
                name=title,
                format=points.format,
                points=len(points.points),
                excluded=len(points.excluded),
                bytes=sum(map(len, contents.values())),
                added_at=datetime.now(UTC),
            )
            written = {**vars(about), "added_at": about.added_at.isoformat()}
            (place / _ABOUT).write_text(json.dumps(written), encoding="utf-8")
            self._take_place(place, found)
        return about

    def _take_place(self, made: Path, found: str) -> None:
        place = self._folder / found
        try:
            made.rename(place)
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            # Whoever brought the same a moment earlier has the place; what was removed in part
            # has it no longer.
            if self._about(found) is None:
                shutil.rmtree(place)
                made.rename(place)

    def all(self) -> tuple[ResultFile, ...]:
        """Everything that is kept, the newest first."""
        found = [about for id_ in self._ids() if (about := self._about(id_)) is not None]
        return tuple(sorted(found, key=lambda one: one.added_at, reverse=True))

    def about(self, file_id: str) -> ResultFile:
        """Description of the results of an id.

        Raises:
            NotFoundError: nothing is.
        """
        found = self._about(file_id)
        if found is None:
            raise NotFoundError(
                f"results {file_id[:20]} are not kept here any longer", remedy="add them again"
            )
        return found

    def points(self, file_id: str) -> PointFile:
        """The operating points of the results of an id.

        Raises:
            NotFoundError: nothing is.
            VerifyError: they cannot be read any more.
        """
        about = self.about(file_id)
        return _read(self._folder / file_id / _FILES, about.name, about.format)

    def remove(self, file_id: str) -> None:
        """Forgets the results of an id.

        Raises:
            NotFoundError: nothing is.
            AutotunerError: the folder cannot be written.
        """
        self.about(file_id)
        try:
            shutil.rmtree(self._folder / file_id)
        except FileNotFoundError:
            pass  # another request removes the same
        except OSError as error:
            raise _not_written(error) from None

    def _contents(self, files: Sequence[tuple[str, bytes]]) -> Mapping[str, bytes]:
        if len(files) > MOST_FILES:
            raise VerifyError(
                f"{len(files)} files were given, and at most {MOST_FILES} are read at once",
                remedy="give those of one run",
            )
        contents: dict[str, bytes] = {}
        left = self._most_bytes
        for name, raw in files:
            content = unpacked(raw, name, left)
            left -= len(content)
            contents[_free_name(_safe_name(name), contents)] = content
        return contents

    def _require_room(self, size: int) -> None:
        kept = self.all()
        if len(kept) >= MOST_KEPT or sum(one.bytes for one in kept) + size > _MOST_KEPT_BYTES:
            raise VerifyError(
                f"{len(kept)} results are kept, and there is no room for more",
                remedy="delete some that are no longer needed",
            )

    def _ids(self) -> Iterator[str]:
        with contextlib.suppress(FileNotFoundError):
            yield from (path.name for path in self._folder.iterdir())

    def _about(self, file_id: str) -> ResultFile | None:
        if _ID.fullmatch(file_id) is None:
            return None
        try:
            written = json.loads((self._folder / file_id / _ABOUT).read_text("utf-8"))
            return ResultFile(
                **{**written, "added_at": datetime.fromisoformat(written["added_at"])}
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _not_written(error: OSError) -> AutotunerError:
    return AutotunerError(
        f"the folder of uploaded results cannot be written: {error.strerror}",
        remedy="make room there, or give the service the right to write",
    )


def _read(folder: Path, title: str, format_name: str | None) -> PointFile:
    """The points of a folder of files; errors call it by its sender's name."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    path = files[0] if len(files) == 1 else folder
    try:
        found = read_points(path, format_name)
    except VerifyError as error:
        message = error.message.replace(str(path), title).replace(f"{folder}/", "")
        raise VerifyError(message, remedy=error.remedy) from None
    return replace(found, path=title)


def _safe_name(name: str) -> str:
    """The last part of a path, in characters that every file system takes."""
    last = PurePath(name.replace("\\", "/")).name
    return _shortened(_UNSAFE.sub("_", last).strip(" .") or "results")


def _shortened(plain: str) -> str:
    """A name with the ending that it has, no longer than file systems take."""
    stem, dot, ending = plain.rpartition(".")
    room = _LONGEST_NAME - len(f"{dot}{ending}".encode())
    if len(plain.encode()) <= _LONGEST_NAME or room < 1:
        return _cut(plain, _LONGEST_NAME)
    return f"{_cut(stem, room)}{dot}{ending}"


def _cut(text: str, most_bytes: int) -> str:
    return text.encode()[:most_bytes].decode(errors="ignore")


def _free_name(name: str, taken: Container[str], folder: str = "") -> str:
    """The name, with a number before it where the folder has another of that name."""
    numbered = (name, *(f"{number}-{name}" for number in range(2, MOST_FILES + 2)))
    return next(free for one in numbered if (free := f"{folder}{one}") not in taken)


class _PlainPaths:
    """Paths in characters that every file system takes, as no name on a disk need be; each folder
    stays one folder, and what differs on the disk differs here."""

    def __init__(self) -> None:
        self._plain = {"": ""}
        """Path on the disk -> plain one, of folders too."""
        self._taken: set[str] = set()

    def of(self, path: str) -> str:
        """The plain path of a file."""
        if path not in self._plain:
            above, slash, last = path.rpartition("/")
            folder = f"{self.of(above)}{slash}"
            found = _free_name(_shortened(_UNSAFE.sub("_", last)), self._taken, folder)
            self._taken.add(found)
            self._plain[path] = found
        return self._plain[path]
