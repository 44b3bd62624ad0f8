"""The seam behind which engines differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from autotuner.catalog import ResolvedModel
from autotuner.config import Candidate
from autotuner.engines.spec import LaunchSpec
from autotuner.engines.table import EngineTable


@dataclass(frozen=True)
class Installation:
    """An engine found on this machine: the words that start it, its version, where it is."""

    engine: str
    command: tuple[str, ...]
    version: str
    origin: str


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

    def render(
        self, candidate: Candidate, model: ResolvedModel, installation: Installation
    ) -> LaunchSpec: ...
