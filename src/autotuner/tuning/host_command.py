"""Lines by which a machine starts what a task launched: `docker run` of what was in a container."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autotuner.config import TaskConfig
from autotuner.config.containers import DockerConfig
from autotuner.engines import LaunchSpec
from autotuner.engines.docker_run import docker_line
from autotuner.store import ExperimentRecord, TaskRecord
from autotuner.tuning.points import occupied_gpus
from autotuner.tuning.prepare import Prepared

_DRAFT_MODEL = "misc.speculative_draft_model"


def engine_of(settings: Mapping[str, Any], engine: str) -> str:
    """The engine of one experiment: its own where engines are searched, else the task's."""
    return str(settings.get("system.backend", engine))


def version_of(settings: Mapping[str, Any], engine: str, version: str) -> str:
    """The version of one experiment's engine; empty where it was not recorded.

    Args:
        engine, version: of the task.
    """
    own = str(settings.get("system.backend_version") or "")
    return own or (version if engine_of(settings, engine) == engine else "")


def host_command(
    command: str, settings: Mapping[str, Any], docker: DockerConfig | None, *, version: str
) -> str:
    """The line for a shell of the machine that starts a recorded command.

    Args:
        docker: the options of the task's containers; None where its engines are in none.
        version: of its engine; empty where it was not recorded.
    """
    if docker is None:
        return command
    return docker_line(
        command,
        docker,
        version=version or None,
        gpus=occupied_gpus(settings),
        draft_model=str(settings.get(_DRAFT_MODEL) or ""),
    )


def stored_command(experiment: ExperimentRecord, task: TaskRecord, config: TaskConfig) -> str:
    """The line for a shell of the machine that starts what an experiment launched."""
    settings = experiment.settings
    version = version_of(settings, task.engine, task.engine_version)
    return host_command(experiment.command, settings, config.containers, version=version)


def planned_command(prepared: Prepared, spec: LaunchSpec, settings: Mapping[str, Any]) -> str:
    """The line for a shell of the machine that starts a candidate."""
    versions = {v.engine.name: v.installation.version for v in prepared.variants}
    own = str(settings.get("system.backend_version") or versions.get(spec.engine, ""))
    return host_command(spec.command(), settings, prepared.task.containers, version=own)
