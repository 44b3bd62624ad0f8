"""Files of the built web UI: where they lie, and which of them a path names."""

from __future__ import annotations

import functools
import gzip
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "web_ui"
"""Where `make ui-build` writes the UI, and where a wheel contains it."""
INDEX = "index.html"
_NAME = re.compile(r"[A-Za-z0-9_@~-][A-Za-z0-9_@~.-]*")
_LONGEST = 255
"""Characters of a path; no file system refuses a name for its length below that."""
_TEXT, _OTHER = "; charset=utf-8", "application/octet-stream"
_TYPES = {
    ".css": f"text/css{_TEXT}",
    ".html": f"text/html{_TEXT}",
    ".ico": "image/x-icon",
    ".js": f"text/javascript{_TEXT}",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": f"text/plain{_TEXT}",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""Suffix -> media type, the same on every machine."""
_COMPRESSED = frozenset({".png", ".woff2"})
"""Suffixes of files that are compressed already."""
_MOST_FILES = 512


@dataclass(frozen=True)
class BuiltFile:
    """A file of the UI. `compressed` is its gzip; None where that gains nothing."""

    body: bytes
    compressed: bytes | None
    media_type: str
    digest: str


def is_built(folder: Path = FOLDER) -> bool:
    """Whether the UI has been built."""
    return (folder / INDEX).is_file()


def file_at(folder: Path, path: str) -> BuiltFile | None:
    """The file of the UI that a path such as `/assets/a.js` names; None where it names none.

    Names consist of letters, digits and a few signs, and none begins with a dot: no path leads out
    of the folder. A symbolic link that does is not followed.
    """
    names = path.removeprefix("/").split("/")
    if len(path) > _LONGEST or not all(map(_NAME.fullmatch, names)):
        return None
    file = folder.joinpath(*names).resolve()
    if not file.is_relative_to(folder.resolve()) or not file.is_file():
        return None
    try:
        state = file.stat()
        return _read(file, state.st_mtime_ns, state.st_size)
    except FileNotFoundError:  # a build has just replaced it
        return None


@functools.lru_cache(maxsize=_MOST_FILES)
def _read(file: Path, _changed_ns: int, _size: int) -> BuiltFile:
    """The file as it was last changed, compressed once."""
    body, suffix = file.read_bytes(), file.suffix.lower()
    compressed = None if suffix in _COMPRESSED else gzip.compress(body, mtime=0)
    gains = compressed is not None and len(compressed) < len(body)
    return BuiltFile(
        body=body,
        compressed=compressed if gains else None,
        media_type=_TYPES.get(suffix, _OTHER),
        digest=hashlib.sha256(body).hexdigest()[:32],
    )
