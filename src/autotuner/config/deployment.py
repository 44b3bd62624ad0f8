"""Where engines are launched: the parts of a task that belong to one launcher each."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from autotuner.config.document import Document, PositiveInt, PositiveReal

_RAY_ADDRESS = re.compile(r"auto|local|(ray://)?([\w.-]+|\[[0-9a-fA-F:]+\]):([1-9][0-9]{0,4})")
_LAST_PORT = 65535


class ReplayConfig(Document):
    """The recorded table that `deployment_mode: replay` takes its launches from."""

    landscape: str
    """A CSV file, gzipped or not; relative to the task file."""
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    """Its checksum: a file with another one is refused. A run keeps that of its file here."""


_LEAST = 0.0001
_RAYS_OWN = {
    "GPU": "a launch reserves those that its candidate occupies (parallel)",
    "CPU": "say ray.cpus",
    "memory": "Ray reserves none for launches",
    "object_store_memory": "launches store no objects",
}
"""Resources that a launch reserves otherwise, or not at all."""


class RayConfig(Document):
    """The Ray cluster that `deployment_mode: ray` launches on."""

    address: str = "auto"
    """`auto`: the cluster that this machine is a node of, or that RAY_ADDRESS names; `local`: one
    of this machine alone, which ends with the command; `ray://HOST:PORT`: by its Ray Client server;
    `HOST:PORT`: by its head, from one of its nodes."""
    cpus: PositiveReal | None = None
    """CPUs that a launch reserves; where left out, an engine on a CPU has a node's for itself, and
    one on GPUs reserves none."""
    gpus_per_node: PositiveInt | None = None
    """GPUs of a node, beyond which a candidate is launched over several, in equal parts, by engines
    that can; where left out, each launch is of one node."""
    resources: dict[str, PositiveReal] = Field(default_factory=dict)
    """Further resources that a launch reserves, by Ray's names for them:
    `accelerator_type:H100: 0.001` keeps launches on nodes with that GPU."""

    @field_validator("resources")
    @classmethod
    def _are_further_ones(cls, given: dict[str, float]) -> dict[str, float]:
        for name, amount in given.items():
            if remedy := _RAYS_OWN.get(name):
                raise ValueError(f"{name!r} is no further resource; {remedy}")
            if amount < _LEAST:
                raise ValueError(f"{name!r}: Ray counts by {_LEAST:g}, and not {amount:g}")
        return given

    @field_validator("address")
    @classmethod
    def _is_an_address(cls, given: str) -> str:
        match = _RAY_ADDRESS.fullmatch(given)
        if match is None:
            raise ValueError(
                f"{given!r} is no address of a cluster; say auto, local, ray://HOST:PORT or "
                "HOST:PORT"
            )
        if int(match[3] or 1) > _LAST_PORT:
            raise ValueError(f"{given!r} has no such port; say one up to {_LAST_PORT}")
        return given
