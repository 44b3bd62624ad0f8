"""Facts about models and devices, as tables and by looking.

In: a model's id or path, a GPU's name. Out: what is known of it; what is unknown stays unknown.
Knows nothing of engines.
"""

from autotuner.catalog.device import Device, UsableCpus, cpu_quota, this_device, usable_cpus
from autotuner.catalog.facts import GIB, KV_BYTES, WEIGHT_BYTES, ModelFacts
from autotuner.catalog.gguf import GgufHeader, read_gguf, shards_of
from autotuner.catalog.gpus import Gpu, gpu_named, gpus, gpus_with_format, known_gpu
from autotuner.catalog.introspect import facts_from_config, facts_from_folder, facts_from_gguf
from autotuner.catalog.memory import (
    MEMORY_READS,
    DeviceMemory,
    MemoryUse,
    Widths,
    Working,
    device_memory,
    kv_gib_per_gpu,
    weights_gib_per_gpu,
    working_gib,
)
from autotuner.catalog.model_config import stretched
from autotuner.catalog.models import (
    GIVE_CONFIG,
    KnownModel,
    ResolvedModel,
    hub_cache,
    is_path,
    known_model,
    known_models,
    model_named,
    model_with_id,
    refuse_unknown,
    resolve_model,
)
from autotuner.catalog.purposes import (
    ServingGoal,
    Workload,
    goal_named,
    goals,
    workload_named,
    workloads,
)
from autotuner.catalog.quantization import KINDS, CheckpointQuantization, WeightFormat

__all__ = [
    "GIB",
    "GIVE_CONFIG",
    "KINDS",
    "KV_BYTES",
    "MEMORY_READS",
    "WEIGHT_BYTES",
    "CheckpointQuantization",
    "Device",
    "DeviceMemory",
    "GgufHeader",
    "Gpu",
    "KnownModel",
    "MemoryUse",
    "ModelFacts",
    "ResolvedModel",
    "ServingGoal",
    "UsableCpus",
    "WeightFormat",
    "Widths",
    "Working",
    "Workload",
    "cpu_quota",
    "device_memory",
    "facts_from_config",
    "facts_from_folder",
    "facts_from_gguf",
    "goal_named",
    "goals",
    "gpu_named",
    "gpus",
    "gpus_with_format",
    "hub_cache",
    "is_path",
    "known_gpu",
    "known_model",
    "known_models",
    "kv_gib_per_gpu",
    "model_named",
    "model_with_id",
    "read_gguf",
    "refuse_unknown",
    "resolve_model",
    "shards_of",
    "stretched",
    "this_device",
    "usable_cpus",
    "weights_gib_per_gpu",
    "working_gib",
    "workload_named",
    "workloads",
]
