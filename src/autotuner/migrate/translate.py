"""A v1 task -> a v2 task, with a note for every key. Pure.

Nothing is dropped in silence: each key ends in the v2 task, in its `metadata.v1`, or in a note that
says why it says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from autotuner.catalog import ModelFacts, known_model
from autotuner.config import GROUPS, Slo, nearest, parse_task
from autotuner.engines import v1_engines
from autotuner.errors import ConfigError, Problem
from autotuner.migrate.benchmark import (
    BENCHMARK,
    OPTIMIZATION,
    SLO,
    add_benchmark,
    add_optimization,
    add_slo,
)
from autotuner.migrate.draft import Done, Draft, Translation
from autotuner.migrate.groups import PARALLEL, QUANT, add_formats, add_layout, spread_experts
from autotuner.migrate.parameters import PARAMETERS, add_parameters
from autotuner.migrate.values import UnfitError, accepted, setting

SOURCE = "v1 task"
_VERSION = re.compile(r"v?(\d+\.\d+[\w.+-]*)")
_LONGEST_NAME = 200


def checked(v1: Mapping[str, Any]) -> tuple[str, str, str]:
    """Name, model and engine.

    Raises:
        ConfigError: one of them is missing or wrong; names all that are.
    """
    problems = []
    name, model, runtime = v1.get("task_name"), v1.get("model"), v1.get("base_runtime")
    if not isinstance(name, str) or not name:
        problems.append(Problem("task_name", "is missing: a text that names the task"))
    where = model.get("id_or_path") if isinstance(model, dict) else None
    if not isinstance(where, str) or not where:
        problems.append(Problem("model.id_or_path", "is missing: a hub's id, or a path"))
    engine = _engine(runtime) if isinstance(runtime, str) else None
    if engine is None:
        hint = nearest(str(runtime), list(v1_engines()))
        problems.append(Problem("base_runtime", f"{runtime!r} names no engine; {hint}"))
    if problems:
        raise ConfigError(SOURCE, tuple(problems))
    return str(name), str(where), str(engine)


def _engine(runtime: str) -> str | None:
    """The engine that a runtime is, or whose name its own begins with or holds (as OME's do)."""
    found = (name for word, name in v1_engines().items() if word in runtime.lower())
    return next(found, None)


def add_name(draft: Draft, name: str) -> None:
    """Adds the name, as long as v2 allows."""
    draft.put("name", name[:_LONGEST_NAME])
    if len(name) > _LONGEST_NAME:
        text = f"name: its first {_LONGEST_NAME} characters"
        draft.keep(("task_name",), name, Done.CHANGED, text)
    else:
        draft.note(("task_name",), Done.TRANSLATED, "name")


def add_model(draft: Draft, model: Mapping[str, Any]) -> None:
    """Adds the model: a path where it looks like one, else an id."""
    for key, value in model.items():
        path = ("model", key)
        if key == "id_or_path":
            field = "path" if is_path(value) else "id"
            draft.put(f"model.{field}", value)
            draft.note(path, Done.TRANSLATED, f"model.{field}")
        else:
            draft.keep(path, value, Done.KEPT, "OME's; a local launch has no namespace")


def is_path(text: str) -> bool:
    """Whether a model is named by where it lies."""
    return text.startswith(("/", "./", "../", "~")) or text.lower().endswith(".gguf")


def add_runtime(draft: Draft, v1: Mapping[str, Any], absent_mode: str) -> None:
    """Adds engine, version, deployment mode and description."""
    runtime = v1["base_runtime"]
    draft.setting("system.backend", [draft.engine])
    if runtime in v1_engines():
        draft.note(("base_runtime",), Done.TRANSLATED, "system.backend")
    else:
        text = "system.backend: the engine that the runtime's name means"
        draft.keep(("base_runtime",), runtime, Done.CHANGED, text)
    mode = v1.get("deployment_mode") or absent_mode
    draft.put("deployment_mode", "docker" if mode == "docker" else "local")
    if mode in ("docker", "local"):
        draft.note(("deployment_mode",), Done.TRANSLATED, f"deployment_mode: {mode}")
    else:
        text = "v2 does not launch with OME: deployment_mode is local"
        draft.keep(("deployment_mode",), mode, Done.CHANGED, text)
    if "description" in v1:
        _add_description(draft, v1["description"])
    if "runtime_image_tag" in v1:
        _add_tag(draft, v1["runtime_image_tag"], mode)


def _add_description(draft: Draft, description: Any) -> None:
    if isinstance(description, str):
        draft.put("description", description)
        draft.note(("description",), Done.TRANSLATED, "description")
    elif description is not None:
        draft.keep(("description",), description, Done.KEPT, "it is no text")
    else:
        draft.note(("description",), Done.EMPTY, "sets nothing")


def _add_tag(draft: Draft, tag: Any, mode: Any) -> None:
    path = ("runtime_image_tag",)
    version = _VERSION.fullmatch(tag) if isinstance(tag, str) else None
    if tag is None or tag == "":
        draft.note(path, Done.EMPTY, "sets nothing")
    elif mode == "docker" and version:
        draft.setting("system.backend_version", [version.group(1)])
        draft.note(path, Done.TRANSLATED, "system.backend_version")
    else:
        draft.keep(path, tag, Done.KEPT, "launches without a container take what is installed")


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
            draft.note(path, Done.EMPTY, "sets nothing")
        elif field in draft.fields_set or field == _EXTRA:
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
            draft.note(path, Done.EMPTY, "sets nothing")
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
            draft.note((key,), Done.EMPTY, "sets nothing")
        return {str(name): value for name, value in section.items()}
    if key in v1:
        if section is None:
            draft.note((key,), Done.EMPTY, "sets nothing")
        else:
            draft.keep((key,), section, Done.LOST, "it is a mapping")
    return {}
