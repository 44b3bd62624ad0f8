"""Facts that decide how large and how fast a model is, and the arithmetic on them. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from autotuner.catalog.quantization import CheckpointQuantization

GIB = 2**30

WEIGHT_BYTES = {
    "float32": 4.0,
    "bfloat16": 2.0,
    "float16": 2.0,
    "int8_wo": 1.0,
    "sq": 1.0,
    "fp8": 1.0,
    "fp8_static": 1.0,
    "fp8_ootb": 1.0,
    "fp8_block": 1.0 + 4 / (128 * 128),
    "int4_wo": 0.5 + 2 / 128,
    "w4afp8": 0.5 + 2 / 128,
    "nvfp4": 0.5 + 1 / 16,
    "w4a16_mxfp4": 0.5 + 1 / 32,
    "w4a8_mxfp4_mxfp8": 0.5 + 1 / 32,
}
"""Bytes per weight with its scales: FP8 blocks of 128 x 128 with a float32, int4 groups of 128
with a float16, NVFP4 groups of 16 and MXFP4 groups of 32 with one byte (OCP Microscaling Formats
1.0)."""

KV_BYTES = {
    "float32": 4.0,
    "bfloat16": 2.0,
    "float16": 2.0,
    "fp8": 1.0,
    "fp8_e5m2": 1.0,
    "int8": 34 / 32,
    "int5": 22 / 32,
    "int4": 18 / 32,
}
"""Bytes per stored key or value; the integer formats are blocks of 32 with a float16 scale
(q8_0, q5_0 and q4_0 in ggml-common.h), about what other engines' per-head scales cost too."""


FILES_NEAR = (0.9, 1.2)
"""Size of the files over what the configuration says, within which the two agree: layers that only
draft, and buffers, are in the files and not counted."""


