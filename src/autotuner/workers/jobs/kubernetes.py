"""A worker as a Job of Kubernetes, admitted by Kueue where a queue is named.

The Job is a work queue: it has no number of completions, so it is done when a worker has found the
queue empty and all have ended. A worker that was stopped before ends with another code, and
neither that nor an eviction counts as a failure.
"""

from __future__ import annotations

from typing import Any

from autotuner.config.yaml_text import yaml_text
from autotuner.workers.jobs.request import DATABASE_VARIABLE, JobRequest
from autotuner.workers.jobs.shell import secret_variables, set_or_end, worker_command

DATABASE_SECRET, URL_KEY = "autotuner-database", "url"
STOPPED = 130
"""Exit code of a worker that was stopped before the queue was empty."""
_USER = 10001
"""Of the image, see the Containerfile."""
_GRACE_S = 120
_HOME = "/var/lib/autotuner"
_SHM_GIB = 16
_KEPT_S = 24 * 3600
"""For which a Job that has ended can still be looked at."""


def kubernetes_job(request: JobRequest) -> str:
    """The Job as YAML."""
    return yaml_text(_job(request))


def _job(request: JobRequest) -> dict[str, Any]:
    labels = {
        "app.kubernetes.io/name": "inference-autotuner",
        "app.kubernetes.io/component": "worker",
    }
    queue = {"kueue.x-k8s.io/queue-name": request.queue_name} if request.queue_name else {}
    deadline = {"activeDeadlineSeconds": round(request.hours * 3600)} if request.hours else {}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"generateName": "autotuner-worker-", "labels": {**labels, **queue}},
        "spec": {
            "parallelism": request.count,
            **deadline,
            "backoffLimit": 6,
            "podFailurePolicy": {
                "rules": [
                    {
                        "action": "Ignore",
                        "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
                    },
                    {
                        "action": "Ignore",
                        "onExitCodes": {
                            "containerName": "worker",
                            "operator": "In",
                            "values": [STOPPED],
                        },
                    },
                ]
            },
            "ttlSecondsAfterFinished": _KEPT_S,
            "template": {"metadata": {"labels": labels}, "spec": _pod(request)},
        },
    }


def _pod(request: JobRequest) -> dict[str, Any]:
    kept = {"persistentVolumeClaim": {"claimName": request.volume}}
    memory = {"medium": "Memory", "sizeLimit": f"{_SHM_GIB}Gi"}
    return {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": _GRACE_S,
        # So that somebody waits for the processes that an engine leaves to the first one.
        "shareProcessNamespace": True,
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(request)],
        "volumes": [
            {"name": "home", **(kept if request.volume else {"emptyDir": {}})},
            {"name": "shm", "emptyDir": memory},
        ],
    }


def _container(request: JobRequest) -> dict[str, Any]:
    amounts = {
        "cpu": request.cpus and str(request.cpus),
        "memory": request.memory_gib and f"{request.memory_gib}Gi",
    }
    needed = {name: amount for name, amount in amounts.items() if amount}
    gpus = {"nvidia.com/gpu": str(request.gpus)} if request.gpus else {}
    limits = {**gpus, **{name: needed[name] for name in needed if name == "memory"}}
    return {
        "name": "worker",
        "image": request.image,
        "command": _command(request),
        "env": [
            {"name": DATABASE_VARIABLE, **_database(request)},
            *({"name": name, **_secret(request, name)} for name in request.variables),
            {"name": "AUTOTUNER_HOME", "value": _HOME},
        ],
        "resources": {"requests": {**gpus, **needed}, "limits": limits},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "home", "mountPath": _HOME},
            {"name": "shm", "mountPath": "/dev/shm"},  # noqa: S108 - of the container
        ],
    }


def _command(request: JobRequest) -> list[str]:
    """The worker, behind a check that its secrets are there: a pod whose secret is missing would
    wait for it for ever, with its GPUs, and one whose secret is empty would use a file of its own.
    """
    database = {request.database.variable: DATABASE_VARIABLE}
    names = [database.get(name, name) for name in secret_variables(request)]
    if not names:
        return worker_command(request)
    checks = [set_or_end(name, "by the secret of this job") for name in names]
    return ["/bin/sh", "-c", "; ".join([*checks, 'exec "$@"']), "sh", *worker_command(request)]


def _database(request: JobRequest) -> dict[str, Any]:
    if request.database.url:
        # Of two dollar signs Kubernetes keeps one, and it fills in $(NAME).
        return {"value": request.database.url.replace("$", "$$")}
    return _secret(request, URL_KEY)


def _secret(request: JobRequest, key: str) -> dict[str, Any]:
    name = request.secret or DATABASE_SECRET
    return {"valueFrom": {"secretKeyRef": {"name": name, "key": key, "optional": True}}}
