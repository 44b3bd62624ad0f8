"""Names by which tables and commands speak of candidates: short ids, and settings said once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotuner.errors import AutotunerError
from autotuner.report.points import settings_text
from autotuner.search.wording import told_settings

SHORTEST = 7
"""Hex digits of a short id, as Git prints them: among 3,000 candidates two share their first
seven in 2 % of all spaces."""
_LISTED = 6


def short_ids(ids: Collection[str]) -> dict[str, str]:
    """Id -> its shortest prefix of `SHORTEST` characters or more that names no other of `ids`."""
    ordered = sorted(set(ids))
    shared = [0] * (len(ordered) + 1)
    for index in range(1, len(ordered)):
        shared[index] = _shared_length(ordered[index - 1], ordered[index])
    return {
        one: one[: max(SHORTEST, shared[index] + 1, shared[index + 1] + 1)]
        for index, one in enumerate(ordered)
    }


def candidate_named(prefix: str, ids: Collection[str], *, option: str, where: str) -> str:
    """The only id that begins with `prefix`.

    Args:
        option: how the user gave it: `--candidate`.
        where: where the ids are from, for the message: `this task`, `run 3`.

    Raises:
        AutotunerError: no id begins with it, or several do; names them.
    """
    found = sorted({one for one in ids if prefix and one.startswith(prefix.lower())})
    if prefix.lower() in found:
        return prefix.lower()
    if len(found) == 1:
        return found[0]
    if found:
        raise AutotunerError(
            f"{option}: {prefix!r} begins {len(found)} candidates of {where}: {_listed(found)}",
            remedy="give more digits",
        )
    raise AutotunerError(
        f"{option}: {prefix!r} is no candidate of {where}",
        remedy=f"its candidates: {_listed(sorted(set(ids)))}" if ids else "",
    )


@dataclass(frozen=True)
class RowSettings:
    """Settings of the rows of one table.

    Attributes:
        common: those of every row, as text; empty where no setting is shared.
        own: candidate -> the settings in which it differs from other rows, as text.
    """

    common: str
    own: Mapping[str, str]


def row_settings(
    rows: Mapping[str, Mapping[str, Any]], axes: Collection[str], *, short: bool = False
) -> RowSettings:
    """Splits the searched settings of a table's candidates into common ones and own ones.

    Args:
        rows: candidate -> its settings, by path.
        axes: paths that are searched; all others are the same anyway.
        short: say `TP 8, sequences 64` in place of `tensor_parallel=8 max_running_requests=64`.
    """
    own = [path for path in varied_paths(rows.values()) if path in axes]
    first = next(iter(rows.values()), {})
    shared = [path for path in first if path in axes and path not in own]
    text = _short_text if short else _full_text
    return RowSettings(
        common=text({p: first[p] for p in shared}),
        own={key: text({p: s[p] for p in own if p in s}) for key, s in rows.items()},
    )


def varied_paths(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Paths of the settings in which rows differ, in the order of the settings."""
    values: dict[str, set[str]] = {}
    found = list(rows)
    for path in dict.fromkeys(path for settings in found for path in settings):
        values[path] = {repr(settings.get(path)) for settings in found}
    return [path for path, seen in values.items() if len(seen) > 1]


def has_gpu_column(gpus: Iterable[int]) -> bool:
    """Whether a table needs a column of GPU counts: where a row has more than one."""
    return max(gpus, default=0) > 1


def _shared_length(one: str, other: str) -> int:
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return length


def _listed(ids: Sequence[str]) -> str:
    shown = ", ".join(ids[:_LISTED])
    return shown if len(ids) <= _LISTED else f"{shown}, and {len(ids) - _LISTED} more"


def _short_text(settings: Mapping[str, Any]) -> str:
    return told_settings(settings)


def _full_text(settings: Mapping[str, Any]) -> str:
    return settings_text(settings, settings.keys()) if settings else ""
