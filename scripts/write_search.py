"""Writes the generated parts of docs/search.md: what `autotuner bench search` finds.

python scripts/write_search.py [--resume]

It takes half an hour of two idle cores. Every landscape is replayed by a command of its own, whose
document is kept in .cache/search; with --resume those that are there are not replayed again.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "search.md"
KEPT = ROOT / ".cache" / "search"
LANDSCAPES = ROOT / "examples" / "landscapes"
SEARCHES = (
    *("grid", "random", "two_stage", "progressive", "bayesian", "auto"),
    *("predicted", "greedy", "nsga2", "gp", "oracle"),
)
"""All but `hybrid`, which `auto` picks on each of these landscapes."""
MEASURES = {
    "hv2": "2-D hypervolume",
    "hv3": "3-D hypervolume",
    "regret": "SLO regret",
    "e2e_regret": "E2E regret",
    "wasted": "no point",
    "seconds_per_proposal": "s per proposal",
    "hv2_minutes": "2-D, equal minutes",
    "hv3_minutes": "3-D, equal minutes",
    "regret_minutes": "SLO regret, equal minutes",
}
Row = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """A generated block.

    Attributes:
        launches, seeds: budgets and seeds, as the command takes them; auto_seeds: of `auto`, which
            is fast enough for more.
        memory: files or folders that count as measured before.
        every_measure: whether each landscape has all measures, or only 2-D hypervolume.
    """

    folder: Path
    launches: str
    seeds: str
    auto_seeds: str
    memory: Sequence[Path]
    every_measure: bool


PARTS = {
    "large": Part(
        LANDSCAPES, launches="12,17", seeds="2", auto_seeds="3", memory=(), every_measure=True
    ),
    "measured": Part(
        LANDSCAPES / "measured",
        launches="3,4,6",
        seeds="3",
        auto_seeds="3",
        memory=(LANDSCAPES / "measured",),
        every_measure=False,
    ),
}


def found(file: Path, part: Part, seeds: str, searches: Sequence[str]) -> list[Row]:
    """Results of the command on one landscape."""
    words: list[str | Path] = ["--landscape", file, "--launches", part.launches, "--seeds", seeds]
    words += ["--strategies", ",".join(searches)]
    words += ["--memory", *part.memory] if part.memory else []
    done = subprocess.run(
        [sys.executable, "-m", "autotuner", "bench", "search", *words, "--json"],
        stdout=subprocess.PIPE,
        check=True,
    )
    return list(json.loads(done.stdout)["results"])


def replayed(part: Part, *, resume: bool) -> Iterable[Row]:
    """The results of every landscape of a part."""
    for file in sorted(part.folder.glob("*.csv.gz")):
        kept = KEPT / f"{file.name.removesuffix('.csv.gz')}.json"
        if not (resume and kept.is_file()):
            others = [name for name in SEARCHES if name != "auto"]
            rows = [
                *found(file, part, part.auto_seeds, ["auto"]),
                *found(file, part, part.seeds, others),
            ]
            rows.sort(key=lambda row: (row["launches"], SEARCHES.index(row["strategy"])))
            KEPT.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps({"results": rows}), encoding="utf-8")
        yield from json.loads(kept.read_text(encoding="utf-8"))["results"]


def block(rows: Sequence[Row], *, every_measure: bool) -> str:
    """The means over landscapes for each budget; each landscape below, folded."""
    lines = []
    for budget in dict.fromkeys(row["launches"] for row in rows):
        some = [row for row in rows if row["launches"] == budget]
        count = len({row["landscape"] for row in some})
        fewest, most = (f(row["seeds"] for row in some) for f in (min, max))
        seeds = f"{fewest} to {most}" if fewest < most else str(most)
        lines.append(f"**{budget} launches**: means over {count} landscapes, {seeds} seeds each.")
        lines += ["", *_table(("search", *MEASURES.values()), _means(some)), ""]
        if every_measure:
            title = "medians and quartiles"
            each = _table(("landscape", "search", *MEASURES.values()), map(_line, some))
        else:
            title = "medians of the 2-D hypervolume"
            names = dict.fromkeys(row["strategy"] for row in some)
            each = _table(("landscape", *names), _across(some))
        lines += [f"<details><summary>Each landscape: {title}</summary>", "", *each, ""]
        lines += ["</details>", ""]
    return "\n".join(lines)


def _table(names: Sequence[str], rows: Iterable[str]) -> list[str]:
    return [f"| {' | '.join(names)} |", "|" + "---|" * len(names), *rows]


def _across(rows: Sequence[Row]) -> Iterable[str]:
    for landscape in dict.fromkeys(row["landscape"] for row in rows):
        cells = (
            _formatted("hv2", _median(row, "hv2")) for row in rows if row["landscape"] == landscape
        )
        yield f"| {landscape} | {' | '.join(cells)} |"


def _means(rows: Sequence[Row]) -> Iterable[str]:
    for name in dict.fromkeys(row["strategy"] for row in rows):
        own = [row for row in rows if row["strategy"] == name]
        cells = [
            _formatted(measure, statistics.fmean(_median(row, measure) for row in own))
            for measure in MEASURES
        ]
        yield f"| `{name}` | {' | '.join(cells)} |"


def _line(row: Row) -> str:
    cells = []
    for measure in MEASURES:
        between = row[f"{measure}_quartiles" if f"{measure}_quartiles" in row else measure]
        low, high = (_formatted(measure, between[end]) for end in ("q25", "q75"))
        cells.append(f"{_formatted(measure, _median(row, measure))} ({low}-{high})")
    return f"| {row['landscape']} | `{row['strategy']}` | {' | '.join(cells)} |"


def _median(row: Row, measure: str) -> float:
    """Some are told as numbers, their quartiles beside them, others with their quartiles."""
    found = row[measure]
    return float(found["median"] if isinstance(found, dict) else found)


def _formatted(measure: str, value: float) -> str:
    return f"{value:.1f}" if measure == "wasted" else f"{value:.3f}"


def main() -> None:
    """Puts every part between its marks; what is edited there meanwhile is kept."""
    resume = "--resume" in sys.argv[1:]
    made = {
        name: block(list(replayed(part, resume=resume)), every_measure=part.every_measure)
        for name, part in PARTS.items()
    }
    text = DOCUMENT.read_text(encoding="utf-8")
    for name, section in made.items():
        begin, end = f"<!-- generated: {name} -->", f"<!-- end: {name} -->"
        before, begun, rest = text.partition(begin)
        _, ended, after = rest.partition(end)
        if not (begun and ended):
            raise SystemExit(f"{DOCUMENT.name} has no marks for {name}")
        text = f"{before}{begin}\n{section}\n{end}{after}"
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
