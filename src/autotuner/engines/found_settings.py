"""A command, place by place -> settings whose rendering says the same. Pure.

Each field's value is guessed from its row and rendered again: it counts only where rendering
writes what the command has. So nothing is read into a command that it does not say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from autotuner.catalog import ModelFacts
from autotuner.config import UnfitError, setting
from autotuner.engines.flag_names import FlagNames, dashed, negation
from autotuner.engines.rows import FlagRow
from autotuner.engines.table import EngineTable
from autotuner.engines.written_command import Place, WrittenCommand, is_same, places_of, values_of
from autotuner.errors import EngineError

_TENSOR, _DATA = "parallel.tensor_parallel", "parallel.data_parallel"
_SLICED, _SPREAD = "parallel.moe_tensor_parallel", "parallel.moe_expert_parallel"


@dataclass
class Found:
    """Settings of a command.

    Attributes:
        version, facts: of the engine and the model that the table was read for.
        settings: `group.field` -> value.
        used: place of the command -> the field that says it.
        unfit: place -> why its field does not take its value.
    """

    version: str
    facts: ModelFacts
    settings: dict[str, Any] = field(default_factory=dict)
    used: dict[Place, str] = field(default_factory=dict)
    unfit: dict[Place, str] = field(default_factory=dict)

    def left(self, written: WrittenCommand) -> tuple[Place, ...]:
        """The engine's words that no field says; variables are not its alone."""
        return tuple(p for p in written.values if p not in self.used and p[0] != "variable")

    def take_back(self, path: str) -> None:
        """Leaves a field unset, so that its words stay words."""
        del self.settings[path]
        self.used = {place: owner for place, owner in self.used.items() if owner != path}


def find_settings(
    table: EngineTable,
    names: FlagNames,
    written: WrittenCommand,
    *,
    version: str | None,
    facts: ModelFacts | None,
) -> Found:
    """The reading of a command that leaves the fewest of its words over.

    Versions of the engine that write differently are tried, the given or the newest one first; of
    a model that is not known, a dense one and a mixture of experts; of replicas, both kinds.
    """
    kinds = (ModelFacts(), ModelFacts(experts=8)) if facts is None else (facts,)
    readings = (
        _find(table, names, written, Found(tried, kind, preset))
        for tried in _versions(table, version)
        for kind in kinds
        for preset in _layouts(table, written, tried, kind)
    )
    best = next(readings)
    for found in readings:
        if not _left(best, written):
            break
        best = found if _left(found, written) < _left(best, written) else best
    return best


def _left(found: Found, written: WrittenCommand) -> int:
    """Number of places that no field says, with variables that some version reads."""
    return sum(place not in found.used for place in written.values)


def _versions(table: EngineTable, version: str | None) -> Iterator[str]:
    rows = [row for rows in table.rows.values() for row in rows]
    ends = {end for row in rows for end in (row.until, row.since) if end}
    older = sorted(ends, key=lambda end: [int(part) for part in end.split(".")], reverse=True)
    yield from dict.fromkeys([*([version] if version else []), table.version, *older])


