"""An engine as it is in a container image: the image's reference, its version, and its program."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from autotuner.engines.engine import Engine, Installation
from autotuner.engines.engine_file import EngineFile
from autotuner.engines.rows import checked_version
from autotuner.errors import EngineError

_VERSION = "{version}"
_IN_TAG = re.compile(r"v?(\d+(?:\.\d+)+(?:\.?(?:rc|post|dev)\d+)*)")


def in_container(
    engine: Engine, *, image: str | None, program: str | None, version: str | None
) -> Installation:
    """The engine in an image; it is not looked at until it is launched.

    Args:
        image: its reference, in which `{version}` stands for the version; the engine's own where
            left out.
        program: in the image, or its Python; as the engine's file has it where left out.
        version: the one that is asked for; where left out the one that the image's tag names, else
            the newest one that the engine's file was checked against.

    Raises:
        EngineError: the engine has no image of its own, or `version` is none.
    """
    table = engine.table
    named = image or _own_image(engine)
    found = checked_version(version) if version is not None else _of_tag(named) or table.version
    words = _started_by(engine, program, is_own=named.startswith(f"{table.file.image}:"))
    reference = named.replace(_VERSION, found)
    return Installation(table.name, words, found, f"image {reference}", image=reference)


def own_image(file: EngineFile) -> str | None:
    """The engine's own image and tag, in which `{version}` stands for the version; None where it
    has none."""
    return None if file.image is None else f"{file.image}:{file.deploy.image_tag}"


def at_version(image: str | None, version: str | None) -> str | None:
    """An image of a version; None where there is none, or where its version is not known."""
    if image is None or (version is None and _VERSION in image):
        return None
    return image.replace(_VERSION, version or "")


def _own_image(engine: Engine) -> str:
    own = own_image(engine.table.file)
    if own is None:
        raise EngineError(
            f"docker.image: no image of {engine.name} is known",
            remedy="say docker.image, with its tag",
        )
    return own


def _of_tag(image: str) -> str | None:
    """The version that a tag names; None where it names none."""
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    found = _IN_TAG.match(tag)
    return found.group(1) if found is not None else None


def _started_by(engine: Engine, program: str | None, *, is_own: bool) -> tuple[str, ...]:
    """The words that start it, up to its arguments.

    Args:
        is_own: whether the image is the engine's own, whose program its file knows.
    """
    table = engine.table
    in_own = table.file.deploy.image_program if is_own else ()
    if in_own and program is None:
        at_model = (at for at, word in enumerate(table.program_words) if word[0] in "-{")
        model = table.program_words[next(at_model, len(table.program_words)) :]
        return (*in_own, *(table.module_words if "-m" in in_own else model))
    if program is not None and PurePosixPath(program).name.startswith("python"):
        return (program, "-m", table.module, *table.module_words)
    return (program or table.program, *table.program_words)
