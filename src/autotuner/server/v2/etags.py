"""Entity tags: which version of a thing an answer holds, and which one a request is about."""

from __future__ import annotations

import re
from collections.abc import Iterable

from autotuner.server.problems import ProblemError, ProblemKind

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_VERSION = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})*")


def etag(revision: int, number: int, *progress: int) -> str:
    """The tag of a thing at that revision.

    Args:
        number: what no other thing has, nor will have at the same address.
        progress: what else of it may have changed.
    """
    return f'"{".".join(map(str, (revision, number, *progress)))}"'


def is_unchanged(tag: str, if_none_match: str | None) -> bool:
    """Whether a client that sent `If-None-Match` has this version already."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or tag[1:-1] in _tags(if_none_match)


def revision_wanted(if_match: str | None, number: int) -> int | None:
    """The revision that a change of the thing of that number is meant for; None where any will do.

    Raises:
        ProblemError: it is the tag of another thing, or none of ours.
    """
    version = version_wanted(if_match)
    if version is None:
        return None
    if version[1:2] != (number,):
        raise _not_ours(if_match)
    return version[0]


def version_wanted(if_match: str | None) -> tuple[int, ...] | None:
    """The version that a change is meant for, as `etag` was given it; None where any will do.

    Raises:
        ProblemError: it is no tag of ours, so that nothing there can have it.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    versions = {
        tuple(map(int, tag.split("."))) for tag in _tags(if_match) if _VERSION.fullmatch(tag)
    }
    if len({version[0] for version in versions}) != 1:
        raise _not_ours(if_match)
    return versions.pop()


def _not_ours(if_match: str | None) -> ProblemError:
    return ProblemError(
        ProblemKind.PRECONDITION_FAILED,
        f"If-Match: {if_match!r} is not one ETag that this service gave of it; read it again",
    )


def _tags(header: str) -> Iterable[str]:
    return _TAG.findall(header)
