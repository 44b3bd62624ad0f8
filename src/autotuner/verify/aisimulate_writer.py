"""Our tasks as the YAML that `aisimulate recommend --config` reads (0.13): one search, axes as
lists of choices."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from autotuner.catalog import gpu_named, known_model
from autotuner.config import (
    EXPERT_WIDTHS,
    REPLICA_WIDTHS,
    LoadKind,
    TaskConfig,
    kind_of_levels,
    whole_replicas,
)
from autotuner.engines import ENGINES, engine_table
from autotuner.errors import VerifyError
from autotuner.verify.aiconfigurator_fields import Left

_WORKER = {
    "parallel.tensor_parallel": ("parallelism", "tensor"),
    "parallel.pipeline_parallel": ("parallelism", "pipeline"),
    "scheduling.max_running_requests": ("scheduler", "max_sequences"),
    "scheduling.max_num_batched_tokens": ("scheduler", "max_batched_tokens"),
}
"""Our setting -> its place in their worker."""
_TENSOR, _DATA = "parallel.tensor_parallel", "parallel.data_parallel"
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
        VerifyError: the task has no hub id of a model, no GPU, or no lengths of requests; its
            engine is unknown there; or its data parallel replicas share experts with some of its
            widths only.
    """
    settings = {path: value for path, value in task.settings().items() if value is not None}
    gpu = settings.get("system.gpu_type")
    if task.model.id is None or not isinstance(gpu, str):
        raise VerifyError(
            f"{task.name}: AISimulate knows models by their hub id, and one GPU",
            remedy="give model.id and system.gpu_type",
        )
    _check_engine(task.name, _values(settings.get("system.backend")))
    mean = task.benchmark.workload.mean() if task.benchmark.workload else None
    isl, osl = mean or (settings.get("runtime.isl"), settings.get("runtime.osl"))
    if isl is None or osl is None:
        raise VerifyError(
            f"{task.name}: nothing says how long requests are",
            remedy="give runtime.isl and runtime.osl, or benchmark.workload",
        )
    has_experts = _has_experts(task.model.id, settings)
    worker: dict[str, Any] = {
        "parallelism": {
            "preset": False,
            **dict.fromkeys(_WIDTHS, 1),
            **_replica_widths(task.name, settings, has_experts),
        },
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
        elif path in _ENGINE and len(_values(value)) == 1:
            engine[_ENGINE[path]] = _values(value)[0]
        elif path in EXPERT_WIDTHS and not has_experts:
            left.append(Left(path, value, "the model has no experts"))
        elif path not in (*_NAMED_APART, *REPLICA_WIDTHS):
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


def _check_engine(task: str, engines: Sequence[Any]) -> None:
    """Raises VerifyError where AISimulate simulates none of the engines that a task names."""
    known = [name for name in ENGINES if engine_table(name).file.aisimulate is not None]
    if engines != [None] and not set(engines) & set(known):
        raise VerifyError(
            f"{task}: system.backend: AISimulate does not know {', '.join(engines)}",
            remedy=f"it knows {', '.join(known)}",
        )


def _has_experts(model: str, settings: Mapping[str, Any]) -> bool:
    """Whether the model is a mixture of experts; of one that is not known its widths say it."""
    known = known_model(model)
    if known is not None and known.facts.is_moe is not None:
        return known.facts.is_moe
    return any(settings.get(path) is not None for path in EXPERT_WIDTHS)


def _replica_widths(task: str, settings: Mapping[str, Any], has_experts: bool) -> dict[str, Any]:
    """Data parallel replicas and widths of experts in their words: ranks of attention that share
    experts are no replicas there.

    Raises:
        VerifyError: replicas share experts with some widths and not with others.
    """
    values = [_values(settings.get(path)) for path in REPLICA_WIDTHS]
    layouts = [dict(zip(REPLICA_WIDTHS, one, strict=True)) for one in itertools.product(*values)]
    several = [one for one in layouts if (one[_DATA] or 1) > 1]
    sharing = {has_experts and not whole_replicas(one.get) for one in several}
    if len(sharing) > 1:
        raise VerifyError(
            f"{task}: data parallel replicas share experts with some widths, and with others "
            "they are whole deployments: AISimulate has a field for each",
            remedy="write two tasks, each with widths of one kind",
        )
    shares = True in sharing
    found = {"attention_data" if shares else "replicas": _choices(settings.get(_DATA, 1))}
    if has_experts:
        widths = [_expert_widths(one, shares=shares) for one in layouts]
        for name, theirs in zip(
            ("moe_tensor", "moe_expert"), zip(*widths, strict=True), strict=True
        ):
            found[name] = _choices(sorted(set(theirs)))
    return found


def _expert_widths(layout: Mapping[str, Any], *, shares: bool) -> tuple[int, int]:
    """Ranks that slice each expert, and over which experts are spread: together all ranks that
    share experts. They are sliced where nothing is said."""
    either, sliced, spread = (layout[path] for path in EXPERT_WIDTHS)
    ranks = (layout[_TENSOR] or 1) * (layout[_DATA] or 1 if shares else 1)
    spread = spread or either or (max(ranks // sliced, 1) if sliced else 1)
    return sliced or max(ranks // spread, 1), spread


def _load(task: TaskConfig) -> dict[str, Any]:
    levels = task.benchmark.levels
    if not levels:
        return {}
    if kind_of_levels(levels) is LoadKind.RATE:
        rates = [float(level.value) for level in levels]
        return {"load": {"type": "constant_rate", "requests_per_second": _choices(rates)}}
    users = [int(level.value) for level in levels]
    return {"load": {"type": "concurrency", "concurrency": _choices(users)}}


def _values(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


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