def _layouts(
    table: EngineTable, written: WrittenCommand, version: str, facts: ModelFacts
) -> Iterator[dict[str, Any]]:
    """Widths that are known from the start: none, and those of replicas that share no experts."""
    yield {}
    if not (facts.is_moe and table.split(version).whole_replicas):
        return
    plain = {path: [row for row in table.rows[path] if not row.when] for path in (_TENSOR, _DATA)}
    tensor, data = (_width(rows, written) for rows in plain.values())
    spread = _width(table.rows[_SPREAD], written)
    sharing = {word for row in table.rows[_DATA] if row.when for word in row.claims}
    sharing -= {flag for row in plain[_DATA] for flag in row.flags}
    if any(written.flag(flag) for flag in sharing):
        return
    if data > 1 and tensor % spread == 0:
        yield {_TENSOR: tensor, _DATA: data, _SLICED: tensor // spread, _SPREAD: spread}


def _width(rows: Any, written: WrittenCommand) -> int:
    texts = (written.flag(flag) for row in rows for flag in row.flags)
    return next((int(text) for text in texts if str(text).isdecimal() and int(text)), 1)


def _find(table: EngineTable, names: FlagNames, written: WrittenCommand, found: Found) -> Found:
    for path in found.settings:
        _use(table, names, written, found, path)
    for path in _ordered(table, found):
        if path in found.settings:
            continue
        row = table.row(path, found.version, found.facts, found.settings)
        if row is None or row.render in ("words", "implied"):
            continue
        rows = [row for rows in table.rows.values() for row in rows]
        for raw in values_of(row, written, found.settings, rows):
            try:
                value = setting(path, raw)
            except UnfitError as unfit:
                why = f"{path} {unfit}"
                if row.times in found.settings:
                    why += f": it counts {row.times} {found.settings[row.times]} times"
                for place in _places(row, written):
                    found.unfit.setdefault(place, why)
                continue
            if _is_written(table, names, written, found, row, value):
                found.settings[path] = value
                break
    return found


def _ordered(table: EngineTable, found: Found) -> list[str]:
    """Fields, each after those that its row reads; of others those with most words first.

    Where one flag says two fields, the one that is meant by it comes first.
    """
    rows: dict[str, FlagRow] = {}
    for path in table.rows:
        row = table.row(path, found.version, found.facts, found.settings)
        if row is not None:
            rows[path] = row
    ordered: dict[str, None] = {}

    def add(path: str, above: frozenset[str]) -> None:
        row = rows.get(path)
        if row is None or path in ordered or path in above:
            return
        read = (row.times, row.over, *row.one_or, *(other for _, other in row.product))
        for other in (*read, *(other for other, _ in row.needs)):
            if other is not None:
                add(other, above | {path})
        ordered[path] = None

    def first(path: str) -> tuple[bool, int]:
        return rows[path].same_as is not None, -_words(rows[path])

    for path in sorted(rows, key=first):
        add(path, frozenset())
    return list(ordered)


def _words(row: FlagRow) -> int:
    beside = (row.also, row.also_keys, row.fact_keys, row.product, row.flags)
    texts = (str(word).split() for _, word in row.values)
    return sum(map(len, beside)) + (row.successor is not None) + max(map(len, texts), default=0)


def _places(row: FlagRow, written: WrittenCommand) -> Iterator[Place]:
    """The places of a command that belong to a row."""
    own = {("variable", row.variable), (dashed(row.json_flag), row.key)}
    claimed = {("flag", dashed(flag)) for flag in row.claims}
    return (place for place in written.values if place in own | claimed)


def _is_written(
    table: EngineTable,
    names: FlagNames,
    written: WrittenCommand,
    found: Found,
    row: FlagRow,
    value: Any,
) -> bool:
    """Whether the command has what rendering the value writes; its places are then the field's."""
    settings: Mapping[str, Any] = table.defaults | found.settings | {row.path: value}
    try:
        fragment = table.fragment(row.path, settings, found.version, found.facts)
    except EngineError as error:
        for place in _places(row, written):
            found.unfit.setdefault(place, error.message)
        return False
    places = places_of(fragment, names)
    if not places and (value in row.skip or row.render == "above_one"):
        places = {p: written.values[p] for p in _neutral(row, written)}
    own_words = bool(row.values)
    if not places or any(
        place in found.used
        or place not in written.values
        or not is_same(written.values[place], text, any_case=own_words)
        for place, text in places.items()
    ):
        return False
    found.used |= dict.fromkeys(places, row.path)
    return True


def _neutral(row: FlagRow, written: WrittenCommand) -> Iterator[Place]:
    """Places of a value that changes nothing, and that rendering leaves out."""
    flags = [*map(dashed, row.flags)]
    names = {("flag", name) for name in (*flags, *map(negation, flags))}
    return (p for p in written.values if p == (dashed(row.json_flag), row.key) or p in names)


def _use(
    table: EngineTable, names: FlagNames, written: WrittenCommand, found: Found, path: str
) -> None:
    """Gives a field whose value is known the places that it writes."""
    settings = table.defaults | found.settings
    fragment = table.fragment(path, settings, found.version, found.facts)
    for place in places_of(fragment, names):
        if place in written.values:
            found.used[place] = path