@dataclass(frozen=True)
class ModelFacts:
    """A decoder-only transformer in numbers; None is unknown.

    Attributes:
        attention: `gqa` (heads share keys and values), `mla` (one latent), `hybrid` (some layers
            keep no keys and values).
        attention_layers: layers that keep keys and values.
        windowed_layers: those of them that attend to the last `window` tokens only.
        state_bytes: recurrent state of one sequence over all other layers.
        head_size, value_size: width of one head's keys and values; for `mla` of the uncompressed.
        kv_latent: values kept per token and layer under `mla`: latent plus rotary part.
        kv_values: keys and values kept per token over all layers, where layers differ in how many.
        rope_theta: base of the rotary embeddings' wavelengths.
        experts: routed experts of an MoE layer; 0 in a dense model.
        moe_intermediate: inner width of one expert.
        intermediate, shared_intermediate: inner width of a dense MLP, and of all shared experts of
            a layer together.
        gemm_format, moe_format: the checkpoint's own weight formats, as the `quantization.*_mode`
            nearest to most of its matrices; None where they are not known.
        quantization: the checkpoint's quantisation scheme; None where it has none.
        dense_parameters: all that is neither expert nor embedding.
        dense_parts: the same by kind of matrices (`quantization.KINDS`), where known.
        expert_parameters, embedding_parameters, active_parameters: counts; active: per token.
        size_bytes: of the files' weights as engines load them, where they lie here.
        notes: what is not understood of the model's own description, or contradicts its files.
    """

    architecture: str | None = None
    attention: str | None = None
    layers: int | None = None
    attention_layers: int | None = None
    windowed_layers: int = 0
    window: int | None = None
    state_bytes: int = 0
    hidden_size: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    head_size: int | None = None
    value_size: int | None = None
    kv_latent: int | None = None
    kv_values: int | None = None
    vocabulary: int | None = None
    context_length: int | None = None
    rope_theta: float | None = None
    experts: int | None = None
    experts_per_token: int | None = None
    intermediate: int | None = None
    shared_intermediate: int | None = None
    moe_intermediate: int | None = None
    mtp_layers: int | None = None
    gemm_format: str | None = None
    moe_format: str | None = None
    quantization: CheckpointQuantization | None = None
    dense_parameters: int | None = None
    dense_parts: tuple[tuple[str, int], ...] = ()
    expert_parameters: int | None = None
    embedding_parameters: int | None = None
    active_parameters: int | None = None
    size_bytes: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_blank(self) -> bool:
        """Whether nothing is known."""
        return replace(self, notes=()) == ModelFacts()

    @property
    def is_moe(self) -> bool | None:
        """Whether it has routed experts."""
        return None if self.experts is None else self.experts > 0

    @property
    def is_mla(self) -> bool | None:
        """Whether attention keeps one latent instead of keys and values."""
        return None if self.attention is None else self.attention == "mla"

    @property
    def cache_mode(self) -> str | None:
        """Format that the checkpoint asks for its KV cache, which engines take by themselves."""
        word = (self.quantization.kv_cache if self.quantization else None) or ""
        return "fp8" if word.startswith("fp8") else word if word in KV_BYTES else None

    @property
    def unknown(self) -> tuple[str, ...]:
        """The unknown facts that memory and layout depend on, in words."""
        known = {
            "attention heads": self.heads is not None or self.attention_layers == 0,
            "size of the KV cache": self.kv_bytes_per_token() is not None,
            "size of the weights": self.weights_gib() is not None,
            "context length": self.context_length is not None or self.attention_layers == 0,
        }
        return tuple(words for words, is_known in known.items() if not is_known)

    @property
    def parameters(self) -> int | None:
        """All weights."""
        parts = (self.dense_parameters, self.expert_parameters, self.embedding_parameters)
        known = [part for part in parts if part is not None]
        return sum(known) if len(known) == len(parts) else None

    def weights_gib(self, gemm: str | None = None, moe: str | None = None) -> float | None:
        """GiB of all weights in the given formats; in the checkpoint's own where left out.

        Embeddings stay in 16 bits, as every engine here keeps them. Where the parts are unknown
        but the files lie here and no other format is asked for, their size counts. None where
        parts or formats are not known.
        """
        gemm_own, moe_own = self.gemm_format or "bfloat16", self.moe_format or self.gemm_format
        gemm = gemm or gemm_own
        if self.size_bytes is not None and gemm == gemm_own:
            return self.size_bytes / GIB
        moe = moe or (gemm if moe_own is None else None)
        per_dense = self.stored_bytes(None if gemm == gemm_own else gemm)
        return self._summed_gib(per_dense, self.stored_bytes(moe, of_experts=True))

    @property
    def counted_gib(self) -> float | None:
        """GiB of all weights by the parameters and the formats that the configuration gives."""
        return self._summed_gib(self._own_bytes(False), self._own_bytes(True))

    @property
    def files_differ(self) -> bool:
        """Whether the files are clearly smaller or larger than the configuration says."""
        counted = self.counted_gib
        if counted is None or not self.size_bytes:
            return False
        low, high = FILES_NEAR
        return not low <= self.size_bytes / GIB / counted <= high

    def stored_bytes(self, mode: str | None = None, *, of_experts: bool = False) -> float | None:
        """Bytes per weight of dense matrices or experts, scales included; None where not known.

        The checkpoint's own format is counted as it is stored, every other as `WEIGHT_BYTES`. Where
        the files contradict the configuration, or only they are known, their mean counts.
        """
        own = (self.moe_format if of_experts else None) or self.gemm_format
        if mode not in (None, own):
            return WEIGHT_BYTES.get(mode or "")
        counted = self._own_bytes(of_experts)
        if self.size_bytes and self.parameters and (counted is None or self.files_differ):
            return self.size_bytes / self.parameters
        return counted

    def _own_bytes(self, of_experts: bool) -> float | None:
        own = (self.moe_format if of_experts else None) or self.gemm_format
        if self.quantization is None:
            return WEIGHT_BYTES.get(own or "bfloat16")
        if of_experts:
            return self.quantization.bytes_per_weight("experts")
        parts = self.dense_parts or (("mlp", 1),)
        stored = [(count, self.quantization.bytes_per_weight(kind)) for kind, count in parts]
        if any(width is None for _, width in stored) or not sum(count for count, _ in stored):
            return None
        return sum(n * (width or 0) for n, width in stored) / sum(count for count, _ in stored)

    def _summed_gib(self, per_dense: float | None, per_expert: float | None) -> float | None:
        dense, experts, embedding = (
            self.dense_parameters,
            self.expert_parameters,
            self.embedding_parameters,
        )
        if dense is None or experts is None or embedding is None or per_dense is None:
            return None
        if experts and per_expert is None:
            return None
        return (dense * per_dense + experts * (per_expert or 0.0) + 2 * embedding) / GIB

    def weight_bytes(self, mode: str | None = None, *, of_experts: bool = False) -> float:
        """Bytes per weight in a format; else in the checkpoint's own; else the files' mean."""
        own = (self.moe_format if of_experts else None) or self.gemm_format
        if mode is None and own is None and self.size_bytes and self.parameters:
            return self.size_bytes / self.parameters
        return self.stored_bytes(mode, of_experts=of_experts) or 2.0

    def kv_ranks(self, tensor_parallel: int) -> int:
        """Ranks of a tensor-parallel group that share a token's KV cache.

        Each holds its part of the KV heads; further ranks hold copies, and under `mla` every rank
        holds the whole latent.
        """
        if self.attention == "mla" or self.kv_latent is not None:
            return 1
        return min(tensor_parallel, self.kv_heads or tensor_parallel)

    def kv_bytes_per_token(self, mode: str | None = None) -> float | None:
        """Bytes of KV cache that one token occupies over all layers, before it is split by TP.

        GQA: layers x KV heads x (size of keys + size of values); MLA: layers x latent. A window
        is not counted: engines keep what lies before it, or not, as they like.
        """
        width = KV_BYTES.get(mode or self.cache_mode or "bfloat16", 2.0)
        if self.kv_values is not None:
            return self.kv_values * width
        layers = self.attention_layers
        if layers is None:
            return None
        if self.kv_latent is not None:
            return layers * self.kv_latent * width
        if layers == 0:
            return 0.0
        if self.kv_heads is None or self.head_size is None or self.attention == "mla":
            return None
        values = self.head_size + (self.value_size or self.head_size)
        return layers * self.kv_heads * values * width
