"""The head of a v1 task: its name, its model, its engine and how it is deployed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from autotuner.config import nearest
from autotuner.engines import v1_engines
from autotuner.errors import ConfigError, Problem
from autotuner.migrate.draft import Draft
from autotuner.migrate.notes import Done

SOURCE = "v1 task"
_VERSION = re.compile(r"v?(\d+\.\d+[\w.+-]*)")
_LONGEST_NAME = 200


def checked(v1: Mapping[str, Any]) -> tuple[str, str, str]:
    """Name, model and engine.

    Raises:
        ConfigError: one of them is missing or wrong; tells all.
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
            field = "path" if _is_path(value) else "id"
            draft.put(f"model.{field}", value)
            draft.note(path, Done.TRANSLATED, f"model.{field}")
        else:
            draft.keep(path, value, Done.KEPT, "OME's; a local launch has no namespace")


def _is_path(text: str) -> bool:
    return text.startswith(("/", "./", "../", "~")) or text.lower().endswith(".gguf")


def add_runtime(draft: Draft, v1: Mapping[str, Any], absent_mode: str) -> None:
    """Adds engine, version, deployment mode and description."""
    runtime = v1["base_runtime"]
    draft.setting("system.backend", [draft.engine])
    if runtime in v1_engines():
        draft.note(("base_runtime",), Done.TRANSLATED, "system.backend")
    else:
        text = "system.backend: the engine that the runtime's name tells"
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
        draft.note(("description",), Done.SILENT, "says nothing")


def _add_tag(draft: Draft, tag: Any, mode: Any) -> None:
    path = ("runtime_image_tag",)
    version = _VERSION.fullmatch(tag) if isinstance(tag, str) else None
    if tag is None or tag == "":
        draft.note(path, Done.SILENT, "says nothing")
    elif mode == "docker" and version:
        draft.setting("system.backend_version", [version.group(1)])
        draft.note(path, Done.TRANSLATED, "system.backend_version")
    else:
        draft.keep(path, tag, Done.KEPT, "launches without a container take what is installed")
