"""SkyPilot: a task that runs the engine in its image, with a service section for replicas."""

from __future__ import annotations

import math
import shlex
from typing import Any

from autotuner.config.tables import packaged_table
from autotuner.config.yaml_text import yaml_text
from autotuner.deploy.deployed_engine import DeployedEngine, DeployFileText
from autotuner.deploy.format import DeployFormat
from autotuner.engines.docker_run import ALL_ADDRESSES, PORT_INSIDE

_USUAL_DISK_GB = 256
"""SkyPilot's own, where a task names none."""
_BESIDE_GB = 100


def _task(engine: DeployedEngine, version: str) -> tuple[DeployFileText, ...]:
    resources: dict[str, Any] = {"image_id": f"docker:{engine.image}", "ports": PORT_INSIDE}
    if engine.gpus:
        resources["accelerators"] = f"{_accelerator(engine)}:{engine.gpus}"
    if engine.cpus:
        resources["cpus"] = f"{engine.cpus}+"
    disk_gb = _disk_gb(engine)
    if disk_gb > _USUAL_DISK_GB:
        resources["disk_size"] = disk_gb
    secrets = engine.secrets_inside
    plain = {v.name: v.value for v in engine.variables_inside if v.value is not None}
    document: dict[str, Any] = {"name": engine.name, "resources": resources}
    if plain:
        document["envs"] = plain
    if secrets:
        document["secrets"] = dict.fromkeys(secrets)
    if engine.mounts:
        document["file_mounts"] = {mount.target: mount.source for mount in engine.mounts}
    document["run"] = _script(engine)
    document["service"] = {
        "readiness_probe": {
            "path": engine.ready_path,
            "initial_delay_seconds": 3600,
            "timeout_seconds": 15,
        },
        "replicas": engine.replicas,
    }
    return (DeployFileText("sky.yaml", yaml_text(document)),)


def _disk_gb(engine: DeployedEngine) -> int:
    """Room for a model that is downloaded, beside system and image; 0 where it is not known."""
    if not engine.is_downloaded or engine.checkpoint_gib is None:
        return 0
    return math.ceil(engine.checkpoint_gib * 2**30 / 1e9) + _BESIDE_GB


def _script(engine: DeployedEngine) -> str:
    lines = [
        f"printf %s {shlex.quote(file.text)} > {shlex.quote(file.name)}" for file in engine.files
    ]
    words = (*engine.program, *engine.arguments(ALL_ADDRESSES, PORT_INSIDE))
    return "\n".join([*lines, f"exec {shlex.join(words)}"]) + "\n"


def _accelerator(engine: DeployedEngine) -> str | None:
    """SkyPilot's name of the GPU; None where it has none."""
    names: dict[str, str] = packaged_table(__package__, "accelerators")["sky"]
    return None if engine.gpu is None else names.get(engine.gpu.name)


def _refusal(engine: DeployedEngine) -> str | None:
    if not engine.gpus or _accelerator(engine) is not None:
        return None
    named = engine.settings.get("system.gpu_type") or "a GPU that the task does not name"
    return f"SkyPilot's name of {named} is not known"


SKY = DeployFormat(
    name="sky",
    title="SkyPilot",
    summary="a task with a service section: sky launch for one, sky serve up for replicas",
    render=_task,
    start="sky launch{secrets} {file}, or sky serve up{secrets} {file}",
    start_many="sky serve up{secrets} {file}",
    refusal=_refusal,
    needs_image=True,
)
