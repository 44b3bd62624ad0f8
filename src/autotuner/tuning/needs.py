"""What a task needs of the machine that runs it, from its document alone."""

from __future__ import annotations

from typing import Any, NamedTuple

from autotuner.catalog import gpu_named
from autotuner.config import TaskConfig
from autotuner.engines import DEFAULT_ENGINE


class Needs(NamedTuple):
    """`gpu`: by its own name, "cpu", or "" where any machine will do; `gpus`: how many."""

    gpu: str
    gpus: int


def needs(task: TaskConfig) -> Needs:
    """The machine that a task needs. Profiles name no GPU, so that they take no part.

    Raises:
        CatalogError: it names a GPU that neither the catalog nor the task knows.
    """
    if task.deployment_mode == "replay":
        return Needs("", 0)
    named = _said(task, "system.gpu_type")
    gpu = gpu_named(str(named[0]), task.gpus) if named else None
    if gpu is None or gpu.is_cpu:
        return Needs("cpu", 0)
    return Needs(gpu.name, max([1, *map(int, _said(task, "system.total_gpus"))]))


def engines_named(task: TaskConfig) -> tuple[str, ...]:
    """The engines that a task compares; the default one where it names none."""
    named = dict.fromkeys(map(str, _said(task, "system.backend")))
    return tuple(named) or (DEFAULT_ENGINE,)


def model_named(task: TaskConfig) -> str:
    """The model as the task calls it."""
    return task.model.id or task.model.path or ""


def stored_columns(task: TaskConfig) -> dict[str, Any]:
    """Columns that the store keeps of a document beside it, so that tasks can be chosen by them.

    Raises:
        CatalogError: it names a GPU that neither the catalog nor the task knows.
    """
    gpu, gpus = needs(task)
    return {
        "name": task.name,
        "description": task.description,
        "content_id": task.content_id,
        "config": task.written(),
        "model": model_named(task),
        "engine": ", ".join(engines_named(task)),
        "requested_gpu": gpu,
        "requested_gpus": gpus,
    }


def _said(task: TaskConfig, path: str) -> list[Any]:
    """Every value that the task or one of its combinations gives a field."""
    found: list[Any] = []
    for part in (task, *task.combinations):
        value = part.settings().get(path)
        found += value if isinstance(value, list) else [value]
    return [value for value in found if value is not None]
