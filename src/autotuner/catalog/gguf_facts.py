"""From the header of a GGUF model to `ModelFacts`: which layers keep a KV cache, and how wide.

Keys as llama.cpp reads them (llama-arch.cpp, llama-hparams.cpp): a count may be an array with one
value for each layer, and a layer without KV heads keeps a recurrent state, or nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from autotuner.catalog.facts import ModelFacts
from autotuner.catalog.gguf import GgufHeader

_RECURRENT = ("mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7")
"""Architectures of which no layer attends."""
_BOTH = ("falcon-h1",)
"""Architectures whose every layer attends and keeps a state."""
_EVERY = {"qwen3next": 4, "qwen35": 4, "qwen35moe": 4}
"""Architecture -> of so many layers the last attends, where `full_attention_interval` is silent."""
_FULL_EVERY = {
    "gemma2": 2,
    "gemma3": 6,
    "gemma3n": 5,
    "gemma-embedding": 6,
    "gpt-oss": 2,
    "cohere2": 4,
    "exaone4": 4,
    "llama4": 4,
    "olmo2": 4,
    "smallthinker": 4,
}
"""Architecture -> of so many layers the last attends to all, where the file names no pattern."""
_GEMMA3N_CACHED = 20
"""Layers of Gemma 3n that keep a cache of their own; the rest share theirs."""
_MOST_LAYERS = 4096
_STATE_BYTES = 4


@dataclass(frozen=True)
class _Layers:
    """KV heads of each layer; `known` is False where the file does not tell which layers attend."""

    kv_heads: tuple[int, ...]
    recurrent: int
    known: bool = True

    @property
    def attending(self) -> tuple[int, ...]:
        return tuple(heads for heads in self.kv_heads if heads)


def facts_from_gguf(header: GgufHeader) -> ModelFacts:
    """Facts of a GGUF model; its weights are as they are, so their size is the files'.

    Raises:
        ModelError: a key holds what it cannot.
    """
    parts, heads = header.parameters, header.heads
    experts, used = header.count("expert_count") or 0, header.count("expert_used_count")
    latent = _latent(header)
    layers = _layers(header)
    head_size, value_size = _head_sizes(header)
    attending = layers.attending
    widths = (head_size or 0) + (value_size or 0)
    uneven = latent is None and len(set(attending)) > 1
    if latent is not None:
        attention = "mla"
    else:
        attention = "hybrid" if layers.recurrent or not layers.known else "gqa"
    windowed = _windowed(header, len(attending)) if layers.known else 0
    return ModelFacts(
        architecture=header.architecture,
        attention=attention,
        layers=header.layers,
        attention_layers=len(attending) if layers.known and header.layers is not None else None,
        windowed_layers=windowed,
        window=(header.count("attention.sliding_window") or None) if windowed else None,
        state_bytes=layers.recurrent * _state_bytes(header),
        hidden_size=header.embedding_length,
        heads=heads or None,
        kv_heads=max(attending, default=None) if layers.known else header.kv_heads,
        head_size=head_size,
        value_size=value_size,
        kv_latent=latent,
        kv_values=sum(attending) * widths if uneven and widths else None,
        vocabulary=header.count("vocab_size") or header.vocabulary,
        context_length=header.context_length,
        experts=experts,
        experts_per_token=used,
        intermediate=header.count("feed_forward_length"),
        moe_intermediate=header.count("expert_feed_forward_length"),
        mtp_layers=header.count("nextn_predict_layers"),
        dense_parameters=parts.dense if parts else None,
        expert_parameters=parts.experts if parts else None,
        embedding_parameters=parts.embedding if parts else None,
        active_parameters=parts.active(experts, used) if parts else None,
        size_bytes=header.size_bytes,
    )


def _layers(header: GgufHeader) -> _Layers:
    """Which layers attend, and with how many KV heads."""
    count, kind = header.layers or 0, header.architecture or ""
    given = header.counts("attention.head_count_kv") or header.counts("attention.head_count")
    by_layer = given if len(given) > 1 else (given or (0,)) * min(count, _MOST_LAYERS)
    if len(by_layer) != count or _has_two_widths(header):
        return _Layers((), 0, known=False)
    cached = count - _without_cache(header)
    by_layer = tuple(heads if i < cached else 0 for i, heads in enumerate(by_layer))
    if kind in _RECURRENT:
        return _Layers((0,) * count, count)
    if kind in _BOTH:
        return _Layers(by_layer, count)
    if len(given) > 1:
        return _Layers(by_layer, _stateful(header, by_layer[:cached]))
    if kind in _EVERY:
        interval = header.count("full_attention_interval") or _EVERY[kind]
        by_layer = tuple(n if (i + 1) % interval == 0 else 0 for i, n in enumerate(by_layer))
        return _Layers(by_layer, by_layer[:cached].count(0))
    known = bool(given) and not _keeps_state(header)
    return _Layers(by_layer, 0, known=known)


def _without_cache(header: GgufHeader) -> int:
    """The last layers that only draft tokens, or that read the cache of earlier ones."""
    shared = header.count("attention.shared_kv_layers")
    if shared is None and header.architecture == "gemma3n":
        shared = max((header.layers or 0) - _GEMMA3N_CACHED, 0)
    return (header.count("nextn_predict_layers") or 0) + (shared or 0)


def _has_two_widths(header: GgufHeader) -> bool:
    """Whether heads of layers with a window are of another width than the rest."""
    return any(
        (windowed := header.count(f"attention.{side}_length_swa")) is not None
        and windowed != header.count(f"attention.{side}_length")
        for side in ("key", "value")
    )


def _stateful(header: GgufHeader, by_layer: tuple[int, ...]) -> int:
    """Layers that keep a state: those that do not attend, less those that are an MLP alone."""
    inner = header.counts("feed_forward_length")
    if len(inner) != len(by_layer) or not _keeps_state(header) or not any(inner):
        return by_layer.count(0) if _keeps_state(header) else 0
    if all(inner):
        return by_layer.count(0)
    return sum(not heads and not width for heads, width in zip(by_layer, inner, strict=True))


def _keeps_state(header: GgufHeader) -> bool:
    own = f"{header.architecture}."
    marks = tuple(own + word for word in ("ssm.", "shortconv.", "wkv.", "time_mix", "kda."))
    return any(key.startswith(marks) for key in header.metadata)


def _latent(header: GgufHeader) -> int | None:
    """Values that MLA keeps for a token and layer: the latent and the rotary part.

    Files of before the latent was cached (no `key_length_mla`) are decompressed into whole heads.
    """
    rank = header.count("attention.kv_lora_rank")
    if not rank or header.own("attention.key_length_mla") is None:
        return None
    width = header.count("attention.key_length")
    return width or rank + (header.count("rope.dimension_count") or 0)


def _head_sizes(header: GgufHeader) -> tuple[int | None, int | None]:
    """Width of a head's keys and of its values; under MLA those of whole heads."""
    width, heads = header.embedding_length, header.heads
    even = width // heads if width and heads else None
    mla = "_mla" if _latent(header) is not None else ""
    keys = header.count(f"attention.key_length{mla}") or even
    return keys, header.count(f"attention.value_length{mla}") or keys


