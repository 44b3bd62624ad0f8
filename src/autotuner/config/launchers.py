"""Launchers by name: where their classes are, not what they do.

`deployment_mode` names one. A launcher is a class (`launch.protocol.Launcher`); ours are listed
here, and a package adds its own by entry points of the group `autotuner.launchers`, each named as
tasks are to name it (`slurm = "package.module:Class"`). Every room that checks a name reads it
here; `launch.registry` loads the class.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Annotated, overload

from pydantic import AfterValidator, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from autotuner.config.document import nearest
from autotuner.errors import LaunchError

ENTRY_POINTS = "autotuner.launchers"
"""Group of entry points by which packages add launchers."""
_OWN = {
    "local": "autotuner.launch.local:LocalLauncher",
    "docker": None,
    "ray": None,
    "replay": "autotuner.launch.replay:ReplayLauncher",
}


@functools.cache
def launchers() -> Mapping[str, str | None]:
    """Name of each launcher -> `module:Class`; None for one that tasks may name and that is not
    installed.

    Raises:
        LaunchError: two packages have one name, or one has a name of ours.
    """
    found = dict(_OWN)
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        if found.get(point.name) is not None:
            raise LaunchError(
                f"launcher {point.name!r} is declared twice: {found[point.name]} and {point.value}",
                remedy="uninstall one of the packages that declare it",
            )
        found[point.name] = point.value
    return MappingProxyType(found)


def installed_launchers() -> tuple[str, ...]:
    """Names of the launchers that can start engines here."""
    return tuple(name for name, place in launchers().items() if place is not None)


class _LauncherNames(Sequence[str]):
    """Names of the launchers, read when they are asked for."""

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...

    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        return tuple(launchers())[place]

    def __len__(self) -> int:
        return len(launchers())

    def __contains__(self, name: object) -> bool:
        return name in launchers()


DEPLOYMENT_MODES: Sequence[str] = _LauncherNames()
"""Names that `deployment_mode` may have."""


def _is_known(name: str) -> str:
    if name not in DEPLOYMENT_MODES:
        raise ValueError(f"{name!r} is no launcher; {nearest(name, list(DEPLOYMENT_MODES))}")
    return name


class _EnumOfLaunchers:
    """Lists the names in JSON Schema, as they are when it is written."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema) | {"enum": list(DEPLOYMENT_MODES)}


DeploymentMode = Annotated[str, AfterValidator(_is_known), _EnumOfLaunchers()]
"""Name of a launcher."""
