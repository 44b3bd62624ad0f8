"""From a task to its variants: for each engine and combination, what every field is, and why."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from autotuner.catalog import ResolvedModel, this_device
from autotuner.config import Combination, LengthDistribution, RayConfig, TaskConfig
from autotuner.engines import DEFAULT_ENGINE, Engine, Installation, engine_named
from autotuner.engines.containers import in_container
from autotuner.errors import ConfigError, EngineError, Problem
from autotuner.profiles import ProfileRegistry, ResolvedConfig, TaskConfigFactory, TaskContext


@dataclass(frozen=True)
class Variant:
    """A task on one engine, with one of its combinations.

    Attributes:
        user: `group.field` that the task itself says; the engine has to express these.
    """

    engine: Engine
    installation: Installation
    context: TaskContext
    config: ResolvedConfig
    user: frozenset[str]


@dataclass(frozen=True)
class Expressible:
    """Asks an engine whether it can express a field; equal where the answers are."""

    engine: str
    version: str
    model: ResolvedModel

    def __call__(self, settings: Mapping[str, Any], path: str) -> str | None:
        return engine_named(self.engine).refuses(settings, path, self.model, self.version)

    def __hash__(self) -> int:
        return hash((self.engine, self.version, self.model.name))


def written_settings(task: TaskConfig) -> dict[str, Any]:
    """`group.field` -> value or list, as the task says it outside `combinations`."""
    return {**task.fixed(), **task.axes()}


def on_engine(task: TaskConfig, name: str) -> TaskConfig:
    """The task on one engine: its part of a task that names it, else the whole task moved there.

    What belongs to the engine that is left, its version and its path, stays behind.

    Raises:
        EngineError: no such engine.
    """
    engine_named(name)
    alone = {"system": task.system.model_copy(update={"backend": name})}
    if name in _backends(task, task):
        return task.model_copy(update=alone)
    kept = tuple(c for c in task.combinations if name in _backends(c, task))
    if kept:
        only = {"backend": name}
        moved = [c.model_copy(update={"system": c.system.model_copy(update=only)}) for c in kept]
        return task.model_copy(update={"combinations": tuple(moved)})
    free = {"backend": None, "backend_version": None}
    moved = [
        c.model_copy(update={"system": c.system.model_copy(update=free)}) for c in task.combinations
    ]
    system = task.system.model_copy(update=free | {"backend": name})
    update = {"system": system, "combinations": tuple(moved), "engine_path": None}
    return task.model_copy(update=update)


def _backends(part: Combination, task: TaskConfig) -> list[Any]:
    """The engines that a task or one of its combinations names."""
    own = part.settings().get("system.backend")
    if own is None and part is task:
        # Combinations that name engines leave none to the task itself.
        named = any("system.backend" in c.settings() for c in task.combinations)
        return [] if named else [DEFAULT_ENGINE]
    return _listed(own)


def resolve(
    task: TaskConfig,
    model: ResolvedModel,
    workload: LengthDistribution,
    registry: ProfileRegistry,
    *,
    source: str = "task",
) -> tuple[Variant, ...]:
    """The variants of a task: backends x versions x combinations.

    Raises:
        AutotunerError: an unknown engine, GPU or profile.
    """
    written = written_settings(task)
    found = []
    for combination in [c.settings() for c in task.combinations] or [{}]:
        fields = {**written, **combination}
        backends = _listed(fields.pop("system.backend", None))
        versions = _listed(fields.pop("system.backend_version", None))
        if len(backends) > 1 and versions != [None]:
            problem = Problem("system.backend_version", "is ambiguous where backends are searched")
            raise ConfigError(source, (problem,), remedy="say each pair in `combinations`")
        for backend, version in itertools.product(backends, versions):
            named = {"system.backend": backend, "system.backend_version": version}
            own = fields | {path: value for path, value in named.items() if value is not None}
            found.append(_variant(task, model, workload, registry, own))
    return tuple(found)


def _variant(
    task: TaskConfig,
    model: ResolvedModel,
    workload: LengthDistribution,
    registry: ProfileRegistry,
    own: dict[str, Any],
) -> Variant:
    engine = engine_named(str(own.get("system.backend", DEFAULT_ENGINE)))
    installation = _installation(engine, task, own.get("system.backend_version"))
    context = TaskContext(
        model=task.model.id or model.name,
        runtime=engine.name,
        gpu_type=_scalar(own.get("system.gpu_type")),
        total_gpus=_scalar(own.get("system.total_gpus")),
        runtime_version=installation.version,
        facts=model.facts,
        memory_per_gpu=_scalar(own.get("system.memory_per_gpu")),
        nvlink_bandwidth=_scalar(own.get("system.nvlink_bandwidth")),
        isl=workload.largest_input(),
        osl=workload.largest_output(),
        described=task.gpus,
    )
    context = with_memory_use(context, engine, installation.version)
    installation = replace(installation, gpus_per_node=_gpus_per_node(task, engine, own))
    machine = of_machine(engine, installation.version, model, own)
    config = (
        layered(engine, registry, task.profiles, machine)
        .apply_user_overrides(own)
        .build(context, Expressible(engine.name, installation.version, model))
    )
    return Variant(engine, installation, context, config, frozenset(own))


def with_memory_use(context: TaskContext, engine: Engine, version: str) -> TaskContext:
    """The context with what a version of the engine makes of its GPU's memory."""
    gpu = None if context.gpu is None else context.gpu.name
    return replace(context, use=engine.table.memory_use(version, gpu, context.gpu_memory_gib))