def _windowed(header: GgufHeader, attending: int) -> int:
    """Layers that attend to a window only."""
    if not header.count("attention.sliding_window"):
        return 0
    pattern = header.own("attention.sliding_window_pattern")
    if isinstance(pattern, tuple):
        return min(sum(map(bool, pattern)), attending)
    period = header.count("attention.sliding_window_pattern")
    period = period or _FULL_EVERY.get(header.architecture or "")
    return attending - attending // period if period else 0


def _state_bytes(header: GgufHeader) -> int:
    """Bytes of one layer's recurrent state of a sequence, in float32: the convolution's last
    inputs and the state itself (llama-hparams.cpp)."""
    width = header.embedding_length or 0
    if head_size := header.count("wkv.head_size"):
        return _STATE_BYTES * width * (head_size + (header.count("token_shift_count") or 2))
    if cached := header.count("shortconv.l_cache"):
        return _STATE_BYTES * width * max(cached - 1, 0)
    inner, state = header.count("ssm.inner_size") or 0, header.count("ssm.state_size") or 0
    groups, kernel = header.count("ssm.group_count") or 0, header.count("ssm.conv_kernel") or 0
    convolved = max(kernel - 1, 0) * (inner + 2 * groups * state)
    return _STATE_BYTES * (convolved + state * inner)
