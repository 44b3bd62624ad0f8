"""A task of version 1 with its experiments -> the rows that it becomes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from autotuner.catalog import Gpu
from autotuner.config import content_id, parse_task
from autotuner.errors import AutotunerError, CatalogError
from autotuner.migrate.database.accounts import account_of
from autotuner.migrate.database.candidates import TriedCandidates, gpu_of
from autotuner.migrate.database.carried import Carried, carried
from autotuner.migrate.database.measured import RawLevel, of_workload, raw_levels, workload_of
from autotuner.migrate.database.source import SourceRow, SourceTask
from autotuner.migrate.draft import Done, Note, Translation
from autotuner.migrate.mirror import API_MODE, v1_document
from autotuner.migrate.runtimes import asked_for
from autotuner.migrate.scenarios import scenarios_of, translate_scenarios
from autotuner.migrate.translate import translate_task
from autotuner.migrate.values import stored_text
from autotuner.predict import Observation
from autotuner.store.v1 import V1TaskRecord
from autotuner.store.v1.further import SCENARIO
from autotuner.store.v1.moved import MovedExperiment, MovedLaunch, MovedPart, MovedTask
from autotuner.store.v1.moving import measurement_columns
from autotuner.tuning.resources import stored_columns

TASK_STATUSES = {
    "PENDING": "pending",
    "RUNNING": "interrupted",
    "COMPLETED": "completed",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
}
"""v1's status -> ours. A task that ran goes on when it is resumed."""
EXPERIMENT_STATUSES = {"SUCCESS": "completed", "FAILED": "failed"}
"""v1's status -> ours; what had not ended is interrupted."""
_UNFINISHED = "interrupted"
_STOPPED = "version 1 was stopped while it ran; resume goes on with it"
_LONGEST_S = 1e12
_UNMEASURED: dict[str, Any] = {
    "status": "pending",
    "stop_reason": "",
    "started_at": None,
    "ended_at": None,
    "wall_s": 0.0,
}
"""Standing of a further scenario that nothing was measured of, while others were."""
_KEPT_COLUMNS = "kept in version 1's table, which its API answers from"
EXPERIMENT_NOTES = {
    "parameters": (Done.TRANSLATED, "settings of the experiment"),
    "status": (Done.TRANSLATED, "status"),
    "error_message": (Done.TRANSLATED, "failure_message"),
    "metrics": (Done.TRANSLATED, "measurements, in our units; the raw results verbatim in them"),
    "objective_score": (Done.KEPT, _KEPT_COLUMNS),
    "gpu_info": (Done.TRANSLATED, "system.gpu_type; all of it in version 1's table"),
    "service_name": (Done.KEPT, _KEPT_COLUMNS),
    "service_url": (Done.KEPT, _KEPT_COLUMNS),
    "created_at": (Done.KEPT, _KEPT_COLUMNS),
    "started_at": (Done.TRANSLATED, "started_at"),
    "completed_at": (Done.TRANSLATED, "ended_at"),
    "elapsed_time": (Done.TRANSLATED, "startup_s and measure_s"),
}
"""Column of every experiment -> what becomes of it; the same for all, and so in no account."""


@dataclass(frozen=True)
class Launched:
    """A finished experiment as a predictor is asked of it."""

    source_id: int
    settings: Mapping[str, Any]
    levels: tuple[RawLevel, ...]
    gpu: Gpu
    at: datetime | None


@dataclass(frozen=True)
class Launches:
    """All finished experiments of one task under one workload, and the document of its task.

    `part` is the place of the workload among those of the task.
    """

    identity: str
    document: Mapping[str, Any]
    experiments: tuple[Launched, ...]
    part: int = 0


Observe = Callable[[Launches], tuple[tuple[Observation, ...], tuple[Note, ...]]]
"""Makes observations of measurements, with a note of those of which none can be made."""


@dataclass(frozen=True)
class _Experiment:
    source: SourceRow
    carried: Carried
    levels: tuple[RawLevel, ...]
    notes: tuple[Note, ...]
    gpu: Gpu | None
    device: str
    gpus: int


