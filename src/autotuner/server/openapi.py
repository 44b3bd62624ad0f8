"""The OpenAPI document, as it is."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from autotuner.server.problems import MEDIA_TYPE

_JSON = "application/json"


def tell_openapi(app: FastAPI) -> None:
    """Makes the application tell that its problems are of their own media type.

    The framework knows a response's model and its media type only of one kind of answer.
    """
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = with_tokens(with_problem_type(plain()))
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def with_tokens(document: dict[str, Any]) -> dict[str, Any]:
    """The document, which tells of tokens: sent in a header, demanded where others can reach it."""
    document["components"]["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "Made by `autotuner token create`; needed only where the service is "
            "reached from other machines.",
        }
    }
    # Either will do: a token, or none where none is demanded.
    document["security"] = [{"token": []}, {}]
    return document


def with_problem_type(document: dict[str, Any]) -> dict[str, Any]:
    """The document, in which what is told of problems stands under their media type."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                content = response.get("content", {})
                if MEDIA_TYPE in content and _JSON in content:
                    content[MEDIA_TYPE] = content.pop(_JSON)
    return document
