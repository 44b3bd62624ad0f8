"""The seam behind which engines differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from autotuner.catalog import ResolvedModel
from autotuner.config import Candidate
from autotuner.engines.rows import LaunchFragment
from autotuner.engines.spec import LaunchSpec
from autotuner.engines.table import EngineTable

MODEL = "{model}"


@dataclass(frozen=True)
class Installation:
    """An engine: the words that start it (`{model}` filled in later), its version, where it is.

    Attributes:
        found: False where it is not on this machine and only its command line is known.
        image: reference of the container image that it is in; None where it is in none.
        gpus_per_node: GPUs of a node of the cluster that it is launched on, where larger launches
            have a process on each of several; None where each is of one machine.
    """

    engine: str
    command: tuple[str, ...]
    version: str
    origin: str
    found: bool = True
    image: str | None = None
    gpus_per_node: int | None = None


class Engine(Protocol):
    """A flag table and the few things that a table cannot say.

    Example:
        installation = engine.find(None)
        spec = engine.render(candidate, model, installation)
    """

    name: str

    @property
    def table(self) -> EngineTable: ...

    def find(self, engine_path: str | None) -> Installation: ...

    def assume(self, version: str | None) -> Installation: ...

    def render(
        self, candidate: Candidate, model: ResolvedModel, installation: Installation
    ) -> LaunchSpec: ...

    def fragment(
        self, settings: Mapping[str, Any], path: str, model: ResolvedModel, version: str
    ) -> LaunchFragment: ...

    def reads(
        self, path: str, settings: Mapping[str, Any], model: ResolvedModel, version: str
    ) -> tuple[str, ...]: ...

    def refuses(
        self, settings: Mapping[str, Any], path: str, model: ResolvedModel, version: str
    ) -> str | None: ...
