"""The workers that somebody wants to have as jobs, and the database that they share."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from autotuner.config.containers import image_remedy, is_image
from autotuner.errors import AutotunerError, StoreError
from autotuner.store.database import address_of

DATABASE_VARIABLE = "AUTOTUNER_DATABASE"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REFERENCE = re.compile(rf"\$(?:\{{({_VARIABLE.pattern})\}}|({_VARIABLE.pattern}))")
_PARTITION = r"[A-Za-z0-9]([A-Za-z0-9._/:@-]*[A-Za-z0-9])?"
_PARTITIONS = re.compile(rf"{_PARTITION}(,{_PARTITION})*")
"""The first of them that has room takes the job; no shell finds a command in them."""
_OF_GPUS = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_OF_RAY = re.compile(r"https?://(?:[A-Za-z0-9][\w.-]*|\[[0-9a-fA-F:]+\])(?::([1-9][0-9]{0,4}))?/?")
_LAST_PORT = 65535
_OF_KUBERNETES = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_LONGEST = {"queue_name": 63, "secret": 253, "volume": 253}
"""Objects of Kubernetes; the name of a queue is the value of a label too."""
_OWN_VARIABLES = (DATABASE_VARIABLE, "AUTOTUNER_HOME", "AUTOTUNER_LOCKS", "url")
"""The last is the database's key in a secret of Kubernetes."""
LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "gpus": (0, 1024),
        "count": (1, 10_000),
        "until_idle_s": (0, 36_000_000),
        "cpus": (1, 10_000),
        "memory_gib": (1, 1_000_000),
        # A shorter walltime ends before a worker has done anything.
        "hours": (0.1, 10_000),
    }
)
"""Least and most of each number of a `JobRequest`, both allowed."""


@dataclass(frozen=True)
class DatabaseReference:
    """The database of a job, without its password.

    Attributes:
        url: its address, where that may be shown; else empty.
        variable: the variable that holds the address where the job is submitted, or runs.
    """

    url: str = ""
    variable: str = DATABASE_VARIABLE


@dataclass(frozen=True)
class JobRequest:
    """Workers as jobs of a scheduler.

    Attributes:
        gpus: of each worker; 0 for one that works on the CPU.
        count: how many workers there are at the most.
        until_idle_s: a worker ends when no task has been waiting for so long.
        cpus, memory_gib: of each worker; left to the scheduler where None.
        hours: after which the scheduler ends a worker; left to the scheduler where None.
        gpu_type: in the scheduler's words; any where None.
        variables: names of further secrets that a worker has as variables, as HF_TOKEN: no template
            holds their values.
        partition, queue_name, image, secret, volume, address: see `schedulers.OPTIONS`.
    """

    database: DatabaseReference
    gpus: int = 1
    count: int = 1
    until_idle_s: int = 300
    cpus: int | None = None
    memory_gib: int | None = None
    hours: float | None = None
    gpu_type: str | None = None
    partition: str | None = None
    queue_name: str | None = None
    image: str | None = None
    secret: str | None = None
    volume: str | None = None
    address: str | None = None
    variables: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for field in LIMITS:
            _require_within(field, getattr(self, field))
        _require_partitions(self.partition)
        _require_image(self.image)
        _require_gpu_type(self.gpu_type)
        _require_ray_address(self.address)
        for name in self.variables:
            _require_variable(name)
        object.__setattr__(self, "variables", tuple(dict.fromkeys(self.variables)))
        for field in _LONGEST:
            _require_object_name(field, getattr(self, field))

    @property
    def devices(self) -> str:
        """The devices of a worker, as `autotuner worker --devices` takes them."""
        return "all" if self.gpus else "cpu"


def option_of(field: str) -> str:
    """The option of the command line that gives a field of a request."""
    return "--" + field.removesuffix("_gib").removesuffix("_s").replace("_", "-")


