"""Common parts of routes for forms: names in place of mappings, addresses that take POST alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from autotuner.config import Model
from autotuner.errors import AutotunerError
from autotuner.server.problems import ProblemError, ProblemKind

_OTHERS = ("GET", "PUT", "PATCH", "DELETE", "OPTIONS")


class FormBody(BaseModel):
    """Base of the bodies of forms: unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class NameToo:
    """Annotation of a field that takes a name where it expects a mapping.

    Args:
        read: the mapping that a name stands for; raises an `AutotunerError` for an unknown one.
    """

    def __init__(self, read: Callable[[str], Any]) -> None:
        self._read = read

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._resolved, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "minLength": 1}, handler(schema)]}

    def _resolved(self, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        try:
            return self._read(given)
        except AutotunerError as error:
            raise ValueError(error.message) from None


NamedModel = Annotated[Model, NameToo(lambda name: {"id": name})]
"""A model as a task has it, or its name alone."""


def post_only(router: APIRouter, path: str) -> None:
    """Answers other methods at `path` as not allowed, where a longer route would take its last word
    for a name or a number."""

    def refuse_method(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": "POST"})
        raise ProblemError(
            ProblemKind.METHOD_NOT_ALLOWED,
            f"{request.url.path} does not accept {request.method}",
            headers={"Allow": "POST"},
        )

    router.add_api_route(path, refuse_method, methods=list(_OTHERS), include_in_schema=False)