def moved_task(
    source: SourceTask, *, observe: Observe, now: datetime, engine: str | None = None
) -> MovedTask:
    """Rows that a task becomes.

    Args:
        now: the moment that stands where version 1 kept none.
        engine: of a task whose runtime's own name means none.
    """
    row = carried(source.row)
    experiments = [_read(experiment) for experiment in source.experiments]
    document = task_document(row)
    asked = asked_for(engine, document["base_runtime"])
    try:
        translated = [_with_columns(one, experiments) for one in task_translations(document, asked)]
    except AutotunerError as error:
        why = str(error).replace("\n", " ")
        note = Note("", Done.KEPT, f"it becomes no task of version 2: {why}")
        return _moved(source, row, experiments, [note])
    translations = [one for one, _ in translated]
    standing = _standing(row, experiments, now)
    candidates = TriedCandidates(translations[0])
    converted, launches, notes = _experiments(candidates, row, experiments, now)
    found = [note for one in translations for note in one.notes]
    found += notes
    workloads = [one.task["benchmark"]["workload"] for one in translations]
    # What failed before anything was measured failed for every scenario.
    only_failed = bool(experiments) and not any(one.levels for one in experiments)
    parts = []
    for place, (translation, columns) in enumerate(translated):
        levels = {one.source.id: of_workload(one.levels, workloads, place) for one in experiments}
        if place and not any(levels.values()) and not only_failed:
            parts.append(MovedPart(columns | standing | _UNMEASURED, (), ()))
            continue
        own = tuple(replace(one, levels=levels[one.source_id]) for one in launches)
        observations, unseen = observe(Launches(source.identity, translation.task, own, place))
        found += unseen
        made = tuple(
            MovedLaunch(
                converted[number],
                tuple(measurement_columns(one.measurement, one.repeat) for one in each),
            )
            for number, each in levels.items()
        )
        parts.append(MovedPart(columns | standing, made, observations))
    moved = _moved(source, row, experiments, list(dict.fromkeys(found)), tuple(parts))
    return replace(moved, engine=asked)


def task_translations(document: Mapping[str, Any], asked: str | None) -> list[Translation]:
    """The v2 task of each traffic scenario of a task, the first one's first; one task where a
    scenario is none that is known.

    Args:
        asked: the engine, where the runtime names none.

    Raises:
        ConfigError: it is no task of version 1.
    """
    scenarios = scenarios_of(document)
    if len(scenarios) < 2 or not all(map(workload_of, scenarios)):
        return [translate_task(document, absent_mode=API_MODE, engine=asked)]
    first, *further = translate_scenarios(document, absent_mode=API_MODE, engine=asked)
    return [first, *(_marked(one, str(s)) for one, s in zip(further, scenarios[1:], strict=True))]


def _marked(translation: Translation, scenario: str) -> Translation:
    """The translation with a mark that its results are not those of the v1 task itself."""
    metadata = {**translation.task.get("metadata", {}), SCENARIO: stored_text(scenario)}
    return replace(translation, task={**translation.task, "metadata": metadata})


def _with_columns(
    translation: Translation, experiments: Sequence[_Experiment]
) -> tuple[Translation, dict[str, Any]]:
    """A translation, without a GPU that nothing describes, and the columns of its task."""
    try:
        return translation, _columns(translation, experiments)
    except CatalogError as error:
        known = _without_gpu(translation, error)
        return known, _columns(known, experiments)


def _moved(
    source: SourceTask,
    row: Carried,
    experiments: Sequence[_Experiment],
    notes: Sequence[Note],
    parts: tuple[MovedPart, ...] = (),
) -> MovedTask:
    verbatim = dict(row.verbatim)
    best = row.parsed["best_experiment_id"]
    account = [*row.notes, *notes]
    if best is not None and best not in {one.source.id for one in experiments}:
        account.append(Note("best_experiment_id", Done.KEPT, "the task has no such experiment"))
        verbatim["best_experiment_id"] = best
        best = None
    kept = {str(one.source.id): one.carried.verbatim for one in experiments if one.carried.verbatim}
    if kept:
        verbatim["experiments"] = kept
    for one in experiments:
        account += _under(one, one.carried.notes)
        account += one.notes
    return MovedTask(
        identity=source.identity,
        digest=source.digest,
        source_id=source.row.id,
        v1={**row.values, "best_experiment_id": None},
        parts=parts,
        experiments=tuple(
            MovedExperiment(one.source.id, one.carried.values) for one in experiments
        ),
        best=best,
        account=account_of(account, verbatim),
    )


def task_document(row: Carried) -> dict[str, Any]:
    """The task as version 1's API says it, in texts that every database can store."""
    record = V1TaskRecord(id=0, **{**row.parsed, "status": row.parsed["status"] or "PENDING"})
    return {"model": None, "base_runtime": None, **v1_document(record)}


def _read(source: SourceRow) -> _Experiment:
    row = carried(source)
    levels, notes = raw_levels(row.parsed["metrics"], f"experiments.{source.id}.metrics")
    gpu, device, gpus = gpu_of(row.parsed["gpu_info"])
    return _Experiment(source, row, levels, notes, gpu, device, gpus)


