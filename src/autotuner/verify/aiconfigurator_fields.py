"""Between aiconfigurator's fields and our groups: a table, `aiconfigurator.yaml`, one row a field.

aiconfigurator names one thing three ways: a field of a task (`agg_tp_candidates`), a column of its
results (`tp`), a parameter of a deployment it generates (`tensor_parallel_size`). What has no
counterpart on the other side is returned beside the result, with the reason.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from autotuner.config import nearest
from autotuner.config.tables import packaged_table

Vocabulary = Literal["task", "column", "params"]
ROLES = {"both": ("prefill_", "decode_"), "prefill": ("prefill_",), "": ()}
AGG = "agg_"


@dataclass(frozen=True)
class FieldRow:
    """One field on both sides.

    Attributes:
        ours: `group.field`, or `model.id`.
        task, column, params: its three names there; None where that vocabulary lacks it.
        roles: the roles (`ROLES`) for which a disaggregated task says it apart.
        many: whether a task there holds a list of values to try.
        values: what they accept; everything where empty. Each is a value here too.
        renamed: our value -> theirs, where the words differ.
        default: what they take where a task does not say it.
        unit: of the value, the same on both sides; empty where it has none.
    """

    ours: str
    task: str | None = None
    column: str | None = None
    params: str | None = None
    roles: str = ""
    many: bool = False
    values: tuple[Any, ...] = ()
    renamed: Mapping[Any, Any] = field(default_factory=dict)
    default: Any = None
    unit: str = ""

    @property
    def role_names(self) -> tuple[str, ...]:
        """Its names in a disaggregated task; none where both roles share one name."""
        return tuple(role + (self.task or "").removeprefix(AGG) for role in ROLES[self.roles])

    def to_theirs(self, value: Any) -> Any:
        """Our value in their words.

        Raises:
            ValueError: they have no such value.
        """
        found = self.renamed.get(value, value)
        if self.values and found not in self.values:
            raise ValueError(f"aiconfigurator knows {', '.join(map(str, self.values))}")
        return found

    def to_ours(self, value: Any) -> Any:
        """Their value in our words.

        Raises:
            ValueError: we have no such value.
        """
        if self.values:
            if value not in self.values:
                raise ValueError(f"there is no counterpart for this value of {self.ours}")
            return value
        back = {theirs: ours for ours, theirs in self.renamed.items()}
        return back.get(value, value)


@dataclass(frozen=True)
class Left:
    """A field that could not be translated, its value, and why."""

    field: str
    value: Any
    why: str


@dataclass(frozen=True)
class FieldTable:
    """All rows, and the fields of either side that have no counterpart -> why."""

    rows: tuple[FieldRow, ...]
    only_theirs: Mapping[str, str]
    only_ours: Mapping[str, str]

    def by_name(self, vocabulary: Vocabulary) -> Mapping[str, FieldRow]:
        """Their name in one vocabulary -> its row."""
        named = ((getattr(row, vocabulary), row) for row in self.rows)
        return {name: row for name, row in named if name is not None}

    def why_only_theirs(self, name: str) -> str:
        """Why a field of theirs is not translated."""
        plain = name
        for prefix in (*ROLES["both"], AGG):
            plain = plain.removeprefix(prefix)
        for key in (name, plain):
            if key in self.only_theirs:
                return self.only_theirs[key]
        for key, why in self.only_theirs.items():
            if key.endswith("*") and name.startswith(key[:-1]):
                return why
        known = [*self.by_name("task"), *self.only_theirs]
        return f"not a field that is known of aiconfigurator; {nearest(name, known)}"

    def why_only_ours(self, path: str) -> str:
        """Why a field of ours is not translated."""
        return self.only_ours[path]


@functools.cache
def table() -> FieldTable:
    """The table as the package carries it."""
    document = packaged_table("autotuner.verify", "aiconfigurator")
    rows = tuple(
        FieldRow(ours=ours, **{**row, "values": tuple(row.get("values", ()))})
        for ours, row in document["fields"].items()
    )
    return FieldTable(
        rows=rows,
        only_theirs=MappingProxyType(document["only_theirs"]),
        only_ours=MappingProxyType(document["only_ours"]),
    )


def to_ours(
    theirs: Mapping[str, Any], vocabulary: Vocabulary
) -> tuple[dict[str, Any], tuple[Left, ...]]:
    """`group.field` -> value (a list where several are tried), and what was left.

    A field that is null or empty says nothing, and a list of one value is that value.
    """
    named = table().by_name(vocabulary)
    settings: dict[str, Any] = {}
    left: list[Left] = []
    for name, value in theirs.items():
        if value is None or value == "" or value == []:
            continue
        row = named.get(name)
        if row is None:
            left.append(Left(name, value, table().why_only_theirs(name)))
            continue
        try:
            found = [row.to_ours(item) for item in value] if isinstance(value, list) else value
            one = isinstance(found, list) and len(found) == 1
            settings[row.ours] = found[0] if one else _ours(row, found)
        except ValueError as error:
            left.append(Left(name, value, str(error)))
    return settings, tuple(left)


def _ours(row: FieldRow, value: Any) -> Any:
    return value if isinstance(value, list) else row.to_ours(value)


def to_theirs(settings: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[Left, ...]]:
    """Task fields of aiconfigurator from `group.field` -> value, and what was left."""
    named = {row.ours: row for row in table().rows}
    fields: dict[str, Any] = {}
    left: list[Left] = []
    for path, value in settings.items():
        row = named.get(path)
        if row is None or row.task is None:
            left.append(Left(path, value, table().why_only_ours(path)))
            continue
        try:
            if row.many:
                values = value if isinstance(value, list) else [value]
                fields[row.task] = [row.to_theirs(item) for item in values]
            else:
                fields[row.task] = row.to_theirs(value)
        except ValueError as error:
            left.append(Left(path, value, str(error)))
    return fields, tuple(left)
