"""The schedulers that a worker can be a job of, and the options that each takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType

from autotuner.config import nearest
from autotuner.errors import AutotunerError
from autotuner.workers.jobs.kubernetes import DATABASE_SECRET, URL_KEY, kubernetes_job
from autotuner.workers.jobs.ray_jobs import ray_script
from autotuner.workers.jobs.request import JobRequest
from autotuner.workers.jobs.shell import secret_variables
from autotuner.workers.jobs.skypilot import skypilot_task
from autotuner.workers.jobs.slurm import slurm_script


@dataclass(frozen=True)
class JobScheduler:
    """A scheduler: how its template is written and submitted.

    Attributes:
        file: name of the template's file.
        submit: commands that start the workers from that file.
        options: fields of a request that it understands, beside those that all do.
        required: those of `options` that a worker with GPUs needs, with what to give.
    """

    write: Callable[[JobRequest], str]
    file: str
    submit: Callable[[JobRequest], tuple[str, ...]]
    options: frozenset[str]
    required: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class JobTemplate:
    """A text for a scheduler, and the commands that submit it once it is in `file`."""

    scheduler: str
    file: str
    text: str
    submit: tuple[str, ...]


def _of_kubernetes(request: JobRequest) -> tuple[str, ...]:
    keys = {name: name for name in request.variables}
    if not request.database.url:
        keys = {URL_KEY: request.database.variable, **keys}
    literals = [f'--from-literal={key}="${name}"' for key, name in keys.items()]
    name = request.secret or DATABASE_SECRET
    secret = " ".join(["kubectl create secret generic", name, *literals])
    return (*((secret,) if literals else ()), "kubectl create -f worker.yaml")


def _of_skypilot(request: JobRequest) -> tuple[str, ...]:
    secret = "".join(f"--secret {name} " for name in secret_variables(request))
    return (f"sky jobs launch --detach-run {secret}worker.sky.yaml",)


_COMMON = frozenset(
    {"database", "gpus", "count", "until_idle_s", "cpus", "memory_gib", "variables"}
)
_IMAGE = "the worker's image: docker build -f Containerfile, with the engine's image as BASE"
SCHEDULERS: Mapping[str, JobScheduler] = MappingProxyType(
    {
        "slurm": JobScheduler(
            slurm_script,
            "worker.sbatch",
            lambda request: ("sbatch worker.sbatch",),
            frozenset({"hours", "gpu_type", "partition"}),
        ),
        "kubernetes": JobScheduler(
            kubernetes_job,
            "worker.yaml",
            _of_kubernetes,
            frozenset({"hours", "queue_name", "image", "secret", "volume"}),
            {"image": _IMAGE},
        ),
        "ray": JobScheduler(
            ray_script,
            "worker.sh",
            lambda request: ("sh worker.sh",),
            frozenset({"address"}),
        ),
        "skypilot": JobScheduler(
            skypilot_task,
            "worker.sky.yaml",
            _of_skypilot,
            frozenset({"gpu_type", "image"}),
            {"gpu_type": "SkyPilot's name of the GPU, as `sky show-gpus` lists it"},
        ),
    }
)


def job_template(scheduler: str, request: JobRequest) -> JobTemplate:
    """The template of a scheduler for these workers.

    Raises:
        AutotunerError: the scheduler is unknown, has no such option, or needs one more.
    """
    known = SCHEDULERS.get(scheduler)
    if known is None:
        raise AutotunerError(
            f"{scheduler!r} is no scheduler", remedy=nearest(scheduler, list(SCHEDULERS))
        )
    for each in fields(request):
        is_given = getattr(request, each.name) != each.default
        if is_given and each.name not in known.options | _COMMON:
            takers = [name for name, other in SCHEDULERS.items() if each.name in other.options]
            raise AutotunerError(
                f"{_option(each.name)} is an option of {' and '.join(takers)}, not of {scheduler}",
                remedy="leave it out",
            )
    for name, meaning in known.required.items():
        if not getattr(request, name) and (request.gpus or name == "image"):
            raise AutotunerError(f"{scheduler} needs {_option(name)}", remedy=f"give {meaning}")
    return JobTemplate(scheduler, known.file, known.write(request), known.submit(request))


def _option(field: str) -> str:
    return "--" + field.removesuffix("_gib").replace("_", "-")
