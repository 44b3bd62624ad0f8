"""Number formats of a checkpoint's matrices, and the patterns that name matrices. Pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from autotuner.config.tables import packaged_table

KINDS = ("attention", "recurrent", "mlp", "shared_experts", "experts", "lm_head")
"""Kinds of matrices that a checkpoint may store in formats of their own. `recurrent`: mixers of
layers without a KV cache; `mlp`: of dense layers."""


@dataclass(frozen=True)
class WeightFormat:
    """The number format of a matrix.

    Attributes:
        mode: the value of `quantization.gemm_mode` or `moe_mode` that is nearest to it.
        bits: of a weight, without scales.
        block: outputs x inputs that share a scale; None where a scale is a tensor's or a row's. A
            group of 128 inputs is (1, 128).
        scale_bits: bits of the scale and the zero point of a block.
        activations: the format that activations are quantised to; None: they stay in 16 bits.
    """

    mode: str
    bits: float
    block: tuple[int, int] | None = None
    scale_bits: float = 0.0
    activations: str | None = None

    @property
    def bytes_per_weight(self) -> float:
        """Bytes of a weight with its share of scales and zero points."""
        scales = self.scale_bits / (self.block[0] * self.block[1]) if self.block else 0.0
        return (self.bits + scales) / 8


PLAIN = WeightFormat("bfloat16", 16.0)
"""Weights that are not quantised."""


@dataclass(frozen=True)
class Share:
    """A share of the matrices of one kind, and their format."""

    kind: str
    share: float
    format: WeightFormat


@dataclass(frozen=True)
class CheckpointQuantization:
    """The quantisation scheme of a checkpoint.

    Attributes:
        method: as `quant_method` names it; for ModelOpt its algorithm too.
        shares: of every kind of matrices, adding up to 1 for each; empty where the scheme is not
            understood.
        kv_cache: format that the checkpoint asks for its KV cache; None where it does not.
        ignored: names and patterns of modules that it leaves in 16 bits, as written.
        not_understood: parts of the configuration that are not, in words.
    """

    method: str
    shares: tuple[Share, ...] = ()
    kv_cache: str | None = None
    ignored: tuple[str, ...] = ()
    not_understood: tuple[str, ...] = ()

    @property
    def is_understood(self) -> bool:
        """Whether formats of its matrices are known."""
        return bool(self.shares)

    def formats(self, kind: str) -> tuple[WeightFormat, ...]:
        """Formats of the matrices of one kind, the most frequent first."""
        found = sorted((s for s in self.shares if s.kind == kind), key=lambda s: -s.share)
        return tuple(share.format for share in found)

    def blocks(self, kind: str) -> tuple[tuple[int, int], ...]:
        """Blocks (outputs x inputs) that share a scale in matrices of one kind."""
        return tuple(dict.fromkeys(form.block for form in self.formats(kind) if form.block))

    def bytes_per_weight(self, kind: str) -> float | None:
        """Mean bytes of a weight of one kind; None where the scheme is not understood.

        Kinds that are never quantised, such as routers, are counted in 16 bits.
        """
        if not self.is_understood:
            return None
        found = [share for share in self.shares if share.kind == kind]
        stored = sum(s.share * s.format.bytes_per_weight for s in found)
        return stored if found else PLAIN.bytes_per_weight

    def mode(self, kind: str) -> str | None:
        """Mode of most matrices of one kind; None where the scheme is not understood."""
        formats = self.formats(kind)
        return formats[0].mode if formats else None


Fields = Mapping[str, Any]


@functools.cache
def table() -> Mapping[str, Any]:
    """The whole of `quantization.yaml`."""
    found: Mapping[str, Any] = packaged_table("autotuner.catalog", "quantization")
    return found


def spelled(fields: Fields, what: str) -> Any:
    """The value of a key, by any of its spellings; None where there is none."""
    names = table()["keys"][what]
    return next((fields[name] for name in names if fields.get(name) is not None), None)


def weight_format(fields: Fields) -> WeightFormat:
    """The format of a row of the table, or of a configuration's fields over it.

    Raises:
        ValueError: bits are missing, or a number is none.
    """
    bits = float(fields["bits"])
    if bits >= 16:
        return PLAIN
    block = fields.get("block") or (1, fields.get("group") or 0)
    outputs, inputs = (int(side) for side in block)
    blocks = (outputs, inputs) if outputs > 0 and inputs > 0 else None
    activations = fields.get("activations")
    scale = float(fields.get("scale") or (0 if blocks is None else 16))
    if blocks is not None and fields.get("zero_points"):
        scale += bits
    mode = _mode(bits, str(fields["type"]), blocks, activations, bool(fields.get("static")))
    return WeightFormat(mode, bits, blocks, scale if blocks else 0.0, activations)


def overlaid(method: Fields, config: Fields) -> dict[str, Any]:
    """A row of the table with what a configuration says in its own spelling."""
    found = dict(method)
    if (bits := spelled(config, "bits")) is not None:
        found["bits"] = bits
    if (group := spelled(config, "group")) is not None:
        # A pair is a block of outputs x inputs.
        found |= {"block": group} if isinstance(group, list) else {"group": group}
    if isinstance(block := spelled(config, "block"), list | str):
        found["block"] = block.split("x") if isinstance(block, str) else block
    return found


def named_type(name: Any) -> dict[str, Any] | None:
    """Bits, type and group of a data type by its name."""
    found: dict[str, Any] | None = table()["types"].get(str(name).lower())
    return found


def _mode(
    bits: float,
    kind: str,
    block: tuple[int, int] | None,
    activations: str | None,
    static: bool,
) -> str:
    """The mode of aiconfigurator's that is nearest: as wide, and computed in the same format."""
    if kind == "float" and bits > 4:
        if block is not None and block[0] > 1:
            return "fp8_block"
        return "fp8_static" if static else "fp8"
    if kind == "float":
        if block is not None and block[1] == 16:
            return "nvfp4"
        return "w4a8_mxfp4_mxfp8" if activations == "fp8" else "w4a16_mxfp4"
    if bits > 4:
        return "sq" if activations == "int8" else "int8_wo"
    return "w4afp8" if activations == "fp8" else "int4_wo"


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
