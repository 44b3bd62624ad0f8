"""What goes wrong in a request, told as RFC 9457 problem details; v1's paths say `{"detail": …}`.

`ProblemKind` is the one table of kinds. Whoever refuses a request raises `ProblemError`, and
`problem_response` writes it; `problem_of` says what an error of the rooms below means in HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

from fastapi.responses import JSONResponse

from autotuner.errors import (
    AutotunerError,
    CatalogError,
    ConfigError,
    EngineError,
    LandscapeError,
    LeaseLostError,
    MeasureError,
    ModelError,
    NameTakenError,
    NotFoundError,
    PolicyError,
    Problem,
    ProfileError,
    StaleRevisionError,
    StoreError,
    WrongTransitionError,
)

MEDIA_TYPE = "application/problem+json"


class ProblemKind(Enum):
    """A kind of problem: `type` is `/problems/<slug>` and stays as it is, whatever the detail says.

    Attributes:
        status: of HTTP.
        title: what kind it is, in a few words; the same for each of its problems.
        meaning: when it happens and what to do; the documentation's words.
    """

    INVALID_BODY = (
        422,
        "The body is not what this request takes",
        "`errors` names every fault with the path of its field; mend them all and send it again.",
    )
    INVALID_PARAMETER = (
        422,
        "A parameter of the path, the query or a header is not valid",
        "`errors` names every fault with its parameter.",
    )
    TASK_INVALID = (
        422,
        "The task cannot be run as it is written",
        "The document has the right form, and what it asks for cannot be had: an unknown model or "
        "profile, an engine that cannot express a setting, a space without candidates. `errors` "
        "or `detail` says what and what to do.",
    )
    UNPROCESSABLE = (
        422,
        "The request cannot be carried out",
        "What it names cannot be used here; `detail` says why and what to do.",
    )
    POLICY_REFUSED = (
        403,
        "The operator of this service does not allow this",
        "The task asks for what the service's policy forbids: an engine, a flag, a path outside "
        "the model folders, a limit. `errors` names every field. Change the task, or ask the "
        "operator.",
    )
    NOT_FOUND = (
        404,
        "There is no such thing",
        "The address is wrong, or what it names has been deleted.",
    )
    METHOD_NOT_ALLOWED = (
        405,
        "This address does not take this method",
        "The header `Allow` names those that it takes.",
    )
    WRONG_TRANSITION = (
        409,
        "What it is doing does not allow this action",
        "`allowed` names the actions that its status allows.",
    )
    CONFLICT = (
        409,
        "It is in the way of something else",
        "For example a request with the same Idempotency-Key that is still being answered, or "
        "something in use that cannot be deleted; `detail` says what.",
    )
    DUPLICATE_NAME = (
        409,
        "The name is taken",
        "Give another name, or change what has it.",
    )
    IDEMPOTENCY_MISMATCH = (
        422,
        "The Idempotency-Key was used for another request",
        "Give every new request a key of its own; repeat a key only with the same body.",
    )
    PRECONDITION_FAILED = (
        412,
        "It has changed since you read it",
        "The ETag in `If-Match` is an older one; get it again and repeat the change on that.",
    )
    PRECONDITION_REQUIRED = (
        428,
        "Say which version you change",
        "Send the ETag that you read in `If-Match`.",
    )
    BODY_TOO_LARGE = (
        413,
        "The body is too large",
        "`limit_bytes` is what this address takes; the operator may widen it (`max_body_bytes`).",
    )
    UNSUPPORTED_MEDIA_TYPE = (
        415,
        "The body's format is not understood",
        "Send JSON with `Content-Type: application/json`; where a file is uploaded, "
        "`multipart/form-data`.",
    )
    INVALID_CURSOR = (
        400,
        "The cursor is not one of this list",
        "Take `next` of an answer as it is, with the same filters and order; or start without one.",
    )
    BAD_REQUEST = (
        400,
        "The request cannot be understood",
        "Its framing, its headers or its encoding are broken; `detail` says where.",
    )
    UNAUTHORIZED = (
        401,
        "A valid token is needed",
        "Send `Authorization: Bearer TOKEN`; `autotuner token create` makes one. Never put it in "
        "an address.",
    )
    FORBIDDEN = (
        403,
        "The token does not allow this",
        "`scope_needed` is the scope that a token needs here.",
    )
    WRONG_HOST = (
        421,
        "This service does not answer under that name",
        "Use the address that the service prints when it starts; the operator may add names "
        "(`allowed_hosts`).",
    )
    WRONG_ORIGIN = (
        403,
        "Requests of other web pages are refused",
        "A page of another origin sent this; the operator may allow it (`allowed_origins`).",
    )
    RATE_LIMITED = (
        429,
        "Too many requests",
        "Wait for the seconds of `Retry-After`; the operator may widen the limit "
        "(`requests_per_s`, `request_burst`).",
    )
    UNAVAILABLE = (
        503,
        "The service cannot answer now",
        "The database is away, locked or full, or the service is stopping; ask again after "
        "`Retry-After` seconds.",
    )
    INTERNAL = (
        500,
        "An error of the service",
        "A defect of ours: the service's log has its traceback.",
    )

    def __init__(self, status: int, title: str, meaning: str) -> None:
        self.status = status
        self.title = title
        self.meaning = meaning

    @property
    def slug(self) -> str:
        """Its name in `type`: `not-found`."""
        return self.name.lower().replace("_", "-")

    @property
    def type(self) -> str:
        """RFC 9457's `type`, relative to the service's own address."""
        return f"/problems/{self.slug}"


_KIND_OF_ERROR: dict[type[AutotunerError], ProblemKind] = {
    AutotunerError: ProblemKind.UNPROCESSABLE,
    ConfigError: ProblemKind.TASK_INVALID,
    PolicyError: ProblemKind.POLICY_REFUSED,
    CatalogError: ProblemKind.TASK_INVALID,
    ProfileError: ProblemKind.TASK_INVALID,
    ModelError: ProblemKind.TASK_INVALID,
    EngineError: ProblemKind.TASK_INVALID,
    LandscapeError: ProblemKind.TASK_INVALID,
    MeasureError: ProblemKind.TASK_INVALID,
    StoreError: ProblemKind.UNAVAILABLE,
    LeaseLostError: ProblemKind.CONFLICT,
    NotFoundError: ProblemKind.NOT_FOUND,
    NameTakenError: ProblemKind.DUPLICATE_NAME,
    StaleRevisionError: ProblemKind.PRECONDITION_FAILED,
    WrongTransitionError: ProblemKind.WRONG_TRANSITION,
}
"""An error of the rooms below -> what it means here; the nearest class counts."""
_KIND_OF_STATUS = {
    400: ProblemKind.BAD_REQUEST,
    401: ProblemKind.UNAUTHORIZED,
    403: ProblemKind.FORBIDDEN,
    404: ProblemKind.NOT_FOUND,
    405: ProblemKind.METHOD_NOT_ALLOWED,
    409: ProblemKind.CONFLICT,
    413: ProblemKind.BODY_TOO_LARGE,
    415: ProblemKind.UNSUPPORTED_MEDIA_TYPE,
    422: ProblemKind.UNPROCESSABLE,
    503: ProblemKind.UNAVAILABLE,
}
"""What a status means where only it is told, as by the framework."""
_RETRY_S = 5


class ProblemError(Exception):
    """A request that is refused.

    Args:
        detail: what was wrong this time, with the offending value and what to do.
        errors: every fault of a body or of parameters, with its path.
        headers: of the answer (`Retry-After`, `WWW-Authenticate`, `Allow`).
        extra: more members of the document (`allowed`, `limit_bytes`).
    """

    def __init__(
        self,
        kind: ProblemKind,
        detail: str,
        *,
        errors: Iterable[Problem] = (),
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.extra = extra


class ProblemResponse(JSONResponse):
    """An answer in the form of problem details."""

    media_type = MEDIA_TYPE


def problem_document(
    kind: ProblemKind,
    detail: str,
    instance: str,
    *,
    errors: Iterable[Problem] = (),
    **extra: Any,
) -> dict[str, Any]:
    """The members that RFC 9457 names, `errors` where there are any, and the kind's own."""
    faults = [{"path": fault.path, "message": fault.message} for fault in errors]
    return {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "instance": instance,
        **({"errors": faults} if faults else {}),
        **extra,
    }


