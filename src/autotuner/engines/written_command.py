"""Settings that a row of a flag table may have written: the inverse of rendering it. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from autotuner.config import as_bool, flag_of
from autotuner.engines.flag_names import FlagNames, dashed, negation
from autotuner.engines.rows import FlagRow, LaunchFragment

Place = tuple[str, str]
"""A flag (`("flag", name)`), a variable (`("variable", name)`), or a key of the JSON value of a
flag, or of the options file where the flag is empty (`(flag, key)`)."""


@dataclass(frozen=True)
class WrittenCommand:
    """All that a command says of its engine: place -> value; True for a flag that stands alone."""

    values: dict[Place, Any] = field(default_factory=dict)

    def flag(self, name: str) -> Any:
        """The value of a flag; None where it is not there."""
        return self.values.get(("flag", dashed(name)))

    def key(self, flag: str, key: str) -> tuple[Any, ...]:
        """The value of a key, alone in a tuple; empty where it is not there."""
        place = (dashed(flag), key)
        return (self.values[place],) if place in self.values else ()


def places_of(fragment: LaunchFragment, names: FlagNames) -> dict[Place, Any]:
    """Places that a fragment of a launch writes, as `WrittenCommand` has it."""
    found: dict[Place, Any] = {}
    flag = None
    for word in fragment.words:
        if flag_of(word):
            flag = ("flag", names.own(word))
            found[flag] = True
        elif flag is not None:
            found[flag] = word
    found |= {("variable", name): text for name, text in fragment.variables}
    return found | {(dashed(flag), key): value for flag, key, value in fragment.keys}


def is_same(given: Any, rendered: Any, *, any_case: bool = False) -> bool:
    """Whether a command says what rendering would, where numbers may be written otherwise."""
    if rendered is True or isinstance(rendered, bool):
        return as_bool(given) is rendered
    if isinstance(given, dict | list) or given is None or rendered is None:
        return json.dumps(given, sort_keys=True) == json.dumps(rendered, sort_keys=True)
    one, other = str(given), str(rendered)
    if one == other or (any_case and one.casefold() == other.casefold()):
        return True
    try:
        return float(one) == float(other)
    except ValueError:
        return False


def values_of(
    row: FlagRow, written: WrittenCommand, settings: Mapping[str, Any], rows: Iterable[FlagRow]
) -> Iterator[Any]:
    """Values that the row's field may have; rendering them says which one is right.

    Args:
        rows: of the whole table, for a width that another flag counts in.
    """
    if row.render == "switch" and row.key is None:
        yield from _switched(row, written)
    elif row.render == "above_one":
        yield from _counted(row, written, settings, rows)
    else:
        for given in _given(row, written):
            yield from _translated(row, given, settings)


def _switched(row: FlagRow, written: WrittenCommand) -> Iterator[Any]:
    if row.values:
        yield from (ours for ours, theirs in row.values if theirs)
        return
    if row.flags and written.flag(row.flags[0]) is not None:
        yield as_bool(written.flag(row.flags[0]))
    if row.negated is not None and written.flag(row.negated) is not None:
        yield False


def _counted(
    row: FlagRow, written: WrittenCommand, settings: Mapping[str, Any], rows: Iterable[FlagRow]
) -> Iterator[Any]:
    """Numbers of GPUs that a switch stands for."""
    off = any(written.flag(negation(flag)) for flag in row.flags)
    if off or (row.key is not None and written.key(row.json_flag, row.key) == (False,)):
        yield 1
    if row.one_or:
        yield math.prod(settings.get(path, 1) for path in row.one_or)
        return
    for other in rows:
        if other.times == row.path and other.flags and written.flag(other.flags[0]) is not None:
            yield written.flag(other.flags[0])


def _given(row: FlagRow, written: WrittenCommand) -> Iterator[Any]:
    if row.key is not None:
        yield from written.key(row.json_flag, row.key)
    elif row.variable is not None:
        if ("variable", row.variable) in written.values:
            yield written.values["variable", row.variable]
    elif row.flags and written.flag(row.flags[0]) is not None:
        yield written.flag(row.flags[0])


def _translated(row: FlagRow, given: Any, settings: Mapping[str, Any]) -> Iterator[Any]:
    if row.values:
        yield from (ours for ours, theirs in row.values if is_same(given, theirs, any_case=True))
        return
    if row.times is None and row.over is None and row.scale == 1:
        yield given
        return
    try:
        number = float(given)
    except (TypeError, ValueError):
        yield given
        return
    number /= row.scale
    if row.times is not None:
        number /= settings.get(row.times, 1)
    if row.over is not None:
        number *= settings.get(row.over, row.over_default)
    yield int(number) if number == int(number) else number
