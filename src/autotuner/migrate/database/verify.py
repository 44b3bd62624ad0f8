"""Compares a database of version 1 with what was moved: every leaf of every row of the source."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, TypeVar

from sqlalchemy import Table

from autotuner.measure import Measurement
from autotuner.migrate.database.accounts import notes_of
from autotuner.migrate.database.carried import TABLES, carried
from autotuner.migrate.database.cells import described
from autotuner.migrate.database.measured import converted_leaves, raw_levels
from autotuner.migrate.database.move import UnitChoice, kept_row
from autotuner.migrate.database.source import SourceRow, SourceTask, V1Source
from autotuner.store import Store
from autotuner.store.v1.moved_reading import MovedHere, moved_here

_AT_ONCE = 50
_SHOWN = 50
_NEAR = 1e-9
"""Share by which a converted figure may differ: a rounding of its last digits."""
T = TypeVar("T")


@dataclass
class MovedComparison:
    """The outcome, added up leaf by leaf.

    Attributes:
        found: where leaves were found -> how many: `carried` in version 1's tables as they were,
            `verbatim` in a record beside, `converted` in a measurement too, in its unit.
        differences: leaves that are not there, or are something else; the first of them.
    """

    found: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)
    differing: int = 0
    units: int = 0
    skipped: int = 0

    def differ(self, place: str, why: str) -> None:
        """Notes a leaf that is not as it was."""
        self.differing += 1
        if len(self.differences) < _SHOWN:
            self.differences.append(f"{place}: {why}")

    def to_json(self) -> dict[str, Any]:
        """The whole of it."""
        return {
            "units": self.units,
            "skipped": self.skipped,
            "leaves": {place: self.found[place] for place in ("carried", "verbatim", "converted")},
            "differing": self.differing,
            "differences": self.differences,
        }


def verify(
    source: V1Source,
    store: Store,
    choice: UnitChoice,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> MovedComparison:
    """Every leaf of the source beside what is here of it.

    Args:
        choice: as it was moved: what was left out is not looked for.
    """
    found = MovedComparison()
    counts = source.counts()
    done = 0
    chosen = (task for task in source.tasks() if _is_chosen(choice, task, found))
    for tasks in _some(chosen):
        here = moved_here(store.sessions, [t.identity for t in tasks], TABLES["tasks"])
        for task in tasks:
            _compare_task(task, here.get(task.identity), found)
        done += len(tasks)
        progress(done, counts.tasks)
    for presets in _some(source.presets() if choice.has_presets() else ()):
        names = [preset.identity("name", "created_at") for preset in presets]
        here = moved_here(store.sessions, names, TABLES["parameter_presets"])
        for preset, name in zip(presets, names, strict=True):
            _compare_preset(preset, here.get(name), found)
    for rows in _some(source.without_place() if choice.has_others() else ()):
        here = moved_here(store.sessions, [row.identity() for row in rows], None)
        for row in rows:
            _compare_kept(row, here.get(row.identity()), found)
    return found


def _is_chosen(choice: UnitChoice, task: SourceTask, found: MovedComparison) -> bool:
    if choice.has(task.row):
        return True
    found.skipped += 1
    return False


def _compare_task(task: SourceTask, here: MovedHere | None, found: MovedComparison) -> None:
    place = f"task {task.row.id}"
    if not _is_here(place, here, task.digest, found):
        return
    assert here is not None  # noqa: S101 - it is here
    if here.is_gone:
        found.differ(place, "its task of version 2 is gone")
    verbatim = here.account.get("verbatim", {})
    _compare_row(place, task.row, here.row, here, verbatim, found)
    for index, experiment in enumerate(task.experiments):
        inside = f"{place}, experiment {experiment.id}"
        kept = verbatim.get("experiments", {}).get(str(experiment.id), {})
        _compare_row(inside, experiment, here.experiments.get(experiment.id), here, kept, found)
        if here.v2_task_id is not None:
            measured = here.measured[index] if index < len(here.measured) else None
            _compare_measured(inside, experiment, measured, here, found)


def _compare_preset(preset: SourceRow, here: MovedHere | None, found: MovedComparison) -> None:
    place = f"preset {preset.id}"
    if _is_here(place, here, preset.digest.hex(), found) and here is not None:
        if here.is_gone:
            found.differ(place, "its profile is gone")
        _compare_row(place, preset, here.row, here, here.account.get("verbatim", {}), found)


def _compare_kept(row: SourceRow, here: MovedHere | None, found: MovedComparison) -> None:
    place = f"row {row.id} of {row.table}"
    if _is_here(place, here, row.digest.hex(), found) and here is not None:
        if here.account.get("verbatim") == kept_row(row).account.get("verbatim"):
            found.found["verbatim"] += len(row.cells)
        else:
            found.differ(place, "it is kept otherwise")


def _is_here(place: str, here: MovedHere | None, digest: str, found: MovedComparison) -> bool:
    found.units += 1
    if here is None:
        found.differ(place, "it was not moved here")
        return False
    if here.digest != digest:
        found.differ(place, "it has changed in the source since it was moved; move it again")
        return False
    return True


def _compare_row(
    place: str,
    row: SourceRow,
    here: Mapping[str, Any] | None,
    unit: MovedHere,
    verbatim: Mapping[str, Any],
    found: MovedComparison,
) -> None:
    """Every cell of a row: in our table of version 1, or verbatim beside it."""
    if here is None:
        found.differ(place, "its row is not here any more")
        return
    expected = carried(row).values
    changed = {note.path for note in notes_of(unit.account) if note.done == "changed"}
    for name, cell in row.cells.items():
        if name == "id" or _is_a_number_of_rows(name):
            continue
        if cell is None and (name not in expected or here[name] == expected[name]):
            continue  # what says nothing is no leaf
        inside = f"{place}, {name}"
        if name in verbatim:
            if verbatim[name] == described(cell):
                found.found["verbatim"] += 1
            else:
                found.differ(inside, "it is kept otherwise")
        elif name not in expected:
            found.differ(inside, "it is neither in a column nor kept beside")
        elif _same(TABLES[row.table], name, expected[name], here[name]):
            found.found["carried"] += _leaves(TABLES[row.table], name, expected[name])
        elif name in changed:
            found.found["carried"] += 1
        else:
            found.differ(inside, f"it is {here[name]!r} here, and {expected[name]!r} in the source")


def _is_a_number_of_rows(name: str) -> bool:
    """Whether a column refers to another row, whose number may be another here."""
    return name in ("task_id", "best_experiment_id")


def _compare_measured(
    place: str,
    experiment: SourceRow,
    measured: Sequence[Measurement] | None,
    unit: MovedHere,
    found: MovedComparison,
) -> None:
    """Every raw result: a measurement with the same figures in its units, and it verbatim."""
    metrics = carried(experiment).parsed["metrics"]
    raw = metrics.get("raw_results") if isinstance(metrics, Mapping) else None
    if not isinstance(raw, list):
        return
    noted = {note.path for note in notes_of(unit.account)}
    levels, _ = raw_levels(metrics, "metrics")
    results = [
        result
        for index, result in enumerate(raw)
        if f"experiments.{experiment.id}.metrics.raw_results.{index}" not in noted
    ]
    if measured is None or len(measured) != len(results) or len(levels) != len(results):
        count = 0 if measured is None else len(measured)
        found.differ(place, f"{len(results)} raw results, and {count} measurements")
        return
    for index, (result, measurement) in enumerate(zip(results, measured, strict=True)):
        inside = f"{place}, raw result {index}"
        if measurement.original != result:
            found.differ(inside, "the measurement does not hold it verbatim")
        document = measurement.model_dump(mode="json")
        for theirs, ours, factor in converted_leaves(result):
            before, after = _at(result, theirs), _at(document, ours)
            if before is None or after is None:
                continue
            if math.isclose(before * factor, after, rel_tol=_NEAR):
                found.found["converted"] += 1
            else:
                found.differ(f"{inside}, {theirs}", f"{before:g} became {after:g}")


def _at(document: Any, place: str) -> float | None:
    value = reduce(
        lambda inside, key: inside.get(key) if isinstance(inside, Mapping) else None,
        place.split("."),
        document,
    )
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None


def _same(table: Table, name: str, expected: Any, here: Any) -> bool:
    if expected == here:
        return True
    if not _is_json(table, name) or expected is None or here is None:
        return False
    # Written anew by a database that keeps no text: what it says counts.
    return bool(json.loads(expected) == json.loads(here))


def _leaves(table: Table, name: str, value: Any) -> int:
    return _count(json.loads(value)) if _is_json(table, name) and value is not None else 1


def _is_json(table: Table, name: str) -> bool:
    return bool(table.c[name].type.python_type is dict)


def _count(value: Any) -> int:
    if isinstance(value, dict) and value:
        return sum(map(_count, value.values()))
    if isinstance(value, list) and value:
        return sum(map(_count, value))
    return 1


def _some(units: Any) -> Iterator[list[Any]]:
    some: list[Any] = []
    for unit in units:
        some.append(unit)
        if len(some) == _AT_ONCE:
            yield some
            some = []
    if some:
        yield some
