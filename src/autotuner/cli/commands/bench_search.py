"""`autotuner bench search`: searches replayed on recorded landscapes."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from autotuner.cli.output import err, out, print_json
from autotuner.config import nearest
from autotuner.errors import AutotunerError, LandscapeError
from autotuner.evaluate.baselines import contenders
from autotuner.evaluate.memory import Memory, by_model, memory_for
from autotuner.evaluate.search_cases import Case, Subject
from autotuner.evaluate.search_jobs import run_cases
from autotuner.evaluate.search_results import (
    MEASURES,
    Average,
    Quartiles,
    Result,
    averages,
    results,
)
from autotuner.landscapes import Landscape, knowledge, read_landscape

_ENDINGS = (".csv", ".csv.gz")
_HEADINGS = ("hv2", "hv3", "regret", "e2e regret", "in vain", "s/proposal")


def bench_search(
    paths: Sequence[Path],
    *,
    memory: Sequence[Path],
    launches: str,
    seeds: int,
    strategies: str | None,
    jobs: int | None,
    as_json: bool,
) -> int:
    """Prints a table for each landscape and budget, and one over all landscapes."""
    budgets, names = chosen_budgets(launches), chosen_strategies(strategies)
    landscapes = read_all(paths)
    earlier = by_model(read_all(memory).values())
    memories = [memory_for(landscape, earlier) for landscape in landscapes.values()]
    subjects = [
        Subject(landscape, knowledge(landscape, remembered.used))
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
    told = results(subjects, found)
    if as_json:
        print_json(document(told, list(landscapes), memories))
    else:
        _print(told)
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
    """File -> its landscape, a folder's files in the order of their names.

    Raises:
        LandscapeError: some cannot be read; names them all. Or a folder has none.
    """
    read, faults = dict[str, Landscape](), list[LandscapeError]()
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
            try:
                read[str(file)] = read_landscape(file)
            except LandscapeError as error:
                faults.append(error)
    if faults:
        remedies = dict.fromkeys(fault.remedy for fault in faults if fault.remedy)
        raise LandscapeError(
            "\n".join(fault.message for fault in faults), remedy="; ".join(remedies)
        )
    return read


def document(
    told: Sequence[Result], files: Sequence[str], memories: Sequence[Memory]
) -> dict[str, Any]:
    """What `--json` prints: shares, not percent."""
    return {
        "results": [_result(one) for one in told],
        "averages": [dataclasses.asdict(one) for one in averages(told)],
        "memory": [
            {"file": file, "used": len(memory.used), "left_out": memory.left_out}
            for file, memory in zip(files, memories, strict=True)
        ],
    }


def _result(one: Result) -> dict[str, Any]:
    """Launches in vain and thinking time are told as medians, their quartiles apart."""
    fields = dataclasses.asdict(one)
    for name in ("wasted", "seconds_per_proposal"):
        quartiles = fields[name]
        fields[name] = quartiles.pop("median")
        fields[f"{name}_quartiles"] = quartiles
    return fields


def _notes(
    landscapes: Sequence[Landscape],
    memories: Sequence[Memory],
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


def _cells(one: Result | Average) -> list[str]:
    """`0.741 .65-.81`: median and quartiles; a mean of medians stands alone."""
    cells = []
    for name in MEASURES:
        value = getattr(one, name)
        digits = 1 if name == "wasted" else 3
        if isinstance(value, Quartiles):
            low, high = (f"{share:.{digits - 1}f}" for share in (value.q25, value.q75))
            between = f"{low.removeprefix('0') or 0}-{high.removeprefix('0') or 0}"
            cells.append(f"{value.median:.{digits}f} {between}")
        else:
            cells.append(f"{value:.{digits}f}")
    return cells


def _sections(told: Sequence[Result]) -> dict[str, list[Result | Average]]:
    """Title -> rows: one for each landscape and budget, and the averages last."""
    sections: dict[str, list[Result | Average]] = {}
    for one in told:
        sections.setdefault(f"{one.landscape}, {one.launches} launches", []).append(one)
    for mean in averages(told):
        title = f"means over {mean.landscapes} landscapes, {mean.launches} launches"
        sections.setdefault(title, []).append(mean)
    return sections


def _print(told: Sequence[Result]) -> None:
    out().print("medians and quartiles over seeds; hv2, hv3: share of the true hypervolume")
    for title, rows in _sections(told).items():
        out().print()
        shown = Table(box=None, padding=(0, 1, 0, 0), title=escape(title), title_justify="left")
        for heading in ("strategy", *_HEADINGS):
            shown.add_column(heading, no_wrap=True)
        for row in rows:
            shown.add_row(row.strategy, *_cells(row))
        out().print(shown)
