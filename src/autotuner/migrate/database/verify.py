"""Compares a database of version 1 with what was moved: every leaf of every row of the source."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import Table

from autotuner.migrate.database.accounts import notes_of
from autotuner.migrate.database.carried import TABLES, carried
from autotuner.migrate.database.cells import described
from autotuner.migrate.database.choice import UnitChoice
from autotuner.migrate.database.comparison import MovedComparison
from autotuner.migrate.database.move import kept_row
from autotuner.migrate.database.source import SourceRow, SourceTask, V1Source
from autotuner.migrate.database.verify_ours import compare_ours, compare_profile
from autotuner.store import Store
from autotuner.store.v1.moved_reading import MovedHere, moved_here

_AT_ONCE = 50
_REFERENCES = ("id", "task_id", "best_experiment_id")
"""Columns of numbers of rows, which may be others here."""


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
        units = {task.identity: [one.id for one in task.experiments] for task in tasks}
        here = moved_here(store.sessions, units, TABLES["tasks"])
        for task in tasks:
            _compare_task(task, here.get(task.identity), found)
        done += len(tasks)
        progress(done, counts.tasks)
    for presets in _some(source.presets() if choice.has_presets() else ()):
        names = {preset.identity("name", "created_at"): preset for preset in presets}
        here = moved_here(store.sessions, dict.fromkeys(names, ()), TABLES["parameter_presets"])
        for name, preset in names.items():
            _compare_preset(preset, here.get(name), found)
    for rows in _some(source.without_place() if choice.has_others() else ()):
        others = {row.identity(): row for row in rows}
        here = moved_here(store.sessions, dict.fromkeys(others, ()), None)
        for identity, row in others.items():
            _compare_kept(row, here.get(identity), found)
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
    if here.was_worked_on:
        found.worked_on += 1
        return
    if here.is_gone:
        found.differ(place, "its task of version 2 is gone")
    verbatim = here.account.get("verbatim", {})
    _compare_row(place, task.row, here.row, here, verbatim, found)
    _compare_best(place, task, here, found)
    for experiment in task.experiments:
        inside = f"{place}, experiment {experiment.id}"
        kept = verbatim.get("experiments", {}).get(str(experiment.id), {})
        row = here.experiments.get(experiment.id)
        _compare_row(inside, experiment, row, here, kept, found)
        if row is not None:
            found.expect(f"{inside}, task_id", here.v1_id, row["task_id"])
    if here.strangers:
        numbers = ", ".join(map(str, here.strangers))
        found.differ(place, f"experiments that the source has not: {numbers}")
    compare_ours(place, task, here, found)


def _compare_best(place: str, task: SourceTask, here: MovedHere, found: MovedComparison) -> None:
    """The reference to the best experiment: to the same one, by its number here."""
    best = carried(task.row).parsed["best_experiment_id"]
    own = {experiment.id for experiment in task.experiments}
    if here.row is not None:
        expected = here.number_of(best) if best in own else None
        found.expect(f"{place}, best_experiment_id", expected, here.row["best_experiment_id"])


def _compare_preset(preset: SourceRow, here: MovedHere | None, found: MovedComparison) -> None:
    place = f"preset {preset.id}"
    if _is_here(place, here, preset.digest.hex(), found) and here is not None:
        if here.is_gone:
            found.differ(place, "its profile is gone")
        _compare_row(place, preset, here.row, here, here.account.get("verbatim", {}), found)
        compare_profile(place, preset, here, found)


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
        if name in _REFERENCES and name not in verbatim:
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
