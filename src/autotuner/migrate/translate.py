"""A v1 task -> a v2 task, with a note for every key. Pure.

Nothing is dropped in silence: each key ends in the v2 task, in its `metadata.v1`, or in a note that
says why it says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from autotuner.catalog import ModelFacts, known_model
from autotuner.config import GROUPS, Slo, UnfitError, accepted, parse_task, setting
from autotuner.engines import engine_table
from autotuner.errors import ConfigError, Problem
from autotuner.migrate.benchmark import (
    BENCHMARK,
    OPTIMIZATION,
    SLO,
    add_benchmark,
    add_optimization,
    add_slo,
)
from autotuner.migrate.draft import EXTRA_ARGS, PARAMETERS, Done, Draft, Note, Translation
from autotuner.migrate.groups import PARALLEL, QUANT, add_formats, add_layout, spread_experts
from autotuner.migrate.parameters import add_parameters
from autotuner.migrate.replicas import settle_replicas
from autotuner.migrate.runtimes import EngineChoice, runtime_of
from autotuner.migrate.values import stored_text

SOURCE = "v1 task"
DOCKER = "docker"
_VERSION = re.compile(r"v?(\d+(?:\.\d+)+(?:\.?(?:rc|post|dev)\d+)*)")
"""The version that begins a tag; what follows says how the image was built."""
_TAG = re.compile(r"\w[\w.-]{0,127}")
_LONGEST_NAME = 200


def add_name(draft: Draft, name: Any) -> None:
    """Adds the name as v2 allows it: a text of up to 200 characters, and not empty."""
    given = name if isinstance(name, str) else ""
    ours = stored_text(given)[:_LONGEST_NAME] or _UNNAMED
    draft.put("name", ours)
    if ours == name:
        draft.note(("task_name",), Done.TRANSLATED, "name")
    else:
        draft.keep(("task_name",), name, Done.CHANGED, f"name: {ours!r}")


def add_model(draft: Draft, model: Any) -> None:
    """Adds the model: a path where it looks like one, else an id."""
    where = _where(model)
    if where is None:
        draft.put("model.id", _UNNAMED)
        draft.note(("model", "id_or_path"), Done.OPEN, "names no model: say model.id or model.path")
    else:
        field = "path" if is_path(where) else "id"
        draft.put(f"model.{field}", stored_text(where))
        draft.note(("model", "id_or_path"), Done.TRANSLATED, f"model.{field}")
    if not isinstance(model, Mapping):
        draft.keep(("model",), model, Done.OPEN, "it is a mapping with id_or_path")
        return
    for key, value in model.items():
        if key == "id_or_path" and where is None:
            draft.keep(("model", key), value, Done.OPEN, "names no model")
        elif key != "id_or_path":
            text = "OME's; a local launch has no namespace"
            draft.keep(("model", str(key)), value, Done.KEPT, text)


def _where(model: Any) -> str | None:
    """The hub's id or the path that a task names; None where it names none."""
    where = model.get("id_or_path") if isinstance(model, Mapping) else None
    return where if isinstance(where, str) and where.strip() else None


def is_path(text: str) -> bool:
    """Whether a model is named by where it lies."""
    return text.startswith(("/", "./", "../", "~")) or text.lower().endswith(".gguf")


