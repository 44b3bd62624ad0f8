"""Plain Kubernetes: a Deployment and a Service, a claim for downloaded models, a ConfigMap."""

from __future__ import annotations

import math
from typing import Any

from autotuner.config.yaml_text import yaml_text
from autotuner.deploy.deployed_engine import DeployedEngine, DeployFileText
from autotuner.deploy.format import DeployFormat
from autotuner.deploy.kubernetes_pod import (
    config_map,
    env,
    files_name,
    literals,
    pod_security,
    probes,
    resources,
    security,
    unmountable,
    volumes,
)
from autotuner.engines.docker_run import PORT_INSIDE

_SECRET = "hf-token"  # noqa: S105 - a secret's name
_ONE_NODE = "ReadWriteOnce"
_UNKNOWN_GIB = 500
"""Of the claim for a model whose size is not known."""
_BESIDE_GIB = 10
_STEP_GIB = 10


def _manifest(engine: DeployedEngine, version: str) -> tuple[DeployFileText, ...]:
    documents = [*config_map(engine), *_claim(engine), _deployment(engine), _service(engine)]
    return (DeployFileText("kubernetes.yaml", yaml_text(*documents)),)


def _labels(engine: DeployedEngine) -> dict[str, str]:
    return {"app.kubernetes.io/name": engine.name, "app.kubernetes.io/component": "engine"}


def _claim_name(engine: DeployedEngine) -> str:
    return f"{engine.name}-models"


def _access_mode(engine: DeployedEngine) -> str | None:
    """Of the claim for downloaded models; None where nothing is downloaded."""
    if not engine.is_downloaded:
        return None
    return _ONE_NODE if engine.replicas == 1 else "ReadWriteMany"


def _claim(engine: DeployedEngine) -> list[dict[str, Any]]:
    if not engine.is_downloaded:
        return []
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": _claim_name(engine)},
            "spec": {
                "accessModes": [_access_mode(engine)],
                "resources": {"requests": {"storage": f"{_claim_gib(engine)}Gi"}},
            },
        }
    ]


def _claim_gib(engine: DeployedEngine) -> int:
    """Room for two versions of the model, one of which is being fetched, and what lies beside."""
    if engine.checkpoint_gib is None:
        return _UNKNOWN_GIB
    wanted = 2 * engine.checkpoint_gib + _BESIDE_GIB
    return math.ceil(wanted / _STEP_GIB) * _STEP_GIB


def _deployment(engine: DeployedEngine) -> dict[str, Any]:
    mounts, found = volumes(engine, claim=_claim_name(engine), files=files_name(engine))
    variables = env(engine, secret=_SECRET)
    container = {
        "name": "engine",
        "image": engine.image,
        "command": literals(engine.program),
        "args": literals(engine.inside()),
        "ports": [{"name": "http", "containerPort": PORT_INSIDE}],
        **({"env": variables} if variables else {}),
        **resources(engine),
        **probes(engine),
        **security(engine),
        "volumeMounts": mounts,
    }
    # A pod that is updated in place of another waits for its GPUs, which are all taken, or for a
    # claim that another node holds.
    waits = engine.leaves_no_room or _access_mode(engine) == _ONE_NODE
    strategy = {"strategy": {"type": "Recreate"}} if waits else {}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": engine.name, "labels": _labels(engine)},
        "spec": {
            "replicas": engine.replicas,
            **strategy,
            "selector": {"matchLabels": _labels(engine)},
            "template": {
                "metadata": {"labels": _labels(engine)},
                "spec": {
                    # Variables of a service named like an engine would be read by it.
                    "enableServiceLinks": False,
                    "automountServiceAccountToken": False,
                    **pod_security(engine),
                    "containers": [container],
                    "volumes": found,
                },
            },
        },
    }


def _service(engine: DeployedEngine) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": engine.name, "labels": _labels(engine)},
        "spec": {
            "selector": _labels(engine),
            "ports": [{"name": "http", "port": PORT_INSIDE, "targetPort": "http"}],
        },
    }


KUBERNETES = DeployFormat(
    name="kubernetes",
    title="Kubernetes",
    summary="a Deployment and a Service, with probes, shared memory and a model cache",
    render=_manifest,
    start="kubectl apply -f {file}",
    secret=_SECRET,
    refusal=unmountable,
    needs_image=True,
    confines="numbers",
)
