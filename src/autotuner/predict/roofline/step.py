"""Collectives between the devices of a deployment.

R. Thakur, R. Rabenseifner, W. Gropp, "Optimization of Collective Communication Operations in
MPICH", IJHPCA 19(1), 2005: a message of m bytes costs alpha + m / bandwidth per hop.

Seconds of one forward pass, from the bytes it moves and the FLOPs it computes. Pure.

Each part (dense matrices, experts, attention, head) takes max(bytes / bandwidth, FLOPs / peak),
since they run one after another (Williams et al. 2009). What is counted, and how it is split over
devices, follows R. Pope et al., "Efficiently Scaling Transformer Inference", MLSys 2023: 2 FLOPs
per weight and token; a pass reads each weight once; a decoding sequence reads its whole KV cache.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from autotuner.catalog import Gpu


@dataclass(frozen=True)
class Link:
    """One hop: seconds before the first byte, bytes per second after it."""

    latency_s: float
    bytes_s: float


NO_LINK = Link(0.0, 1.0)
"""Of a device alone."""
LATENCY_US = {"nvlink": 3.0, "infinity-fabric": 5.0, "pcie": 12.0}
NETWORK_US = 12.0
NETWORK_GB_S = 50.0
LINK_SHARE = 0.7
"""A hop between kernels of two GPUs, and over RDMA; one 400 Gbit/s adapter per GPU, as in DGX and
HGX systems; 70 % of a link's rate is what NCCL's large all-reduces reach."""


def link_between(gpu: Gpu, devices: int) -> Link:
    """The slowest hop among so many devices, filled node by node."""
    if devices > max(gpu.linked_gpus, gpu.gpus_per_node, 1) or gpu.interconnect_gb_s is None:
        return Link(NETWORK_US * 1e-6, NETWORK_GB_S * 1e9 * LINK_SHARE)
    latency_us = LATENCY_US.get(gpu.interconnect, NETWORK_US)
    return Link(latency_us * 1e-6, gpu.interconnect_gb_s * 1e9 * LINK_SHARE)


def all_reduce_s(link: Link, devices: int, message_bytes: float) -> float:
    """Seconds of a sum over `devices`, left on each of them.

    The better of a ring, 2 (n - 1) alpha + 2 (n - 1) / n x m / bandwidth, and recursive doubling,
    log2(n) x (alpha + m / bandwidth) (Thakur et al., section 4.5).
    """
    if devices <= 1:
        return 0.0
    hops = devices - 1
    ring = 2 * hops * (link.latency_s + message_bytes / devices / link.bytes_s)
    rounds = math.ceil(math.log2(devices))
    return min(ring, rounds * (link.latency_s + message_bytes / link.bytes_s))


def all_to_all_s(link: Link, devices: int, message_bytes: float) -> float:
    """Seconds until each of `devices` has sent its share of `message_bytes` to every other.

    Pairwise exchange in one volley: alpha x log2(n) + (n - 1) / n x m / bandwidth.
    """
    if devices <= 1:
        return 0.0
    sent = message_bytes * (devices - 1) / devices
    return link.latency_s * math.ceil(math.log2(devices)) + sent / link.bytes_s


def send_s(link: Link, message_bytes: float) -> float:
    """Seconds of one message to a neighbour."""
    return link.latency_s + message_bytes / link.bytes_s


HOST_LINK_GB_S = 50.0
"""From host memory to a GPU, PCIe 5.0 x 16: what weights kept in host memory pass through."""


@dataclass(frozen=True)
class Batch:
    """The work of one pass of one replica.

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
class DeviceRates:
    """Rates of devices, in bytes/s, FLOP/s and seconds.

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


class PassParts(NamedTuple):
    """Seconds of one pass by what they are spent on; their sum is the pass.

    Attributes:
        dense_read, dense_compute: dense matrices, where reading weights or computing products is
            the limit; of one pass one of the two is 0. So with experts.
        head: products with the vocabulary. offload: weights that come from host memory.
        kv_read, decode_attention: attention of decoding sequences, by what limits it.
        prompt_attention: of prompts. activations: everything between the matrices.
        kernels: start, fill and drain of each. launching: what launching them one by one adds.
        all_reduce, all_to_all, send: between devices. host: the engine's own time.
    """

    dense_read: float
    dense_compute: float
    experts_read: float
    experts_compute: float
    head: float
    offload: float
    kv_read: float
    decode_attention: float
    prompt_attention: float
    activations: float
    kernels: float
    launching: float
    all_reduce: float
    all_to_all: float
    send: float
    host: float


def pass_parts(work: Work, machine: DeviceRates, batch: Batch) -> PassParts:
    """Seconds of one pass of `batch`, all stages, with communication and the engine's own time."""
    readings = _readings(machine, batch)
    met = batch.tokens * work.replicas
    touched = experts_touched(work.expert_share, met / readings)
    ending = batch.sequences * batch.drafted + (1.0 if batch.prompt_tokens else 0.0)
    dense = _limited(
        work.dense_bytes * readings / machine.bandwidth,
        work.dense_flops * batch.tokens / machine.gemm_flops,
    )
    experts = _limited(
        work.expert_bytes * touched * readings / machine.bandwidth,
        work.expert_flops * met / machine.expert_flops,
    )
    head_s = max(work.head_bytes / machine.bandwidth, work.head_flops * ending / machine.gemm_flops)
    offload_s = work.offloaded_bytes * readings / (HOST_LINK_GB_S * 1e9)
    attended = batch.sequences * work.attended(batch.context)
    decoding = _limited(
        (work.kv_bytes * attended + 2 * work.state_bytes * batch.sequences) / machine.bandwidth,
        work.decode_pair_flops * attended * batch.drafted / machine.attention_flops,
    )
    pairs = batch.prompt_tokens * work.attended(batch.prompt_context)
    prompts_s = work.pair_flops * pairs / machine.attention_flops
    activations_s = work.activation_bytes * batch.tokens / machine.bandwidth
    kernels = work.kernels * readings
    kernels_s = kernels * machine.kernel_s
    launching_s = 0.0
    if batch.prompt_tokens > 0 or not machine.graphs:
        busy_s = sum((*dense, *experts, head_s, offload_s, *decoding, prompts_s, activations_s))
        launching_s = max(kernels * machine.eager_s - busy_s - kernels_s, 0.0)
    return PassParts(
        *dense,
        *experts,
        head_s,
        offload_s,
        *decoding,
        prompts_s,
        activations_s,
        kernels_s,
        launching_s,
        *_communication_s(work, machine, batch),
        machine.host_s,
    )


def _limited(reading_s: float, computing_s: float) -> tuple[float, float]:
    """The longer of the two, in its place."""
    return (reading_s, 0.0) if reading_s >= computing_s else (0.0, computing_s)


def _readings(machine: DeviceRates, batch: Batch) -> float:
    """How many times the layers are gone through: once for each micro-batch."""
    return max(1.0, batch.prompt_tokens / machine.micro_batch)


def _communication_s(work: Work, machine: DeviceRates, batch: Batch) -> tuple[float, float, float]:
    """Seconds of reductions, of exchanges, and of passing on to the next stage."""
    message = work.message_bytes * batch.tokens
    reduce_s = all_reduce_s(machine.tensor_link, machine.tensor, message)
    copies = work.copies_per_token / machine.tensor
    exchange_s = all_to_all_s(machine.ranks_link, machine.ranks, message * copies)
    passed_on = (machine.stages - 1) * send_s(machine.stage_link, message)
    return work.reductions * reduce_s, work.exchanges * exchange_s, passed_on
