"""Report of what a migration did or would do: counts, and notes by kind."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autotuner.migrate.database.accounts import notes_of
from autotuner.migrate.draft import Done, Note
from autotuner.store.v1.moved import KeptRow, MovedPreset, MovedTask, MoveOutcome, Unit

NO_RESULTS = "its raw results are empty"
_SHOWN = 100
"""Problems that a report lists one by one; all of them are in the records of the units."""


@dataclass
class Report:
    """The outcome of a migration, added up unit by unit.

    Attributes:
        source, sha256: the file, and its bytes at the beginning.
        units: kind of row -> outcome -> how many; `skipped` were not asked for.
        rows: table of ours -> rows written.
        notes: outcome of a key -> how many notes.
        untranslated: tasks and presets that are in version 1's tables alone, with the reason.
        unmeasured: reason -> experiments that succeeded with metrics that become no measurement.
        drafts: tasks that do not say all that version 2 needs, with what is to be filled in.
        deleted_presets: system presets that version 1's user had deleted, and that are not here.
        other_presets: those that are, since the database has other data too.
        kept: cells and rows that no column holds, with the place of each in the source.
    """

    source: str
    sha256: str
    units: dict[str, Counter[str]] = field(default_factory=dict)
    rows: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    untranslated: list[str] = field(default_factory=list)
    unmeasured: Counter[str] = field(default_factory=Counter)
    drafts: list[str] = field(default_factory=list)
    deleted_presets: list[str] = field(default_factory=list)
    other_presets: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    kept_cells: int = 0

    def add(self, unit: Unit, outcome: MoveOutcome) -> None:
        """Counts a unit."""
        self._count(_kind(unit), outcome.value)
        if outcome in (MoveOutcome.SAME, MoveOutcome.WORKED_ON):
            return
        self.rows.update(_rows(unit))
        notes = notes_of(unit.account)
        if isinstance(unit, MovedTask) and unit.parts:  # the others are untranslated as a whole
            self.unmeasured.update(_unmeasured(unit, notes))
        self.notes.update(note.done.value for note in notes)
        for note in notes:
            if not note.path and len(self.untranslated) < _SHOWN:
                self.untranslated.append(f"{_name(unit)}: {note.text}")
            if note.done is Done.OPEN and len(self.drafts) < _SHOWN:
                self.drafts.append(f"{_name(unit)}: {note.path}: {note.text}")
        for place in _cells(unit.account.get("verbatim", {})):
            self.kept_cells += 1
            if len(self.kept) < _SHOWN:
                self.kept.append(f"{_name(unit)}: {place}")

    def skip(self, kind: str) -> None:
        """Counts a unit that was not asked for."""
        self._count(kind, "skipped")

    def total(self, outcome: MoveOutcome) -> int:
        """Units of an outcome."""
        return sum(counts[outcome.value] for counts in self.units.values())

    def to_json(self) -> dict[str, Any]:
        """The whole of it."""
        return {
            "source": self.source,
            "source_sha256": self.sha256,
            "units": {kind: dict(counts) for kind, counts in self.units.items()},
            "rows": dict(self.rows),
            "notes": {done.value: self.notes[done.value] for done in Done},
            "untranslated": self.untranslated,
            "unmeasured": dict(self.unmeasured),
            "drafts": self.drafts,
            "deleted_presets": self.deleted_presets,
            "other_presets": self.other_presets,
            "kept_cells": self.kept_cells,
            "kept": self.kept,
        }

    def _count(self, kind: str, outcome: str) -> None:
        self.units.setdefault(kind, Counter())[outcome] += 1


def _kind(unit: Unit) -> str:
    if isinstance(unit, MovedTask):
        return "tasks"
    return "presets" if isinstance(unit, MovedPreset) else "other rows"


def _name(unit: Unit) -> str:
    if isinstance(unit, MovedTask):
        return f"task {unit.source_id} {unit.v1['task_name']!r}"
    if isinstance(unit, MovedPreset):
        return f"preset {unit.source_id} {unit.v1['name']!r}"
    return f"row {unit.source_id} of {unit.table}"


def _unmeasured(task: MovedTask, notes: Sequence[Note]) -> Iterator[str]:
    """The reason of each experiment that succeeded with metrics that become no measurement."""
    for place, experiment in enumerate(task.experiments):
        # A further scenario of which nothing was measured has no launches at all.
        launches = (one for part in task.parts for one in part.launches[place : place + 1])
        if any(launch.levels for launch in launches):
            continue
        metrics = json.loads(experiment.v1["metrics"] or "null")
        if experiment.v1["status"] != "SUCCESS" or not metrics:
            continue
        path = f"experiments.{experiment.source_id}.metrics"
        reasons = (n.text for n in notes if n.path == path or n.path.startswith(f"{path}."))
        yield next(reasons, NO_RESULTS)


def _rows(unit: Unit) -> dict[str, int]:
    if isinstance(unit, MovedTask):
        launches = [one for part in unit.parts for one in part.launches]
        return {
            "tasks": 1,
            "experiments": len(unit.experiments),
            "tasks_v2": len(unit.parts),
            "experiments_v2": len(launches),
            "measurements": sum(len(one.levels) for one in launches),
            "observations": sum(len(part.observations) for part in unit.parts),
        }
    if isinstance(unit, MovedPreset):
        return {"parameter_presets": 1, "profiles": int(unit.profile is not None)}
    assert isinstance(unit, KeptRow)  # noqa: S101 - there are three kinds
    return {}


def _cells(verbatim: Mapping[str, Any]) -> Iterable[str]:
    for name, cell in verbatim.items():
        if name == "experiments" and isinstance(cell, dict):
            for number, cells in cell.items():
                yield from (f"experiments.{number}.{column}" for column in cells)
        else:
            yield name
