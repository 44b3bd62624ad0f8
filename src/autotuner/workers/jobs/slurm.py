"""A worker as a job of Slurm: a batch script, with an array of as many jobs as workers.

The batch shell stays, to hear what Slurm announces: USR1 before the walltime, after which the job
is queued again, and TERM where it is taken away, after which Slurm itself queues it again if that
was to make room for another.
"""

from __future__ import annotations

import shlex

from autotuner.workers.jobs.request import JobRequest
from autotuner.workers.jobs.shell import database_lines, variable_lines, worker_command

_WARNING_S = 120
"""From Slurm's announcement to the walltime: for engines to end, and the lease to go back."""
_LEAST_S = 120
"""One that is warned earlier has done nothing, and would be queued again for ever."""
_BODY = """
# The devices of an allocation are this job's alone, whatever numbers they have in it.
AUTOTUNER_LOCKS=$(mktemp -d)
export AUTOTUNER_LOCKS
trap 'rm -rf "$AUTOTUNER_LOCKS"' EXIT

job=${{SLURM_ARRAY_JOB_ID}}_$SLURM_ARRAY_TASK_ID # the number alone may mean the whole array
{command} --name "slurm-$job" &
worker=$!
again=
trap 'again=yes; kill -TERM "$worker" 2>/dev/null' USR1
trap 'kill -TERM "$worker" 2>/dev/null' TERM
while :; do
    wait "$worker"
    code=$?
    kill -0 "$worker" 2>/dev/null || break # else a signal has ended the wait, and not the worker
done
if [ -n "$again" ] && [ "$code" -ne 0 ]; then
    if [ "$SECONDS" -ge {least_s} ]; then
        scontrol requeue "$job"
    else
        echo "not queued again: the walltime leaves no time to work; give the job more" >&2
    fi
fi
exit "$code"
"""


_SECRETS = """\
# Secrets are variables where sbatch is called, or stand in a file that only its owner can read.
secrets=${AUTOTUNER_SECRETS:-$HOME/.config/autotuner/secrets.env}
if [ -f "$secrets" ]; then
    case $(stat -L -c %a "$secrets") in
        ?00) set -a && . "$secrets" && set +a ;;
        *) echo "$secrets: others may read it; chmod 600 it" >&2 && exit 2 ;;
    esac
fi
""".splitlines()


def slurm_script(request: JobRequest) -> str:
    """The batch script."""
    options = {
        "job-name": "autotuner-worker",
        "array": f"1-{request.count}",
        "partition": request.partition,
        "nodes": "1",
        "ntasks": "1",
        "cpus-per-task": request.cpus,
        "mem": request.memory_gib and f"{request.memory_gib}G",
        "gres": _devices(request),
        "time": request.hours and _walltime(request.hours),
        "signal": f"B:USR1@{_WARNING_S}",
        "requeue": "",
        "open-mode": "append",
        "output": "autotuner-worker-%A_%a.log",
    }
    lines = ["#!/bin/bash"]
    for name, value in options.items():
        if value is not None:
            lines.append(f"#SBATCH --{name}" + (f"={value}" if value else ""))
    lines += ["", *_SECRETS, *database_lines(request.database), *variable_lines(request)]
    command = shlex.join(worker_command(request))
    return "\n".join(lines) + "\n" + _BODY.format(command=command, least_s=_LEAST_S)


def _devices(request: JobRequest) -> str | None:
    if not request.gpus:
        return None
    return ":".join(("gpu", *filter(None, [request.gpu_type]), str(request.gpus)))


def _walltime(hours: float) -> str:
    minutes = max(round(hours * 60), 1)
    return f"{minutes // 60:02}:{minutes % 60:02}:00"
