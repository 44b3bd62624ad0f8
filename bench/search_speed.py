"""Time of a strategy's decision about a launch, and its growth with the number of candidates.

python bench/search_speed.py [STRATEGY…]

A recorded landscape is grown to 350, 1,000 and 5,000 launches of 10 load levels: new context
budgets between the recorded ones, and new figures between their neighbours', on a logarithmic
scale. Each strategy is replayed for 12 launches on each, with one thread. Printed is the median of
its thinking times, and its growth beside that of the number of candidates. The median for 350
candidates should be 1 s or less.
"""

from __future__ import annotations

import math
import os
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is there

from autotuner.config import LoadLevel
from autotuner.evaluate.search_replay import FRONTIER, Goal, replay
from autotuner.landscapes import (
    Landscape,
    PointMetrics,
    RecordedLaunch,
    RecordedLevel,
    knowledge,
    read_landscape,
)
from autotuner.search import STRATEGIES, strategy_named

RECORDED = Path(__file__).parents[1] / "examples" / "landscapes" / "dev_llama70b_h100_vllm.csv.gz"
GROWN = "scheduling.max_num_batched_tokens"
LEVEL = LoadLevel.concurrency(2)
"""A load level between two recorded ones, to have ten of them."""
SIZES = (350, 1000, 5000)
LAUNCHES = 12
LIMIT_S = 1.0


def grown(recorded: Landscape, size: int) -> Landscape:
    """A landscape of `size` launches: as many values of `GROWN` as it takes, evenly apart."""
    alike: dict[tuple[Any, ...], list[RecordedLaunch]] = defaultdict(list)
    for launch in recorded.launches:
        rest = tuple(item for item in sorted(launch.settings.items()) if item[0] != GROWN)
        alike[rest].append(launch)
    steps = math.ceil(size / len(alike))
    launches = [
        launch
        for some in alike.values()
        for launch in _between(sorted(some, key=lambda one: one.settings[GROWN]), steps)
    ]
    named = tuple(replace(one, id=str(place)) for place, one in enumerate(launches[:size]))
    return replace(recorded, launches=named)


def _between(launches: list[RecordedLaunch], steps: int) -> Iterable[RecordedLaunch]:
    logs = [math.log(one.settings[GROWN]) for one in launches]
    for step in range(steps):
        wanted = logs[0] + (logs[-1] - logs[0]) * step / max(steps - 1, 1)
        upper = next(place for place, log in enumerate(logs) if place and wanted <= log + 1e-9)
        share = (wanted - logs[upper - 1]) / (logs[upper] - logs[upper - 1])
        low, high = launches[upper - 1], launches[upper]
        of_high = {level.load: level for level in high.levels}
        levels = [
            _mixed(level, of_high[level.load], share, level.load)
            for level in low.levels
            if level.load in of_high
        ]
        below = [level for level in levels if level.load < LEVEL]
        above = [level for level in levels if level.load > LEVEL]
        added = [_mixed(below[-1], above[0], 0.5, LEVEL)] if below else []
        levels = [*below, *added, *above]
        settings: Mapping[str, Any] = {**low.settings, GROWN: round(math.exp(wanted))}
        yield replace(low, settings=settings, levels=tuple(levels))


def _mixed(low: RecordedLevel, high: RecordedLevel, share: float, at: LoadLevel) -> RecordedLevel:
    """Between two levels; where one of them fails or is not predicted, as the nearer one."""
    near = low if share < 0.5 else high
    true = _figures(low.true, high.true, share)
    predicted = _figures(low.predicted, high.predicted, share)
    return replace(near, load=at, true=true or near.true, predicted=predicted or near.predicted)


def _figures(
    low: PointMetrics | None, high: PointMetrics | None, share: float
) -> PointMetrics | None:
    if low is None or high is None:
        return None
    names = ("ttft_ms", "tpot_ms", "tok_s", "latency_ms")
    pairs = ((getattr(low, name), getattr(high, name)) for name in names)
    return PointMetrics(*(a ** (1 - share) * b**share for a, b in pairs))


def main() -> int:
    """Prints a line for each strategy; 1 where one thinks too long."""
    names = sys.argv[1:] or list(STRATEGIES)
    recorded = read_landscape(RECORDED)
    landscapes = [grown(recorded, size) for size in SIZES]
    known = [knowledge(landscape) for landscape in landscapes]
    print(f"search: median seconds for a proposal, {len(landscapes[0].levels)} load levels")
    print("strategy    " + "".join(f"{size:>10,}" for size in SIZES) + f"{'growth':>10}")
    slow = 0
    for name in names:
        medians = []
        for landscape, knows in zip(landscapes, known, strict=True):
            found = replay(
                strategy_named(name), landscape, Goal(FRONTIER), launches=LAUNCHES, knowledge=knows
            )
            medians.append(statistics.median(found.seconds))
        columns = "".join(f"{seconds:10.3f}" for seconds in medians)
        print(f"{name:12}{columns}{medians[-1] / medians[0]:10.1f}", flush=True)
        slow += medians[0] > LIMIT_S
    print(f"{'candidates':12}{'':30}{SIZES[-1] / SIZES[0]:10.1f}")
    return int(slow > 0)


if __name__ == "__main__":
    sys.exit(main())
