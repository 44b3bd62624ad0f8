"""A stored task as a landscape: what its launches measured, beside what was predicted of them."""

from __future__ import annotations

from collections.abc import Sequence

from autotuner.catalog import known_gpu
from autotuner.config import LoadLevel, TaskConfig, parse_stored_task
from autotuner.engines import FailureKind
from autotuner.engines.failures import NOT_ITS_OWN
from autotuner.errors import NoResultError
from autotuner.landscapes import Landscape, PointMetrics, RecordedLaunch, RecordedLevel
from autotuner.predict import Prediction
from autotuner.search import OperatingPoint
from autotuner.store import ExperimentRecord, Store, TaskRecord
from autotuner.tuning.load_levels import planned_levels
from autotuner.tuning.points import occupied_gpus, operating_points
from autotuner.tuning.resolve import workload_of

_CPU = "cpu: "
_OUT_OF_MEMORY = "out of memory"


def landscape_of(store: Store, task: TaskRecord) -> Landscape:
    """Every finished experiment of a task as a recorded launch.

    Predictions are the predictor's own, before any correction. What was measured holds its noise
    already, so that a replay adds none.

    Raises:
        NoResultError: no experiment succeeded.
    """
    config = parse_stored_task(task.config, source=f"task {task.id}")
    finished = [
        e
        for e in store.experiments(task.id)
        if e.status in ("completed", "failed") and e.failure_kind not in NOT_ITS_OWN
    ]
    launches = tuple(_launch(experiment, task, config) for experiment in finished)
    if not any(level.true for launch in launches for level in launch.levels):
        raise no_frontier(task.id, task.status, len(finished))
    isl, osl = workload_of(config, f"task {task.id}").mean()
    replayed = f", replayed from {config.replay.landscape}" if config.replay else ""
    return Landscape(
        name=f"run-{task.id}",
        model=task.model,
        device=_device(task, finished),
        isl=isl,
        osl=osl,
        launches=launches,
        source=f"task {task.id} '{task.name}'{replayed}",
    )


def no_frontier(task_id: int, status: str, launches: int) -> NoResultError:
    """The error that a task has no frontier, with what to do in its state.

    Args:
        launches: those that have been made.
    """
    made = f"{launches} launch{'' if launches == 1 else 'es'}"
    why = f"{made} measured no operating point" if launches else f"it is {status}"
    remedy = _REMEDIES.get(status, "see why its launches failed, change the task and run it again")
    return NoResultError(f"task {task_id} has no frontier: {why}", remedy=remedy)


_UNTIL_THEN = "export it when a launch has succeeded"
_REMEDIES = {
    "pending": f"start it, and {_UNTIL_THEN}",
    "queued": f"it waits for a worker; {_UNTIL_THEN}",
    "running": _UNTIL_THEN,
    **dict.fromkeys(("paused", "interrupted"), f"go on with it, and {_UNTIL_THEN}"),
}
"""Status -> what brings a frontier; in all others the task is over."""


def _launch(experiment: ExperimentRecord, task: TaskRecord, config: TaskConfig) -> RecordedLaunch:
    gpus = max(occupied_gpus(experiment.settings), 1)
    engine = str(experiment.settings.get("system.backend", task.engine))
    # What a failed experiment measured before it failed takes no part in a search either.
    failed = experiment.status == "failed"
    tried = {level.load for level in experiment.measurements}
    points = operating_points(experiment.candidate_id, experiment.measurements, gpus=gpus)
    measured = {} if failed else {point.load: point for point in points}
    predicted = {point.load: point for point in experiment.base}
    return RecordedLaunch(
        id=experiment.candidate_id,
        engine=engine,
        gpus=gpus,
        settings=experiment.settings | {"system.backend": engine},
        levels=tuple(
            _level(level, experiment, measured.get(level), predicted.get(level))
            for level in sorted(_planned(task, config) if failed else tried)
        ),
        startup_s=experiment.startup_s,
        measure_s=experiment.measure_s,
    )


def _planned(task: TaskRecord, config: TaskConfig) -> Sequence[LoadLevel]:
    """The load levels of its launches; the task knows them where its task leaves them out."""
    return config.benchmark.levels or planned_levels(task.plan)


def _level(
    load: LoadLevel,
    experiment: ExperimentRecord,
    measured: OperatingPoint | None,
    predicted: Prediction | None,
) -> RecordedLevel:
    true = base = None
    if measured is not None:
        figures = (measured.ttft_ms, measured.tpot_ms, measured.tok_s, measured.e2e_p90_ms)
        true = PointMetrics(*figures)
    if predicted is not None:
        base = PointMetrics(predicted.ttft_ms, predicted.tpot_ms, predicted.tok_s, predicted.e2e_ms)
    silent = "oom" if (experiment.unpredicted or "").startswith(_OUT_OF_MEMORY) else "na"
    return RecordedLevel(
        load=load,
        true=true,
        true_status="ok" if true else _failure(load, experiment),
        predicted=base,
        predicted_status="ok" if base else silent,
        predicted_memory_gib=predicted.memory_gib if predicted else None,
        noise_cv=0.0,
    )


def _failure(load: LoadLevel, experiment: ExperimentRecord) -> str:
    """Whether a level without figures ran out of memory, or failed in another way."""
    recorded = [
        message
        for level in experiment.measurements
        for message in level.errors
        if level.load == load
    ]
    by_level = any(message.startswith(_OUT_OF_MEMORY) for message in recorded)
    return "oom" if by_level or experiment.failure_kind == FailureKind.OUT_OF_MEMORY else "failed"


def _device(task: TaskRecord, experiments: Sequence[ExperimentRecord]) -> str:
    """The GPU by the catalog's name; a CPU as the task describes it."""
    named = experiments[0].settings.get("system.gpu_type")
    if named is None or named.lower() == "cpu":
        return task.device.removeprefix(_CPU)
    gpu = known_gpu(named)
    return named if gpu is None else gpu.name
