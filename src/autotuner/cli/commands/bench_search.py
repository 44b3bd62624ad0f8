"""`autotuner bench search`: searches replayed on recorded landscapes."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from autotuner.cli.output import err, out, print_json
from autotuner.config import nearest
from autotuner.errors import AutotunerError, LandscapeError
from autotuner.evaluate.baselines import contenders
from autotuner.evaluate.search_replay import (
    Case,
    Subject,
    TransferredObservations,
    by_model,
    run_cases,
    transferred_to,
)
from autotuner.evaluate.search_results import (
    MEASURES,
    TIMED_MEASURES,
    Average,
    Quartiles,
    Result,
    averages,
    results,
)
from autotuner.evaluate.simulated_time import LaunchCosts
from autotuner.landscapes import Landscape, knowledge, read_landscape

_MOST_MINUTES = 1e6
_ENDINGS = (".csv", ".csv.gz")
_TIMED_HEADINGS = ("hv2", "hv3", "regret")
_HEADINGS = ("hv2", "hv3", "regret", "E2E regret", "no point", "s/proposal")


def bench_search(
    paths: Sequence[Path],
    *,
    memory: Sequence[Path],
    launches: str,
    seeds: int,
    strategies: str | None,
    jobs: int | None,
    startup_minutes: float,
    level_minutes: float,
    as_json: bool,
) -> int:
    """Prints a table for each landscape and budget, and one over all landscapes."""
    costs = chosen_costs(startup_minutes, level_minutes)
    budgets, names = chosen_budgets(launches), chosen_strategies(strategies)
    landscapes = read_all(paths)
    earlier = by_model(read_all(memory).values())
    memories = [transferred_to(landscape, earlier) for landscape in landscapes.values()]
    subjects = [
        Subject(landscape, knowledge(landscape, remembered.used), costs)
        for landscape, remembered in zip(landscapes.values(), memories, strict=True)
    ]
    for note in _notes(list(landscapes.values()), memories, budgets, remembers=bool(memory)):
        err().print(escape(note), soft_wrap=True)
    cases = [
        Case(subject, name, budget, seed)
        for subject in range(len(subjects))
        for budget in budgets
        for name in names
        for seed in range(seeds)
    ]
    workers = min(jobs or os.cpu_count() or 1, len(cases))
    found = {}
    with Progress(console=err(), transient=True) as progress:
        bar = progress.add_task("replaying", total=len(cases))
        for case, scores in run_cases(subjects, cases, jobs=workers):
            found[case] = scores
            name = escape(f"{subjects[case.subject].landscape.name}: {case.strategy}")
            progress.update(bar, advance=1, description=name)
    scored = results(subjects, found)
    if as_json:
        print_json(document(scored, list(landscapes), memories))
    else:
        sizes = {one.name: len(one.launches) for one in landscapes.values()}
        _print(scored, sizes, seeds)
    return 0


def chosen_budgets(text: str) -> list[int]:
    """`12,17` as numbers, each once.

    Raises:
        AutotunerError: one is no count of launches.
    """
    budgets = []
    for word in text.split(","):
        if not word.strip().isdecimal() or int(word) < 1:
            raise AutotunerError(
                f"--launches {text}: {word.strip()!r} is no budget",
                remedy="write counts of 1 or more: --launches 12,17",
            )
        budgets.append(int(word))
    return list(dict.fromkeys(budgets))


def chosen_costs(startup_minutes: float, level_minutes: float) -> LaunchCosts:
    """Minutes of a launch that its landscape does not time.

    Raises:
        AutotunerError: one is no time that anything takes.
    """
    least = {"--startup-minutes": (startup_minutes, 0.0), "--level-minutes": (level_minutes, 1e-6)}
    for option, (value, lowest) in least.items():
        if not lowest <= value <= _MOST_MINUTES:
            raise AutotunerError(
                f"{option} {value:g}: takes {lowest:g} to {_MOST_MINUTES:g} minutes",
                remedy=f"leave it out for {getattr(LaunchCosts(), option[2:].replace('-', '_')):g}",
            )
    return LaunchCosts(startup_minutes, level_minutes)


def chosen_strategies(text: str | None) -> list[str]:
    """`random,oracle` as names, each once; all that there are for None.

    Raises:
        AutotunerError: one is unknown; names the nearest.
    """
    known = contenders()
    names = list(known) if text is None else [word.strip() for word in text.split(",")]
    for name in names:
        if name not in known:
            raise AutotunerError(f"--strategies: {name!r} is unknown; {nearest(name, list(known))}")
    return list(dict.fromkeys(names))


def read_all(paths: Iterable[Path]) -> dict[str, Landscape]:
    """File -> its landscape, a folder's files in the order of their names; each file once.

    Landscapes of one name are distinguished by their files.

    Raises:
        LandscapeError: some cannot be read; names them all. Or a folder has none.
    """
    read, faults = dict[str, Landscape](), list[LandscapeError]()
    seen = set[Path]()
    for path in paths:
        files = [path]
        if path.is_dir():
            files = sorted(one for one in path.iterdir() if one.name.endswith(_ENDINGS))
            if not files:
                raise LandscapeError(
                    f"{path}: there is no landscape in it",
                    remedy=f"a landscape's name ends with {' or '.join(_ENDINGS)}",
                )
        for file in files:
            if file.resolve() in seen:
                continue
            seen.add(file.resolve())
            try:
                read[str(file)] = read_landscape(file)
            except LandscapeError as error:
                faults.append(error)
    if faults:
        remedies = dict.fromkeys(fault.remedy for fault in faults if fault.remedy)
        raise LandscapeError(
            "\n".join(fault.message for fault in faults), remedy="; ".join(remedies)
        )
    names = Counter(landscape.name for landscape in read.values())
    return {
        file: dataclasses.replace(landscape, name=file) if names[landscape.name] > 1 else landscape
        for file, landscape in read.items()
    }


def document(
    scored: Sequence[Result], files: Sequence[str], memories: Sequence[TransferredObservations]
) -> dict[str, Any]:
    """Document of `--json`: shares, not percent."""
    return {
        "results": [_result(one) for one in scored],
        "averages": [dataclasses.asdict(one) for one in averages(scored)],
        "memory": [
            {"file": file, "used": len(memory.used), "left_out": memory.left_out}
            for file, memory in zip(files, memories, strict=True)
        ],
    }


def _result(one: Result) -> dict[str, Any]:
    """Launches without a point and thinking time are medians, their quartiles apart."""
    fields = dataclasses.asdict(one)
    for name in ("wasted", "seconds_per_proposal"):
        quartiles = fields[name]
        fields[name] = quartiles.pop("median")
        fields[f"{name}_quartiles"] = quartiles
    return fields


def _notes(
    landscapes: Sequence[Landscape],
    memories: Sequence[TransferredObservations],
    budgets: Sequence[int],
    *,
    remembers: bool,
) -> Iterable[str]:
    for landscape, memory in zip(landscapes, memories, strict=True):
        size, dropped = len(landscape.launches), landscape.dropped_predictions
        over = [str(budget) for budget in budgets if budget > size]
        if over:
            yield f"{landscape.name}: it has {size} launches; {', '.join(over)} is all of them"
        if dropped:
            yield f"{landscape.name}: {dropped} predictions are no positive numbers: not used"
        if remembers:
            yield (
                f"{landscape.name}: {len(memory.used)} observations of other models are known, "
                f"{memory.left_out} of the same model are left out"
            )


def _cells(one: Result | Average, measures: Sequence[str], *, spread: bool) -> list[str]:
    """`0.741` and below it the quartiles `.65-.81`; a mean of medians stands alone."""
    cells = []
    for name in measures:
        value = getattr(one, name)
        digits = 1 if name == "wasted" else 3
        if not isinstance(value, Quartiles):
            cells.append(f"{value:.{digits}f}")
        elif spread:
            low, high = (f"{share:.{digits - 1}f}" for share in (value.q25, value.q75))
            between = f"{low.removeprefix('0') or 0}-{high.removeprefix('0') or 0}"
            cells.append(f"{value.median:.{digits}f}\n{between}")
        else:
            cells.append(f"{value.median:.{digits}f}")
    return cells


def _sections(
    scored: Sequence[Result], sizes: Mapping[str, int]
) -> dict[str, list[Result | Average]]:
    """Title -> rows: one for each landscape and budget, and the averages last."""
    sections: dict[str, list[Result | Average]] = {}
    for one in scored:
        size = sizes[one.landscape]
        count = _counted(one.launches, "launch", "launches")
        if one.launches > size:
            count = f"all {_counted(size, 'launch', 'launches')} ({one.launches} asked for)"
        sections.setdefault(f"{one.landscape}, {count}", []).append(one)
    for mean in averages(scored):
        landscapes = _counted(mean.landscapes, "landscape", "landscapes")
        launches = _counted(mean.launches, "launch", "launches")
        sections.setdefault(f"means over {landscapes}, {launches}", []).append(mean)
    return sections


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _print(scored: Sequence[Result], sizes: Mapping[str, int], seeds: int) -> None:
    over = "medians, and below them quartiles over seeds" if seeds > 1 else "one seed"
    out().print(f"{over}; hv2, hv3: share of the")
    out().print("true hypervolume; no point: launches that failed or have no point on the")
    out().print("frontier of all that were launched; minutes are simulated")
    for title, rows in _sections(scored, sizes).items():
        out().print()
        out().print(escape(title), soft_wrap=True)
        out().print(_table(rows, _HEADINGS, MEASURES, spread=seeds > 1))
        out().print(f"in the time of so many launches{_minutes(rows[0])}:", soft_wrap=True)
        out().print(_table(rows, _TIMED_HEADINGS, TIMED_MEASURES, spread=seeds > 1))


def _minutes(one: Result | Average) -> str:
    return f", {one.minutes:,.0f} minutes" if isinstance(one, Result) else ""


def _table(
    rows: Sequence[Result | Average],
    headings: Sequence[str],
    measures: Sequence[str],
    *,
    spread: bool,
) -> Table:
    shown = Table(box=None, padding=(0, 1, 0, 0))
    shown.add_column("strategy", overflow="fold")
    for heading in headings:
        shown.add_column(heading, no_wrap=True)
    for row in rows:
        shown.add_row(row.strategy, *_cells(row, measures, spread=spread))
    return shown