def database_reference(requested: str | None, environment: Mapping[str, str]) -> DatabaseReference:
    """The database that several machines can share.

    Args:
        requested: an address without a password, or a variable that holds one: `$NAME`; where left
            out, the variable of every command counts, as the job has it.
        environment: of the process, which need not be where the job runs.

    Raises:
        AutotunerError: it cannot be read, would show its password, or serves one machine only.
    """
    match = _REFERENCE.fullmatch(requested or "")
    if match is not None:
        return DatabaseReference(variable=match[1] or match[2])
    if requested == "":
        raise AutotunerError(
            "--database: it is empty",
            remedy=f"leave it out to have the job take its own {DATABASE_VARIABLE}, or give "
            "postgresql://USER@HOST/NAME",
        )
    source = DATABASE_VARIABLE if requested is None else "--database"
    address = environment.get(DATABASE_VARIABLE) if requested is None else requested
    if not address:
        return DatabaseReference()
    try:
        url = address_of(Path(), address)
    except StoreError as error:
        raise AutotunerError(f"{source}: {error.message}", remedy=error.remedy) from None
    if url.get_backend_name() == "sqlite":
        raise AutotunerError(
            f"{source}: the database is a SQLite file, which serves one machine only",
            remedy="name a PostgreSQL database: --database postgresql://USER@HOST/NAME",
        )
    if requested is None:
        return DatabaseReference()
    if url.password is not None or any("password" in name for name in url.query):
        raise AutotunerError(
            "--database: the address holds a password, which would stand in the template",
            remedy=f"put the address into {DATABASE_VARIABLE} and leave --database out, or the "
            "password into ~/.pgpass and out of the address",
        )
    return DatabaseReference(url=requested)


def _require_within(field: str, value: float | None) -> None:
    if value is None:
        return
    least, most = LIMITS[field]
    if not (math.isfinite(value) and least <= value <= most):
        raise AutotunerError(
            f"{option_of(field)}: {value} is out of its range",
            remedy=f"give {least:g} at the least, and {most:.0f} at the most",
        )


def _require_partitions(value: str | None) -> None:
    if value is not None and not _PARTITIONS.fullmatch(value):
        raise AutotunerError(
            f"--partition: {value!r} is no name",
            remedy="write letters, digits, and . _ / : @ - between them; commas part several",
        )


def _require_image(value: str | None) -> None:
    if value is not None and not is_image(value):
        raise AutotunerError(f"--image: {value!r} is no image", remedy=image_remedy(value))


def _require_gpu_type(value: str | None) -> None:
    if value is not None and not _OF_GPUS.fullmatch(value):
        raise AutotunerError(
            f"--gpu-type: {value!r} is no name of a kind of GPU",
            remedy="write letters, digits, and . _ - between them; how many, --gpus says",
        )


def _require_ray_address(value: str | None) -> None:
    if value is None:
        return
    match = _OF_RAY.fullmatch(value)
    if match is None or int(match[1] or 1) > _LAST_PORT:
        raise AutotunerError(
            f"--address: {value!r} is no address that takes jobs of Ray",
            remedy="give that of the head's dashboard: http://HOST:8265",
        )


def _require_variable(name: str) -> None:
    if not _VARIABLE.fullmatch(name):
        raise AutotunerError(
            f"--variable: {name!r} is no name of a variable",
            remedy="give the name alone, as HF_TOKEN: its value stays out of the template",
        )
    if name in _OWN_VARIABLES:
        raise AutotunerError(
            f"--variable: {name} is a name that the template itself gives a value",
            remedy="leave it out; where the database is, --database says",
        )


def _require_object_name(field: str, value: str | None) -> None:
    longest = _LONGEST[field]
    if value is not None and not (_OF_KUBERNETES.fullmatch(value) and len(value) <= longest):
        raise AutotunerError(
            f"{option_of(field)}: {value!r} is no name of an object of Kubernetes",
            remedy=f"write small letters, digits, and - . between them, {longest} at the most",
        )
