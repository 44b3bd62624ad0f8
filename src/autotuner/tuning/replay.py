"""From a replay task and its landscape to what the loop needs, as `prepare` does for engines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from autotuner.catalog import ResolvedModel, resolve_model
from autotuner.config import (
    AS_RECORDED,
    STORED,
    Candidate,
    LengthDistribution,
    Model,
    ReplayConfig,
    TaskConfig,
)
from autotuner.engines import engine_named
from autotuner.errors import ConfigError, ModelError, Problem
from autotuner.landscapes import Landscape, Matched, parsed_landscape, read_table_file
from autotuner.profiles import Origin, ResolvedConfig, TaskContext
from autotuner.tuning.resolve import Variant, installed

_SHOULD_BE_LEFT_OUT = "has no meaning in a replay; leave it out"
_WITHOUT_MEANING = (
    *("engine_path", "profiles", "benchmark.tool", "benchmark.tool_path", "benchmark.tokenizer"),
    *("benchmark.workload", "benchmark.ci_width"),
    *("benchmark.request_timeout_s", "benchmark.ready_timeout_s"),
)
"""Fields that say how an engine is found, started or loaded: nothing is."""


def read_table(
    task: TaskConfig, replay: ReplayConfig, *, base: Path, source: str
) -> tuple[Landscape, str]:
    """The landscape that a task replays, and its checksum.

    Nothing of a file with another checksum is parsed or shown: it may be one of other users.

    Args:
        base: folder from which a relative path counts.

    Raises:
        ConfigError: the task says what makes no sense in a replay, or another checksum.
        LandscapeError: the file cannot be read.
    """
    problems = [Problem(path, _SHOULD_BE_LEFT_OUT) for path in _meaningless(task)]
    if problems:
        raise ConfigError(source, tuple(problems))
    path = base / Path(replay.landscape).expanduser()
    file = read_table_file(path)
    checksum = file.sha256
    if replay.sha256 not in (None, checksum):
        problem = Problem("replay.sha256", f"{path} has another one")
        raise ConfigError(source, (problem,), remedy="take the file that the task means")
    return parsed_landscape(file), checksum


def as_replayed(
    task: TaskConfig, landscape: Landscape, matched: Matched, checksum: str
) -> TaskConfig:
    """The task with all that the table tells: model, lengths, load levels, checksum."""
    isl, osl = matched.isl, matched.osl
    lengths = LengthDistribution(kind="D", input=(isl, isl), output=(osl, osl))
    document = task.written()
    runtime = document.get("runtime", {})
    document["runtime"] = {k: v for k, v in runtime.items() if k not in ("isl", "osl")}
    benchmark = {k: v for k, v in document.get("benchmark", {}).items() if k != "concurrency"}
    document["benchmark"] = benchmark | {
        "workload": str(lengths),
        "load": [level.to_task() for level in matched.levels],
    }
    document["replay"] |= {"sha256": checksum}
    if task.model == AS_RECORDED:
        document["model"] = _of_table(landscape).model_dump(exclude_none=True)
    return TaskConfig.model_validate(document, context=STORED)


def _of_table(landscape: Landscape) -> Model:
    # A table's own name goes to no engine: it need not be one that a user may give.
    name = landscape.model or landscape.name
    return Model.model_validate({"id": name}, context=STORED)


def as_asked(task: TaskConfig) -> TaskConfig:
    """A replay of `as_replayed` as its user could have written it, to be prepared once more."""
    workload = task.benchmark.workload
    if task.replay is None or workload is None:
        return task
    isl, osl = workload.mean()
    document = task.written()
    document["benchmark"] = {k: v for k, v in document["benchmark"].items() if k != "workload"}
    document["runtime"] = {**document.get("runtime", {}), "isl": round(isl), "osl": round(osl)}
    return TaskConfig.model_validate(document, context=STORED)


def replayed_model(task: TaskConfig, landscape: Landscape, *, base: Path) -> ResolvedModel:
    """The model of a replayed task; nothing is known of one that only the table names so.

    Raises:
        ModelError: the user names a model that cannot be found, and the table another.
    """
    try:
        return resolve_model(task.model, base=base)
    except ModelError:
        # A stored task has the table's name as its own.
        if task.model != _of_table(landscape):
            raise
        name = task.model.id or ""
        return ResolvedModel(name, name)


def replayed_variants(
    matched: Matched, model: ResolvedModel
) -> tuple[tuple[Variant, tuple[str, ...]], ...]:
    """One variant for each engine and version, with the ids of its candidates.

    Raises:
        EngineError: an engine of the table that is unknown here.
    """
    groups: dict[tuple[str, str | None], list[Candidate]] = {}
    for candidate, _ in matched.launches:
        key = (candidate.system.backend or "", candidate.system.backend_version)
        groups.setdefault(key, []).append(candidate)
    return tuple(
        (_variant(name, version, candidates, matched, model), tuple(c.id for c in candidates))
        for (name, version), candidates in groups.items()
    )


def _variant(
    name: str,
    version: str | None,
    candidates: list[Candidate],
    matched: Matched,
    model: ResolvedModel,
) -> Variant:
    engine = engine_named(name)
    installation = installed(engine, None, version)
    context = TaskContext(
        model=model.name,
        runtime=engine.name,
        gpu_type=matched.gpu_type,
        total_gpus=matched.gpus,
        runtime_version=installation.version,
        facts=model.facts,
        isl=round(matched.isl),
        osl=round(matched.osl),
    )
    settings = dict(_settings(candidates))
    provenance = {p: (Origin("recorded", "user", v, "set"),) for p, v in settings.items()}
    return Variant(
        engine, installation, context, ResolvedConfig(settings, provenance, ()), frozenset()
    )


def _settings(candidates: list[Candidate]) -> Iterator[tuple[str, Any]]:
    """Field -> its value, or the list of its values where there are several."""
    found: dict[str, list[Any]] = {}
    for candidate in candidates:
        for path, value in candidate.settings().items():
            one = tuple(value) if isinstance(value, list) else value
            values = found.setdefault(path, [])
            if one not in values:
                values.append(one)
    for path, values in found.items():
        yield path, values[0] if len(values) == 1 else values


def _meaningless(task: TaskConfig) -> Iterator[str]:
    """Settings of the task that a replay cannot heed."""
    written: Mapping[str, Any] = task.written()
    for path in _WITHOUT_MEANING:
        group, _, field = path.rpartition(".")
        if field in (written.get(group, {}) if group else written):
            yield path
