"""Problem details (RFC 9457) of failed requests; v1's paths answer `{"detail": …}`.

`ProblemKind` is the one table of kinds. Code that refuses a request raises `ProblemError`, and
`problem_response` writes it; `problem_of` translates errors of the rooms below.
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
    NoResultError,
    NotFoundError,
    PolicyError,
    Problem,
    ProfileError,
    StaleRevisionError,
    StoreError,
    WrongTransitionError,
)

MEDIA_TYPE = "application/problem+json"
_RETRY_S = 5


class ProblemKind(Enum):
    """Kind of problem: `type` is `/problems/<slug>`, independent of the detail.

    Attributes:
        status: of HTTP.
        title: short summary, the same for every problem of the kind.
        meaning: when it happens and what to do, for the documentation.
    """

    INVALID_BODY = (
        422,
        "The request body is not valid",
        "`errors` lists every fault with the path of its field; correct them and send it again.",
    )
    INVALID_PARAMETER = (
        422,
        "A parameter of the path, the query or a header is not valid",
        "`errors` lists every fault with its parameter.",
    )
    TASK_INVALID = (
        422,
        "The task cannot be run as written",
        "The document has the right form, but what it asks for is not available: an unknown model "
        "or profile, an engine that cannot express a setting, a space without candidates. "
        "`errors` or `detail` gives the reason and the remedy.",
    )
    UNPROCESSABLE = (
        422,
        "The request cannot be carried out",
        "What it names cannot be used here; `detail` gives the reason and the remedy.",
    )
    POLICY_REFUSED = (
        403,
        "The operator of this service does not allow this",
        "The task asks for something that the service's policy forbids: an engine, a flag, a path "
        "outside the model folders, a limit. `errors` lists every field. Change the task, or ask "
        "the operator.",
    )
    NOT_FOUND = (
        404,
        "Not found",
        "The address is wrong, or what it names has been deleted.",
    )
    METHOD_NOT_ALLOWED = (
        405,
        "This address does not accept this method",
        "The header `Allow` lists the methods that it accepts.",
    )
    WRONG_TRANSITION = (
        409,
        "The task's status does not allow this action",
        "`allowed` lists the actions that its status allows.",
    )
    CONFLICT = (
        409,
        "The request conflicts with the current state",
        "For example, a request with the same Idempotency-Key is still being answered, what is to "
        "be deleted is in use, or a task has no frontier that could be exported; see `detail`.",
    )
    DUPLICATE_NAME = (
        409,
        "The name is taken",
        "Choose another name, or rename what has it.",
    )
    IDEMPOTENCY_MISMATCH = (
        422,
        "The Idempotency-Key was used for another request",
        "Give every new request its own key; repeat a key only with the same body.",
    )
    PRECONDITION_FAILED = (
        412,
        "It has changed since you read it",
        "The ETag in `If-Match` is out of date; read it again and repeat the change.",
    )
    PRECONDITION_REQUIRED = (
        428,
        "The version to change is missing",
        "Send the ETag that you read in `If-Match`.",
    )
    BODY_TOO_LARGE = (
        413,
        "The body is too large",
        "`limit_bytes` is what this address accepts; the operator can raise it (`max_body_bytes`).",
    )
    UNSUPPORTED_MEDIA_TYPE = (
        415,
        "The body's format is not supported",
        "Send JSON with `Content-Type: application/json`; to upload a file, `multipart/form-data`.",
    )
    INVALID_CURSOR = (
        400,
        "The cursor does not belong to this list",
        "Send `next_cursor` of a page unchanged, in the same order; or start without a cursor.",
    )
    BAD_REQUEST = (
        400,
        "The request cannot be understood",
        "Its framing, its headers or its encoding are broken; see `detail`.",
    )
    UNAUTHORIZED = (
        401,
        "A valid token is needed",
        "Send `Authorization: Bearer TOKEN`; `autotuner token create` makes one. Never put it in "
        "a URL.",
    )
    FORBIDDEN = (
        403,
        "The token or session does not allow this",
        "`required_scope` is the scope that this request requires. Without it: the session of a "
        "browser needs `X-CSRF-Token`; read `GET /api/v2/session` again.",
    )
    WRONG_HOST = (
        421,
        "This service does not answer to that host name",
        "Use the address that the service prints when it starts; the operator can add names "
        "(`allowed_hosts`).",
    )
    WRONG_ORIGIN = (
        403,
        "Requests from other web pages are refused",
        "A page of another origin sent this; the operator can allow it (`allowed_origins`).",
    )
    RATE_LIMITED = (
        429,
        "Too many requests",
        "Wait for `Retry-After` seconds; the operator can raise the limit "
        "(`requests_per_s`, `request_burst`).",
    )
    UNAVAILABLE = (
        503,
        "The service cannot answer now",
        "The database is unavailable, locked or full, or the service is stopping; try again after "
        "`Retry-After` seconds.",
    )
    INTERNAL = (
        500,
        "Internal error",
        "A defect of the service: its log has the traceback.",
    )

    def __init__(self, status: int, title: str, meaning: str) -> None:
        self.status = status
        self.title = title
        self.meaning = meaning

    @property
    def slug(self) -> str:
        """Name of the kind in `type`: `not-found`."""
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
    NoResultError: ProblemKind.CONFLICT,
    StoreError: ProblemKind.UNAVAILABLE,
    LeaseLostError: ProblemKind.CONFLICT,
    NotFoundError: ProblemKind.NOT_FOUND,
    NameTakenError: ProblemKind.DUPLICATE_NAME,
    StaleRevisionError: ProblemKind.PRECONDITION_FAILED,
    WrongTransitionError: ProblemKind.WRONG_TRANSITION,
}
"""Error of the rooms below -> kind of problem; the most specific class counts."""
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
"""Status -> kind of problem, where only the status is known, as from the framework."""


class ProblemError(Exception):
    """Refusal of a request.

    Args:
        detail: what was wrong this time, with the offending value and the remedy.
        errors: every fault of a body or of parameters, with its path.
        headers: of the response (`Retry-After`, `WWW-Authenticate`, `Allow`).
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
    """Response with problem details."""

    media_type = MEDIA_TYPE


