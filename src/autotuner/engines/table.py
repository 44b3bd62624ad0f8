"""An engine's flag table: every field of the eight groups, and how the engine says it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

import yaml

from autotuner.config import GROUPS, Candidate
from autotuner.engines.spec import FailureKind, FailurePattern
from autotuner.errors import EngineError


@dataclass(frozen=True)
class FlagRow:
    """How one field becomes words of a command line.

    Attributes:
        flags: flags that each carry the value.
        values: field value -> flag value; empty: the value itself.
        negated: the flag of a switch that is false.
        times: field whose value multiplies this one.
        unless: field that, where set, stands for this one.
    """

    path: str
    render: Literal["value", "switch", "words"]
    flags: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    negated: str | None = None
    times: str | None = None
    unless: str | None = None


@dataclass(frozen=True)
class Inexpressible:
    """A field the engine has no flag for. `neutral` values say what it does anyway."""

    path: str
    reason: str
    neutral: tuple[Any, ...] = ()


@dataclass(frozen=True)
class EngineTable:
    """All that is known of an engine's command line and of its failures."""

    name: str
    program: str
    package: str
    health_path: str
    api_path: str
    defaults: dict[str, Any]
    rows: tuple[FlagRow, ...]
    described: frozenset[str]
    inexpressible: dict[str, Inexpressible]
    reserved: frozenset[str]
    failures: tuple[FailurePattern, ...]

    def words(self, candidate: Candidate) -> list[str]:
        """The flags that say `candidate`, in the table's order.

        Raises:
            EngineError: a set value that the engine cannot express; nothing is dropped.
        """
        settings = self.defaults | candidate.settings()
        for path, value in settings.items():
            self._refuse_inexpressible(path, value)
        words: list[str] = []
        for row in self.rows:
            if row.path in settings and (row.unless is None or row.unless not in settings):
                words += self._row_words(row, settings)
        return words

    def _refuse_inexpressible(self, path: str, value: Any) -> None:
        row = self.inexpressible.get(path)
        if row is not None and not any(value == neutral for neutral in row.neutral):
            raise EngineError(
                f"{path}: {self.name} cannot express {value!r}: {row.reason}",
                remedy="leave the field out",
            )

    def _row_words(self, row: FlagRow, settings: dict[str, Any]) -> list[str]:
        value = settings[row.path]
        if row.render == "words":
            self._refuse_reserved(row.path, value)
            return list(value)
        if row.render == "switch" and not row.values:
            flag = row.flags[0] if value else row.negated
            return [flag] if flag else []
        text = self._translated(row, value, settings)
        if row.render == "switch":
            return [text]
        return [word for flag in row.flags for word in (flag, text)]

    def _translated(self, row: FlagRow, value: Any, settings: dict[str, Any]) -> str:
        if not row.values:
            return str(value * settings[row.times] if row.times else value)
        known = dict(row.values)
        if str(value) not in known:
            raise EngineError(
                f"{row.path}: {self.name} cannot express {value!r}",
                remedy=f"use one of: {', '.join(known)}",
            )
        return known[str(value)]

    def _refuse_reserved(self, path: str, words: list[str]) -> None:
        for word in words:
            flag = word.partition("=")[0]
            if flag in self.reserved:
                raise EngineError(
                    f"{path}: {flag} is set by the tuner itself", remedy="take it out of the list"
                )


@functools.cache
def engine_table(name: str) -> EngineTable:
    """The table in `engines/NAME.yaml`.

    Raises:
        EngineError: the table leaves a field out, or names one twice or one that is unknown.
    """
    text = resources.files("autotuner.engines").joinpath(f"{name}.yaml").read_text("utf-8")
    raw = yaml.safe_load(text)
    table = EngineTable(
        name=raw["name"],
        program=raw["program"],
        package=raw["package"],
        health_path=raw["health_path"],
        api_path=raw["api_path"],
        defaults=raw["defaults"],
        rows=tuple(_row(path, row) for path, row in raw["flags"].items()),
        described=frozenset(raw["described"]),
        inexpressible={
            path: Inexpressible(path, row["reason"], tuple(row.get("neutral", ())))
            for path, row in raw["inexpressible"].items()
        },
        reserved=frozenset(raw["reserved"]),
        failures=tuple(
            FailurePattern(row["pattern"], FailureKind(row["kind"]), row["explanation"])
            for row in raw["failures"]
        ),
    )
    _check_complete(table)
    return table


def _row(path: str, raw: dict[str, Any]) -> FlagRow:
    flag = raw.get("flag", ())
    return FlagRow(
        path=path,
        render=raw.get("render", "value"),
        flags=(flag,) if isinstance(flag, str) else tuple(flag),
        values=tuple((str(key), str(value)) for key, value in raw.get("values", {}).items()),
        negated=raw.get("negated"),
        times=raw.get("times"),
        unless=raw.get("unless"),
    )


def _check_complete(table: EngineTable) -> None:
    said = [*(row.path for row in table.rows), *table.described, *table.inexpressible]
    fields = {f"{group}.{field}" for group, model in GROUPS.items() for field in model.model_fields}
    wrong = {path for path in said if said.count(path) > 1} | (fields ^ set(said))
    if wrong:
        raise EngineError(
            f"the table of {table.name} says these fields twice, not at all, or they do not "
            f"exist: {', '.join(sorted(wrong))}"
        )
