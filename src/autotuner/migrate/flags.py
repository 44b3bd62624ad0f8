"""A v1 parameter's name -> the field that says it, by the engines' own flag tables. Pure."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autotuner.catalog import ModelFacts
from autotuner.config import GROUPS, UnfitError, as_bool, setting
from autotuner.engines import EngineTable, FlagRow, engine_table

_NAME = re.compile(r"[A-Za-z][\w.-]*")
_NUMBER = re.compile(r"-\.?\d.*")


@dataclass(frozen=True)
class Meaning:
    """The meaning of a flag.

    Attributes:
        path: `group.field`.
        row: of the engine's table; None for a short name of the field that is no flag.
        negated: the flag says that the field is false.
    """

    path: str
    row: FlagRow | None = None
    negated: bool = False

    @property
    def above_one(self) -> bool:
        """Whether it is a switch whose field counts GPUs."""
        return self.row is not None and self.row.render == "above_one"

    def value_of(self, given: Any) -> Any:
        """The field's value for what the flag was given.

        Raises:
            UnfitError: the field has no such value.
        """
        row = self.row
        if row is not None and row.values and row.render != "switch":
            return setting(self.path, _own_word(row, given))
        found = setting(self.path, given)
        return not found if self.negated else found


def plain(name: str) -> str:
    """A v1 name or a flag, as they are compared: no dashes in front, dashes within."""
    return name.strip().lstrip("-").replace("_", "-")


def meaning(engine: str, name: str) -> Meaning | None:
    """The field that a v1 parameter means on an engine; None where no table knows its flag."""
    return _flags(engine).get(plain(name)) or _short_names().get(plain(name))


def knows(engine: str, name: str) -> bool:
    """Whether a v1 parameter is a flag of an engine's own table, also by a field's short name."""
    bare = plain(name)
    short = _short_names().get(bare)
    flag = plain(short.path.partition(".")[2]) if short is not None else bare
    return bool({bare, flag} & _flags(engine).keys())


@functools.lru_cache(maxsize=4_096)
def owners(engine: str, name: str) -> tuple[str, ...]:
    """The fields that a flag says too, whatever the kind of model; none where it is not known."""
    table = engine_table(engine)
    found = (
        path
        for facts in (ModelFacts(), ModelFacts(experts=8))
        for paths in table.spoken_for([flag_text(engine, name)], table.version, facts).values()
        for path in paths
    )
    return tuple(dict.fromkeys(found))


def is_reserved(engine: str, name: str) -> bool:
    """Whether the tuner sets the flag itself."""
    return plain(name) in {plain(flag) for flag in engine_table(engine).reserved}


def why_not(engine: str, path: str, value: Any, facts: ModelFacts) -> tuple[str, bool] | None:
    """Why an engine cannot say a field's value, and whether it decides it itself; None: it can."""
    table = engine_table(engine)
    refused = table.inexpressible.get(path)
    if refused is not None:
        return None if value in refused.neutral else (refused.reason, True)
    rows = table.rows.get(path, ())
    if not rows or any(_says(row, value, facts) for row in rows):
        return None
    known = ", ".join(dict.fromkeys(word for row in rows for word in row.known))
    return f"{table.name} knows {known}", False


def other_meaning(engine: str, path: str, values: Sequence[Any], facts: ModelFacts) -> str | None:
    """Why a number of GPUs means something else for this model in v2 than the flag did in v1.

    For a mixture of experts some engines replicate the attention layers alone, by another flag;
    where an engine does both, the experts' widths say which.
    """
    rows = engine_table(engine).rows.get(path, ())
    dense = {flag for row in rows if not row.when for flag in row.flags}
    experts = next((row for row in rows if row.when), None)
    if not facts.is_moe or experts is None or set(values) <= {1}:
        return None
    if (dense & set(experts.flags) and not experts.also) or _of_attention(experts):
        return None
    return f"for a mixture of experts {path} means: {experts.note or 'something else'}"


def attention_switch(engine: str) -> str | None:
    """The flag by which replicas of a mixture of experts are those of its attention alone."""
    rows = engine_table(engine).rows.get("parallel.data_parallel", ())
    return next((row.also[0] for row in rows if row.when and row.also), None)


