"""Dynamo: a graph of its front end and of workers that take the measured flags."""

from __future__ import annotations

from typing import Any

from autotuner.config.yaml_text import yaml_text
from autotuner.deploy.deployed_engine import DeployedEngine, DeployFileText
from autotuner.deploy.format import DeployFormat
from autotuner.deploy.kubernetes_pod import env, host_volumes, literals, resources, unmountable
from autotuner.deploy.pair import DECODE, PREFILL
from autotuner.deploy.worker_flags import worker_flags
from autotuner.engines import MODEL
from autotuner.engines.deploy_file import DynamoFile

_SECRET = "hf-token-secret"  # noqa: S105 - a secret's name
_LONGEST_NAME = 37
"""Graph and component have 45 characters together, and "Frontend" has 8."""
_TAG_LEFT_OPEN = "my-tag"
_MODE = "--disaggregation-mode"
_WORKERS = {"": "Worker", DECODE: "Decode", PREFILL: "Prefill"}


def _graph(engine: DeployedEngine, version: str) -> tuple[DeployFileText, ...]:
    worker = engine.deploy.dynamo
    assert worker is not None  # noqa: S101 - the format is refused without
    form = _FORMS[version]
    document = {
        "apiVersion": f"nvidia.com/{version}",
        "kind": "DynamoGraphDeployment",
        "metadata": {"name": engine.name[:_LONGEST_NAME].rstrip("-")},
        "spec": form(engine, worker),
    }
    return (DeployFileText("dynamo.yaml", yaml_text(document)),)


def _container(engine: DeployedEngine, worker: DynamoFile) -> dict[str, Any]:
    words = engine.parts.table.module_words
    mounts, _ = host_volumes(engine)
    model = [engine.model if word == MODEL else word for word in words]
    return {
        "image": _image(engine, worker),
        "command": ["python3", "-m", worker.module],
        "args": literals([*model, *worker_flags(engine, served_name=True), *_role(engine)]),
        **({"volumeMounts": mounts} if mounts else {}),
    }


def _role(engine: DeployedEngine) -> list[str]:
    """Words that make the worker one side of a pair, where the engine's own do not."""
    if not engine.role or _MODE in engine.parts.arguments:
        return []
    return [_MODE, engine.role]


def _worker_name(engine: DeployedEngine) -> str:
    return _WORKERS[engine.role]


def _image(engine: DeployedEngine, worker: DynamoFile) -> str:
    """Dynamo's own image: its versions are not the engine's."""
    return engine.wished_image or f"{worker.image}:{_TAG_LEFT_OPEN}"


def _volumes(engine: DeployedEngine) -> dict[str, Any]:
    _, found = host_volumes(engine)
    return {"volumes": found} if found else {}


def _components(engine: DeployedEngine, worker: DynamoFile) -> dict[str, Any]:
    front = {"name": "main", "image": _image(engine, worker)}
    return {
        "components": [
            {
                "name": "Frontend",
                "type": "frontend",
                "replicas": 1,
                "podTemplate": {"spec": {"containers": [front]}},
            },
            *(_component(one, worker) for one in engine.pair),
        ]
    }


def _component(engine: DeployedEngine, worker: DynamoFile) -> dict[str, Any]:
    variables = env(engine, secret=_SECRET, cache=None)
    main = {
        "name": "main",
        **_container(engine, worker),
        **({"env": variables} if variables else {}),
        **resources(engine),
    }
    return {
        "name": _worker_name(engine),
        "type": engine.role or "worker",
        "replicas": engine.replicas,
        "podTemplate": {"spec": {"containers": [main], **_volumes(engine)}},
    }


def _services(engine: DeployedEngine, worker: DynamoFile) -> dict[str, Any]:
    return {
        "services": {
            "Frontend": {
                "componentType": "frontend",
                "replicas": 1,
                "extraPodSpec": {"mainContainer": {"image": _image(engine, worker)}},
            },
            **{_worker_name(one): _service(one, worker) for one in engine.pair},
        }
    }


def _service(engine: DeployedEngine, worker: DynamoFile) -> dict[str, Any]:
    variables = env(engine, secret=_SECRET, cache=None)
    gpus = {"resources": {"limits": {"gpu": str(engine.gpus)}}} if engine.gpus else {}
    return {
        "componentType": "worker",
        **({"subComponentType": engine.role} if engine.role else {}),
        "replicas": engine.replicas,
        **({"envs": variables} if variables else {}),
        **gpus,
        "extraPodSpec": {"mainContainer": _container(engine, worker), **_volumes(engine)},
    }


_FORMS = {"v1beta1": _components, "v1alpha1": _services}


def _versions(engine: DeployedEngine) -> tuple[str, ...]:
    return tuple(_FORMS)


def _refusal(engine: DeployedEngine) -> str | None:
    title = engine.parts.table.title
    if engine.deploy.dynamo is None:
        return f"Dynamo has no worker that takes the flags of {title}"
    if not engine.is_downloaded:
        return "Dynamo's worker fetches the model from a hub, and this one is a path"
    if engine.asks_for_a_key:
        return "Dynamo's front end answers in place of the engine, and asks for no key"
    if not engine.gpus:
        return "Dynamo's workers are for GPUs; this was measured on a CPU"
    return unmountable(engine)


DYNAMO = DeployFormat(
    name="dynamo",
    title="NVIDIA Dynamo",
    summary="a DynamoGraphDeployment: a front end, and workers with the measured flags",
    render=_graph,
    start="set Dynamo's version in place of my-tag; kubectl apply -f {file}",
    secret=_SECRET,
    own_versions=_versions,
    refusal=_refusal,
    writes_pairs=True,
    ignores=("program",),
)