def problem_response(error: ProblemError, path: str) -> JSONResponse:
    """The answer to a refused request for `path`, in the form that this path's clients read."""
    if is_v1(path):
        return JSONResponse(
            {"detail": _detail_with_errors(error)}, error.kind.status, error.headers
        )
    document = problem_document(error.kind, error.detail, path, errors=error.errors, **error.extra)
    return ProblemResponse(document, error.kind.status, error.headers)


def problem_of(error: AutotunerError) -> ProblemError:
    """What an error of the rooms below means to who sent the request."""
    kind = next(_KIND_OF_ERROR[cls] for cls in type(error).__mro__ if cls in _KIND_OF_ERROR)
    headers = {"Retry-After": str(_RETRY_S)} if kind is ProblemKind.UNAVAILABLE else {}
    if isinstance(error, ConfigError):
        count = len(error.problems)
        detail = str(error.problems[0]) if count == 1 else f"{count} faults; see errors"
        detail = f"{detail}; {error.remedy}" if error.remedy else detail
        return ProblemError(kind, detail, errors=error.problems, headers=headers)
    detail = f"{error.message}; {error.remedy}" if error.remedy else error.message
    if isinstance(error, WrongTransitionError):
        return ProblemError(kind, detail, task_status=error.status, allowed=list(error.allowed))
    return ProblemError(kind, detail, headers=headers)


def refuse_violations(violations: Sequence[Problem]) -> None:
    """Passes a task that violates no policy of the operator.

    Raises:
        ProblemError: with every violation.
    """
    if violations:
        count = len(violations)
        detail = str(violations[0]) if count == 1 else f"{count} things are refused; see errors"
        raise ProblemError(ProblemKind.POLICY_REFUSED, detail, errors=violations)


def kind_of_status(status: int) -> ProblemKind:
    """The kind of a problem of which only the status is known."""
    unknown = ProblemKind.INTERNAL if status >= 500 else ProblemKind.BAD_REQUEST
    return _KIND_OF_STATUS.get(status, unknown)


def is_v1(path: str) -> bool:
    """Whether a path is one of API v1, whose clients know no problem details."""
    return path.startswith("/api/") and path != "/api/v2" and not path.startswith("/api/v2/")


def _detail_with_errors(error: ProblemError) -> str:
    faults = "; ".join(map(str, error.errors))
    return error.detail if not faults or faults in error.detail else f"{error.detail}: {faults}"
