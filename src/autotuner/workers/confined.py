"""Paths of users, confined to folders that the operator names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class OutsideRootsError(ValueError):
    """A path that may not be used; the message says why, and nothing of what lies outside."""


def confined(written: str, roots: Iterable[Path], *, base: Path | None = None) -> Path:
    """The file or folder that a user's path names, with every link followed, inside a root.

    Args:
        written: as the user wrote it.
        roots: folders that it may lie in, at any depth; with none, nothing may be used.
        base: folder from which a relative path counts; None where there is none.

    Raises:
        OutsideRootsError: it lies elsewhere, or is no plain path: an address, `..`, `~`.
    """
    reason = _no_plain_path(written)
    if reason:
        raise OutsideRootsError(reason)
    path = Path(written)
    if not path.is_absolute():
        if base is None:
            raise OutsideRootsError(
                "is a relative path, and nothing says from which folder; give the full path"
            )
        path = base / path
    allowed = tuple(roots)
    try:
        resolved = path.resolve()
        inside = any(resolved.is_relative_to(root.resolve()) for root in allowed)
    except (OSError, RuntimeError, ValueError):
        raise OutsideRootsError("cannot be followed to a file; give the full path") from None
    if not inside:
        told = ", ".join(map(str, allowed)) or "there are none"
        raise OutsideRootsError(f"lies outside the folders that the operator allows ({told})")
    return resolved


def _no_plain_path(written: str) -> str | None:
    if not written.strip():
        return "is empty; give a path"
    if not written.isprintable():
        return "holds characters that cannot be printed; give a plain path"
    if _ADDRESS.match(written):
        return "is an address; nothing is fetched, give a path on the service's machine"
    if written.startswith(("//", "\\\\")) or "\\" in written:
        return "is a path of another system or of a network share; give one of this machine"
    if written.startswith("~"):
        return "begins with '~', and that user has no home here; give the full path"
    if ".." in Path(written).parts:
        return "leaves its folder by '..'; give the full path"
    return None
