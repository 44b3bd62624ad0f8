"""Our tasks and candidates as the task YAML that `aiconfigurator cli exp --yaml-path` reads."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from autotuner.catalog import gpu_named
from autotuner.config import PERCENTILES, Candidate, TaskConfig
from autotuner.errors import CatalogError, VerifyError
from autotuner.verify.aiconfigurator_fields import Left, table, to_theirs
from autotuner.verify.aiconfigurator_reader import METADATA

_NOT_WRITTEN = {
    "profiles": "what profiles would fill in is not written; write the settings into the task",
    "optimization": "it searches in its own way",
    "benchmark": "it predicts and measures nothing; loads are its own choice",
    "engine_path": "it runs no engine",
}


@dataclass(frozen=True)
class WrittenTasks:
    """Experiments by name, and what of the task they do not say."""

    experiments: Mapping[str, Mapping[str, Any]]
    left: tuple[Left, ...]

    def text(self) -> str:
        """The YAML file."""
        document = {"exps": list(self.experiments), **self.experiments}
        return yaml.safe_dump(document, sort_keys=False)


def write_task(task: TaskConfig) -> WrittenTasks:
    """A task as experiments: one for each combination, and for each value of an axis that
    aiconfigurator has and does not search. It searches parallel widths; a batch size it finds
    itself. What differs only in fields that it lacks is one experiment.

    Raises:
        VerifyError: the task names no model by id.
    """
    if task.model.id is None:
        raise VerifyError(
            f"{task.name}: aiconfigurator knows models by their hub id",
            remedy="give model.id",
        )
    kept = dict(task.metadata.get(METADATA) or {})
    distinct: list[dict[str, Any]] = []
    left = {item.field: item for item in _not_written(task)}
    for settings in _alternatives(task):
        fields, beside = _fields({"model.id": task.model.id, **settings}, kept)
        if fields not in distinct:
            distinct.append(fields)
        for item in beside:
            known = left.setdefault(item.field, item)
            values = task.settings().get(item.field)
            if item.value != known.value and isinstance(values, list):
                left[item.field] = Left(item.field, values, item.why)
    names = [f"{task.name}-{n}" for n in range(1, len(distinct) + 1)]
    named = zip(names if len(distinct) > 1 else [task.name], distinct, strict=True)
    return WrittenTasks(dict(named), tuple(left.values()))


def write_candidate(candidate: Candidate, *, model: str, name: str = "candidate") -> WrittenTasks:
    """One candidate of a model as an experiment."""
    fields, left = _fields({"model.id": model, **candidate.settings()}, {})
    return WrittenTasks({name: fields}, left)


def _alternatives(task: TaskConfig) -> Iterator[dict[str, Any]]:
    own = {path: value for path, value in task.settings().items() if value is not None}
    if task.benchmark.workload is not None:
        isl, osl = task.benchmark.workload.mean()
        own |= {"runtime.isl": round(isl), "runtime.osl": round(osl)}
    searched = {row.ours for row in table().rows if row.many}
    limits = task.slo_limits()
    targets = {"runtime.ttft_target": "ttft_ms", "runtime.tpot_target": "tpot_ms"}
    own |= {path: limits[name] for path, name in targets.items() if name in limits}
    for combination in task.combinations or (None,):
        joined = own | (combination.settings() if combination is not None else {})
        axes = {
            path: value
            for path, value in joined.items()
            if isinstance(value, list) and path not in searched
        }
        for values in itertools.product(*axes.values()):
            yield joined | dict(zip(axes, values, strict=True))


def _not_written(task: TaskConfig) -> Iterator[Left]:
    """Parts of a task beside its groups that no experiment has."""
    written = task.written()
    for name, why in _NOT_WRITTEN.items():
        if name in written:
            yield Left(name, written[name], why)
    for name, limit in task.slo.limits().items():
        if name in PERCENTILES:
            yield Left(f"slo.{name}", limit, "it knows means, no percentiles")
    workload = task.benchmark.workload
    if workload is not None and workload.kind != "D":
        why = "it knows one length; the means are written"
        yield Left("benchmark.workload", str(workload), why)


def _fields(
    settings: Mapping[str, Any], kept: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[Left, ...]]:
    translated = dict(settings)
    left: list[Left] = []
    if "system.gpu_type" in translated:
        translated["system.gpu_type"] = _catalogued(str(translated["system.gpu_type"]))
    if translated.get("runtime.nextn") and "nextn_accepted" not in kept:
        why = f"it needs nextn_accepted beside it; give it in metadata.{METADATA}"
        left.append(Left("runtime.nextn", translated.pop("runtime.nextn"), why))
    # `cli exp` passes over an experiment that does not say its serving mode.
    fields, beside = to_theirs({"system.serving_mode": "agg", **translated})
    if fields.get("serving_mode") == "disagg":
        fields = _per_role(fields)
    return {**kept, **fields}, (*left, *beside)


def _catalogued(gpu_type: str) -> str:
    """The catalog's name where an alias was written; the word itself where it is not known."""
    try:
        return gpu_named(gpu_type).name
    except CatalogError:
        return gpu_type


def _per_role(fields: Mapping[str, Any]) -> dict[str, Any]:
    names = {row.task: row.role_names for row in table().rows if row.roles}
    return {
        role_name: value
        for name, value in fields.items()
        for role_name in (names.get(name) or (name,))
    }
