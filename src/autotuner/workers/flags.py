"""Which flags a task of the service may pass to an engine as they are."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence

from autotuner.config import flag_of
from autotuner.engines import engine_table

OWN_RULES = ("misc.load_format", "misc.speculative_draft_model", "misc.trust_remote_code")
"""Fields that the policy judges by rules of their own; their flags would go round these."""
_PLAIN = re.compile(r"[\w.,:+-]*")
"""A value that is no path, no address and no JSON."""


def refused_words(
    words: Sequence[str], engine: str, wider: Iterable[str] = ()
) -> tuple[tuple[str, str], ...]:
    """(word, why) of every word of `misc.extra_args` that is not allowed.

    A flag counts as it is written: one cut short, as some engines allow, is not on the list.

    Args:
        wider: flags that the operator allows too, with any value.
    """
    widened = frozenset(map(_plain, wider))
    refused = []
    flag = ""
    for word in words:
        named = flag_of(word)
        flag = _plain(named) if named else flag
        value = word.partition("=")[2] if named else word
        if named and flag not in allowed_flags(engine) | widened:
            refused.append((named, f"is not among the flags that {engine} may be given"))
        elif flag not in widened and not _PLAIN.fullmatch(value):
            refused.append((word, "has a value that is no plain word or number"))
    return tuple(refused)


@functools.cache
def allowed_flags(engine: str) -> frozenset[str]:
    """The engine's `allowed_flags`, and those of its table that say one number or word."""
    table = engine_table(engine)
    said = {
        flag
        for path, rows in table.rows.items()
        if path not in OWN_RULES and not path.startswith("parallel.")
        for row in rows
        if row.how == "flag"
        for flag in row.claims
    }
    other_names = {name for name, flag in table.aliases.items() if flag in said}
    return frozenset(map(_plain, {*said, *other_names, *table.file.allowed_flags}))


def _plain(flag: str) -> str:
    """Engines take `_` for `-`."""
    return flag.replace("_", "-")
