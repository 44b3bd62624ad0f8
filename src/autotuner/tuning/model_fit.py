"""A model before there is a task: its size, its number formats, and the devices that hold it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autotuner.catalog import Device, ResolvedModel, gpu_named, gpus
from autotuner.catalog.gpus import CPU
from autotuner.config import DescribedGpu
from autotuner.engines import Engine
from autotuner.profiles import TaskContext, width_that_fits
from autotuner.tuning.resolve import with_memory_use

_GEMM = "quantization.gemm_mode"
_LEAST_SHARE = 0.01
"""Share of a file's weights under which a format is that of norms and biases."""


@dataclass(frozen=True)
class Fit:
    """Devices that hold a model: the fewest of one kind, and why they do; 0 on a CPU."""

    gpu: str
    gpus: int
    why: str


def formats_of(model: ResolvedModel, engine: Engine, supported: frozenset[str]) -> tuple[str, ...]:
    """The number formats that a model's weights can have on an engine, its checkpoint's own first.

    Args:
        supported: formats that the GPU computes with.
    """
    facts, table = model.facts, engine.table
    if model.header is not None:
        counts = model.header.formats
        least = _LEAST_SHARE * sum(counts.values())
        return tuple(name for name, count in counts.items() if count >= least)
    own = tuple(dict.fromkeys(word for word in (facts.gemm_format, facts.moe_format) if word))
    others = [
        mode
        for mode in table.modes(_GEMM, table.version, facts)
        if mode in supported and engine.refuses({_GEMM: mode}, _GEMM, model, table.version) is None
    ]
    return tuple(dict.fromkeys((*own, *others)))


def devices_that_fit(
    model: ResolvedModel,
    engine: Engine,
    here: Device,
    described: Mapping[str, DescribedGpu],
) -> tuple[Fit, ...]:
    """The devices that hold a model's weights with room for the KV cache, the fewest first.

    None where the size of the weights is not known.

    Args:
        here: this machine, whose memory counts where the engine computes on a CPU.
        described: GPUs that the home describes, by name.
    """
    found = [
        fit for name in {**described, **gpus()} if (fit := _fit(name, model, engine, described))
    ]
    found.sort(key=lambda fit: (fit.gpus, gpu_named(fit.gpu, described).memory_gib or 0.0))
    on_cpu = _on_cpu(model, engine, here)
    return (on_cpu, *found) if on_cpu is not None else tuple(found)


def _fit(
    name: str, model: ResolvedModel, engine: Engine, described: Mapping[str, DescribedGpu]
) -> Fit | None:
    gpu = gpu_named(name, described)
    if gpu.is_cpu or model.header is not None:
        return None
    context = TaskContext(
        model=model.name,
        runtime=engine.name,
        gpu_type=name,
        total_gpus=gpu.gpus_per_node,
        facts=model.facts,
        described=described,
    )
    context = with_memory_use(context, engine, engine.table.version)
    chosen = width_that_fits(context, {})
    if chosen is None:
        return None
    width, memory = chosen
    return Fit(
        gpu.name,
        width,
        f"{memory.weights_gib:.1f} GiB of weights on each, {memory.room_gib:.1f} GiB left for the "
        "KV cache",
    )


def _on_cpu(model: ResolvedModel, engine: Engine, here: Device) -> Fit | None:
    scheduler, weights_gib = engine.table.file.scheduler, model.facts.weights_gib()
    if scheduler is None or scheduler.cpu is None or weights_gib is None:
        return None
    if (engine.table.model_format == "gguf") is not (model.header is not None):
        return None
    if here.memory_gib is not None and weights_gib >= here.memory_gib:
        return None
    memory = "" if here.memory_gib is None else f" of {here.memory_gib:.0f} GiB"
    return Fit(CPU, 0, f"{weights_gib:.1f} GiB of weights in the memory{memory} of this machine")
