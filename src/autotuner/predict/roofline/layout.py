"""From a model, a device and a candidate's layout to `Work` and `DeviceRates`. Pure.

What a replica has room for: whether it fits, and how many requests run at a time. Pure.

Where the engine admits a request only once its end fits too, each counts in the KV cache with its
whole length. Where it admits one whose prompt fits, and computes again what does not fit later
(W. Kwon et al., "PagedAttention", SOSP 2023), requests of all ages share the cache, and each counts
with half of its output.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from autotuner.catalog import ModelFacts
from autotuner.config import Candidate
from autotuner.engines import Admission, engine_named
from autotuner.predict.predictor import OutOfMemory, Scenario
from autotuner.predict.roofline.rates import Shares, habits_of, peak_flops
from autotuner.predict.roofline.step import DeviceRates, Work, link_between
from autotuner.space import DeviceMemory, SpaceContext, candidate_memory, shortfall

KERNELS = {"layer": 11, "mla": 6, "experts": 9, "state": 4}
"""Kernels of a layer: norms, projections, rotary, cache, attention, MLP (11 in all); more for the
compressions of MLA, for routing, sorting and combining of experts, for a recurrent state."""
ACTIVATION_PASSES = 20
EXPERT_PASSES = 6
"""Times that a token's hidden vector goes through memory per layer, between matrices, in 16 bits;
and per expert that it is copied to."""

_NEEDED = {
    "layers": "layers",
    "attention_layers": "which layers keep keys and values",
    "hidden_size": "hidden size",
    "heads": "attention heads",
    "head_size": "width of a head",
    "vocabulary": "vocabulary",
    "dense_parameters": "parameters",
    "expert_parameters": "parameters of the experts",
}


def missing_facts(facts: ModelFacts) -> tuple[str, ...]:
    """Facts of a model that are needed and unknown, in words."""
    missing = [words for name, words in _NEEDED.items() if getattr(facts, name) is None]
    if facts.kv_bytes_per_token() is None:
        missing.append("size of the KV cache")
    if facts.stored_bytes() is None or (
        facts.is_moe and facts.stored_bytes(of_experts=True) is None
    ):
        missing.append("number format of the weights")
    if facts.is_moe and facts.experts_per_token is None:
        missing.append("experts per token")
    return tuple(missing)


def work_of(scenario: Scenario, candidate: Candidate) -> Work:
    """Bytes and FLOPs of a pass on each device of a candidate.

    TP divides matrices and heads; data parallelism of an MoE model spreads the experts over all
    ranks and copies the rest. A dense model's replicas do not know of each other.
    """
    facts = scenario.facts
    layers, hidden, heads = facts.layers or 0, facts.hidden_size or 0, facts.heads or 0
    tensor, replicas = (
        _width(scenario, candidate, "tensor_parallel"),
        attention_replicas(scenario, candidate),
    )
    ranks = tensor * replicas
    gemm, moe = (candidate.quantization.gemm_mode, candidate.quantization.moe_mode)
    used, experts = facts.experts_per_token or 0, facts.experts or 0
    dense, routed = facts.dense_parameters or 0, facts.expert_parameters or 0
    head = hidden * (facts.vocabulary or 0)
    head_bytes = facts.weight_bytes() if facts.gemm_format is None else 2.0
    attending = facts.attention_layers or 0
    pair = 2 * heads * attending * ((facts.head_size or 0) + (facts.value_size or 0))
    decode_pair = pair
    if facts.attention == "mla":
        # Decoding attends within the latent: keys and values are both as wide as it.
        decode_pair = 4 * heads * attending * (facts.kv_latent or 0)
    share = used / experts if experts else 0.0
    kernels = KERNELS["layer"] * layers + KERNELS["state"] * (layers - attending)
    kernels += layers * (KERNELS["mla"] * bool(facts.is_mla) + KERNELS["experts"] * bool(experts))
    comm_bytes = 1 if candidate.quantization.comm_mode in ("int8", "fp8") else 2
    per_token = facts.kv_bytes_per_token(scenario.value(candidate, "quantization.kvcache_mode"))
    return Work(
        dense_bytes=dense * facts.weight_bytes(gemm) / tensor,
        dense_flops=2 * dense / tensor,
        head_bytes=head * head_bytes / tensor,
        head_flops=2 * head / tensor,
        expert_bytes=routed * facts.weight_bytes(moe, of_experts=True) / ranks,
        expert_flops=2 * routed * share / ranks,
        expert_share=share,
        replicas=replicas,
        kv_bytes=(per_token or 0.0) / facts.kv_ranks(tensor),
        state_bytes=facts.state_bytes / tensor,
        pair_flops=pair / tensor,
        decode_pair_flops=decode_pair / tensor,
        activation_bytes=2 * hidden * layers * (ACTIVATION_PASSES + EXPERT_PASSES * used / tensor),
        window=facts.window or math.inf,
        window_share=facts.windowed_layers / max(attending, 1),
        message_bytes=hidden * comm_bytes,
        reductions=layers * (1 if replicas > 1 else 2),
        exchanges=2 * layers if replicas > 1 else 0,
        copies_per_token=min(used, ranks),
        kernels=kernels,
        offloaded_bytes=1e9 * (candidate.memory.cpu_offload_gb or 0.0),
    )


def machine_of(scenario: Scenario, candidate: Candidate) -> DeviceRates:
    """Rates that the devices of a candidate reach with its engine."""
    gpu, habits, facts = scenario.gpu, habits_of(scenario.engine), scenario.facts
    shares = (habits.cpu or habits.gpu) if gpu.is_cpu else habits.gpu
    gemm = candidate.quantization.gemm_mode or facts.gemm_format or "bfloat16"
    moe = candidate.quantization.moe_mode or facts.moe_format or gemm
    attention = candidate.quantization.fmha_mode or "bfloat16"
    computing, streaming = _thread_shares(scenario, candidate)
    tensor = _width(scenario, candidate, "tensor_parallel")
    stages = _width(scenario, candidate, "pipeline_parallel")
    ranks = tensor * attention_replicas(scenario, candidate)
    return DeviceRates(
        bandwidth=1e9 * (gpu.bandwidth_gb_s or 0.0) * shares.bandwidth * streaming,
        gemm_flops=peak_flops(gpu, gemm) * shares.gemm * computing,
        expert_flops=peak_flops(gpu, moe) * shares.gemm * shares.experts * computing,
        attention_flops=peak_flops(gpu, attention) * shares.attention * computing,
        kernel_s=shares.kernel_us * 1e-6,
        eager_s=shares.eager_us * 1e-6,
        host_s=habits.host_ms * 1e-3,
        graphs=_graphs(candidate, shares),
        micro_batch=_micro_batch(scenario, candidate),
        tensor=tensor,
        ranks=ranks if ranks > tensor else 1,
        stages=stages,
        tensor_link=link_between(gpu, tensor),
        ranks_link=link_between(gpu, ranks),
        stage_link=link_between(gpu, tensor * stages),
    )


def attention_replicas(scenario: Scenario, candidate: Candidate) -> int:
    """Replicas of attention that share experts; 1 for a dense model, and for whole replicas."""
    shares = scenario.shares_experts(candidate)
    return _width(scenario, candidate, "data_parallel") if shares else 1


def step_tokens(scenario: Scenario, candidate: Candidate) -> float:
    """Tokens of prompts that a step holds at the most."""
    habits = habits_of(scenario.engine)
    paths = ["scheduling.max_num_batched_tokens"]
    if habits.micro_batch is None:
        paths.append("attention.chunked_prefill_size")
    given = [value for path in paths if (value := scenario.value(candidate, path))]
    tokens = float(min(given, default=habits.step_tokens))
    whole = candidate.attention.enable_chunked_prefill is False
    return max(tokens, scenario.isl) if whole else tokens


def _graphs(candidate: Candidate, shares: Shares) -> bool:
    return candidate.misc.cuda_graph is not False and shares.kernel_us < shares.eager_us


def _micro_batch(scenario: Scenario, candidate: Candidate) -> float:
    usual = habits_of(scenario.engine).micro_batch
    if usual is None:
        return math.inf
    return float(scenario.value(candidate, "attention.chunked_prefill_size") or usual)


def _thread_shares(scenario: Scenario, candidate: Candidate) -> tuple[float, float]:
    """Shares of a CPU's FLOP/s and bandwidth that so many threads reach.

    FLOP/s grow with threads; half of the cores fill the memory's bandwidth. Threads above the cores
    wait for each other at every operator.
    """
    cores, threads = scenario.gpu.cores, scenario.value(candidate, "misc.threads")
    if not scenario.gpu.is_cpu or not cores or not threads:
        return 1.0, 1.0
    crowd = min(1.0, cores / threads)
    return min(1.0, threads / cores) * crowd, min(1.0, 2 * threads / cores) * crowd


def _width(scenario: Scenario, candidate: Candidate, name: str) -> int:
    return 1 if scenario.gpu.is_cpu else scenario.width(candidate, name)


SLOTS = "a free slot"
CACHE = "room in the KV cache"


@dataclass(frozen=True)
class Room:
    """Room of one replica.

    Attributes:
        requests: at a time; infinite where nothing bounds it.
        limit: what those wait for that do not fit.
        memory: of a device; None where unknown.
        cached_tokens: of one running request that a device keeps, on average over its life.
    """

    requests: float
    limit: str
    memory: DeviceMemory | None
    cached_tokens: float

    def memory_gib(self, running: float) -> float | None:
        """GiB per device with so many requests running."""
        return None if self.memory is None else self.memory.needed_gib(running * self.cached_tokens)


def room_of(scenario: Scenario, candidate: Candidate) -> Room:
    """The room of a candidate's replica: its slots, or what the KV cache holds."""
    setting = _setting(scenario)
    memory = candidate_memory(candidate, setting)
    # A pipeline has as many batches in flight as stages, and they share the cache of each.
    stages = 1 if scenario.gpu.is_cpu else scenario.width(candidate, "pipeline_parallel")
    tokens = []
    if candidate.memory.max_total_tokens is not None and not setting.slots_share_context:
        tokens.append(float(candidate.memory.max_total_tokens))
    if memory is not None and memory.kv_gib_per_token > 0:
        tokens.append((memory.usable_gib - memory.weights_gib) / memory.kv_gib_per_token)
    cached_tokens = scenario.isl + scenario.osl / 2
    held = scenario.isl + scenario.osl if _admits(scenario, candidate) == "whole" else cached_tokens
    slots = scenario.value(candidate, "scheduling.max_running_requests")
    limits = {
        SLOTS: math.inf if slots is None else float(slots),
        CACHE: max(math.floor(min(tokens) / stages / held), 1) if tokens else math.inf,
    }
    limit = min(limits, key=limits.__getitem__)
    return Room(limits[limit], limit, memory, stages * cached_tokens)


