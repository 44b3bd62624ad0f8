"""What a landscape's file name says, and whether two names mean one model."""

from __future__ import annotations

import re
from dataclasses import dataclass

from autotuner.catalog import gpu_named, known_model
from autotuner.errors import CatalogError


@dataclass(frozen=True)
class Named:
    """What stands in `[words_]MODEL_DEVICE_ENGINE` or `[words_]MODEL_DEVICE_ISLxOSL`."""

    model: str = ""
    device: str = ""
    engine: str = ""
    isl: float | None = None
    osl: float | None = None


def read_name(stem: str) -> Named:
    """What the name of a file says, without its endings; empty where it has another form."""
    parts = stem.split("_")
    if len(parts) < 3 or not _is_device(parts[-2]):
        return Named()
    model, device, last = parts[-3], parts[-2], parts[-1]
    lengths = re.fullmatch(r"(\d+)x(\d+)", last)
    if lengths:
        return Named(model, device, isl=float(lengths[1]), osl=float(lengths[2]))
    return Named(model, device, engine=last)


def same_model(one: str, other: str) -> bool:
    """Whether two names may mean the same model; in doubt they do.

    Used to leave a model's own measurements out of what a replay of it may know, so a name too
    many left out is harmless, and one too few is not.
    """
    known = known_model(one), known_model(other)
    if known[0] is not None and known[1] is not None:
        a, b = known[0].facts, known[1].facts
        return known[0].id == known[1].id or (
            a.layers is not None
            and (a.architecture, a.layers, a.hidden_size, a.experts)
            == (b.architecture, b.layers, b.hidden_size, b.experts)
        )
    (family, sizes), (other_family, other_sizes) = _gist(one), _gist(other)
    if not family or not other_family:
        return True
    return family == other_family and (not sizes or not other_sizes or bool(sizes & other_sizes))


def _gist(name: str) -> tuple[str, frozenset[str]]:
    """The family's letters and the sizes (`70b`): those of `org/Meta-Llama-3.1-70B` are llama."""
    word = name.rsplit("/", 1)[-1].lower()
    sizes = frozenset(re.findall(r"(?<![a-z0-9.])a?(\d+(?:\.\d+)?[bm])(?![a-z])", word)) or (
        frozenset(re.findall(r"(\d+(?:\.\d+)?b)", word))
    )
    letters = re.sub(r"[^a-z]", "", re.split(r"\d", word.removeprefix("meta-"))[0])
    return re.sub(r"(?<=deepseek)[vr]$", "", letters), sizes


def _is_device(word: str) -> bool:
    try:
        gpu_named(word)
    except CatalogError:
        return False
    return True