def means_attention(known: Meaning) -> bool:
    """Whether a flag's replicas are those of attention alone, where the engine has whole ones."""
    return known.row is not None and _of_attention(known.row)


def _of_attention(row: FlagRow) -> bool:
    return ("whole_replicas", False) in row.when


def without_width(engine: str, path: str, values: Sequence[Any]) -> bool:
    """Whether an engine has no flag for such a width, so that v1 passed none.

    v1 made no difference between kinds of models.
    """
    rows = [row for row in engine_table(engine).rows.get(path, ()) if not row.when]
    return any(
        bool(rows) and all(row.known and str(value) not in row.known for row in rows)
        for value in values
    )


def flag_of_field(engine: str, path: str) -> str | None:
    """The flag that says a field; None where no single one does."""
    names = (name for name, known in _flags(engine).items() if known.path == path)
    return next(names, None)


def flag_text(engine: str, name: str) -> str:
    """The flag that a parameter's name stands for, with the engine's dashes or underscores.

    Raises:
        UnfitError: the name can be no flag.
    """
    bare = plain(name)
    if not _NAME.fullmatch(bare):
        raise UnfitError("the name can be no flag")
    if name.startswith("-") and not name.startswith("--"):
        return name
    name = bare.replace("-", "_") if _underscored(engine) else bare
    return f"-{name}" if len(name) == 1 else f"--{name}"


def words(engine: str, name: str, value: Any) -> tuple[str, ...]:
    """The words of a command line that say a flag as v1 did: true alone, false not at all.

    Raises:
        UnfitError: no word can say it.
    """
    flag = flag_text(engine, name)
    truth = as_bool(value)
    if value is None or truth is False:
        return ()
    if truth:
        return (flag,)
    text = json.dumps(value) if isinstance(value, dict | list) else str(value)
    if "\0" in text or "\n" in text:
        raise UnfitError("an argument may hold no line break and no NUL")
    if text.startswith("-") and not _NUMBER.fullmatch(text):
        return (f"{flag}={text}",)
    return (flag, text)


def _own_word(row: FlagRow, given: Any) -> Any:
    """Our word for what the flag was given."""
    for ours, theirs in row.values:
        if theirs is not None and str(theirs).lower() == str(given).lower():
            return ours
    if str(given) in row.known:
        return given
    raise UnfitError(f"{row.path} has no word for it")


def _says(row: FlagRow, value: Any, facts: ModelFacts) -> bool:
    if row.own is not None:
        own = facts.gemm_format if row.own == "gemm" else facts.moe_format
        if value in ("bfloat16", own):
            return True
    return not row.known or str(value) in row.known


@functools.cache
def _underscored(engine: str) -> bool:
    flags = {flag for rows in engine_table(engine).rows.values() for r in rows for flag in r.flags}
    return any("_" in flag for flag in flags)


@functools.cache
def _flags(engine: str) -> Mapping[str, Meaning]:
    table = engine_table(engine)
    found: dict[str, Meaning] = {}
    # Where one flag says two fields, the first is meant: the other has to agree with it.
    for twin in (False, True):
        for path, rows in table.rows.items():
            for row in rows:
                if (row.same_as is not None) is twin:
                    _add(found, path, row)
    return found | _aliases(table, found)


def _aliases(table: EngineTable, found: Mapping[str, Meaning]) -> dict[str, Meaning]:
    named = ((plain(alias), plain(flag)) for alias, flag in table.aliases.items())
    return {
        alias: replace(found[flag], negated=alias == f"no-{flag}")
        for alias, flag in named
        if flag in found and alias not in found
    }


def _add(found: dict[str, Meaning], path: str, row: FlagRow) -> None:
    """A row counts where the flag alone says the field, in the field's own unit."""
    written_otherwise = row.also or row.over or row.scale != 1 or (row.times and not row.when)
    if written_otherwise or (row.render == "switch" and row.values):
        return
    for flag in row.flags:
        found.setdefault(plain(flag), Meaning(path, row))
    if row.negated is not None:
        found.setdefault(plain(row.negated), Meaning(path, row, negated=True))


@functools.cache
def _short_names() -> Mapping[str, Meaning]:
    """The fields' short names, such as v1's own `mem_frac`."""
    return {
        plain(alias): Meaning(f"{group}.{field}")
        for group, model in GROUPS.items()
        for alias, field in model.ALIASES.items()
    }
