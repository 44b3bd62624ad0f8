"""A landscape in values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figures:
    """An operating point's figures, true or predicted: ms, and output tokens/s of the deployment.

    Attributes:
        tpot_ms: None where every answer has one token.
        latency_ms: end to end; the mean, where the table tells no percentile.
    """

    ttft_ms: float
    tpot_ms: float | None
    tok_s: float
    latency_ms: float


@dataclass(frozen=True)
class RecordedLevel:
    """One load level of a launch.

    Attributes:
        true: what is measured there, without noise; None where it fails.
        true_status, predicted_status: `ok`, `oom`, or `na` (nothing is predicted).
        noise_cv: coefficient of variation of one measurement.
    """

    concurrency: int
    true: Figures | None
    true_status: str
    predicted: Figures | None
    predicted_status: str
    predicted_memory_gib: float | None
    noise_cv: float


@dataclass(frozen=True)
class RecordedLaunch:
    """A launch configuration with its load levels, rising.

    Attributes:
        settings: `group.field` -> value.
        startup_s, measure_s: seconds that the recorded launch took, where the table tells.
    """

    id: str
    engine: str
    gpus: int
    settings: Mapping[str, Any]
    levels: tuple[RecordedLevel, ...]
    startup_s: float | None = None
    measure_s: float | None = None


@dataclass(frozen=True)
class Landscape:
    """What every launch of one task measures.

    Attributes:
        name: of its file, without endings.
        model, device: as the table or the file's name says; "" where neither does.
        isl, osl: mean tokens of a request.
        dropped_predictions: predictions with figures that nothing can measure (NaN, negative).
        assumed: which of `isl` and `osl` neither the table nor its name tells.
        source: where the figures come from, in words; "" where the table does not tell.
    """

    name: str
    model: str
    device: str
    isl: float
    osl: float
    launches: tuple[RecordedLaunch, ...]
    dropped_predictions: int = 0
    assumed: tuple[str, ...] = ()
    source: str = ""

    def launch(self, launch_id: str) -> RecordedLaunch:
        """The launch of that id.

        Raises:
            KeyError: there is none.
        """
        for launch in self.launches:
            if launch.id == launch_id:
                return launch
        raise KeyError(launch_id)

    @property
    def concurrencies(self) -> tuple[int, ...]:
        """Every load level of any launch, rising."""
        return tuple(sorted({level.concurrency for one in self.launches for level in one.levels}))
