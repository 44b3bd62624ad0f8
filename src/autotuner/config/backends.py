"""Files that describe engines, by name: where they are, not what they say.

An engine is one file, `NAME.yaml`. Files lie in three places: beside the code of the room
`engines`, in packages that declare them (entry points of the group `autotuner.engines`, each naming
a module whose folder holds files), and in the user's folders (`AUTOTUNER_ENGINES`, which
`--engines` adds to). Every room that checks a name reads it here; `engines` reads the files.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType
from typing import overload

from autotuner.errors import EngineError

FOLDERS = "AUTOTUNER_ENGINES"
"""Environment variable: folders of the user's, separated as in PATH; child processes inherit it."""
ENTRY_POINTS = "autotuner.engines"
"""Group of entry points by which packages add engines."""
BUILT_IN = Path(__file__).parents[1] / "engines"
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_ORDER = re.compile(r"^order:[ ]*(\d+)[ ]*$", re.MULTILINE)
_LAST = 1 << 30


def engine_files() -> Mapping[str, Path]:
    """Name of each engine -> its file: by `order`, those without one last and by name.

    Raises:
        EngineError: a folder that is not there, a file whose name cannot name an engine, or two
            files for one engine.
    """
    return _files(os.environ.get(FOLDERS, ""))


def add_engine_folder(folder: Path) -> None:
    """Adds a folder of the user's, for this process and those that it starts."""
    folders = [part for part in os.environ.get(FOLDERS, "").split(os.pathsep) if part]
    full = str(folder.expanduser().absolute())
    os.environ[FOLDERS] = os.pathsep.join(dict.fromkeys([*folders, full]))


class _EngineNames(Sequence[str]):
    """Names of the engine files, read when they are asked for."""

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...

    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        return tuple(engine_files())[place]

    def __len__(self) -> int:
        return len(engine_files())

    def __contains__(self, name: object) -> bool:
        return name in engine_files()


BACKENDS: Sequence[str] = _EngineNames()
"""Engines that `system.backend` may name, the embedded default first."""


@functools.cache
def _files(folders: str) -> Mapping[str, Path]:
    found: dict[str, Path] = {}
    for folder in (BUILT_IN, *_packaged(), *_named(folders)):
        for path in sorted(folder.glob("*.yaml")):
            if not _NAME.fullmatch(path.stem):
                raise EngineError(
                    f"{path}: {path.stem!r} cannot name an engine",
                    remedy="name the file in small letters, digits, - and _",
                )
            if path.stem in found and not path.samefile(found[path.stem]):
                raise EngineError(
                    f"engine {path.stem!r} has two files: {found[path.stem]} and {path}",
                    remedy="rename one of them, and its `name`",
                )
            found[path.stem] = path
    return MappingProxyType(dict(sorted(found.items(), key=_place)))


def _place(item: tuple[str, Path]) -> tuple[int, str]:
    """Where an engine is listed. Read without parsing the file: names are checked everywhere."""
    name, path = item
    order = _ORDER.search(path.read_text(encoding="utf-8"))
    return (int(order.group(1)) if order else _LAST, name)


def _named(folders: str) -> Iterator[Path]:
    for part in filter(None, folders.split(os.pathsep)):
        folder = Path(part).expanduser()
        if not folder.is_dir():
            raise EngineError(
                f"--engines: {part} is no folder",
                remedy=f"give a folder with engine files (NAME.yaml); {FOLDERS} may name it too",
            )
        yield folder


def _packaged() -> Iterator[Path]:
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        yield _folder_of(point)


def _folder_of(point: EntryPoint) -> Path:
    """The folder of the module that an entry point names; the module itself is not run."""
    try:
        spec = importlib.util.find_spec(point.module)
    except ImportError:
        spec = None
    if spec is None or spec.origin is None:
        raise EngineError(
            f"the entry point {point.name!r} of the group {ENTRY_POINTS} names the module "
            f"{point.module!r}, which cannot be found",
            remedy="mend or uninstall the package that declares it",
        )
    return Path(spec.origin).parent
