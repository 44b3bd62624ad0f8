"""llm-d: a Kustomize overlay over the base of its guide."""

from __future__ import annotations

from typing import Any

from autotuner.config.yaml_text import yaml_text
from autotuner.deploy.deployed_engine import DeployedEngine, DeployFileText
from autotuner.deploy.format import DeployFormat
from autotuner.deploy.kubernetes_pod import (
    env,
    literals,
    probes,
    resources,
    security,
    unmountable,
    volumes,
)
from autotuner.deploy.pair import DECODE
from autotuner.engines.docker_run import PORT_INSIDE

_SECRET = "llm-d-hf-token"  # noqa: S105 - a secret's name
_NO_LIMITS = {"cpu": None, "memory": None}
_PATCH = "patch.yaml"
_BEHIND_ROUTER = 8200
"""Port of an engine that decodes for others; the base's router before it has the usual one."""


def _overlay(engine: DeployedEngine, version: str) -> tuple[DeployFileText, ...]:
    labels = {"llm-d.ai/model": engine.name, "llm-d.ai/accelerator-vendor": engine.vendor}
    base = engine.deploy.llm_d if engine.prefill is None else engine.deploy.llm_d_pair
    names = {one.role or DECODE: one for one in engine.pair}
    patches = {f"patch-{role}.yaml": one for role, one in names.items()}
    if engine.prefill is None:
        patches = {_PATCH: engine}
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [f"../{base}"],
        # A Deployment's selector has to say what its pods' labels say.
        "labels": [{"pairs": labels, "includeSelectors": True}],
        "patches": [{"path": name} for name in patches],
    }
    return (
        DeployFileText("kustomization.yaml", yaml_text(kustomization)),
        *(DeployFileText(name, yaml_text(_patch(one))) for name, one in patches.items()),
    )


def _patch(engine: DeployedEngine) -> dict[str, Any]:
    mounts, found = volumes(engine, claim=None, files=None)
    port = _BEHIND_ROUTER if engine.role == DECODE else PORT_INSIDE
    variables = env(engine, secret=_SECRET, cache=None)
    container = {
        "name": "modelserver",
        "image": engine.image,
        "command": literals(engine.program),
        "args": literals(engine.inside(port)),
        **({"env": variables} if variables else {}),
        "resources": _resources(engine),
        **probes(engine, port),
        **security(engine),
        "volumeMounts": mounts,
    }
    strategy = (
        {"strategy": {"type": "Recreate", "rollingUpdate": None}} if engine.leaves_no_room else {}
    )
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": engine.role or DECODE},
        "spec": {
            "replicas": engine.replicas,
            **strategy,
            "template": {
                "spec": {"containers": [container], "volumes": found},
            },
        },
    }


def _resources(engine: DeployedEngine) -> dict[str, Any]:
    """The replica's GPUs, without the base's limits of CPUs and memory, which are of one GPU."""
    found = resources(engine)["resources"]
    return {**found, "limits": {**_NO_LIMITS, **found["limits"]}}


def _refusal(engine: DeployedEngine) -> str | None:
    title = engine.parts.table.title
    if engine.prefill is not None and not engine.deploy.llm_d_pair:
        return f"llm-d has no base here for a pair of {title}"
    if not engine.deploy.llm_d:
        return f"llm-d has no base for {title}"
    if not engine.gpus:
        return "llm-d's base is for GPUs, and this was measured on a CPU"
    return unmountable(engine)


LLM_D = DeployFormat(
    name="llm-d",
    title="llm-d (Kustomize)",
    summary="a kustomization and a patch over the base of llm-d's guide",
    render=_overlay,
    start="put this folder beside guides in a clone of llm-d; kubectl apply -k FOLDER",
    refusal=_refusal,
    secret=_SECRET,
    needs_image=True,
    confines="numbers",
    writes_pairs=True,
)
