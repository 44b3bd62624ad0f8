"""The parts of a pod that Kubernetes' formats share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autotuner.config.containers import SCRATCH
from autotuner.deploy.deployed_engine import DeployedEngine
from autotuner.engines.docker_run import FILES_FOLDER, HUB_CACHE, HUB_TOKEN, PORT_INSIDE

_OF_VENDORS = {"amd": "amd.com/gpu"}


def literal(text: str) -> str:
    """A text in which Kubernetes replaces nothing: it makes one of any two dollar signs, too."""
    return text.replace("$", "$$")


def literals(words: Sequence[str]) -> list[str]:
    """Words in which nothing is replaced."""
    return list(map(literal, words))


def resources(engine: DeployedEngine) -> dict[str, Any]:
    """Requests and limits of a replica's GPUs or CPUs, and of its memory where that is set."""
    found: dict[str, Any] = {}
    if engine.gpus:
        found[_OF_VENDORS.get(engine.vendor, "nvidia.com/gpu")] = engine.gpus
    if engine.cpus:
        found["cpu"] = str(engine.cpus)
    if engine.confined.memory_gib is not None:
        found["memory"] = f"{int(engine.confined.memory_gib * 1024)}Mi"
    if not found:
        return {}
    return {"resources": {"limits": found, "requests": dict(found)}}


def env(
    engine: DeployedEngine, *, secret: str, cache: str | None = HUB_CACHE
) -> list[dict[str, Any]]:
    """The variables; secrets are references to keys of a secret.

    Args:
        secret: name of the secret.
        cache: where models are downloaded to; None leaves it to the platform.
    """
    found = [
        _by_reference(v.name, secret)
        if v.value is None
        else {"name": v.name, "value": literal(v.value)}
        for v in engine.variables_inside
    ]
    if engine.is_downloaded:
        found.append({**_by_reference(HUB_TOKEN, secret, optional=True)})
        if cache is not None:
            found.append({"name": "HF_HOME", "value": cache})
    return found


def _by_reference(name: str, secret: str, *, optional: bool = False) -> dict[str, Any]:
    reference: dict[str, Any] = {"name": secret, "key": name}
    if optional:
        reference["optional"] = True
    return {"name": name, "valueFrom": {"secretKeyRef": reference}}


def probes(engine: DeployedEngine, port: int = PORT_INSIDE) -> dict[str, Any]:
    """Ready once the model is served; up to an hour is given for loading."""
    ready = {"httpGet": {"path": engine.ready_path, "port": port}}
    live = {"httpGet": {"path": engine.deploy.live_path, "port": port}}
    return {
        "startupProbe": {
            **ready,
            "initialDelaySeconds": 15,
            "periodSeconds": 30,
            "timeoutSeconds": 5,
            "failureThreshold": 120,
        },
        "readinessProbe": {**ready, "periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 3},
        "livenessProbe": {**live, "periodSeconds": 10, "timeoutSeconds": 10, "failureThreshold": 3},
    }


def security(engine: DeployedEngine) -> dict[str, Any]:
    """The container's security context: the user and the root that the launch had; empty where the
    task names neither."""
    found: dict[str, Any] = {}
    user, _, group = (engine.confined.user or "").partition(":")
    if user.isdecimal():
        found["runAsUser"] = int(user)
    if user.isdecimal() and group.isdecimal():
        found["runAsGroup"] = int(group)
    if engine.confined.read_only:
        found["readOnlyRootFilesystem"] = True
    return {"securityContext": found} if found else {}


def pod_security(engine: DeployedEngine) -> dict[str, Any]:
    """The pod's security context: volumes that its user may write; empty for the image's user."""
    user, _, group = (engine.confined.user or "").partition(":")
    owner = group if group.isdecimal() else user
    return {"securityContext": {"fsGroup": int(owner)}} if owner.isdecimal() else {}


def scratch(engine: DeployedEngine) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Mount and volume of the folder that can be written where the root cannot."""
    if not engine.confined.read_only:
        return [], []
    return [{"name": "scratch", "mountPath": SCRATCH}], [{"name": "scratch", "emptyDir": {}}]


def shared_memory(engine: DeployedEngine, name: str) -> dict[str, Any]:
    """The volume of /dev/shm."""
    return {
        "name": name,
        "emptyDir": {"medium": "Memory", "sizeLimit": f"{engine.confined.shm_gib:g}Gi"},
    }


def unmountable(engine: DeployedEngine) -> str | None:
    """Why a pod cannot mount what the engine reads; None where it can."""
    paths = (mount.target for one in engine.pair for mount in one.mounts)
    odd = next((path for path in paths if ":" in path), None)
    return None if odd is None else f"Kubernetes mounts nothing at a path with a colon: {odd}"


def host_volumes(engine: DeployedEngine) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Mounts of a container and volumes of its pod for paths of the machine that measured."""
    mounts: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for number, mount in enumerate(engine.mounts, 1):
        mounts.append({"name": f"model-{number}", "mountPath": mount.target, "readOnly": True})
        found.append({"name": f"model-{number}", "hostPath": {"path": mount.source}})
    return mounts, found


def volumes(
    engine: DeployedEngine, *, claim: str | None, files: str | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Mounts of the container, and the volumes of the pod.

    Args:
        claim: persistent volume claim for downloaded models; None where the platform has its own.
        files: ConfigMap with the engine's files.
    """
    mounts, found = host_volumes(engine)
    mounts.insert(0, {"name": "shm", "mountPath": "/dev/shm"})  # noqa: S108
    found.insert(0, shared_memory(engine, "shm"))
    written, emptied = scratch(engine)
    mounts += written
    found += emptied
    if engine.files and files is not None:
        mounts.append({"name": "files", "mountPath": FILES_FOLDER, "readOnly": True})
        found.append({"name": "files", "configMap": {"name": files}})
    if engine.is_downloaded and claim is not None:
        mounts.append({"name": "models", "mountPath": HUB_CACHE})
        found.append({"name": "models", "persistentVolumeClaim": {"claimName": claim}})
    return mounts, found


def config_map(engine: DeployedEngine) -> list[dict[str, Any]]:
    """The engine's files as a ConfigMap; none where it has no files."""
    if not engine.files:
        return []
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": files_name(engine)},
            "data": {file.name: file.text for file in engine.files},
        }
    ]


def files_name(engine: DeployedEngine) -> str:
    """Name of that ConfigMap."""
    return f"{engine.name}-files"
