"""Which of a model's matrices the patterns of a quantisation configuration name. Pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from autotuner.config.tables import packaged_table

_SPECIAL = re.compile(r"^\.\*|[\^$()\[\]|\\+?]")
_LAYER = re.compile(r"^.*?\b(?:layers|h|blocks)\.(?=\d)")


@dataclass(frozen=True)
class Matrix:
    """One matrix of a layer, by every name that it may go by."""

    kind: str
    layer: int | None
    names: tuple[str, ...]

    @functools.cached_property
    def paths(self) -> tuple[str, ...]:
        """Full names, with what may stand before the layer."""
        if self.layer is None:
            return self.names
        table = _table()
        return tuple(
            f"{prefix}{word}.{self.layer}.{name}"
            for name in self.names
            for prefix in table["prefixes"]
            for word in table["layers"]
        )

    @functools.cached_property
    def parts(self) -> frozenset[str]:
        """Every run of segments of its names: `layers.3.self_attn`, `self_attn.q_proj`."""
        head = "" if self.layer is None else f"layers.{self.layer}."
        whole = [head + name for name in self.names]
        return frozenset(run for name in whole for run in _runs(name))


def matrices(kind: str, layers: Iterable[int]) -> Iterator[Matrix]:
    """The matrices of one kind in some layers."""
    if kind == "lm_head":
        yield Matrix(kind, None, ("lm_head", "output", "embed_out"))
        return
    for layer in layers:
        for names in _table()["kinds"][kind]:
            yield Matrix(kind, layer, tuple(names))


@dataclass(frozen=True)
class Patterns:
    """Patterns that name modules: exact names, parts of names, wildcards, regular expressions.

    Args:
        written: as configurations write them: `re:` starts a regular expression, `*` is any text,
            a word of a class (`Linear`) means every matrix, all else a name or a part of it.
    """

    written: tuple[str, ...]

    def match(self, matrix: Matrix) -> bool:
        """Whether one of them names the matrix."""
        if self._every and (matrix.kind != "lm_head" or "Linear" in self.written):
            return True
        if not self._plain.isdisjoint(matrix.parts):
            return True
        if any(word in path for word in self._words for path in matrix.names):
            return True
        return any(found(path) for found in self._compiled for path in matrix.paths)

    @functools.cached_property
    def names_layers(self) -> bool:
        """Whether a layer's number is in one of them."""
        return any(any(sign.isdigit() for sign in word) for word in self.written)

    @functools.cached_property
    def _every(self) -> bool:
        return any(word in ("Linear", "FusedMoE", "MoE", "*") for word in self.written)

    @functools.cached_property
    def _plain(self) -> frozenset[str]:
        """Names and parts of names, from the layer's number on."""
        named = (word for word in self.written if not _is_pattern(word) and _is_near(word))
        return frozenset(_LAYER.sub("layers.", word.strip(".")) for word in named)

    @functools.cached_property
    def _words(self) -> tuple[str, ...]:
        """Words that are parts of a segment only: `attn` in `self_attn`."""
        known = _segments()
        return tuple(
            word
            for word in self._plain
            if "." not in word and not word.isdigit() and word not in known
        )

    @functools.cached_property
    def _compiled(self) -> tuple[Any, ...]:
        return tuple(found for word in self.written if (found := _compiled(word)) is not None)

    @functools.cached_property
    def invalid(self) -> tuple[str, ...]:
        """Regular expressions that are none."""
        return tuple(w for w in self.written if _is_pattern(w) and _compiled(w) is None)


def _compiled(word: str) -> Any:
    """The test of a path that a wildcard or regular expression is; None where it is neither."""
    try:
        if word.startswith("re:"):
            return re.compile(word[3:]).match
        if _SPECIAL.search(word):
            return re.compile(word).search
    except re.error:
        return None
    return functools.partial(_is_like, pattern=word) if "*" in word else None


def _is_like(path: str, *, pattern: str) -> bool:
    # A pattern names a module or one that holds it.
    return fnmatchcase(path, pattern) or fnmatchcase(path, pattern + ".*")


def _is_pattern(word: str) -> bool:
    return word.startswith("re:") or "*" in word or bool(_SPECIAL.search(word))


def _is_near(word: str) -> bool:
    return not any(part in word for part in _table()["elsewhere"])


def _runs(name: str) -> Iterator[str]:
    parts = name.split(".")
    for start in range(len(parts)):
        for end in range(start + 1, len(parts) + 1):
            yield ".".join(parts[start:end])


@functools.cache
def _segments() -> frozenset[str]:
    every = [n for kind in _table()["kinds"].values() for names in kind for n in names]
    return frozenset(segment for name in every for segment in name.split(".")) | {
        *("gate", "mlp", "lm_head", "output", "layers", "shared_expert_gate"),
    }


@functools.cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = packaged_table("autotuner.catalog", "modules")
    return table
