"""Our tasks as the YAML that `aisimulate recommend --config` reads (0.13): one search, axes as
lists of choices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from autotuner.catalog import gpu_named
from autotuner.config import LoadKind, TaskConfig, kind_of_levels
from autotuner.errors import VerifyError
from autotuner.verify.aiconfigurator_fields import Left

_WORKER = {
    "parallel.tensor_parallel": ("parallelism", "tensor"),
    "parallel.pipeline_parallel": ("parallelism", "pipeline"),
    "parallel.data_parallel": ("parallelism", "replicas"),
    "parallel.moe_tensor_parallel": ("parallelism", "moe_tensor"),
    "parallel.moe_expert_parallel": ("parallelism", "moe_expert"),
    "scheduling.max_running_requests": ("scheduler", "max_sequences"),
    "scheduling.max_num_batched_tokens": ("scheduler", "max_batched_tokens"),
}
"""Our setting -> its place in their worker."""
_WIDTHS = ("replicas", "tensor", "pipeline", "attention_data", "moe_tensor", "moe_expert")
_ENGINE = {"system.backend": "backend", "memory.max_model_len": "context_length"}
_NAMED_APART = ("system.gpu_type", "system.total_gpus", "runtime.isl", "runtime.osl")
_TARGETS = {
    "tok_s_per_gpu": "throughput_per_gpu",
    "tok_s": "throughput",
    "tok_s_per_user": "throughput_per_user",
    "ttft_ms": "ttft",
    "e2e_p90_ms": "e2e_latency",
}
_NOT_WRITTEN = {
    "profiles": "what profiles would fill in is not written; write the settings into the task",
    "combinations": "its axes are tried all with all",
    "slo": "its limits are of each request, for goodput",
}


@dataclass(frozen=True)
class WrittenSearch:
    """A search of theirs, and what of the task it does not say."""

    document: Mapping[str, Any]
    left: tuple[Left, ...]

    def text(self) -> str:
        """The YAML file."""
        return yaml.safe_dump(dict(self.document), sort_keys=False)


def write_search(task: TaskConfig) -> WrittenSearch:
    """A task as a search of theirs.

    Raises:
        VerifyError: the task has no hub id of a model, no GPU, or no lengths of requests.
    """
    settings = {path: value for path, value in task.settings().items() if value is not None}
    gpu = settings.get("system.gpu_type")
    if task.model.id is None or not isinstance(gpu, str):
        raise VerifyError(
            f"{task.name}: AISimulate knows models by their hub id, and one GPU",
            remedy="give model.id and system.gpu_type",
        )
    mean = task.benchmark.workload.mean() if task.benchmark.workload else None
    isl, osl = mean or (settings.get("runtime.isl"), settings.get("runtime.osl"))
    if isl is None or osl is None:
        raise VerifyError(
            f"{task.name}: nothing says how long requests are",
            remedy="give runtime.isl and runtime.osl, or benchmark.workload",
        )
    worker: dict[str, Any] = {
        "parallelism": {"preset": False, **dict.fromkeys(_WIDTHS, 1)},
        "scheduler": {},
    }
    engine: dict[str, Any] = {
        "model": task.model.id,
        "hardware": gpu_named(gpu, task.gpus).name,
        "mode": "aggregated",
    }
    left = list(_not_written(task))
    for path, value in settings.items():
        if path in _WORKER:
            group, name = _WORKER[path]
            worker[group][name] = _choices(value)
        elif path in _ENGINE and not isinstance(value, list):
            engine[_ENGINE[path]] = value
        elif path not in _NAMED_APART:
            left.append(Left(path, value, "it has no such field, or one value of it"))
    most = settings.get("system.total_gpus")
    names = task.objectives
    target = _TARGETS.get(names[0], "throughput_per_gpu") if len(names) == 1 else "pareto"
    document = {
        "traffic": {
            "source": {
                "type": "synthetic",
                "input_tokens": round(isl),
                "output_tokens": round(osl),
            },
            **_load(task),
            "stop": {"requests": task.benchmark.requests_per_level},
        },
        "engine": {**engine, "workers": {"aggregated": worker}},
        "optimization": {
            "target": target,
            **({"constraints": {"max_candidate_gpus": most}} if most else {}),
        },
    }
    return WrittenSearch(document, tuple(left))


def _load(task: TaskConfig) -> dict[str, Any]:
    levels = task.benchmark.levels
    if not levels:
        return {}
    if kind_of_levels(levels) is LoadKind.RATE:
        rates = [float(level.value) for level in levels]
        return {"load": {"type": "constant_rate", "requests_per_second": _choices(rates)}}
    users = [int(level.value) for level in levels]
    return {"load": {"type": "concurrency", "concurrency": _choices(users)}}


def _choices(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return value[0] if len(value) == 1 else {"choices": value}


def _not_written(task: TaskConfig) -> Iterator[Left]:
    written = task.written()
    for name, why in _NOT_WRITTEN.items():
        if name in written:
            yield Left(name, written[name], why)
    workload = task.benchmark.workload
    if workload is not None and workload.kind != "D":
        yield Left("benchmark.workload", str(workload), "it knows one length; means are written")