def problem_document(
    kind: ProblemKind,
    detail: str,
    instance: str,
    *,
    errors: Iterable[Problem] = (),
    **extra: Any,
) -> dict[str, Any]:
    """Members of RFC 9457, `errors` if there are any, and those of the kind."""
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
    """Response to a refused request for `path`, in the form of its API version."""
    if is_v1(path):
        return JSONResponse(
            {"detail": _detail_with_errors(error)}, error.kind.status, error.headers
        )
    document = problem_document(error.kind, error.detail, path, errors=error.errors, **error.extra)
    return ProblemResponse(document, error.kind.status, error.headers)


def problem_of(error: AutotunerError) -> ProblemError:
    """Problem that an error of the rooms below is for a client."""
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
        detail = str(violations[0]) if count == 1 else f"{count} violations; see errors"
        raise ProblemError(ProblemKind.POLICY_REFUSED, detail, errors=violations)


def kind_of_status(status: int) -> ProblemKind:
    """Kind of a problem of which only the status is known."""
    unknown = ProblemKind.INTERNAL if status >= 500 else ProblemKind.BAD_REQUEST
    return _KIND_OF_STATUS.get(status, unknown)


def is_v1(path: str) -> bool:
    """Whether a path belongs to API v1, whose clients do not know problem details."""
    return path.startswith("/api/") and path != "/api/v2" and not path.startswith("/api/v2/")


def _detail_with_errors(error: ProblemError) -> str:
    faults = "; ".join(map(str, error.errors))
    return error.detail if not faults or faults in error.detail else f"{error.detail}: {faults}"
