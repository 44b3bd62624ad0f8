"""Resources that a task asks for, from its document and the GPUs that the home describes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import ValidationError

from autotuner.catalog import gpu_named, known_gpu
from autotuner.config import DescribedGpu, DescribedGpus, TaskConfig, load_document, problems_of
from autotuner.engines import DEFAULT_ENGINE
from autotuner.errors import ConfigError


class ResourceRequest(NamedTuple):
    """`gpu`: by its own name, "cpu", or "" where any machine will do; `gpus`: how many."""

    gpu: str
    gpus: int


def resource_request(task: TaskConfig) -> ResourceRequest:
    """The machine that a task needs. Profiles name no GPU, so that they take no part; a replay and
    a task on a cluster occupy none of the machine that works on them.

    Raises:
        CatalogError: it names a GPU that neither the catalog nor the task knows.
    """
    if task.deployment_mode in ("replay", "ray"):
        return ResourceRequest("", 0)
    named = field_values(task, "system.gpu_type")
    gpu = gpu_named(str(named[0]), task.gpus) if named else None
    if gpu is None or gpu.is_cpu:
        return ResourceRequest("cpu", 0)
    return ResourceRequest(gpu.name, max([1, *map(int, field_values(task, "system.total_gpus"))]))


def engines_named(task: TaskConfig) -> tuple[str, ...]:
    """The engines that a task compares; the default one where it names none."""
    named = dict.fromkeys(map(str, field_values(task, "system.backend")))
    return tuple(named) or (DEFAULT_ENGINE,)


def model_named(task: TaskConfig) -> str:
    """The model as the task calls it."""
    return task.model.id or task.model.path or ""


def stored_columns(task: TaskConfig) -> dict[str, Any]:
    """Columns that the store keeps of a document beside it, so that tasks can be chosen by them.

    Raises:
        CatalogError: it names a GPU that neither the catalog nor the task knows.
    """
    gpu, gpus = resource_request(task)
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


def field_values(task: TaskConfig, path: str) -> list[Any]:
    """Every value that the task or one of its combinations gives a field."""
    found: list[Any] = []
    group, _, field = path.partition(".")
    for part in (task, *task.combinations):
        value = getattr(getattr(part, group), field)
        found += value if isinstance(value, list) else [value]
    return [value for value in found if value is not None]


GPUS_FILE = "gpus.yaml"


def gpus_of_home(home: Path) -> Mapping[str, DescribedGpu]:
    """Name -> facts; empty where there is no file.

    Raises:
        ConfigError: the file does not describe GPUs, with every problem.
    """
    path = home / GPUS_FILE
    if not path.exists():
        return MappingProxyType({})
    try:
        found = DescribedGpus.model_validate(load_document(path, kind="file of GPUs"))
    except ValidationError as error:
        raise ConfigError(str(path), problems_of(error)) from None
    return MappingProxyType(found.gpus)


def with_gpus_of_home(task: TaskConfig, home: Path) -> TaskConfig:
    """The task with the facts of the GPUs that it names and the home describes, so that it means
    the same on any machine; what it describes itself stays."""
    described = gpus_of_home(home)
    words = [part.settings().get("system.gpu_type") for part in (task, *task.combinations)]
    named = {str(word) for word in words if isinstance(word, str)}
    added = {
        gpu.name: described[gpu.name]
        for word in named
        if (gpu := known_gpu(word, described)) is not None and gpu.name in described
    }
    return task.model_copy(update={"gpus": {**added, **task.gpus}}) if added else task
