"""`/session`: a browser signs in with a token once, asks who it is, and signs out.

What the browser keeps is a cookie that its scripts cannot read, with a secret of the session's own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Body, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from starlette.concurrency import run_in_threadpool

from autotuner.server.security.authentication import (
    COOKIE,
    Authentication,
    Credential,
    no_such_token,
)
from autotuner.server.service import Service
from autotuner.server.v2.routing import (
    WITH_BODY,
    ServiceDep,
    View,
    json_response,
    v2_router,
)
from autotuner.store.browser_sessions import BrowserSession
from autotuner.store.tokens import TokenScope

router = v2_router("/session", "session")


class SignIn(BaseModel):
    """Credential that a browser signs in with."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    token: str = Field(min_length=1)
    """A token, as `autotuner token create` prints it."""


class SessionView(View):
    """Sender of a request, and what the service allows it."""

    required: bool
    """Whether the service requires a token of everybody."""
    authenticated: bool
    """Whether requests are answered: always true where no token is required."""
    name: str | None
    """Name of the token; null where there is none."""
    scope: TokenScope | None
    """Rights: of the token, or `admin` where none is required; null if nothing is."""
    csrf_token: str | None
    """Value that every `POST`, `PUT`, `PATCH` and `DELETE` with the cookie sends in `X-CSRF-Token`;
    null without a session."""
    expires_at: datetime | None
    """End of the session, or of the token; null if there is none."""


SESSION: TypeAdapter[SessionView] = TypeAdapter(SessionView)
_SET = {
    "description": "Signed in.",
    "headers": {"Set-Cookie": {"schema": {"type": "string"}, "description": f"`{COOKIE}`."}},
}


@router.get("", response_model=SessionView)
async def get_session(request: Request) -> Response:
    """Says who sends this request, by cookie or token, and whether the service requires a token."""
    credential: Credential | None = getattr(request.state, "credential", None)
    return _answer(_authentication(request), credential)


@router.post(
    "",
    status_code=201,
    response_model=SessionView,
    responses=WITH_BODY | {201: _SET},
)
async def sign_in(
    service: ServiceDep, request: Request, given: Annotated[SignIn, Body()]
) -> Response:
    """Signs a browser in with a token, by a cookie for 12 hours; the token itself is not kept."""
    authentication = _authentication(request)
    token = await authentication.token(given.token, request)
    begun = await run_in_threadpool(service.browser_sessions.begin, token)
    if begun is None:
        raise no_such_token()
    await run_in_threadpool(_end_session, service, request)
    secret, session = begun
    response = _answer(authentication, Credential(session.token, session), status=201)
    response.set_cookie(
        COOKIE,
        secret,
        max_age=_left_s(session, service),
        secure=_is_encrypted(request),
        httponly=True,
        samesite="strict",
    )
    return response


@router.delete("", status_code=204, response_class=Response)
def sign_out(service: ServiceDep, request: Request) -> Response:
    """Signs a browser out: its session ends and its cookie is removed."""
    _end_session(service, request)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response


def _answer(
    authentication: Authentication, credential: Credential | None, *, status: int = 200
) -> Response:
    token = credential and credential.token
    session = credential and credential.session
    free = None if authentication.required else TokenScope.ADMIN
    return json_response(
        SESSION,
        {
            "required": authentication.required,
            "authenticated": token is not None or not authentication.required,
            "name": token and token.name,
            "scope": token.scope if token else free,
            "csrf_token": session and session.csrf_token,
            "expires_at": session.expires_at if session else token and token.expires_at,
        },
        status=status,
    )


def _authentication(request: Request) -> Authentication:
    found: Authentication = request.app.state.authentication
    return found


def _end_session(service: Service, request: Request) -> None:
    """Ends the session of the request's cookie, if it has one."""
    secret = request.cookies.get(COOKIE)
    if secret is not None:
        service.browser_sessions.end(secret)


def _left_s(session: BrowserSession, service: Service) -> int:
    return max(int((session.expires_at - service.clock()).total_seconds()), 0)


def _is_encrypted(request: Request) -> bool:
    """Whether the browser reached the service by https, as it says itself in `Origin`.

    A proxy that speaks TLS stands before a service that does not.
    """
    return "https" in (request.url.scheme, request.headers.get("origin", "").partition(":")[0])
