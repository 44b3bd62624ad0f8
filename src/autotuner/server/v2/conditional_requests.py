"""Conditional and repeated requests: entity tags and `Idempotency-Key`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Header, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.service import service_of
from autotuner.store import idempotency

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_VERSION = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})*")
KEY_HEADER = "Idempotency-Key"
_KEY = "[!-~]{1,255}"
_KEPT_HEADERS = ("content-type", "etag", "location")
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias=KEY_HEADER,
        pattern=f"^{_KEY}$",
        description="Any text of your choice for this request. Repeated with the same body within "
        "24 hours, the request is answered as before and not carried out again.",
    ),
]
"""Argument of a handler; the route does the rest."""


def etag(revision: int, number: int, *progress: int) -> str:
    """Entity tag of a resource at a revision.

    Args:
        number: unique among all resources that the address has had or will have.
        progress: further numbers that change with the resource.
    """
    return f'"{".".join(map(str, (revision, number, *progress)))}"'


def is_unchanged(tag: str, if_none_match: str | None) -> bool:
    """Whether a client that sent `If-None-Match` has this version already."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or any(each in _tags(if_none_match) for each in _tags(tag))


NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    200: {
        "headers": {"ETag": {"schema": {"type": "string"}, "description": "Its version."}},
    },
    304: {"description": "Not modified: your copy is current."},
}
"""`responses=` of a route that answers with an ETag; see `Condition`."""


@dataclass(frozen=True)
class Condition:
    """The version of what is asked for, and the one that the client has.

    Attributes:
        tag: entity tag of the resource as it is now.
        if_none_match: header of the request.
    """

    tag: str
    if_none_match: str | None

    def answered(self, make: Callable[[], Response]) -> Response:
        """The response that `make` makes, with its ETag; 304 where the client has it already.

        Caches keep the response and ask again before they use it.
        """
        headers = {"ETag": self.tag, "Cache-Control": "private, no-cache"}
        if is_unchanged(self.tag, self.if_none_match):
            return Response(status_code=304, headers=headers)
        response = make()
        response.headers.update(headers)
        return response


def expected_revision(if_match: str | None, number: int) -> int | None:
    """Revision in `If-Match` that a change expects; None if any will do.

    Raises:
        ProblemError: it is the tag of another resource, or none of ours.
    """
    version = expected_version(if_match)
    if version is None:
        return None
    if version[1:2] != (number,):
        raise _not_ours(if_match)
    return version[0]


def expected_version(if_match: str | None) -> tuple[int, ...] | None:
    """Version in `If-Match` that a change expects, as given to `etag`; None if any will do.

    Raises:
        ProblemError: it is not one tag of ours.
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
        f"If-Match: {if_match!r} is not an ETag of this resource; read it again",
    )


def _tags(header: str) -> Iterable[str]:
    return _TAG.findall(header)


async def respond_once(
    request: Request, handle: Callable[[Request], Awaitable[Response]]
) -> Response:
    """Response of `handle`, or the stored one of the first request with this key.

    Only successes are stored: a request that was refused may be sent again.

    Raises:
        ProblemError: the key was used for another request, or that is still being answered.
    """
    key = request.headers.get(KEY_HEADER, "")
    if re.fullmatch(_KEY, key) is None:
        return await handle(request)
    service = await service_of(request)
    sessions, scope = service.store.sessions, _scope(request)
    fingerprint = hashlib.sha256(
        request.scope.get("query_string", b"") + b"\n" + await request.body()
    ).hexdigest()
    kept = await run_in_threadpool(
        idempotency.take, sessions, scope, key, fingerprint, service.clock()
    )
    if kept is not None:
        return _again(kept, fingerprint, key)
    try:
        response = await handle(request)
    except BaseException:
        await run_in_threadpool(idempotency.give_back, sessions, scope, key)
        raise
    answer = {
        "body": bytes(response.body).decode(),
        "headers": {name: response.headers[name] for name in _KEPT_HEADERS},
    }
    await run_in_threadpool(idempotency.keep, sessions, scope, key, response.status_code, answer)
    return response


def _again(kept: idempotency.KeptAnswer, fingerprint: str, key: str) -> Response:
    if kept.fingerprint != fingerprint:
        raise ProblemError(
            ProblemKind.IDEMPOTENCY_MISMATCH,
            f"the Idempotency-Key {key!r} was used with another body; use a new key here",
        )
    if kept.status is None or kept.answer is None:
        raise ProblemError(
            ProblemKind.CONFLICT,
            f"the request with the Idempotency-Key {key!r} is still being answered; try again",
        )
    return Response(kept.answer["body"], kept.status, kept.answer["headers"])


def _scope(request: Request) -> str:
    """Method, path and token of a request."""
    token: Any = getattr(request.state, "token", None)
    return f"{request.method} {request.url.path} {getattr(token, 'name', '')}"
