"""Recorded launches as candidates of a space: rendered as their engine would be, never started.

What a replayed launch measures: the recorded truth, with the recorded noise and failures.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, fields

from autotuner.config import Candidate, LoadLevel
from autotuner.engines import DEFAULT_HOST, DEFAULT_PORT, LaunchSpec
from autotuner.errors import EngineError
from autotuner.landscapes.landscape import Landscape, PointMetrics, RecordedLaunch, written_cell
from autotuner.predict import tok_s_per_user
from autotuner.search import OperatingPoint, Outcome
from autotuner.space import Region

REPLAYED = "replayed, not launched"


def unserved(command: str) -> str | None:
    """Reason why a command line does not serve what was measured; None where it does.

    Read from the comment of a recorded launch's line (`ReplaySpec.label`), as tasks keep it.
    """
    return command.partition(f"# {REPLAYED}")[2].removeprefix("; ") or None


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

    def command(self, port: int = DEFAULT_PORT, *, host: str = DEFAULT_HOST) -> str:
        """The line that starts the like of it, labelled; the label alone where there is none."""
        line = super().command(port, host=host)
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
        values = {field.name: getattr(region, field.name) for field in fields(region)}
        return cls(**values, launches=launches)

    def render(self, candidate: Candidate) -> ReplaySpec:
        """The engine's command line, without the settings that it cannot express here."""
        settings, version = candidate.settings(), self.installation.version
        inexpressible = [
            path
            for path in settings
            if self.engine.refuses(settings, path, self.model, version) is not None
        ]
        expressible = {path: value for path, value in settings.items() if path not in inexpressible}
        recorded = self.launches[candidate.id].id
        try:
            spec = self.engine.render(
                Candidate.from_settings(expressible), self.model, self.installation
            )
        except EngineError as error:
            why = f"{REPLAYED}; there is no command line: {error.message}"
            return ReplaySpec(
                self.engine.name, (), self.model.name, gpus=candidate.gpus,
                recorded=recorded, label=why,
            )  # fmt: skip
        words = ", ".join(f"{path}={written_cell(settings[path])}" for path in inexpressible)
        return ReplaySpec(
            **(vars(spec) | {"gpus": candidate.gpus}),
            recorded=recorded,
            label=f"{REPLAYED}; {self.engine.name} cannot express {words}" if words else REPLAYED,
        )


TTFT_SHARED = 0.5
"""Correlation of TTFT's noise with that of the row's other figures."""


def measured(landscape: Landscape, launch: RecordedLaunch, seed: int) -> Outcome:
    """The measurements of a launch, noise included: the same for the same seed.

    Noise is log-normal with the row's coefficient of variation. Throughput, TPOT and latency move
    together, as they do in a real row: one draw makes the engine faster or slower.
    """
    return _outcome(
        launch,
        {
            level.load: with_noise(
                level.true, level.noise_cv, (landscape.name, launch.id, level.load.value, seed)
            )
            for level in launch.levels
            if level.true is not None
        },
        landscape.osl,
    )


def true_outcome(launch: RecordedLaunch, osl: float | None = None) -> Outcome:
    """The measurements of a launch without noise; requests/s only where `osl` is given."""
    figures = {x.load: x.true for x in launch.levels if x.true is not None}
    return _outcome(launch, figures, osl)


def with_noise(figures: PointMetrics, noise_cv: float, key: tuple[object, ...]) -> PointMetrics:
    """The figures with log-normal noise; equal keys draw equal noise."""
    if not noise_cv:
        return figures
    log_std = math.sqrt(math.log1p(noise_cv**2))
    digest = hashlib.sha256(repr(key).encode()).digest()
    draw = random.Random(digest)  # noqa: S311 - reproducible, not secret
    slower, other = draw.gauss(0, log_std), draw.gauss(0, log_std)
    waiting = TTFT_SHARED * slower + math.sqrt(1 - TTFT_SHARED**2) * other
    return PointMetrics(
        ttft_ms=figures.ttft_ms * math.exp(waiting),
        tpot_ms=None if figures.tpot_ms is None else figures.tpot_ms * math.exp(slower),
        tok_s=figures.tok_s * math.exp(-slower),
        latency_ms=figures.latency_ms * math.exp(slower),
    )


def _outcome(
    launch: RecordedLaunch, figures: dict[LoadLevel, PointMetrics], osl: float | None
) -> Outcome:
    failed = tuple(x.load for x in launch.levels if x.load not in figures)
    if not figures:
        oom = any(level.true_status == "oom" for level in launch.levels)
        kind = "out_of_memory" if oom else "died_while_loading"
        return Outcome(launch.id, "failed", failure_kind=kind, failed_levels=failed)
    points = tuple(
        OperatingPoint(
            candidate_id=launch.id,
            load=load,
            tok_s=point.tok_s,
            tok_s_per_gpu=point.tok_s / launch.gpus,
            tok_s_per_user=tok_s_per_user(point.tpot_ms),
            ttft_ms=point.ttft_ms,
            tpot_ms=point.tpot_ms,
            requests_per_s=None if osl is None else point.tok_s / osl,
            **point.percentiles(),  # type: ignore[arg-type]
        )
        for load, point in figures.items()
    )
    return Outcome(launch.id, "completed", points, failed_levels=failed)
