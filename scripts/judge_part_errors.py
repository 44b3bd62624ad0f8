"""Judges learnt errors of parts on recorded landscapes: the figures of docs/explain_performance.md.

python scripts/judge_part_errors.py [LANDSCAPE ...]

Launches of one half of a landscape, drawn at random, are learnt from; the other half says whether
errors, their intervals, and what is expected of a changed setting hold there too. The constants of
`predict/part_errors.py` and `tuning/expected_changes.py` were chosen on the same files.
"""

from __future__ import annotations

import itertools
import math
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autotuner.catalog import known_gpu
from autotuner.config import Candidate
from autotuner.landscapes import Landscape, read_landscape
from autotuner.landscapes.knowledge import facts_of_table
from autotuner.predict import Scenario
from autotuner.predict.part_errors import MeasuredTime, PartErrors, learnt
from autotuner.predict.predictor import STDS_80
from autotuner.predict.roofline.predictor import time_parts_of
from autotuner.tuning.expected_changes import QUANTITIES, Quantity, unexplained_of

ROOT = Path(__file__).parents[1]
FOLDERS = ("examples/landscapes", "examples/landscapes/measured", "tests/landscapes")
LAUNCHES, SEEDS = 8, 4
SURE = 0.8
"""Of the prior: parts that neither half is surer of say nothing."""
Launches = Mapping[str, Sequence[MeasuredTime]]


def main(paths: Sequence[Path]) -> None:
    halves: list[float] = []
    misses: dict[Quantity, list[tuple[float, float]]] = {name: [] for name in QUANTITIES}
    changes: dict[tuple[str, Quantity], list[tuple[float, float, float]]] = {}
    used = 0
    for path in paths:
        landscape = read_landscape(path)
        launches = launches_of(landscape)
        used += bool(launches)
        settings = {one.id: one.settings for one in landscape.launches}
        for seed in range(SEEDS) if launches else ():
            ids = [str(one) for one in np.random.default_rng(seed).permutation(list(launches))]
            count = min(LAUNCHES, len(ids) // 2)
            own, other = ids[:count], ids[count : 2 * count]
            names = {
                name for points in launches.values() for one in points for name in names_of(one)
            }
            one, two = (
                learnt([p for i in half for p in launches[i]], tuple(names))
                for half in (own, other)
            )
            halves += differences(one, two)
            for quantity in QUANTITIES:
                misses[quantity] += errors_of(
                    one, [p for i in other for p in launches[i]], quantity
                )
            for first, second in itertools.product(own, other):
                for key, found in of_change(
                    one, settings[first], settings[second], launches[first], launches[second]
                ):
                    changes.setdefault(key, []).append(found)
    print(f"{used} landscapes, {LAUNCHES} launches a half, {SEEDS} draws")
    beyond = statistics.fmean(abs(z) > STDS_80 for z in halves)
    print(f"parts that differ by more than their 80 % intervals: {beyond:.0%} of {len(halves)}")
    for quantity, rows in misses.items():
        before, after = (statistics.median(one) for one in zip(*rows, strict=True))
        print(
            f"{quantity} of launches not learnt from: median error {before:.3f}, then {after:.3f}"
        )
    for (group, changed), figures in sorted(changes.items()):
        large = [row for row in figures if abs(row[1]) > 0.1]
        within = statistics.fmean(abs(true - mean) < STDS_80 * std for true, mean, std in figures)
        sign = statistics.fmean(true * mean > 0 for true, mean, _ in large) if large else math.nan
        error = statistics.median(abs(true - mean) for true, mean, _ in figures)
        print(
            f"{group} changed, {changed}: {len(figures)} pairs, median error {error:.3f}, "
            f"{within:.0%} within the 80 % interval, {sign:.0%} of {len(large)} with the sign"
        )


def launches_of(landscape: Landscape) -> Launches:
    """Points of each launch with their parts; none where the roofline does not know enough."""
    facts, gpu = facts_of_table(landscape.model), known_gpu(landscape.device)
    if facts is None or gpu is None:
        return {}
    found: dict[str, list[MeasuredTime]] = {}
    for launch in landscape.launches:
        scenario = Scenario(
            landscape.model,
            facts,
            launch.engine,
            None,
            gpu,
            landscape.device,
            landscape.isl,
            landscape.osl,
        )
        true = {level.load: level.true for level in launch.levels if level.true is not None}
        parts = time_parts_of(scenario, Candidate.from_settings(dict(launch.settings)), list(true))
        for load, part in parts.items():
            seen = true[load]
            point = MeasuredTime(part, seen.ttft_ms, seen.tpot_ms, launch.id, load.value)
            found.setdefault(launch.id, []).append(point)
    return found


def names_of(point: MeasuredTime) -> set[str]:
    return {*point.parts.ttft_ms, *point.parts.tpot_ms}


def differences(one: PartErrors, two: PartErrors) -> Iterator[float]:
    """Differences of learnt errors in standard deviations."""
    for name, prior in zip(one.names, one.prior, strict=True):
        (mean, std), (other_mean, other_std) = one.of(name), two.of(name)
        if min(std, other_std) < SURE * prior:
            yield (mean - other_mean) / math.hypot(std, other_std)


def errors_of(
    known: PartErrors, points: Sequence[MeasuredTime], quantity: Quantity
) -> Iterator[tuple[float, float]]:
    """|ln(measured / predicted)| of each point, before and after learning."""
    for point in points:
        times, measured = getattr(point.parts, quantity), getattr(point, quantity)
        if times and measured:
            before, after = sum(times.values()), sum(known.corrected(times).values())
            yield abs(math.log(measured / before)), abs(math.log(measured / after))


def of_change(
    known: PartErrors,
    settings: Mapping[str, Any],
    changed: Mapping[str, Any],
    before: Sequence[MeasuredTime],
    after: Sequence[MeasuredTime],
) -> Iterator[tuple[tuple[str, Quantity], tuple[float, float, float]]]:
    """Group and quantity -> true and expected ln(after / before) at equal loads, with its std; of
    two launches that differ in one or two settings."""
    paths = [p for p in {*settings, *changed} if settings.get(p) != changed.get(p)]
    groups = {path.partition(".")[0] for path in paths}
    if len(paths) > 2 or len(groups) != 1:
        return
    (group,) = groups
    for one, two in itertools.product(before, after):
        for quantity in QUANTITIES if one.in_flight == two.in_flight else ():
            values = getattr(one, quantity), getattr(two, quantity)
            times = getattr(two.parts, quantity), getattr(one.parts, quantity)
            if all(values) and all(times):
                mean, std = known.log_ratio(*times)
                std = math.hypot(std, unexplained_of(group)[quantity])
                yield (group, quantity), (math.log(values[1] / values[0]), mean, std)


if __name__ == "__main__":
    given = [Path(word) for word in sys.argv[1:]]
    main(given or [p for name in FOLDERS for p in sorted((ROOT / name).glob("*.csv.gz"))])
