"""Keys of a v1 task that its v2 task does not say, and that are neither kept nor noted. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from autotuner.migrate.draft import Done, Note, inside_of
from autotuner.migrate.values import kept_form

Keys = tuple[str, ...]
_VERBATIM = frozenset({Done.KEPT, Done.LOST, Done.OVERRULED, Done.OPEN})
"""Keys of which a note says one of these lie in `metadata.v1`, as they were."""


def unaccounted(
    v1: Mapping[str, Any], v2: Mapping[str, Any], notes: Iterable[Note]
) -> Iterator[tuple[Keys, str]]:
    """Leaves of a v1 task that are nowhere, each with what is wrong.

    Args:
        v1, v2: the documents.
        notes: of the translation.
    """
    by_path: dict[str, set[Done]] = {}
    for note in notes:
        by_path.setdefault(note.path, set()).add(note.done)
    kept = v2.get("metadata", {}).get("v1", {})
    for keys, value in leaves(v1):
        above = [keys[:length] for length in range(1, len(keys) + 1)]
        noted = [known for known in above if ".".join(known) in by_path]
        if not noted:
            lacks = value == {} and any(path.startswith(f"{'.'.join(keys)}.") for path in by_path)
            if not lacks:  # a note says what an empty mapping lacks
                yield keys, "nothing says what became of it"
            continue
        done = set().union(*(by_path[".".join(known)] for known in noted))
        found = inside_of(kept, keys)
        if done & _VERBATIM and not _alike(found, kept_form(value)):
            yield keys, f"it is kept as {found!r}, and was {value!r}"


def leaves(document: Mapping[str, Any], above: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """Every key of nested mappings that holds no further ones, and what it holds."""
    for key, value in document.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, (*above, str(key)))
        else:
            yield (*above, str(key)), value


def _alike(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON; 1 and true differ."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(one[key], other[key]) for key in one)
    return type(one) is type(other) and bool(one == other)
