"""Shares of their peaks that devices and engines reach: the few constants of the roofline.

How each engine schedules, and what it reaches on a CPU, its own file says (`scheduler`).

S. Williams, A. Waterman, D. Patterson, "Roofline: An Insightful Visual Performance Model for
Multicore Architectures", CACM 52(4), 2009: time = max(bytes / bandwidth, FLOPs / peak). Peaks are
never reached; the shares below are round figures from what kernels are known to reach, the same
for every model. `experts` and the engines' `eager_us` were chosen on measurements of DeepSeek-R1,
gpt-oss-120b, Qwen3-32B and Llama-3.1-8B, llama.cpp's `gemm` on those in the README; other models'
took no part. What the shares leave out, `Prediction.*_log_std` admits and calibration learns.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from autotuner.catalog import Gpu
from autotuner.config import BACKENDS
from autotuner.engines import Admission, SchedulerFile, engine_table


@dataclass(frozen=True)
class Shares:
    """Shares of a device's peaks, and what a kernel costs however little it does.

    Attributes:
        bandwidth: of matrices and KV cache that are streamed.
        gemm: of the peak of its number format, large matrices.
        attention: of the 16-bit peak, where a prompt attends to itself.
        experts: of `gemm`, since each expert gets few and uneven rows.
        kernel_us: an operator's start, fill and drain within a captured graph; eager_us: launched
            from the host.
    """

    bandwidth: float
    gemm: float
    attention: float
    experts: float
    kernel_us: float
    eager_us: float


GPU = Shares(
    bandwidth=0.8,
    gemm=0.65,
    attention=0.45,
    experts=0.4,
    kernel_us=3.0,
    eager_us=25.0,
)
"""Bandwidth: 80 % of the data sheet is what STREAM-like kernels and GEMVs measure. GEMM: 65 % at
8192 wide, power limits included. Attention: FlashAttention-3 reports up to 75 % at 16k tokens
causal, and half of that at the few thousand that a prompt has (J. Shah et al., arXiv 2407.08608,
fig. 5). Within a CUDA graph a kernel takes 2 to 4 us at the least; what one takes that is launched
from the host, each engine's file says."""

FORMAT_SHARE: Mapping[str, float] = MappingProxyType(
    {"bfloat16": 1.0, "float16": 1.0, "int8": 0.85, "fp8": 0.85, "nvfp4": 0.6}
)
"""Share of `Shares.gemm` by the format computed in: the faster the units, the harder they are fed,
and activations have to be quantised first."""

COMPUTE_FORMAT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "fp8": ("fp8", "bfloat16"),
        "fp8_static": ("fp8", "bfloat16"),
        "fp8_ootb": ("fp8", "bfloat16"),
        "fp8_block": ("fp8", "bfloat16"),
        "w4afp8": ("fp8", "bfloat16"),
        "w4a8_mxfp4_mxfp8": ("fp8", "bfloat16"),
        "nvfp4": ("nvfp4", "fp8", "bfloat16"),
        "sq": ("int8", "bfloat16"),
    }
)
"""Weight format -> formats its products are computed in, the first that the device has; formats
that quantise weights only are unpacked to 16 bits."""

SIXTEEN_BITS = ("bfloat16", "float16")
"""Formats that every other is unpacked to; Volta, Turing and Apple's GPUs have the second."""

CPU = Shares(
    bandwidth=0.8,
    gemm=0.6,
    attention=0.2,
    experts=0.7,
    kernel_us=10.0,
    eager_us=10.0,
)
"""Against what `calibrate-device` measured. An operator costs a thread barrier at its end."""


@dataclass(frozen=True)
class Habits:
    """How an engine schedules, where the candidate says nothing; its file has it (`scheduler`).

    Attributes:
        step_tokens: tokens of a step at the most.
        mixes: prompts and decoding sequences share a step (A. Agrawal et al., "Sarathi-Serve",
            OSDI 2024); otherwise prompts go first and decoding waits.
        host_ms: work between two steps that no kernel hides.
        request_ms: HTTP, tokenising, queueing of a request.
        admits: whether a request runs once its prompt has room in the KV cache, or only where its
            whole output has; grows_under: policies under which it is the former all the same.
        micro_batch: tokens computed together within a step, where attention.chunked_prefill_size
            says how many; None where that limits the tokens of a step.
        gpu, cpu: shares on GPUs, and on a CPU where it runs there.
    """

    step_tokens: int
    mixes: bool
    host_ms: float
    request_ms: float
    gpu: Shares
    admits: Admission
    grows_under: tuple[str, ...] = ()
    micro_batch: int | None = None
    cpu: Shares | None = None


def habits_of(engine: str) -> Habits:
    """The habits of an engine.

    Raises:
        LookupError: there is no such engine, or its file has none.
    """
    scheduler = engine_table(engine).file.scheduler if engine in BACKENDS else None
    if scheduler is None:
        raise LookupError(engine)
    return _habits(scheduler)


@functools.cache
def _habits(scheduler: SchedulerFile) -> Habits:
    cpu = scheduler.cpu
    return Habits(
        step_tokens=scheduler.step_tokens,
        mixes=scheduler.mixes,
        host_ms=scheduler.host_ms,
        request_ms=scheduler.request_ms,
        gpu=replace(GPU, eager_us=scheduler.eager_us),
        admits=scheduler.admits,
        grows_under=scheduler.grows_under,
        micro_batch=scheduler.micro_batch,
        cpu=None if cpu is None else replace(CPU, **cpu.model_dump(exclude_none=True)),
    )


def peak_flops(gpu: Gpu, mode: str) -> float:
    """FLOP/s that large matrices of a weight format reach at best: peak x its format's share.

    Raises:
        LookupError: the device has no figure for any format that would do.
    """
    name = computing_format(gpu, mode)
    return 1e12 * gpu.tflops[name] * (1.0 if gpu.is_cpu else FORMAT_SHARE[name])


def computing_format(gpu: Gpu, mode: str) -> str:
    """The format, of those that the device has figures for, in which a weight format is computed.

    Raises:
        LookupError: there is none.
    """
    if gpu.is_cpu and gpu.tflops:
        return max(gpu.tflops, key=gpu.tflops.__getitem__)
    for name in (*COMPUTE_FORMAT.get(mode, ("bfloat16",)), *SIXTEEN_BITS):
        if name in gpu.tflops:
            return name
    raise LookupError(mode)
