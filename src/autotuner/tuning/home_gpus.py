"""GPUs that a user describes once, in `gpus.yaml` of the home, for all tasks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from autotuner.catalog import known_gpu
from autotuner.config import DescribedGpu, DescribedGpus, TaskConfig, load_document, problems_of
from autotuner.errors import ConfigError

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
