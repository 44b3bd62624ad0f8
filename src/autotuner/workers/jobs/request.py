"""The workers that somebody wants to have as jobs, and the database that they share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autotuner.errors import AutotunerError, StoreError
from autotuner.store.database import address_of

DATABASE_VARIABLE = "AUTOTUNER_DATABASE"
_REFERENCE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_NAMED = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._/:@-]*[A-Za-z0-9])?")
"""Names of queues, images, secrets, GPUs and addresses: no shell finds a command in one."""
_OF_KUBERNETES = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_LONGEST = {"queue_name": 63, "secret": 253, "volume": 253}
"""Objects of Kubernetes; the name of a queue is the value of a label too."""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LEAST_HOURS = 0.1
"""A shorter walltime ends before a worker has done anything."""


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
        for field in ("gpu_type", "partition", "image", "address"):
            _require_name(field, getattr(self, field))
        for name in self.variables:
            _require_variable(name)
        for field in _LONGEST:
            _require_object_name(field, getattr(self, field))
        if self.hours is not None and self.hours < _LEAST_HOURS:
            raise AutotunerError(
                f"--hours: {self.hours:g} leaves a worker no time to work",
                remedy=f"give {_LEAST_HOURS:g} at the least, better hours",
            )

    @property
    def devices(self) -> str:
        """The devices of a worker, as `autotuner worker --devices` takes them."""
        return "all" if self.gpus else "cpu"


def database_reference(requested: str | None, environment: Mapping[str, str]) -> DatabaseReference:
    """The database that several machines can share.

    Args:
        requested: an address without a password, or a variable that holds one: `$NAME`; where left
            out, the variable of every command counts.
        environment: of the process.

    Raises:
        AutotunerError: none is named, it would show its password, or serves one machine only.
    """
    match = _REFERENCE.fullmatch(requested or "")
    if match is not None:
        return DatabaseReference(variable=match[1] or match[2])
    address = requested or environment.get(DATABASE_VARIABLE)
    if not address:
        raise AutotunerError(
            "no database is named, and the file of a home (SQLite) serves one machine only",
            remedy=f"set {DATABASE_VARIABLE}, or give --database postgresql://USER@HOST/NAME",
        )
    try:
        url = address_of(Path(), address)
    except StoreError as error:
        raise AutotunerError(f"--database: {error.message}", remedy=error.remedy) from None
    if url.get_backend_name() == "sqlite":
        raise AutotunerError(
            "the database is a SQLite file, which serves one machine only",
            remedy="name a PostgreSQL database: --database postgresql://USER@HOST/NAME",
        )
    if requested is None:
        return DatabaseReference()
    if url.password is not None or any("pass" in name for name in url.query):
        raise AutotunerError(
            "--database: the address holds a password, which would stand in the template",
            remedy=f"put the address into {DATABASE_VARIABLE} and leave --database out, or the "
            "password into ~/.pgpass and out of the address",
        )
    return DatabaseReference(url=requested)


def _require_name(field: str, value: str | None) -> None:
    if value is not None and not _NAMED.fullmatch(value):
        raise AutotunerError(
            f"--{field.replace('_', '-')}: {value!r} is no name",
            remedy="write letters, digits, and . _ / : @ - between them",
        )


def _require_variable(name: str) -> None:
    if not _VARIABLE.fullmatch(name):
        raise AutotunerError(
            f"--variable: {name!r} is no name of a variable",
            remedy="give the name alone, as HF_TOKEN: its value stays out of the template",
        )


def _require_object_name(field: str, value: str | None) -> None:
    longest = _LONGEST[field]
    if value is not None and not (_OF_KUBERNETES.fullmatch(value) and len(value) <= longest):
        raise AutotunerError(
            f"--{field.replace('_', '-')}: {value!r} is no name of an object of Kubernetes",
            remedy=f"write small letters, digits, and - . between them, {longest} at the most",
        )