def _without_gpu(translation: Translation, unknown: CatalogError) -> Translation:
    """The translation without a GPU that nothing describes."""
    system = dict(translation.task["system"])
    gpu = system.pop("gpu_type")
    note = Note("system_config.gpu_type", Done.CHANGED, f"{gpu!r} is left out: {unknown}")
    others = (one for one in translation.notes if one.path != note.path)
    task = {**translation.task, "system": system}
    return replace(translation, task=task, notes=(*others, note))


def _columns(translation: Translation, experiments: Sequence[_Experiment]) -> dict[str, Any]:
    """Columns of our task; what its experiments ran on, it needs to go on."""
    used = [one for one in experiments if one.gpu is not None]
    document = translation.task
    if used and "gpu_type" not in document.get("system", {}) and used[-1].gpu is not None:
        gpus = max(one.gpus for one in used)
        system = {"gpu_type": used[-1].gpu.name} | ({"total_gpus": gpus} if gpus else {})
        document = {**document, "system": {**document.get("system", {}), **system}}
    found = stored_columns(parse_task(document, source="task"))
    device = used[-1].device if used else ""
    return {**found, "device": device, "engine_version": ""}


def _standing(row: Carried, experiments: Sequence[_Experiment], now: datetime) -> dict[str, Any]:
    """Columns of our task that tell how far it has come."""
    status = TASK_STATUSES[row.parsed["status"] or "PENDING"]
    ended = row.parsed["completed_at"]
    return {
        "status": status,
        "stop_reason": _STOPPED if status == _UNFINISHED else "",
        "created_at": _utc(row.parsed["created_at"]) or now,
        "updated_at": _utc(ended or row.parsed["started_at"] or row.parsed["created_at"]) or now,
        "started_at": _utc(row.parsed["started_at"]),
        "ended_at": None if status == "pending" else _utc(ended) or now,
        "wall_s": _finite(row.parsed["elapsed_time"])
        or sum(_finite(one.carried.parsed["elapsed_time"]) or 0.0 for one in experiments),
    }


def _experiments(
    candidates: TriedCandidates, task: Carried, experiments: Sequence[_Experiment], now: datetime
) -> tuple[dict[int, dict[str, Any]], tuple[Launched, ...], list[Note]]:
    """Columns of ours by number in the source, what was measured, and notes."""
    began = task.parsed["started_at"] or task.parsed["created_at"]
    rows: dict[int, dict[str, Any]] = {}
    launches: list[Launched] = []
    notes: list[Note] = []
    taken: set[str] = set()
    for place, one in enumerate(experiments, start=1):
        parsed = one.carried.parsed
        parameters = parsed["parameters"]
        known = parameters if isinstance(parameters, dict) else {}
        settings, unsettled = candidates.tried(known, one.gpu)
        key = content_id(settings)
        if key in taken:  # the same settings again: each launch is an experiment
            key = content_id([settings, one.source.id])
        taken.add(key)
        notes += _under(
            one,
            (
                Note(f"parameters.{name}", Done.KEPT, "not a value that the task tries")
                for name in unsettled
            ),
        )
        status = EXPERIMENT_STATUSES.get(parsed["status"], _UNFINISHED)
        at = _utc(parsed["started_at"] or parsed["created_at"])
        rows[one.source.id] = {
            "idx": place,
            "candidate_id": key,
            "settings": settings,
            "status": status,
            "failure_message": parsed["error_message"],
            "started_at": at or now,
            "ended_at": _utc(parsed["completed_at"]),
            "began_s": _between(began, parsed["started_at"]),
            **_durations(parsed),
        }
        if status == "completed" and one.gpu is not None:
            launches.append(Launched(one.source.id, settings, one.levels, one.gpu, at))
    return rows, tuple(launches), notes


def _durations(parsed: Mapping[str, Any]) -> dict[str, float | None]:
    """Seconds of starting and of measuring; version 1 kept both together, and the latter alone."""
    metrics = parsed["metrics"]
    whole = _finite(parsed["elapsed_time"])
    measured = _finite(metrics.get("elapsed_time") if isinstance(metrics, Mapping) else None)
    if measured is None:
        return {"startup_s": None, "measure_s": whole}
    return {
        "startup_s": None if whole is None else max(whole - measured, 0.0),
        "measure_s": measured,
    }


def _under(one: _Experiment, notes: Sequence[Note] | Iterator[Note]) -> list[Note]:
    place = f"experiments.{one.source.id}"
    return [Note(f"{place}.{note.path}", note.done, note.text) for note in notes]


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def _finite(value: Any) -> float | None:
    """Seconds; None where it is no number of 0 or more."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value < _LONGEST_S else None


def _between(began: datetime | None, then: datetime | None) -> float:
    return max((then - began).total_seconds(), 0.0) if began and then else 0.0
