"""What marks a replay wherever its results are shown."""

from __future__ import annotations

from autotuner.landscapes import REPLAYED
from autotuner.tuning.summary import RunSummary


def replay_notice(summary: RunSummary) -> str | None:
    """That the run is a replay and what that means; None where engines were launched."""
    if not summary.run.replay:
        return None
    took_s = sum((e.startup_s or 0) + (e.measure_s or 0) for e in summary.experiments)
    return (
        f"of {summary.run.landscape}, {REPLAYED}: figures are recorded ones with their noise, "
        f"times are simulated ({took_s / 60:.0f} min in all)"
    )
