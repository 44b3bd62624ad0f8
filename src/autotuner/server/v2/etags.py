"""Entity tags: which version of a thing an answer holds, and which one a request is about."""

from __future__ import annotations

import re
from collections.abc import Iterable

from autotuner.server.problems import ProblemError, ProblemKind

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_REVISION = re.compile(r"(\d{1,9})(\.\d+)*")


def etag(revision: int, *progress: int) -> str:
    """The tag of a thing at that revision; `progress` is what else of it may have changed."""
    return f'"{".".join(map(str, (revision, *progress)))}"'


def is_unchanged(tag: str, if_none_match: str | None) -> bool:
    """Whether a client that sent `If-None-Match` has this version already."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or tag[1:-1] in _tags(if_none_match)


def revision_wanted(if_match: str | None) -> int | None:
    """The revision that a change is meant for; None where any will do.

    Raises:
        ProblemError: it is no tag of ours, so that nothing there can have it.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    revisions = {
        int(found.group(1)) for tag in _tags(if_match) if (found := _REVISION.fullmatch(tag))
    }
    if len(revisions) != 1:
        raise ProblemError(
            ProblemKind.PRECONDITION_FAILED,
            f"If-Match: {if_match!r} is not one ETag that this service gave; read it again",
        )
    return revisions.pop()


def _tags(header: str) -> Iterable[str]:
    return _TAG.findall(header)
