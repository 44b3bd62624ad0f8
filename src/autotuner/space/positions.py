"""How many positions a model is served with: its own, or stretched by a task. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from autotuner.catalog import ModelFacts, stretched
from autotuner.config import Candidate

POSITIONS = (
    *("misc.context_length", "misc.extra_args"),
    *("misc.rope_scaling", "misc.rope_factor", "misc.rope_original_context"),
)
"""Fields that decide it."""
_SCALINGS = ("rope_scaling", "rope_parameters")
_WORDS = {
    "--rope-scaling": "rope_type",
    "--rope-scale": "factor",
    "--yarn-orig-ctx": "original_max_position_embeddings",
}
"""llama.cpp's flags, and what each says."""


def known_positions(candidate: Candidate, facts: ModelFacts) -> int | None:
    """Tokens of a sequence whose positions the model knows, as the candidate serves it.

    The task's own word (`misc.context_length`), or the model's context as `misc.rope_scaling` and
    its like, or flags among `misc.extra_args`, stretch it. None where it is not known.
    """
    misc = candidate.misc
    if misc.context_length is not None:
        return misc.context_length
    scalings = list(_scalings_of(misc.extra_args or ()))
    if misc.rope_scaling is not None:
        scalings.append(
            {
                "rope_type": misc.rope_scaling,
                "factor": misc.rope_factor,
                "original_max_position_embeddings": misc.rope_original_context,
            }
        )
    known = facts.context_length
    if known is None:
        return None
    return max([known, *(stretched(known, scaling) for scaling in scalings)])


def partial_rope_scaling(candidate: Candidate) -> str | None:
    """A scaling needs its factor and the length that it starts from."""
    scaling = {
        "misc.rope_scaling": candidate.misc.rope_scaling,
        "misc.rope_factor": candidate.misc.rope_factor,
        "misc.rope_original_context": candidate.misc.rope_original_context,
    }
    missing = [path for path, value in scaling.items() if value is None]
    if not missing or len(missing) == len(scaling):
        return None
    there = ", ".join(path for path in scaling if path not in missing)
    return f"{there} without {' and '.join(missing)}: they are given together"


def _scalings_of(words: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Scalings that flags of an engine say: in a JSON value, or in words of llama.cpp's."""
    flags = dict(_flags(words))
    for flag, value in flags.items():
        found = _json(value)
        if isinstance(found, Mapping):
            inner = [found[key] for key in _SCALINGS if isinstance(found.get(key), Mapping)]
            yield from inner or ([found] if flag == "--rope-scaling" else [])
    plain = {_WORDS[flag]: _json(value) for flag, value in flags.items() if flag in _WORDS}
    if not isinstance(plain.get("rope_type"), Mapping) and plain.get("factor"):
        yield plain


def _flags(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    for place, word in enumerate(words):
        flag, given, value = word.partition("=")
        if flag.startswith("--"):
            following = words[place + 1] if place + 1 < len(words) else ""
            yield flag, value if given else following


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
