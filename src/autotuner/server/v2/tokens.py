"""`/tokens/`: the API's tokens, made and revoked by who may do everything."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import Body, Path
from fastapi.responses import Response
from pydantic import Field, TypeAdapter, field_validator

from autotuner.server.problems import ProblemKind
from autotuner.server.service import Service
from autotuner.server.v2.form_requests import FormBody
from autotuner.server.v2.routing import (
    WITH_BODY,
    ServiceDep,
    Text,
    View,
    json_response,
    merged,
    problems,
    v2_router,
)
from autotuner.store.tokens import LONGEST, LONGEST_NAME, Token, TokenScope

router = v2_router("/tokens", "tokens")
_NO_COPY = {"Cache-Control": "no-store"}


class NewToken(FormBody):
    """Token to be made."""

    name: str = Field(min_length=1, max_length=LONGEST_NAME)
    """Stays with the token, revoked or not."""
    scope: TokenScope
    """Its rights: `read`, `write` (tasks and profiles too), or `admin` (everything)."""
    days: float | None = Field(default=None, gt=0, le=LONGEST.days)
    """Days until it expires; null for never."""

    @field_validator("name")
    @classmethod
    def _printable(cls, name: str) -> str:
        if not name.strip() or not name.isprintable():
            raise ValueError("give characters that can be printed")
        return name


class TokenView(View):
    """Token as it is kept: nothing here makes a request."""

    name: str
    scope: TokenScope
    state: Literal["valid", "revoked", "expired"]
    created_at: datetime
    expires_at: datetime | None
    """Null where it never does."""
    revoked_at: datetime | None
    last_used_at: datetime | None
    """To a minute; null where it never was."""


class TokenList(View):
    """All tokens that there ever were."""

    items: list[TokenView]


class MadeToken(TokenView):
    """Token with its secret, which is shown this once."""

    secret: str


TOKEN: TypeAdapter[TokenView] = TypeAdapter(TokenView)
TOKEN_LIST: TypeAdapter[TokenList] = TypeAdapter(TokenList)
MADE: TypeAdapter[MadeToken] = TypeAdapter(MadeToken)


@router.get("/", response_model=TokenList)
def list_tokens(service: ServiceDep) -> Response:
    """Lists every token, revoked and expired ones too; their secrets are not kept."""
    rows = [_view(service, token) for token in service.tokens.every()]
    return json_response(TOKEN_LIST, {"items": rows})


@router.post(
    "/",
    status_code=201,
    response_model=MadeToken,
    responses=merged(WITH_BODY, problems(ProblemKind.DUPLICATE_NAME)),
)
def create_token(service: ServiceDep, given: Annotated[NewToken, Body()]) -> Response:
    """Makes a token; the answer has its secret, which nobody can read again."""
    lasts = None if given.days is None else timedelta(days=given.days)
    secret, token = service.tokens.create(given.name, given.scope, lasts=lasts)
    made = _view(service, token) | {"secret": secret}
    return json_response(MADE, made, status=201, headers=_NO_COPY)


@router.delete("/{name:name}", response_model=TokenView, responses=problems(ProblemKind.NOT_FOUND))
def revoke_token(
    service: ServiceDep,
    name: Annotated[Text, Path(min_length=1, max_length=LONGEST_NAME, description="Its name.")],
) -> Response:
    """Revokes a token: within seconds it is refused, and sessions that began with it end."""
    return json_response(TOKEN, _view(service, service.tokens.revoke(name)))


def _view(service: Service, token: Token) -> dict[str, object]:
    return vars(token) | {"state": token.state(service.tokens.now())}
