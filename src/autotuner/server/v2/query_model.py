"""A query read by one model at once, and told in the OpenAPI as the framework tells parameters.

The framework takes a model's query apart field by field on every request, which takes as long as to
ask the database does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, get_origin

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)


def reader_of(model: type[Model]) -> Callable[[Request], Awaitable[Model]]:
    """A dependency that reads the query: a list's field may be given many times.

    It raises `RequestValidationError`, whose places are those that the framework gives.
    """
    lists = frozenset(
        name for name, field in model.model_fields.items() if get_origin(field.annotation) is list
    )

    async def read(request: Request) -> Model:
        query = request.query_params
        given = {name: query.getlist(name) if name in lists else query[name] for name in query}
        try:
            return model.model_validate(given)
        except ValidationError as error:
            faults = error.errors(include_url=False)
            placed = [{**fault, "loc": ("query", *fault["loc"])} for fault in faults]
            raise RequestValidationError(placed) from None

    return read


def parameters_of(model: type[BaseModel]) -> dict[str, Any]:
    """`openapi_extra=` of a route that reads its query so."""
    properties = model.model_json_schema()["properties"]
    return {"parameters": [_parameter(name, told) for name, told in properties.items()]}


def _parameter(name: str, told: dict[str, Any]) -> dict[str, Any]:
    # A parameter that is left out is no null.
    schema = {key: value for key, value in told.items() if (key, value) != ("default", None)}
    description = {"description": told["description"]} if "description" in told else {}
    return {"name": name, "in": "query", "required": False, "schema": schema, **description}
