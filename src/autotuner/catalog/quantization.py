"""How a checkpoint stores its matrices: number formats, and which matrices have which. Pure."""

from __future__ import annotations

from dataclasses import dataclass

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
class Quantization:
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