def of_machine(
    engine: Engine, version: str, model: ResolvedModel, own: Mapping[str, Any]
) -> dict[str, tuple[Any, str]]:
    """`group.field` -> value and why, that follow from the machine the engine starts on.

    Args:
        own: what the task says; a flag in its `extra_args` leaves nothing to set.
    """
    device = this_device()
    known = {"cpus": (device.cores, device.why)}
    spoken = engine.table.spoken_for(_extra_words(own), version, model.facts).values()
    passed = {path for paths in spoken for path in paths}
    return {path: known[fact] for path, fact in engine.table.machine.items() if path not in passed}


def layered(
    engine: Engine,
    registry: ProfileRegistry,
    profiles: Iterable[str],
    machine: Mapping[str, tuple[Any, str]] = MappingProxyType({}),
) -> TaskConfigFactory:
    """Every layer below the user's: the engine's own defaults, the machine's, base defaults, the
    profiles."""
    factory = TaskConfigFactory(registry=registry).apply_engine_defaults(engine.table.defaults)
    factory = factory.apply_machine(machine).apply_base_defaults()
    for name in profiles:
        factory = factory.apply_profile(name)
    return factory


def applied(
    profile: str, where: Mapping[str, Any], model: ResolvedModel, registry: ProfileRegistry
) -> tuple[Engine, TaskContext, ResolvedConfig]:
    """Settings that one profile alone gives a model, in the engine's newest known version.

    Args:
        where: arguments of `TaskContext`; the model's name and the engine among them.

    Raises:
        AutotunerError: an unknown profile, engine or GPU.
    """
    engine = engine_named(where["runtime"])
    context = TaskContext(**where, facts=model.facts)
    context = with_memory_use(context, engine, engine.table.version)
    refuses = Expressible(engine.name, engine.table.version, model)
    return engine, context, layered(engine, registry, (profile,)).build(context, refuses)


def installed(engine: Engine, engine_path: str | None, version: str | None) -> Installation:
    """The engine on this machine, in the version asked for; assumed where it is not here."""
    try:
        found = engine.find(engine_path)
    except EngineError:
        if engine_path is not None:
            raise
        return engine.assume(version)
    return found if version in (None, found.version) else engine.assume(version)


def _installation(engine: Engine, task: TaskConfig, version: str | None) -> Installation:
    """The engine where the task launches it: in a container, or on this machine."""
    if task.containers is None:
        return installed(engine, task.engine_path, version)
    return in_container(
        engine, image=task.containers.image, program=task.engine_path, version=version
    )


def _extra_words(own: Mapping[str, Any]) -> list[str]:
    """The words that a task passes as they are: of one list, or of all lists of an axis."""
    given = own.get("misc.extra_args") or ()
    return [word for item in given for word in ((item,) if isinstance(item, str) else item or ())]


def _gpus_per_node(task: TaskConfig, engine: Engine, own: Mapping[str, Any]) -> int | None:
    """GPUs of a node of the cluster, where a task asks for launches over several.

    Raises:
        EngineError: its words for the engine say the same.
    """
    cluster = task.launcher_options
    if not isinstance(cluster, RayConfig) or cluster.gpus_per_node is None:
        return None
    nodes = engine.table.file.nodes
    if nodes is not None and (twice := nodes.named_in(_extra_words(own))):
        raise EngineError(
            f"misc.extra_args: {twice} says how a launch is spread over nodes, and so does "
            "ray.gpus_per_node",
            remedy="leave one of the two out",
        )
    return cluster.gpus_per_node


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _scalar(value: Any) -> Any:
    return None if isinstance(value, list) else value


def workload_of(task: TaskConfig, source: str) -> LengthDistribution:
    """The request lengths of a task.

    Raises:
        ConfigError: it tells them twice, or not.
    """
    fixed = task.fixed()
    isl, osl = fixed.get("runtime.isl"), fixed.get("runtime.osl")
    if task.benchmark.workload is not None:
        if isl is not None or osl is not None:
            problem = Problem("benchmark.workload", "is given beside runtime.isl or runtime.osl")
            raise ConfigError(source, (problem,), remedy="keep one of the two")
        return task.benchmark.workload
    if isl is None or osl is None:
        missing = (
            Problem(path, "is missing")
            for path, tokens in (("runtime.isl", isl), ("runtime.osl", osl))
            if tokens is None
        )
        raise ConfigError(
            source,
            tuple(missing),
            remedy="give runtime.isl and runtime.osl, or benchmark.workload",
        )
    return LengthDistribution(kind="D", input=(isl, isl), output=(osl, osl))
