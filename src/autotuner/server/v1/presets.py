"""`/api/presets/`: sets of parameters with a name."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import quote

from fastapi import File, UploadFile
from fastapi.exceptions import HTTPException
from fastapi.responses import Response
from pydantic import ValidationError

from autotuner.server.problems import ProblemError
from autotuner.server.service import Service
from autotuner.server.v1.merging import merge
from autotuner.server.v1.routing import (
    MOST_ID,
    Id,
    ServiceDep,
    bad_request,
    json_response,
    no_content,
    not_found,
    v1_router,
)
from autotuner.server.v1.schemas import (
    Document,
    MergeBody,
    PresetBody,
    PresetChange,
    is_name,
    preset_document,
    preset_file,
)
from autotuner.server.v2.routing import document_of
from autotuner.store.v1 import V1PresetRecord, V1Presets

router = v1_router("/presets")
_PLAIN = re.compile(r"[\w!#$&+.^`|~-]+", re.ASCII)
"""Names of files that a header holds without quotes."""


@router.get("/")
def list_presets(service: ServiceDep, category: str | None = None) -> Response:
    """Lists presets, of one category or of all."""
    if category is not None and not is_name(category):
        return json_response([])
    return json_response([preset_document(found) for found in _presets(service).all(category)])


@router.post("/", status_code=201)
def create_preset(service: ServiceDep, body: PresetBody) -> Response:
    """Creates a preset."""
    return json_response(preset_document(_created(service, body)), 201)


@router.post("/import", status_code=201)
def import_preset(service: ServiceDep, file: Annotated[UploadFile, File()]) -> Response:
    """Creates a preset from an exported file, whose name ends in `.json`."""
    if not (file.filename or "").lower().endswith(".json"):
        raise bad_request("File must be a JSON file")
    return json_response(preset_document(_created(service, _preset_in(file.file.read()))), 201)


@router.post("/merge")
def merge_presets(service: ServiceDep, body: MergeBody) -> Response:
    """The parameters of several presets, by number, as one."""
    wanted = set(body.preset_ids)
    found = _presets(service).some([each for each in wanted if 0 < each <= MOST_ID])
    if len(found) < len(body.preset_ids):
        missing = sorted(wanted - {preset.id for preset in found})
        raise HTTPException(404, f"Presets not found: {missing}")
    return json_response(merge(found, body.merge_strategy))


@router.get("/{preset_id}")
def get_preset(service: ServiceDep, preset_id: Id) -> Response:
    """The preset of that number."""
    return json_response(preset_document(_existing(service, preset_id)))


@router.put("/{preset_id}")
def change_preset(service: ServiceDep, preset_id: Id, body: PresetChange) -> Response:
    """Changes what the body names and is not null."""
    _existing(service, preset_id)
    values = body.model_dump(exclude_none=True)
    if body.parameters is not None:
        _require_lists(body.parameters)
    if not _presets(service).change(preset_id, values):
        raise _name_taken(str(body.name))
    return json_response(preset_document(_existing(service, preset_id)))


@router.delete("/{preset_id}", status_code=204, response_class=Response)
def delete_preset(service: ServiceDep, preset_id: Id) -> Response:
    """Deletes a preset."""
    _existing(service, preset_id)
    _presets(service).delete(preset_id)
    return no_content()


@router.get("/{preset_id}/export")
def export_preset(service: ServiceDep, preset_id: Id) -> Response:
    """A preset as a file."""
    found = _existing(service, preset_id)
    name = f"preset-{found.name.lower().replace(' ', '-')}.json"
    return json_response(preset_file(found), headers={"Content-Disposition": _attached(name)})


def _presets(service: Service) -> V1Presets:
    return V1Presets(service.store.sessions)


def _existing(service: Service, preset_id: int) -> V1PresetRecord:
    found = _presets(service).get(preset_id)
    if found is None:
        raise not_found(f"Preset with id {preset_id}")
    return found


def _created(service: Service, body: PresetBody) -> V1PresetRecord:
    _require_lists(body.parameters)
    made = _presets(service).create(body.model_dump())
    if made is None:
        raise _name_taken(body.name)
    return made


def _preset_in(text: bytes) -> PresetBody:
    """The preset that an exported file holds.

    Raises:
        HTTPException: 400, it is not JSON; 422, it holds no preset.
    """
    try:
        document = document_of(text)
    except ProblemError as error:
        raise bad_request(f"Invalid JSON file: {error.detail}") from None
    if not isinstance(document, dict) or not {"version", "preset"} <= document.keys():
        raise HTTPException(422, "Invalid preset format. Must have 'version' and 'preset' fields")
    try:
        return PresetBody.model_validate(document["preset"])
    except ValidationError as error:
        places = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise _invalid(places) from None


def _require_lists(parameters: Document) -> None:
    """Passes parameters that are lists of values.

    Raises:
        HTTPException: 422 with every fault.
    """
    faults = [] if parameters else ["Parameters cannot be empty"]
    for name, values in parameters.items():
        if not isinstance(values, list):
            faults.append(f"Parameter '{name}' must be a list")
        elif not values:
            faults.append(f"Parameter '{name}' must have at least one value")
    if faults:
        raise _invalid(faults)


def _invalid(faults: list[str]) -> HTTPException:
    return HTTPException(422, {"validation_errors": faults})


def _name_taken(name: str) -> HTTPException:
    return HTTPException(409, f"Preset with name '{name}' already exists")


def _attached(name: str) -> str:
    """`Content-Disposition` of a file; a name that a header cannot hold is encoded (RFC 6266)."""
    if _PLAIN.fullmatch(name):
        return f"attachment; filename={name}"
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"