def add_runtime(
    draft: Draft, v1: Mapping[str, Any], found: EngineChoice, mode: Any, *, containers: bool
) -> None:
    """Adds engine, version, deployment mode and description."""
    runtime = v1.get("base_runtime")
    if found.engine is None:
        word = runtime if isinstance(runtime, str) and runtime.strip() else _UNNAMED
        draft.setting("system.backend", [stored_text(word)])
        text = f"system.backend: {found.why}"
        draft.keep(("base_runtime",), runtime, Done.OPEN, text)
    else:
        draft.setting("system.backend", [found.engine])
        if found.why:
            text = f"system.backend: {found.engine}, {found.why}"
            draft.keep(("base_runtime",), runtime, Done.CHANGED, text)
        else:
            draft.note(("base_runtime",), Done.TRANSLATED, "system.backend")
    image = None if found.engine is None else engine_table(found.engine).file.image
    in_container = mode == DOCKER and containers and (image is not None or found.engine is None)
    launcher = DOCKER if in_container else "local"
    draft.put("deployment_mode", launcher)
    if mode == launcher:
        draft.note(("deployment_mode",), Done.TRANSLATED, f"deployment_mode: {mode}")
    else:
        why = _NO_LAUNCHER.get(str(mode), f"since v1 knew only {', '.join(MODES)}")
        if mode == DOCKER and containers:
            why = f"since no container image of {found.engine} is known"
        text = f"deployment_mode: local, {why}"
        draft.keep(("deployment_mode",), mode, Done.CHANGED, text)
    if "description" in v1:
        _add_description(draft, v1["description"])
    if "runtime_image_tag" in v1:
        _add_tag(draft, v1["runtime_image_tag"], image if in_container else None)


def _add_description(draft: Draft, description: Any) -> None:
    if isinstance(description, str):
        draft.put("description", stored_text(description))
        draft.note(("description",), Done.TRANSLATED, "description")
    elif description is not None:
        draft.keep(("description",), description, Done.KEPT, "it is no text")
    else:
        draft.note(("description",), Done.EMPTY, "sets nothing")


def _add_tag(draft: Draft, tag: Any, image: str | None) -> None:
    """Adds the tag of the engine's image.

    Args:
        image: the one that engines are started in; None where they are processes.
    """
    path = ("runtime_image_tag",)
    if tag is None or tag == "":
        draft.note(path, Done.EMPTY, "sets nothing")
    elif image is not None and isinstance(tag, str) and _TAG.fullmatch(tag):
        draft.put("docker.image", f"{image}:{tag}")
        version = _VERSION.match(tag)
        if version is not None:
            draft.setting("system.backend_version", [version.group(1)])
        draft.note(path, Done.TRANSLATED, "docker.image")
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
}
_KEPT = {
    "storage": "where OME keeps the model; a local launch reads model.path or the hub's cache",
    "clusterbasemodel_config": "describes OME's resources",
    "clusterservingruntime_config": "describes OME's resources",
    "metadata": "v1's own",
}
_NO_LAUNCHER = {
    DOCKER: "since no Docker daemon answers here: engines are processes of the worker",
    "ome": "since no engine is deployed on Kubernetes",
}
_UNNAMED = "unnamed"
"""A name where v1 gave none, and what stands where a draft has to be filled in."""
_READ = {
    *("task_name", "description", "deployment_mode", "model", "base_runtime"),
    *("runtime_image_tag", "slo_config", PARAMETERS, PARALLEL, QUANT, *_SECTIONS, *_GROUPS),
}
_NEEDED = frozenset({"task_name", "model", "base_runtime"})
"""Keys that v1 took no task without."""


def translate_task(
    v1: Mapping[str, Any],
    *,
    absent_mode: str = "ome",
    engine: str | None = None,
    containers: bool = True,
) -> Translation:
    """The v2 task that says what a v1 task says.

    No v1 task is refused whole: of one that does not say what v2 needs, a draft is made, whose
    notes of the kind OPEN say what to fill in.

    Args:
        v1: as v1's JSON has it.
        absent_mode: what a task without `deployment_mode` means: `ome` in v1's files, `docker` in
            its API.
        engine: by its name or by one of v1's, where `base_runtime` need not tell it.
        containers: whether engines can be started in containers; without, a Docker task takes what
            is installed.

    Raises:
        ConfigError: it lacks a key that each v1 task has, or there is no such engine.
    """
    found, where = runtime_of(v1, engine), _where(v1.get("model"))
    if not v1.keys() >= _NEEDED:
        raise ConfigError(SOURCE, tuple(_faults(v1, where, found)))
    known = known_model(where) if where is not None else None
    draft = Draft(found.engine or "", known.facts if known else ModelFacts(), source=v1)
    draft.put("version", 2)
    add_name(draft, v1.get("task_name"))
    add_model(draft, v1.get("model"))
    mode = v1.get("deployment_mode") or absent_mode
    add_runtime(draft, v1, found, mode, containers=containers)
    if found.engine is None:
        _keep_flags(draft, v1)
    else:
        _add_flags(draft, v1)
    for key, add in _SECTIONS.items():
        add(draft, _mapping(draft, v1, key))
    _add_limits(draft, _mapping(draft, v1, "slo_config"))
    for key, value in v1.items():
        if key not in _READ:
            draft.keep((str(key),), value, Done.KEPT, _KEPT.get(key, "not a key that is known"))
    return _accepted(draft.finished())


