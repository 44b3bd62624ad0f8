"""Recorded launches as candidates of a space: rendered as their engine would be, never started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from autotuner.config import Candidate
from autotuner.engines import DEFAULT_PORT, LaunchSpec
from autotuner.errors import EngineError
from autotuner.landscapes.cells import written_cell
from autotuner.landscapes.landscape import Landscape, RecordedLaunch
from autotuner.space import Region

REPLAYED = "replayed, not launched"


@dataclass(frozen=True)
class Replay:
    """A landscape whose launches stand for those of a task.

    Attributes:
        launches: candidate id -> what is recorded of it.
    """

    landscape: Landscape
    launches: Mapping[str, RecordedLaunch]


@dataclass(frozen=True)
class ReplaySpec(LaunchSpec):
    """How a recorded launch would be started; only a replay takes it.

    Attributes:
        recorded: id of the launch in its landscape.
        label: a comment behind the command line: that it is a replay, and what the line lacks.
    """

    recorded: str = ""
    label: str = REPLAYED

    def command(self, port: int = DEFAULT_PORT) -> str:
        """The line that starts the like of it, labelled; the label alone where there is none."""
        line = super().command(port)
        return f"{line}  # {self.label}" if line else f"# {self.label}"


@dataclass(frozen=True)
class RecordedRegion(Region):
    """The recorded launches on one engine, as a part of a space.

    Attributes:
        launches: candidate id -> what is recorded of it.
    """

    launches: Mapping[str, RecordedLaunch]

    @classmethod
    def of(cls, region: Region, launches: Mapping[str, RecordedLaunch]) -> RecordedRegion:
        """`region` with what is recorded of its candidates."""
        told = {field.name: getattr(region, field.name) for field in fields(region)}
        return cls(**told, launches=launches)

    def render(self, candidate: Candidate) -> ReplaySpec:
        """The engine's command line, without the settings that it cannot express here."""
        settings, version = candidate.settings(), self.installation.version
        unsaid = [
            path
            for path in settings
            if self.engine.refuses(settings, path, self.model, version) is not None
        ]
        said = {path: value for path, value in settings.items() if path not in unsaid}
        recorded = self.launches[candidate.id].id
        try:
            spec = self.engine.render(Candidate.from_settings(said), self.model, self.installation)
        except EngineError as error:
            why = f"{REPLAYED}; there is no command line: {error.message}"
            return ReplaySpec(
                self.engine.name, (), self.model.name, gpus=candidate.gpus,
                recorded=recorded, label=why,
            )  # fmt: skip
        words = ", ".join(f"{path}={written_cell(settings[path])}" for path in unsaid)
        return ReplaySpec(
            **(vars(spec) | {"gpus": candidate.gpus}),
            recorded=recorded,
            label=f"{REPLAYED}; {self.engine.name} cannot express {words}" if words else REPLAYED,
        )
