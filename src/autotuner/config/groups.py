"""The eight groups of a configuration, as scalars: what one candidate holds.

A field left out (None) is left to the engine's own default. `axes.searchable` derives from each
group the form in which a task writes it, where any field may also be a list.
"""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from autotuner.config.document import (
    Bool,
    Document,
    Fraction,
    NonNegativeInt,
    NonNegativeReal,
    PositiveInt,
    PositiveReal,
)

GemmMode = Literal[
    "bfloat16", "int8_wo", "int4_wo", "fp8", "fp8_static", "sq", "fp8_block", "fp8_ootb", "nvfp4"
]
MoeMode = Literal[
    "bfloat16",
    "fp8",
    "int4_wo",
    "fp8_block",
    "w4afp8",
    "nvfp4",
    "w4a16_mxfp4",
    "w4a8_mxfp4_mxfp8",
]
KvCacheMode = Literal["float32", "bfloat16", "float16", "int8", "fp8", "fp8_e5m2", "int5", "int4"]
FmhaMode = Literal["bfloat16", "fp8", "fp8_block"]
CommMode = Literal["half", "int8", "fp8"]
ServingMode = Literal["agg", "disagg"]


_FLAG = re.compile(r"(--?[A-Za-z][\w.-]*)(=.*)?", re.DOTALL)
_NEGATIVE = re.compile(r"-\.?\d.*")


def flag_of(word: str) -> str | None:
    """The flag that a word of a command line is, without its value; None where it is none."""
    match = _FLAG.fullmatch(word)
    return match.group(1) if match else None


def _only_flags(values: tuple[str, ...]) -> tuple[str, ...]:
    """Flags, each followed by its values; whether a flag takes any, only its engine knows."""
    takes_value = False
    for word in values:
        if "\0" in word or "\n" in word:
            raise ValueError("an argument may hold no line break and no NUL")
        if flag_of(word):
            takes_value = "=" not in word
        elif word.startswith("-") and not _NEGATIVE.fullmatch(word):
            raise ValueError(f"{word!r} is no flag; write flags such as '--flag' or '--f=1'")
        elif not takes_value:
            raise ValueError(f"{word!r} follows no flag; write flags such as '--flag' or '--f=1'")
    return values


ExtraArgs = Annotated[tuple[str, ...], AfterValidator(_only_flags)]


class Runtime(Document):
    """Requests that the deployment serves."""

    isl: PositiveInt | None = None
    """Input sequence length, tokens. With osl, short for the workload D(isl,osl)."""
    osl: PositiveInt | None = None
    """Output sequence length, tokens."""
    prefix: NonNegativeInt | None = None
    """Tokens of every prompt that are shared and may be cached."""
    ttft_target: PositiveReal | None = None
    """Target of mean TTFT, ms."""
    tpot_target: PositiveReal | None = None
    """Target of mean TPOT, ms."""
    nextn: NonNegativeInt | None = None
    """Tokens drafted per step by multi-token prediction; 0 is none."""


class System(Document):
    """The hardware and the engine."""

    gpu_type: str | None = None
    """Device name as in the catalog (`h100_sxm`, `cpu`)."""
    total_gpus: NonNegativeInt | None = None
    """GPUs that a deployment may occupy; 0 on a CPU."""
    memory_per_gpu: PositiveReal | None = None
    """GiB per GPU, where it differs from the catalog's."""
    nvlink_bandwidth: PositiveReal | None = None
    """GB/s per GPU, one direction, where it differs from the catalog's."""
    backend: str | None = None
    """The engine: `llamacpp`."""
    backend_version: str | None = None
    """The engine's version; what is installed where left out."""
    serving_mode: ServingMode | None = None
    """`agg`: one set of workers prefills and decodes; `disagg`: two sets."""
    price_per_gpu_hour: NonNegativeReal | None = None
    """USD per GPU and hour."""


class Parallel(Document):
    """How the model is spread over GPUs."""

    ALIASES: ClassVar[dict[str, str]] = {
        "tp": "tensor_parallel",
        "tp_size": "tensor_parallel",
        "pp": "pipeline_parallel",
        "pp_size": "pipeline_parallel",
        "dp": "data_parallel",
        "dp_size": "data_parallel",
        "ep": "expert_parallel",
        "ep_size": "expert_parallel",
        "moe_tp": "moe_tensor_parallel",
        "moe_ep": "moe_expert_parallel",
    }

    tensor_parallel: PositiveInt | None = None
    """GPUs that share each layer's matrices."""
    pipeline_parallel: PositiveInt | None = None
    """Stages the layers are cut into."""
    data_parallel: PositiveInt | None = None
    """Replicas of attention; of all, where the widths of experts multiply to `tensor_parallel`."""
    expert_parallel: PositiveInt | None = None
    """GPUs over which whole experts are spread."""
    moe_tensor_parallel: PositiveInt | None = None
    """GPUs that share each expert's matrices."""
    moe_expert_parallel: PositiveInt | None = None
    """GPUs over which the experts of an MoE layer are spread."""


