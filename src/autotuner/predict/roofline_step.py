"""Seconds of one forward pass, from the bytes it moves and the FLOPs it computes. Pure.

Each part (dense matrices, experts, attention, head) takes max(bytes / bandwidth, FLOPs / peak),
since they run one after another (Williams et al. 2009). What is counted, and how it is split over
devices, follows R. Pope et al., "Efficiently Scaling Transformer Inference", MLSys 2023: 2 FLOPs
per weight and token; a pass reads each weight once; a decoding sequence reads its whole KV cache.
"""

from __future__ import annotations

from dataclasses import dataclass

from autotuner.predict.roofline_comm import NO_LINK, Link, all_reduce_s, all_to_all_s, send_s

HOST_LINK_GB_S = 50.0
"""From host memory to a GPU, PCIe 5.0 x 16: what weights kept in host memory pass through."""


@dataclass(frozen=True)
class Batch:
    """What one pass of one replica works on.

    Attributes:
        prompt_tokens: of prompts; each attends to `prompt_context` tokens on average.
        sequences: that decode; each attends to `context` tokens.
        drafted: tokens per sequence that are checked together, the first one included.
    """

    prompt_tokens: float = 0.0
    prompt_context: float = 0.0
    sequences: float = 0.0
    context: float = 0.0
    drafted: float = 1.0

    @property
    def tokens(self) -> float:
        """All tokens that pass through the layers."""
        return self.prompt_tokens + self.sequences * self.drafted


@dataclass(frozen=True)
class Work:
    """A pass in bytes and FLOPs on the slowest device; all layers, stages one after another.

    Attributes:
        dense_bytes, head_bytes, expert_bytes: of weights, experts all together.
        dense_flops: per token; head_flops: per sequence; expert_flops: per token of all replicas.
        expert_share: experts per token / experts.
        replicas: of attention, whose tokens meet at the experts.
        kv_bytes: per sequence and attended token; state_bytes: per sequence, read and written.
        pair_flops, decode_pair_flops: attention, per pair of tokens in a prompt, and in decoding.
        activation_bytes: per token, of everything between the matrices.
        window_share: of the layers that attend to the last `window` tokens only.
        message_bytes: of one token between devices; reductions, exchanges: how many in a pass.
    """

    dense_bytes: float
    dense_flops: float
    head_bytes: float
    head_flops: float
    expert_bytes: float
    expert_flops: float
    expert_share: float
    replicas: int
    kv_bytes: float
    state_bytes: float
    pair_flops: float
    decode_pair_flops: float
    activation_bytes: float
    window: float
    window_share: float
    message_bytes: float
    reductions: int
    exchanges: int
    copies_per_token: float
    kernels: float
    offloaded_bytes: float = 0.0

    def attended(self, context: float) -> float:
        """Tokens seen by a layer, on average over layers."""
        near = min(context, self.window)
        return self.window_share * near + (1 - self.window_share) * context


@dataclass(frozen=True)
class Machine:
    """What devices reach, in bytes/s, FLOP/s and seconds.

    Attributes:
        micro_batch: prompt tokens that one reading of the weights serves.
        graphs: decode steps are replayed; nothing is launched one by one.
        tensor, ranks, stages: devices of a reduction, of an exchange, and pipeline stages.
    """

    bandwidth: float
    gemm_flops: float
    expert_flops: float
    attention_flops: float
    kernel_s: float
    eager_s: float
    host_s: float
    graphs: bool
    micro_batch: float
    tensor: int = 1
    ranks: int = 1
    stages: int = 1
    tensor_link: Link = NO_LINK
    ranks_link: Link = NO_LINK
    stage_link: Link = NO_LINK


def experts_touched(share: float, tokens: float) -> float:
    """Expected share of the experts that at least one of `tokens` is routed to.

    With k of E experts drawn evenly for each token: 1 - (1 - k / E)^tokens.
    """
    return 1 - (1 - share) ** tokens if share > 0 else 0.0


def step_s(work: Work, machine: Machine, batch: Batch) -> float:
    """Seconds of one pass of `batch`, all stages, with communication and the engine's own time."""
    computing = (
        _matrices_s(work, machine, batch)
        + _attention_s(work, machine, batch)
        + work.activation_bytes * batch.tokens / machine.bandwidth
    )
    kernels = work.kernels * _readings(machine, batch)
    busy = computing + kernels * machine.kernel_s
    if batch.prompt_tokens > 0 or not machine.graphs:
        busy = max(busy, kernels * machine.eager_s)
    return busy + _communication_s(work, machine, batch) + machine.host_s


def _readings(machine: Machine, batch: Batch) -> float:
    """How many times the layers are gone through: once for each micro-batch."""
    return max(1.0, batch.prompt_tokens / machine.micro_batch)


def _matrices_s(work: Work, machine: Machine, batch: Batch) -> float:
    readings = _readings(machine, batch)
    met = batch.tokens * work.replicas
    touched = experts_touched(work.expert_share, met / readings)
    ending = batch.sequences * batch.drafted + (1.0 if batch.prompt_tokens else 0.0)
    dense = max(
        work.dense_bytes * readings / machine.bandwidth,
        work.dense_flops * batch.tokens / machine.gemm_flops,
    )
    experts = max(
        work.expert_bytes * touched * readings / machine.bandwidth,
        work.expert_flops * met / machine.expert_flops,
    )
    head = max(work.head_bytes / machine.bandwidth, work.head_flops * ending / machine.gemm_flops)
    return dense + experts + head + work.offloaded_bytes * readings / (HOST_LINK_GB_S * 1e9)


def _attention_s(work: Work, machine: Machine, batch: Batch) -> float:
    prompt_pairs = batch.prompt_tokens * work.attended(batch.prompt_context)
    read = batch.sequences * work.attended(batch.context)
    decoding = max(
        (work.kv_bytes * read + 2 * work.state_bytes * batch.sequences) / machine.bandwidth,
        work.decode_pair_flops * read * batch.drafted / machine.attention_flops,
    )
    return decoding + work.pair_flops * prompt_pairs / machine.attention_flops


def _communication_s(work: Work, machine: Machine, batch: Batch) -> float:
    message = work.message_bytes * batch.tokens
    reduce_s = all_reduce_s(machine.tensor_link, machine.tensor, message)
    copies = work.copies_per_token / machine.tensor
    exchange_s = all_to_all_s(machine.ranks_link, machine.ranks, message * copies)
    passed_on = (machine.stages - 1) * send_s(machine.stage_link, message)
    return work.reductions * reduce_s + work.exchanges * exchange_s + passed_on
