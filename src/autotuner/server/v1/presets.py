"""`/api/presets/`: sets of parameters with a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import File, UploadFile
from fastapi.exceptions import HTTPException
from fastapi.responses import Response
from pydantic import ValidationError

from autotuner.migrate.values import distinct
from autotuner.server.problems import ProblemError
from autotuner.server.service import Service
from autotuner.server.v1.routing import Id, ServiceDep, json_response, not_found, v1_router
from autotuner.server.v1.schemas import (
    MergeBody,
    PresetBody,
    PresetChange,
    PresetFile,
    is_name,
    preset_document,
    preset_file,
)
from autotuner.server.v2.routing import document_of
from autotuner.store.v1 import V1PresetRecord, V1Presets

Strategy = Literal["union", "intersection", "last_wins"]
router = v1_router("/presets")
_NEVER_NULL = ("name", "parameters")


def merge(presets: Sequence[V1PresetRecord], strategy: Strategy) -> dict[str, Any]:
    """Parameters of several presets, in the order of the presets.

    `union`: every parameter with every value. `intersection`: the parameters that all presets have,
    with the values that all give. `last_wins`: every parameter with the values of the last preset
    that has it. A conflict is a parameter for which presets give different values.
    """
    given: dict[str, list[tuple[str, list[Any]]]] = {}
    for preset in presets:
        for name, values in (preset.parameters or {}).items():
            listed = values if isinstance(values, list) else [values]
            given.setdefault(name, []).append((preset.name, distinct(listed)))
    merged: dict[str, list[Any]] = {}
    for name, sources in given.items():
        values = [listed for _, listed in sources]
        if strategy == "last_wins":
            merged[name] = values[-1]
        elif strategy == "union":
            merged[name] = distinct([value for listed in values for value in listed])
        elif len(sources) == len(presets):
            common = [v for v in values[0] if all(_holds(listed, v) for listed in values[1:])]
            if common:
                merged[name] = common
    return {
        "parameters": merged,
        "applied_presets": [preset.name for preset in presets],
        "conflicts": [
            {"parameter": name, "values": dict(sources)}
            for name, sources in given.items()
            if any(listed != sources[0][1] for _, listed in sources)
        ],
    }


def _holds(values: list[Any], value: Any) -> bool:
    return any(type(other) is type(value) and other == value for other in values)


@router.get("/")
def list_presets(service: ServiceDep, category: str | None = None) -> Response:
    """Every preset, of one category or of all."""
    if category is not None and not is_name(category):
        return json_response([])
    return json_response([preset_document(found) for found in _presets(service).all(category)])


@router.post("/")
def create_preset(service: ServiceDep, body: PresetBody) -> Response:
    """Creates a preset."""
    return json_response(preset_document(_created(service, body)), 201)


@router.post("/import")
def import_preset(service: ServiceDep, file: Annotated[UploadFile, File()]) -> Response:
    """Creates a preset from an exported file."""
    try:
        given = PresetFile.model_validate(document_of(file.file.read()))
    except ProblemError as error:
        raise HTTPException(422, f"the file is not an exported preset: {error.detail}") from None
    except ValidationError as error:
        places = (".".join(map(str, e["loc"])) + ": " + e["msg"] for e in error.errors())
        raise HTTPException(
            422, f"the file is not an exported preset: {'; '.join(places)}"
        ) from None
    return json_response(preset_document(_created(service, given.preset)), 201)


@router.post("/merge")
def merge_presets(service: ServiceDep, body: MergeBody) -> Response:
    """The parameters of several presets, as one."""
    found = _presets(service).some(body.preset_ids)
    missing = set(body.preset_ids) - {preset.id for preset in found}
    if missing:
        raise not_found(f"Preset {min(missing)}")
    return json_response(merge(found, body.merge_strategy))


@router.get("/{preset_id}")
def get_preset(service: ServiceDep, preset_id: Id) -> Response:
    """The preset of that number."""
    return json_response(preset_document(_existing(service, preset_id)))


@router.put("/{preset_id}")
def change_preset(service: ServiceDep, preset_id: Id, body: PresetChange) -> Response:
    """Changes what the body names."""
    _require_own(_existing(service, preset_id))
    values = {
        key: value
        for key, value in body.model_dump(exclude_unset=True).items()
        if value is not None or key not in _NEVER_NULL
    }
    if not _presets(service).change(preset_id, values):
        raise _name_taken(str(body.name))
    return json_response(preset_document(_existing(service, preset_id)))


@router.delete("/{preset_id}")
def delete_preset(service: ServiceDep, preset_id: Id) -> Response:
    """Deletes a preset."""
    _require_own(_existing(service, preset_id))
    _presets(service).delete(preset_id)
    return Response(status_code=204)


@router.get("/{preset_id}/export")
def export_preset(service: ServiceDep, preset_id: Id) -> Response:
    """A preset as a file."""
    found = _existing(service, preset_id)
    disposition = f'attachment; filename="preset-{found.id}.json"'
    return json_response(preset_file(found), headers={"Content-Disposition": disposition})


def _presets(service: Service) -> V1Presets:
    return V1Presets(service.store.sessions)


def _existing(service: Service, preset_id: int) -> V1PresetRecord:
    found = _presets(service).get(preset_id)
    if found is None:
        raise not_found("Preset")
    return found


def _created(service: Service, body: PresetBody) -> V1PresetRecord:
    made = _presets(service).create(body.model_dump())
    if made is None:
        raise _name_taken(body.name)
    return made


def _require_own(preset: V1PresetRecord) -> None:
    if preset.is_system:
        raise HTTPException(403, "System presets cannot be changed or deleted")


def _name_taken(name: str) -> HTTPException:
    return HTTPException(409, f"Preset with name '{name}' already exists")