def _admits(scenario: Scenario, candidate: Candidate) -> Admission:
    habits = habits_of(scenario.engine)
    policy = str(scenario.value(candidate, "scheduling.policy"))
    return "growing" if policy in habits.grows_under else habits.admits


def out_of_memory_of(scenario: Scenario, candidate: Candidate) -> OutOfMemory | None:
    """Why weights and one request do not fit; None where they do."""
    setting = _setting(scenario)
    short = shortfall(candidate, setting)
    if short is None:
        return None
    needed = short.memory.needed_gib(setting.largest_request_tokens)
    why = short.text(candidate, setting)
    return OutOfMemory(why, needed_gib=needed, available_gib=short.memory.usable_gib)


def _setting(scenario: Scenario) -> SpaceContext:
    engine = engine_named(scenario.engine)
    setting = SpaceContext.of(
        engine,
        scenario.engine_version or engine.table.version,
        scenario.facts,
        request_tokens=math.ceil(scenario.isl + scenario.osl),
        gpu=scenario.gpu,
        memory_gib=scenario.gpu.memory_gib,
    )
    # Whether the served length fits is for the space to judge: a scenario knows the workload only.
    use = replace(setting.use, holds_longest=False)
    return replace(setting, defaults=dict(scenario.defaults), use=use)
