"""Compares observations with the raw results of the source that they were made of."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from autotuner.config import LoadLevel
from autotuner.migrate.database.observed import (
    NO_OBSERVATION,
    BasePrediction,
    Seen,
    launch_of,
    observed,
)
from autotuner.migrate.database.tasks import Launches
from autotuner.migrate.draft import Note
from autotuner.predict import Observation, Scenario
from autotuner.store.records import load_columns, observation_columns

Columns = Mapping[str, Any]
_UNFOUND = "not here"


class RecalledObservations:
    """Makes the observations of a task again, beside the predictions that those here stand beside.

    A predictor may say something else by now, and the source says nothing of it: the figures of
    predictions are taken from here, and all else from the source.

    Args:
        rows: the observations that are here, of each part of the task.
        notes: of the task, which name the experiments of which there is none.

    Attributes:
        missing: number in the source of an experiment, and a level of which there is no observation
            here, and no note of it.
    """

    def __init__(self, rows: Sequence[Sequence[Columns]], notes: Sequence[Note]) -> None:
        self._rows = rows
        self._part = 0
        self._unseen = {note.path for note in notes if note.text.startswith(NO_OBSERVATION)}
        self._by_level: defaultdict[tuple[Any, ...], list[Columns]] = defaultdict(list)
        for part, own in enumerate(rows):
            for row in own:
                self._by_level[part, _level(row)].append(row)
        self._made: defaultdict[tuple[Any, ...], list[Columns]] = defaultdict(list)
        self.missing: list[tuple[int, LoadLevel]] = []

    def __call__(self, launches: Launches) -> tuple[tuple[Observation, ...], tuple[Note, ...]]:
        """The observations of a part; a level without one here has none."""
        self._part = launches.part
        found, notes = observed(launches, self._bases)
        for one in found:
            columns = observation_columns(one, None)
            del columns["task_id"]
            self._made[self._part, _level(columns)].append(columns)
        return found, notes

    def pairs(self) -> list[tuple[Columns | None, Columns]]:
        """Each observation here with its columns as the source gives them; None: it gives none."""
        return [
            (_nearest(self._made[part, _level(row)], row), row)
            for part, own in enumerate(self._rows)
            for row in own
        ]

    def _bases(
        self, identity: str, scenario: Scenario, group: Sequence[Seen]
    ) -> list[BasePrediction | str]:
        found: list[BasePrediction | str] = []
        for one in group:
            where = {"launch": launch_of(identity, one), "isl": scenario.isl, "osl": scenario.osl}
            level = _level(where | load_columns(one.measurement.load))
            mean = one.measurement.ttft_ms.mean if one.measurement.ttft_ms else None
            measured = {"ttft_ms": mean, "tok_s": one.measurement.tok_s}
            row = _nearest(self._by_level[self._part, level], measured)
            if row is None:
                number = one.experiment.source_id
                if f"experiments.{number}.metrics" not in self._unseen:
                    self.missing.append((number, one.measurement.load))
                found.append(_UNFOUND)
            else:
                found.append(
                    BasePrediction(
                        *(row["base"], row["base_ttft_ms"], row["base_tpot_ms"]),
                        devices=scenario.devices(one.candidate),
                        members=json.loads(row["members"]),
                    )
                )
        return found


def _level(columns: Columns) -> tuple[Any, ...]:
    names = ("launch", "load_kind", "load_value", "isl", "osl")
    return tuple(columns[name] for name in names)


def _nearest(same_level: Sequence[Columns], one: Columns) -> Columns | None:
    """Of several at one level that which has the same figures, else the first."""
    names = ("ttft_ms", "tok_s")
    same = (other for other in same_level if all(other[n] == one[n] for n in names))
    return next(same, next(iter(same_level), None))
