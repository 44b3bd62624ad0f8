"""`/tasks/convert`: task files of either version, and engines' command lines, as v2 documents."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi.responses import Response
from pydantic import Field, TypeAdapter

from autotuner.config import parse_task
from autotuner.errors import ConfigError, Problem
from autotuner.migrate import TextFormat, convert
from autotuner.server.problems import ProblemKind
from autotuner.server.service import Service
from autotuner.server.v2.form_requests import FormBody, post_only
from autotuner.server.v2.routing import (
    WITH_BODY,
    FaultView,
    ServiceDep,
    View,
    json_response,
    merged,
    problems,
    require_storable,
    v2_router,
)

router = v2_router("/tasks", "tasks")
_CONVERT = "/convert"
MOST_CHARACTERS = 1_000_000
"""Characters of a task file that is read: YAML is read slowly, and keeps other requests waiting."""


class ConvertRequest(FormBody):
    """Text to be converted; nothing that it names is opened."""

    text: Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS)]
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
    of a document of version 2 its faults; and what the policy of the service refuses."""


CONVERSION: TypeAdapter[Conversion] = TypeAdapter(Conversion)


@router.post(
    _CONVERT,
    response_model=Conversion,
    responses=merged(WITH_BODY, problems(ProblemKind.TASK_INVALID)),
)
def convert_task(service: ServiceDep, given: ConvertRequest) -> Response:
    """Converts a task file of version 1 or 2, or an engine's command line, to a v2 document."""
    wanted = None if given.format == "auto" else TextFormat(given.format)
    found = convert(given.text, wanted)
    # YAML can write what JSON cannot: dates, infinity, a lone surrogate.
    require_storable(found.document)
    # The notes of a document of version 2 are its faults: no task can be made of it to be judged.
    is_faulty = found.format is TextFormat.V2 and found.notes
    refused = () if is_faulty else _refused(service, found.document)
    notes = [vars(note) for note in (*found.notes, *refused)]
    return json_response(
        CONVERSION,
        {"format": found.format.value, "document": found.document, "notes": notes},
    )


def _refused(service: Service, document: dict[str, Any]) -> tuple[Problem, ...]:
    """Violations of the operator's policy, for which no task is made of the document."""
    try:
        return service.violations(parse_task(document))
    except ConfigError as error:
        return error.problems


post_only(router, _CONVERT)
