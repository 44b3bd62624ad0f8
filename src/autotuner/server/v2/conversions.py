"""`/tasks/convert`: task files of either version, and engines' command lines, as v2 documents."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi.responses import Response
from pydantic import Field, TypeAdapter

from autotuner.migrate import TextFormat, convert
from autotuner.server.problems import ProblemKind
from autotuner.server.v2.form_requests import FormBody, post_only
from autotuner.server.v2.routing import (
    WITH_BODY,
    FaultView,
    View,
    json_response,
    merged,
    problems,
    require_storable,
    v2_router,
)

router = v2_router("/tasks", "tasks")
_CONVERT = "/convert"
_MOST_CHARACTERS = 1_000_000


class ConvertRequest(FormBody):
    """Text to be converted; nothing that it names is opened."""

    text: Annotated[str, Field(min_length=1, max_length=_MOST_CHARACTERS)]
    """A task file in YAML or JSON, or a command such as `vllm serve …`."""
    format: Literal["auto", "v1", "v2", "command"] = "auto"
    """Format of the text; `auto` finds it out."""


class Conversion(View):
    """A text as a v2 document."""

    format: Literal["v1", "v2", "command"]
    document: dict[str, Any]
    """A task, version 2; `POST /api/v2/tasks/validate` has what it still lacks."""
    notes: list[FaultView]
    """Parts that could not be carried over, or not as they were, each with its place in the text;
    of a document of version 2 its faults."""


CONVERSION: TypeAdapter[Conversion] = TypeAdapter(Conversion)


@router.post(
    _CONVERT,
    response_model=Conversion,
    responses=merged(WITH_BODY, problems(ProblemKind.TASK_INVALID)),
)
def convert_task(given: ConvertRequest) -> Response:
    """Converts a task file of version 1 or 2, or an engine's command line, to a v2 document."""
    wanted = None if given.format == "auto" else TextFormat(given.format)
    found = convert(given.text, wanted)
    # YAML can write what JSON cannot: dates, infinity, a lone surrogate.
    require_storable(found.document)
    notes = [vars(note) for note in found.notes]
    return json_response(
        CONVERSION,
        {"format": found.format.value, "document": found.document, "notes": notes},
    )


post_only(router, _CONVERT)
