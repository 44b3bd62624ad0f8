"""The schedulers that a worker can be a job of, and the options that each takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType

from autotuner.config import nearest
from autotuner.errors import AutotunerError
from autotuner.workers.jobs.kubernetes import DATABASE_SECRET, URL_KEY, kubernetes_job
from autotuner.workers.jobs.ray_jobs import ray_script
from autotuner.workers.jobs.request import JobRequest, option_of
from autotuner.workers.jobs.shell import secret_variables
from autotuner.workers.jobs.skypilot import skypilot_task
from autotuner.workers.jobs.slurm import slurm_script


@dataclass(frozen=True)
class JobScheduler:
    """A scheduler: how its template is written and submitted.

    Attributes:
        file: name of the template's file.
        submit: commands that start the workers from that file.
        secrets: where the variables that a request names have to be, in words.
        options: fields of a request that it understands, beside those that all do.
        required: those of `options` that a worker with GPUs needs, with what to give.
    """

    write: Callable[[JobRequest], str]
    file: str
    submit: Callable[[JobRequest], tuple[str, ...]]
    secrets: Callable[[JobRequest], str]
    options: frozenset[str]
    required: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class JobTemplate:
    """A text for a scheduler, and the commands that submit it once it is in `file`.

    Attributes:
        notes: what has to be there before, a sentence each.
    """

    scheduler: str
    file: str
    text: str
    submit: tuple[str, ...]
    notes: tuple[str, ...] = ()


def _of_kubernetes(request: JobRequest) -> tuple[str, ...]:
    keys = {name: name for name in request.variables}
    if not request.database.url:
        keys = {URL_KEY: request.database.variable, **keys}
    # An empty value would make a secret that is there and says nothing.
    literals = [f'--from-literal={key}="${{{name}:?is not set}}"' for key, name in keys.items()]
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
            lambda request: "where sbatch is called, or in ~/.config/autotuner/secrets.env",
            frozenset({"hours", "gpu_type", "partition"}),
        ),
        "kubernetes": JobScheduler(
            kubernetes_job,
            "worker.yaml",
            _of_kubernetes,
            lambda request: f"where the secret {request.secret or DATABASE_SECRET} is made",
            frozenset({"hours", "queue_name", "image", "secret", "volume"}),
            {"image": _IMAGE},
        ),
        "ray": JobScheduler(
            ray_script,
            "worker.sh",
            lambda request: ("sh worker.sh",),
            lambda request: "on the cluster's nodes",
            frozenset({"address"}),
        ),
        "skypilot": JobScheduler(
            skypilot_task,
            "worker.sky.yaml",
            _of_skypilot,
            lambda request: "where sky jobs launch is called",
            frozenset({"gpu_type", "image"}),
            {"gpu_type": "SkyPilot's name of the GPU, as `sky show-gpus` lists it"},
        ),
    }
)


def scheduler_named(name: str) -> JobScheduler:
    """The scheduler of that name.

    Raises:
        AutotunerError: there is none; names the nearest.
    """
    known = SCHEDULERS.get(name)
    if known is None:
        raise AutotunerError(f"{name!r} is no scheduler", remedy=nearest(name, list(SCHEDULERS)))
    return known


def require_options(scheduler: str, request: JobRequest) -> None:
    """Makes sure that a scheduler can use what a request says, its database aside.

    Raises:
        AutotunerError: the scheduler is unknown, has no such option, or needs one more.
    """
    known = scheduler_named(scheduler)
    for each in fields(request):
        is_given = getattr(request, each.name) != each.default
        if is_given and each.name not in known.options | _COMMON:
            takers = [name for name, other in SCHEDULERS.items() if each.name in other.options]
            raise AutotunerError(
                f"{option_of(each.name)} is an option of {' and '.join(takers)}, not of "
                f"{scheduler}",
                remedy="leave it out",
            )
    for name, meaning in known.required.items():
        if not getattr(request, name) and (request.gpus or name == "image"):
            raise AutotunerError(f"{scheduler} needs {option_of(name)}", remedy=f"give {meaning}")


def job_template(scheduler: str, request: JobRequest) -> JobTemplate:
    """The template of a scheduler for these workers.

    Raises:
        AutotunerError: as `require_options`, or the scheduler cannot give a job that database.
    """
    require_options(scheduler, request)
    known = scheduler_named(scheduler)
    notes = tuple(
        f"{name} has to be set {known.secrets(request)}: a job without it ends with a line."
        for name in secret_variables(request)
    )
    return JobTemplate(scheduler, known.file, known.write(request), known.submit(request), notes)
