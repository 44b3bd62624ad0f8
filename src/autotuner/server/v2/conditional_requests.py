"""Conditional and repeated requests: entity tags and `Idempotency-Key`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Any

from fastapi import Header, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.service import service_of
from autotuner.store import idempotency

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


def expected_revision(if_match: str | None, number: int) -> int | None:
    """The revision that a change of the thing of that number is meant for; None where any will do.

    Raises:
        ProblemError: it is the tag of another thing, or none of ours.
    """
    version = expected_version(if_match)
    if version is None:
        return None
    if version[1:2] != (number,):
        raise _not_ours(if_match)
    return version[0]


def expected_version(if_match: str | None) -> tuple[int, ...] | None:
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


KEY_HEADER = "Idempotency-Key"
_KEY = "[!-~]{1,255}"
_KEPT_HEADERS = ("content-type", "etag", "location")
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias=KEY_HEADER,
        pattern=f"^{_KEY}$",
        description="Any text of your own for this request. Sent again with the same body within "
        "24 hours, the request is answered as before and not carried out again.",
    ),
]
"""As a handler's argument; the route does the rest."""


async def respond_once(
    request: Request, handle: Callable[[Request], Awaitable[Response]]
) -> Response:
    """The answer of `handle`, or the one that was given to this key before.

    Only what was done is kept: a request that was refused may be sent again.

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
            f"the Idempotency-Key {key!r} was used for another body; give this request its own",
        )
    if kept.status is None or kept.answer is None:
        raise ProblemError(
            ProblemKind.CONFLICT,
            f"the request with the Idempotency-Key {key!r} is still being answered; ask again",
        )
    return Response(kept.answer["body"], kept.status, kept.answer["headers"])


def _scope(request: Request) -> str:
    """Who asks for what."""
    token: Any = getattr(request.state, "token", None)
    return f"{request.method} {request.url.path} {getattr(token, 'name', '')}"
