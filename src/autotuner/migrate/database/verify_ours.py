"""Compares what of version 2 was made of a source's rows with what they become."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import reduce
from typing import Any

from sqlalchemy import JSON

from autotuner.migrate.accounted import leaves, unaccounted
from autotuner.migrate.database.accounts import notes_of
from autotuner.migrate.database.carried import carried
from autotuner.migrate.database.comparison import MovedComparison
from autotuner.migrate.database.measured import converted_leaves
from autotuner.migrate.database.presets import moved_preset
from autotuner.migrate.database.source import SourceRow, SourceTask
from autotuner.migrate.database.tasks import moved_task, task_document
from autotuner.migrate.database.verify_observed import RecalledObservations
from autotuner.store.schema import ObservationRow
from autotuner.store.v1.further import SCENARIO
from autotuner.store.v1.moved import MovedLaunch, MovedPart, MovedTask
from autotuner.store.v1.moved_reading import MovedHere, PartHere
from autotuner.store.v1.moving import ENGINE

_UNKNOWN = datetime.max.replace(tzinfo=UTC)
"""Stands where version 1 kept no moment, and that of the move was taken."""
_LATER = frozenset({"updated_at"})
"""Columns that change whenever a task is only looked after."""
_NEAR = 1e-9
"""Share by which a converted figure may differ: a rounding of its last digits."""
_JSON = frozenset({"config", "payload"}) | {
    column.name for column in ObservationRow.__table__.c if isinstance(column.type, JSON)
}
"""Columns that are read as JSON text."""


def compare_ours(place: str, task: SourceTask, here: MovedHere, found: MovedComparison) -> None:
    """The tasks of version 2: each key of their documents, each experiment, measurement and
    observation; and every key of the source's task: said in the first, verbatim, or in a note."""
    engine = here.account.get(ENGINE)
    recalled = RecalledObservations(
        [part.observations for part in here.parts], notes_of(here.account)
    )
    made = moved_task(task, observe=recalled, now=_UNKNOWN, engine=engine)
    if not made.parts or here.is_gone:
        return
    if len(here.parts) != len(made.parts):
        why = f"{len(here.parts)} tasks of version 2, and {len(made.parts)} scenarios in the source"
        found.differ(place, why)
        return
    for expected, part in zip(made.parts, here.parts, strict=True):
        _compare_part(place, made, expected, part, found)
    _compare_observations(place, recalled, found)
    v1 = task_document(carried(task.row))
    config = json.loads((here.parts[0].task or {})["config"])
    missing = list(unaccounted(v1, config, notes_of(here.account)))
    for keys, why in missing:
        found.differ(f"{place}, {'.'.join(keys)}", why)
    found.found["translated"] += sum(1 for _ in leaves(v1)) - len(missing)


def _compare_part(
    place: str, made: MovedTask, expected: MovedPart, here: PartHere, found: MovedComparison
) -> None:
    """A task of version 2 with its experiments and measurements."""
    of_scenario = expected.columns["config"].get("metadata", {}).get(SCENARIO)
    inside = place if of_scenario is None else f"{place}, {of_scenario}"
    _compare_columns(f"{inside}, version 2", expected.columns, here.task or {}, found)
    if len(here.launched) != len(expected.launches):
        why = f"{len(here.launched)} experiments, and {len(expected.launches)} in the source"
        found.differ(f"{inside}, version 2", why)
        return
    own = made.experiments if expected.launches else ()
    each = zip(own, expected.launches, here.launched, strict=True)
    for experiment, launch, (row, levels) in each:
        of_one = f"{inside}, experiment {experiment.source_id}"
        _compare_columns(f"{of_one}, version 2", launch.columns, row, found)
        _compare_levels(of_one, launch, levels, found)


def _compare_observations(
    place: str, recalled: RecalledObservations, found: MovedComparison
) -> None:
    """Every observation: that of a raw result with the same figures; and one of each raw result
    that has no note."""
    for expected, row in recalled.pairs():
        inside = f"{place}, observation {row['id']}"
        if expected is None:
            found.differ(inside, f"the source has no such result of {row['launch']!r}")
            continue
        _compare_columns(inside, expected, row, found)
        found.found["observed"] += 1
    for number, load in recalled.missing:
        level = f"{load.kind.value} {load.value:g}"
        why = f"there is no observation of {level}, and no note says why"
        found.differ(f"{place}, experiment {number}", why)


def compare_profile(place: str, preset: SourceRow, here: MovedHere, found: MovedComparison) -> None:
    """The profile that a preset became."""
    expected = moved_preset(preset).profile
    if expected is not None and here.document is not None:
        document = {**expected, "name": here.profile}
        found.expect(f"{place}, profile", document, json.loads(here.document))


def _compare_columns(
    place: str, expected: Mapping[str, Any], here: Mapping[str, Any], found: MovedComparison
) -> None:
    for name, value in expected.items():
        if value == _UNKNOWN or name in _LATER:
            continue
        there = here[name]
        found.expect(f"{place}, {name}", value, json.loads(there) if name in _JSON else there)


def _compare_levels(
    place: str, one: MovedLaunch, levels: Sequence[Mapping[str, Any]], found: MovedComparison
) -> None:
    """Every raw result: a measurement with the same figures in its units, and it verbatim."""
    if len(levels) != len(one.levels):
        found.differ(place, f"{len(one.levels)} raw results, and {len(levels)} measurements")
        return
    for index, (level, row) in enumerate(zip(one.levels, levels, strict=True)):
        inside = f"{place}, raw result {index}"
        expected = json.loads(level["payload"])
        _compare_columns(inside, {**level, "payload": expected}, row, found)
        result = expected["original"] or {}
        for theirs, ours, factor in converted_leaves(result):
            before, after = _at(result, theirs), _at(expected, ours)
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