class Quantization(Document):
    """Number formats, per component; the values are aiconfigurator's."""

    ALIASES: ClassVar[dict[str, str]] = {
        "gemm_quant_mode": "gemm_mode",
        "kvcache_quant_mode": "kvcache_mode",
        "fmha_quant_mode": "fmha_mode",
        "moe_quant_mode": "moe_mode",
        "comm_quant_mode": "comm_mode",
        "kv_cache_dtype": "kvcache_mode",
    }

    gemm_mode: GemmMode | None = None
    """Weights and activations of dense matrices."""
    kvcache_mode: KvCacheMode | None = None
    """Keys and values kept for decoding; fp8 is e4m3, fp8_e5m2 needs no GPU that computes in FP8;
    int8, int5 and int4 are block formats on llama.cpp."""
    fmha_mode: FmhaMode | None = None
    """Attention arithmetic."""
    moe_mode: MoeMode | None = None
    """Experts' matrices."""
    comm_mode: CommMode | None = None
    """Collectives between GPUs."""


class Memory(Document):
    """Where weights and KV cache go."""

    ALIASES: ClassVar[dict[str, str]] = {"mem_frac": "mem_fraction_static"}

    mem_fraction_static: Fraction | None = None
    """Share of a GPU's memory for weights and KV cache, 0 to 1."""
    max_total_tokens: PositiveInt | None = None
    """Tokens that the KV cache holds over all sequences."""
    page_size: PositiveInt | None = None
    """Tokens per block of the KV cache."""
    cpu_offload_gb: NonNegativeReal | None = None
    """GiB of weights per GPU kept in host memory."""
    max_model_len: PositiveInt | None = None
    """Longest sequence (input and output), tokens."""
    swap_space: NonNegativeReal | None = None
    """GiB of host memory per GPU for swapped-out KV cache."""


class Scheduling(Document):
    """Which requests run together."""

    ALIASES: ClassVar[dict[str, str]] = {
        "max_num_seqs": "max_running_requests",
        "slots": "max_running_requests",
    }

    policy: str | None = None
    """Order in which waiting requests are taken (`fcfs`, `lpm` …)."""
    conservativeness: PositiveReal | None = None
    """How much room is kept for outputs to grow; above 1 admits fewer requests."""
    max_running_requests: PositiveInt | None = None
    """Sequences decoded together (slots, max_num_seqs)."""
    max_num_batched_tokens: PositiveInt | None = None
    """Tokens that one scheduling step may hold."""
    receive_interval: PositiveInt | None = None
    """Decoding steps between two looks for new requests, which wait half of that on average."""


class Attention(Document):
    """How attention is computed and prefill is cut."""

    backend: str | None = None
    """Kernel family; on llama.cpp `flash`, `standard` or `auto`."""
    prefill_backend: str | None = None
    """Kernel family of prefill, where it differs."""
    decode_backend: str | None = None
    """Kernel family of decode, where it differs."""
    chunked_prefill_size: PositiveInt | None = None
    """Tokens of a prompt computed at once (micro-batch)."""
    enable_chunked_prefill: Bool | None = None
    """Whether a long prompt is cut into chunks."""
    enable_prefix_caching: Bool | None = None
    """Whether the KV cache of a shared prefix is kept between requests."""


class Misc(Document):
    """Settings of the engine that belong to no other group."""

    dtype: Literal["auto", "bfloat16", "float16", "float32"] | None = None
    """Type of unquantised weights and activations."""
    context_length: PositiveInt | None = None
    """The model's context length, where its own configuration says it wrongly, tokens. Positions
    beyond those that it was trained for need `rope_scaling`."""
    rope_scaling: Literal["yarn", "linear", "dynamic"] | None = None
    """How rotary positions are stretched beyond what the model was trained for."""
    rope_factor: PositiveReal | None = None
    """By how much `rope_scaling` stretches them."""
    rope_original_context: PositiveInt | None = None
    """Tokens from which `rope_scaling` stretches: the model's own before any scaling."""
    load_format: str | None = None
    """How weights are read; on llama.cpp `mmap`, `none` or `mlock`."""
    threads: PositiveInt | None = None
    """CPU threads that compute."""
    cuda_graph: Bool | None = None
    """Whether decode steps are captured as CUDA graphs."""
    torch_compile: Bool | None = None
    """Whether the model is compiled by torch."""
    trust_remote_code: Bool | None = None
    """Whether code that comes with the model may run."""
    speculative_algorithm: str | None = None
    """How tokens are drafted (`eagle`, `ngram`, `draft_model` …)."""
    speculative_draft_model: str | None = None
    """The drafting model's path or id."""
    speculative_num_draft_tokens: PositiveInt | None = None
    """Tokens drafted per step."""
    extra_args: ExtraArgs | None = Field(default=None)
    """Flags passed to the engine as they are, one word an item; never read by a shell."""


GROUPS: dict[str, type[Document]] = {
    "runtime": Runtime,
    "system": System,
    "parallel": Parallel,
    "quantization": Quantization,
    "memory": Memory,
    "scheduling": Scheduling,
    "attention": Attention,
    "misc": Misc,
}
"""Group name -> its model, in the order in which they are written."""
