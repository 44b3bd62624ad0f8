"""Workers as jobs of Ray: a script that submits as many as there are to be.

The address of the database is a variable of the cluster's nodes: what a job is submitted with, its
environment included, stands in Ray's dashboard.
"""

from __future__ import annotations

import shlex

from autotuner.errors import AutotunerError
from autotuner.workers.jobs.request import DATABASE_VARIABLE, JobRequest
from autotuner.workers.jobs.shell import secret_variables, set_or_end, worker_command


def ray_script(request: JobRequest) -> str:
    """The script; each worker gets its GPUs from Ray.

    Raises:
        AutotunerError: the nodes are to have the database's address in another variable: to hand it
            on would show it in the list of processes.
    """
    if not request.database.url and request.database.variable != DATABASE_VARIABLE:
        raise AutotunerError(
            f"--database ${request.database.variable}: a worker on Ray's nodes reads "
            f"{DATABASE_VARIABLE}",
            remedy=f"set {DATABASE_VARIABLE} on the nodes and leave --database out",
        )
    words = ["ray", "job", "submit", "--no-wait"]
    words += ["--entrypoint-num-gpus", str(request.gpus)] if request.gpus else []
    words += ["--entrypoint-num-cpus", str(request.cpus or 1)]
    if request.memory_gib:
        words += ["--entrypoint-memory", str(request.memory_gib << 30)]
    submit = f"{shlex.join(words)} -- sh -c {shlex.quote(_entrypoint(request))}"
    numbers = " ".join(map(str, range(1, request.count + 1)))
    loop = [f"for _ in {numbers}; do", f"    {submit}", "done", ""]
    return "\n".join(["#!/bin/sh", "set -eu", "", *_cluster(request), "", *loop])


def _cluster(request: JobRequest) -> list[str]:
    lines = []
    if names := secret_variables(request):
        are = "is a variable" if len(names) == 1 else "are variables"
        lines = [f"# {', '.join(names)} {are} of the cluster's nodes (of a secret, in KubeRay)."]
    if request.address:
        return [*lines, f"export RAY_ADDRESS={shlex.quote(request.address)}"]
    return [*lines, ': "${RAY_ADDRESS:?is not set: http://HOST:8265 of the head node}"']


def _entrypoint(request: JobRequest) -> str:
    """The command of a job: its locks are its own, for its GPUs are."""
    url = request.database.url
    exported = [f"export {DATABASE_VARIABLE}={shlex.quote(url)}"] if url else []
    checks = [set_or_end(name, "on this node") for name in secret_variables(request)]
    before = "; ".join([*exported, *checks])
    command = shlex.join(worker_command(request))
    return f"{before}; AUTOTUNER_LOCKS=$(mktemp -d); export AUTOTUNER_LOCKS; exec {command}"
