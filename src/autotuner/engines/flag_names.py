"""Names of an engine's flags, as people write them -> as its table does. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from autotuner.config import BACKENDS, flag_of
from autotuner.engines.rows import FlagRow
from autotuner.engines.table import EngineTable, engine_table

_NEGATION = "--no-"


@dataclass(frozen=True)
class FlagNames:
    """Names of the flags of one table.

    Attributes:
        known: every name, with dashes for underscores -> the table's own name, so written too.
        switches: own names of flags that stand without a value.
        json: own names of flags that take a JSON value.
        passed: flags that the table knows without a field.
    """

    known: dict[str, str]
    switches: frozenset[str]
    json: frozenset[str]
    passed: frozenset[str]

    @classmethod
    def of(cls, table: EngineTable) -> FlagNames:
        """The names of a table's flags."""
        rows = [row for rows in table.rows.values() for row in rows]
        if table.revision is not None:
            rows.append(table.revision)
        places = {word for word in table.argv if flag_of(word)}
        own = {word for row in rows for word in row.claims} | table.reserved | places
        known = {dashed(name): dashed(name) for name in own}
        for alias, flag in table.aliases.items():
            name = dashed(alias)
            known[name] = name if name == negation(dashed(flag)) else dashed(flag)
        switches = {dashed(word) for row in rows for word in _alone(row)}
        switches |= {name for name in known if name.startswith(_NEGATION)}
        return cls(
            known,
            frozenset(known.get(name, name) for name in switches),
            frozenset(dashed(row.json_flag) for row in rows if row.json_flag),
            frozenset(map(dashed, table.file.allowed_flags)),
        )

    def own(self, name: str) -> str:
        """The table's own name of a flag; with dashes, as it is written, where it knows none.

        A name may be cut short, as argparse allows, where only one begins like it.
        """
        base, dot, key = dashed(name).partition(".")
        if base in self.known or base in self.passed or not base.startswith("--"):
            return self.known.get(base, base) + dot + key
        longer = {self.known[flag] for flag in self.known if flag.startswith(base)}
        return (longer.pop() if len(longer) == 1 else base) + dot + key

    def knows(self, name: str) -> bool:
        """Whether a flag is the table's, by any of its names."""
        own = self.own(name).partition(".")[0]
        return own in self.known or own in self.passed


def dashed(flag: str) -> str:
    """A flag as names are compared: dashes for underscores."""
    name, dot, key = flag.partition(".")
    return name.replace("_", "-") + dot + key


def negation(flag: str) -> str:
    """The flag that switches `flag` off, where an engine's parser makes one of its own."""
    return _NEGATION + flag.removeprefix("--")


def engine_with(flag: str) -> tuple[str, str] | None:
    """An engine whose table has a flag by this very name, and the field that it says."""
    for name in BACKENDS:
        table = engine_table(name)
        aliases = {dashed(alias): dashed(own) for alias, own in table.aliases.items()}
        own = aliases.get(dashed(flag), dashed(flag))
        for path, rows in table.rows.items():
            if any(own in map(dashed, row.claims) for row in rows):
                return name, path
    return None


def flag_of_field(table: EngineTable, path: str) -> str | None:
    """The first flag of a table that says a field."""
    return next((flag for row in table.rows.get(path, ()) for flag in row.flags), None)


def _alone(row: FlagRow) -> Iterable[str]:
    """The flags of a row that stand without a value."""
    if row.render in ("switch", "above_one"):
        yield from row.flags
        yield from (row.negated,) if row.negated else ()
    texts = [str(word).split() for _, word in row.values] if row.render == "switch" else []
    for words in (*texts, list(row.also)):
        for word, after in itertools.zip_longest(words, words[1:], fillvalue="--"):
            if flag_of(word) and after.startswith("--"):
                yield word
