"""KServe: an LLMInferenceService whose preset gets the measured flags."""

from __future__ import annotations

import shlex
from typing import Any

from autotuner.config.yaml_text import yaml_text
from autotuner.deploy.deployed_engine import DeployedEngine, DeployFileText
from autotuner.deploy.format import DeployFormat
from autotuner.deploy.formats.kubernetes import KUBERNETES
from autotuner.deploy.kubernetes_pod import (
    env,
    host_volumes,
    literal,
    literals,
    probes,
    resources,
    scratch,
    security,
    shared_memory,
    unmountable,
)
from autotuner.deploy.worker_flags import worker_flags

_GROUP = "serving.kserve.io"
_SECRET = "hf-token"  # noqa: S105 - a secret's name
_SHARED_MEMORY = "dshm"
"""The preset's volume of /dev/shm."""
_TENSOR = "parallel.tensor_parallel"
_ACTION = "{{"
"""Begins what KServe fills in, in a service as in its presets."""


def _service(engine: DeployedEngine, version: str) -> tuple[DeployFileText, ...]:
    preset = engine.deploy.kserve
    assert preset is not None  # noqa: S101 - the format is refused without
    flags = worker_flags(engine)
    variables = env(engine, secret=_SECRET, cache=None)
    container: dict[str, Any] = {"name": "main", "image": engine.image}
    if preset.variable:
        variables.append({"name": preset.variable, "value": literal(shlex.join(flags))})
    else:
        container["args"] = literals(flags)
    container |= {"env": variables} if variables else {}
    container |= resources(engine)
    # The preset refuses users that are root, and engines' own images have no other.
    container["securityContext"] = {
        "runAsNonRoot": False,
        **security(engine).get("securityContext", {}),
    }
    # Its scheme is the preset's: HTTP or HTTPS by KServe's version.
    container["startupProbe"] = probes(engine)["startupProbe"]
    mounts, found = host_volumes(engine)
    written, emptied = scratch(engine)
    mounts += written
    found += emptied
    container |= {"volumeMounts": mounts} if mounts else {}
    tensor = engine.settings.get(_TENSOR)
    wide = isinstance(tensor, int) and tensor > 1
    spec: dict[str, Any] = {
        **({"runtime": preset.runtime} if preset.runtime else {}),
        "model": {"uri": _uri(engine), "name": engine.served_name},
        "replicas": engine.replicas,
        **({"parallelism": {"tensor": tensor}} if wide else {}),
        "router": {"scheduler": {}, "route": {}, "gateway": {}},
        "template": {
            "containers": [container],
            "volumes": [shared_memory(engine, _SHARED_MEMORY), *found],
        },
    }
    document = {
        "apiVersion": f"{_GROUP}/{version}",
        "kind": "LLMInferenceService",
        "metadata": {"name": engine.name},
        "spec": spec,
    }
    return (DeployFileText("kserve.yaml", yaml_text(document)),)


def _uri(engine: DeployedEngine) -> str:
    return f"hf://{engine.model}{f':{engine.revision}' if engine.revision else ''}"


def _versions(engine: DeployedEngine) -> tuple[str, ...]:
    preset = engine.deploy.kserve
    return preset.api_versions if preset is not None else ()


def _refusal(engine: DeployedEngine) -> str | None:
    if engine.deploy.kserve is None:
        return f"KServe has no preset for {engine.parts.table.title}"
    if not engine.is_downloaded:
        return "KServe fetches the model from a hub, and this one is a path of this machine"
    variables = (variable.value or "" for variable in engine.variables_inside)
    if any(_ACTION in text for text in (engine.served_name, *engine.parts.arguments, *variables)):
        return "KServe would fill in the {{…}} that the command has"
    return unmountable(engine)


KSERVE = DeployFormat(
    name="kserve",
    title="KServe",
    summary="an LLMInferenceService; the preset's server with the measured flags",
    render=_service,
    start="kubectl apply -f {file}",
    secret=_SECRET,
    own_versions=_versions,
    refusal=_refusal,
    needs_image=True,
    instead=(KUBERNETES,),
    confines="numbers",
    ignores=("program",),
)
