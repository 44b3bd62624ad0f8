"""A v1 task -> a v2 task, with a note for every key. Pure.

Nothing is dropped in silence: each key ends in the v2 task, in its `metadata.v1`, or in a note that
says why it says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from autotuner.catalog import ModelFacts, known_model
from autotuner.config import GROUPS, Slo, parse_task
from autotuner.migrate.draft import Draft
from autotuner.migrate.formats import QUANT, add_formats
from autotuner.migrate.heading import SOURCE, add_model, add_name, add_runtime, checked
from autotuner.migrate.layout import PARALLEL, add_layout, spread_experts
from autotuner.migrate.measuring import (
    BENCHMARK,
    OPTIMIZATION,
    SLO,
    add_benchmark,
    add_optimization,
    add_slo,
)
from autotuner.migrate.notes import Done, Translation
from autotuner.migrate.parameters import PARAMETERS, add_parameters
from autotuner.migrate.values import UnfitError, accepted, setting

MODES = ("local", "docker", "ome")
_GROUPS = {
    "system_config": ("system",),
    "quantization_config": ("quantization",),
    "memory_config": ("memory",),
    "scheduling_config": ("scheduling",),
    "advanced_tuning_config": ("attention", "misc", "runtime"),
}
"""Optional keys that v2 gave v1's tasks -> the groups whose fields they hold."""
_SECTIONS: dict[str, Callable[[Draft, Mapping[str, Any]], None]] = {
    OPTIMIZATION: add_optimization,
    BENCHMARK: add_benchmark,
    SLO: add_slo,
    QUANT: add_formats,
}
_KEPT = {
    "storage": "where OME keeps the model; a local launch reads model.path or the hub's cache",
    "clusterbasemodel_config": "describes OME's resources",
    "clusterservingruntime_config": "describes OME's resources",
    "metadata": "v1's own",
}
_REFUSED = {
    "docker": "no engine is started in a container",
    "ome": "no engine is deployed on Kubernetes",
}
_READ = {
    *("task_name", "description", "deployment_mode", "model", "base_runtime"),
    *("runtime_image_tag", "slo_config", PARAMETERS, PARALLEL, *_SECTIONS, *_GROUPS),
}
_EXTRA = "misc.extra_args"


def translate_task(v1: Mapping[str, Any], *, absent_mode: str = "ome") -> Translation:
    """The v2 task that says what a v1 task says.

    Args:
        v1: as v1's JSON has it.
        absent_mode: what a task without `deployment_mode` means: `ome` in v1's files, `docker` in
            its API.

    Raises:
        ConfigError: it is no v1 task: without name, model, or an engine that is known.
    """
    name, model, engine = checked(v1)
    known = known_model(model)
    draft = Draft(engine, known.facts if known else ModelFacts())
    draft.put("version", 2)
    add_name(draft, name)
    add_model(draft, v1["model"])
    add_runtime(draft, v1, absent_mode)
    # Who comes first wins: explicit flags over v2's optional columns, and these over v1's presets.
    experts = add_parameters(draft, _mapping(draft, v1, PARAMETERS))
    for key, groups in _GROUPS.items():
        _add_groups(draft, key, groups, _mapping(draft, v1, key))
    spread = add_layout(draft, _mapping(draft, v1, PARALLEL))
    spread_experts(draft, experts or spread)
    for key, add in _SECTIONS.items():
        add(draft, _mapping(draft, v1, key))
    _add_limits(draft, _mapping(draft, v1, "slo_config"))
    for key, value in v1.items():
        if key not in _READ:
            draft.keep((key,), value, Done.KEPT, _KEPT.get(key, "not a key that is known"))
    translation = draft.finished()
    parse_task(translation.task, source=SOURCE)
    return translation


def refused_mode(v1: Mapping[str, Any], *, absent_mode: str) -> str | None:
    """Why a task of this deployment mode cannot run here; None where it can."""
    mode = v1.get("deployment_mode") or absent_mode
    if mode == "local":
        return None
    why = _REFUSED.get(mode, f"known: {', '.join(MODES)}")
    return f"deployment_mode {mode!r} cannot run here: {why}; say local"


def _add_groups(draft: Draft, key: str, groups: tuple[str, ...], fields: Mapping[str, Any]) -> None:
    """Fields of v2's groups, as an optional key of a v1 task holds them."""
    for name, written in fields.items():
        path = (key, name)
        known = (f"{g}.{GROUPS[g].ALIASES.get(name, name)}" for g in groups)
        field = next((f for f in known if f.partition(".")[2] in _fields(f)), None)
        if field is None:
            draft.keep(path, written, Done.KEPT, f"no field of {' or '.join(groups)}")
        elif written is None or written == []:
            draft.note(path, Done.SILENT, "says nothing")
        elif field in draft.said or field == _EXTRA:
            draft.keep(path, written, Done.OVERRULED, f"the task says {field} itself")
        else:
            values = written if isinstance(written, list) else [written]
            try:
                found = [setting(field, value) for value in values]
            except UnfitError as unfit:
                draft.keep(path, written, Done.LOST, str(unfit))
                continue
            draft.setting(field, found)
            for value, ours in zip(values, found, strict=True):
                draft.point(name, value, {field: ours})
            draft.note(path, Done.TRANSLATED, field)


def _fields(path: str) -> Mapping[str, Any]:
    return GROUPS[path.partition(".")[0]].model_fields


def _add_limits(draft: Draft, limits: Mapping[str, Any]) -> None:
    """v2's limits, in ms, as an optional key of a v1 task holds them; `slo` wins."""
    for name, value in limits.items():
        path = ("slo_config", name)
        if name not in Slo.model_fields:
            draft.keep(path, value, Done.KEPT, "no field of slo")
            continue
        try:
            limit = accepted(Slo, name, value)
        except UnfitError as unfit:
            draft.keep(path, value, Done.KEPT, f"slo.{name} cannot say it: {unfit}")
            continue
        if limit is None:
            draft.note(path, Done.SILENT, "says nothing")
        elif name in draft.document.get("slo", {}):
            draft.keep(path, value, Done.OVERRULED, f"slo says {name} itself")
        else:
            draft.put(f"slo.{name}", limit)
            draft.note(path, Done.TRANSLATED, f"slo.{name}")


def _mapping(draft: Draft, v1: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A section; an absent one says nothing."""
    section = v1.get(key)
    if isinstance(section, dict):
        if not section:
            draft.note((key,), Done.SILENT, "says nothing")
        return {str(name): value for name, value in section.items()}
    if key in v1:
        if section is None:
            draft.note((key,), Done.SILENT, "says nothing")
        else:
            draft.keep((key,), section, Done.LOST, "it is a mapping")
    return {}