def _faults(v1: Mapping[str, Any], where: str | None, found: EngineChoice) -> Iterator[Problem]:
    """All that is wrong with a document that is no v1 task."""
    if not v1.get("task_name"):
        yield Problem("task_name", "is missing: a text that names the task")
    if where is None:
        yield Problem("model.id_or_path", "is missing: a hub's id, or a path")
    if found.engine is None:
        yield Problem("base_runtime", found.why)


def _add_flags(draft: Draft, v1: Mapping[str, Any]) -> None:
    """Adds what the engine is started with.

    Who comes first wins: explicit flags over v2's optional columns, and these over v1's presets.
    """
    experts = add_parameters(draft, _mapping(draft, v1, PARAMETERS))
    for key, groups in _GROUPS.items():
        _add_groups(draft, key, groups, _mapping(draft, v1, key))
    spread = add_layout(draft, _mapping(draft, v1, PARALLEL))
    spread_experts(draft, experts or spread)
    settle_replicas(draft)
    add_formats(draft, _mapping(draft, v1, QUANT))


def _keep_flags(draft: Draft, v1: Mapping[str, Any]) -> None:
    """Keeps what only an engine's flag table can translate."""
    for key in (PARAMETERS, *_GROUPS, PARALLEL, QUANT):
        if v1.get(key):
            text = "translated once the engine is known: say which one the runtime is"
            draft.keep((key,), v1[key], Done.OPEN, text)
        elif key in v1:
            draft.note((key,), Done.EMPTY, "sets nothing")


def _accepted(translation: Translation) -> Translation:
    """The translation without what `parse_task` does not take together, each with a note."""
    task, notes = translation.task, list(translation.notes)
    while True:
        try:
            parse_task(task, source=SOURCE)
        except ConfigError as error:
            removed = [(p, _without(task, p.path)) for p in error.problems]
            if not any(was for _, was in removed):
                raise
            notes += [
                Note(problem.path, Done.CHANGED, f"{was[0]!r} is left out: {problem.message}")
                for problem, was in removed
                if was
            ]
        else:
            return Translation(task, tuple(notes), translation.points)


def _without(task: dict[str, Any], path: str) -> list[Any]:
    """Takes a dotted place out of a document; the value that was there, if there was one."""
    *parents, last = path.split(".")
    inside: Any = task
    for parent in parents:
        inside = inside.get(parent) if isinstance(inside, dict) else None
    return [inside.pop(last)] if isinstance(inside, dict) and last in inside else []


def refused_mode(v1: Mapping[str, Any], *, absent_mode: str) -> str | None:
    """Why a task of this deployment mode cannot run here; None where it can."""
    mode = v1.get("deployment_mode") or absent_mode
    if mode in ("local", DOCKER):
        return None
    if mode == "ome":
        return (
            "OME controller not available: no engine is deployed on Kubernetes here; "
            "say deployment_mode 'docker' or 'local'"
        )
    return f"Unknown deployment mode: {mode}. Use 'docker' or 'local'"


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
        elif field in draft.fields_set or field == EXTRA_ARGS:
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
