"""A worker as a task of SkyPilot, on each of as many nodes as there are to be workers."""

from __future__ import annotations

from typing import Any

from autotuner import __version__
from autotuner.config.yaml_text import yaml_text
from autotuner.workers.jobs.request import JobRequest
from autotuner.workers.jobs.shell import (
    database_lines,
    secret_variables,
    variable_lines,
    worker_command,
)


def skypilot_task(request: JobRequest) -> str:
    """The task as YAML."""
    gpus = {"accelerators": f"{request.gpu_type}:{request.gpus}"} if request.gpus else {}
    amounts = {"cpus": request.cpus, "memory": request.memory_gib}
    needed = {name: f"{amount}+" for name, amount in amounts.items() if amount}
    image = {"image_id": f"docker:{request.image}"} if request.image else {}
    resources = {**gpus, **needed, **image}
    run = [*database_lines(request.database), *variable_lines(request)]
    run.append(f"exec {' '.join(worker_command(request))}")
    document: dict[str, Any] = {
        "name": "autotuner-worker",
        "num_nodes": request.count,
        **({"resources": resources} if resources else {}),
        **({"secrets": dict.fromkeys(names)} if (names := secret_variables(request)) else {}),
    }
    if not request.image:
        document["setup"] = (
            f"pip install 'inference-autotuner[postgresql]=={__version__}'\n"
            "# Install the engines of your tasks here too, as: pip install vllm\n"
        )
    document["run"] = "\n".join(["set -e", *run, ""])
    return yaml_text(document)
