"""Lists a page at a time: cursors, and a query read by one model at once."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar, get_origin

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import QueryParams

from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.v2.routing import MOST_ID, is_storable

_LONGEST = 1_000
_QUERIES = 64
"""Queries kept as they were read: pages and dashboards send the same ones again and again."""
Model = TypeVar("Model", bound=BaseModel)


def encode_cursor(order: str, value: str, row_id: int) -> str:
    """Cursor behind the last row of a page: its order, the row's sort value as JSON, and its id."""
    text = json.dumps([order, value, row_id], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(
    cursor: str, order: str, *, is_time: bool = False, is_number: bool = False
) -> tuple[Any, int]:
    """Sort value and id that a page continues after.

    Raises:
        ProblemError: it is not a cursor of a list in that order.
    """
    try:
        if len(cursor) > _LONGEST:
            raise ValueError("too long")
        padded = cursor + "=" * (-len(cursor) % 4)
        its_order, value, row_id = json.loads(
            base64.b64decode(padded, altchars=b"-_", validate=True)
        )
        if its_order != order:
            raise ValueError("of another order")
        if type(row_id) is not int or not 0 <= row_id <= MOST_ID:
            raise ValueError("no id")
        if not isinstance(value, str) or not is_storable(value):
            raise ValueError("no value")
        if is_number:
            number = float(value)
            if not math.isfinite(number):
                raise ValueError("no number")
            return number, row_id
        if is_time:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                raise ValueError("no moment")
            return moment.astimezone(UTC), row_id
        return value, row_id
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
        raise ProblemError(
            ProblemKind.INVALID_CURSOR,
            "the cursor does not belong to this list in this order; start without one",
        ) from None


def query_reader(model: type[Model]) -> Callable[[Request], Awaitable[Model]]:
    """Dependency that reads the query; a field that is a list may be repeated.

    The model is frozen: requests with the same query share what was read. It raises
    `RequestValidationError` with the same locations as the framework.
    """
    lists = frozenset(
        name for name, field in model.model_fields.items() if get_origin(field.annotation) is list
    )

    @lru_cache(maxsize=_QUERIES)
    def parsed(text: bytes) -> Model:
        query = QueryParams(text)
        given = {name: query.getlist(name) if name in lists else query[name] for name in query}
        return model.model_validate(given)

    async def read(request: Request) -> Model:
        try:
            return parsed(request.scope["query_string"])
        except ValidationError as error:
            faults = error.errors(include_url=False)
            placed = [{**fault, "loc": ("query", *fault["loc"])} for fault in faults]
            raise RequestValidationError(placed) from None

    return read


def query_parameters(model: type[BaseModel]) -> dict[str, Any]:
    """`openapi_extra=` of a route that reads its query with `query_reader`."""
    properties = model.model_json_schema()["properties"]
    return {"parameters": [_parameter(name, field) for name, field in properties.items()]}


def _parameter(name: str, field: dict[str, Any]) -> dict[str, Any]:
    # A parameter that is omitted is not null.
    schema = {key: value for key, value in field.items() if (key, value) != ("default", None)}
    description = {"description": field["description"]} if "description" in field else {}
    return {"name": name, "in": "query", "required": False, "schema": schema, **description}
