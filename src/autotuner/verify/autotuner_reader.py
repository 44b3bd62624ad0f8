"""Our own JSON documents: a task (`show --json`) and predictions (`predict --json`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from autotuner.config import LoadLevel, parse_stored_task
from autotuner.config.fault_words import problems_of
from autotuner.errors import VerifyError
from autotuner.measure import Measurement
from autotuner.tuning.points import occupied_gpus, operating_points, pooled_levels
from autotuner.tuning.summary import ExperimentView, TaskSummary
from autotuner.verify.points import Excluded, Point, PointFile, figure, occupied, whole

RUN, PREDICTIONS = "autotuner-run", "autotuner-predict"
_FIGURES = ("ttft_ms", "tpot_ms", "tok_s")
_CLIENT = "the load generator may have set these figures"
_NOTHING = "requests failed, or nothing was measured"
_SATURATED = "the engine did not keep up with it"


def read_run(document: Mapping[str, Any], path: Path) -> PointFile:
    """Every valid level that a task measured; where a level was repeated, its median.

    Raises:
        VerifyError: not the document of a task, or of another version.
    """
    try:
        summary = TaskSummary.model_validate(document)
    except ValidationError as error:
        raise VerifyError(
            f"{path} is no task: {problems_of(error)[0]}",
            remedy="give what `autotuner show RUN --json` of this version prints",
        ) from None
    return measured_points(summary, str(path))


def measured_points(summary: TaskSummary, name: str) -> PointFile:
    """Every valid level of a task, and what could not be used of it."""
    points: list[Point] = []
    excluded: list[Excluded] = []
    for experiment in summary.experiments:
        found = _levels(experiment, summary)
        points += found
        if experiment.failure is not None:
            excluded.append(Excluded(experiment.id, f"failed: {experiment.failure.kind}"))
            continue
        read = {point.load for point in found}
        unread = {level.load for level in experiment.measurements} - read
        saturated = {level.load for level in experiment.measurements if level.saturated}
        excluded += [
            Excluded(f"{experiment.id} at {load}", _SATURATED if load in saturated else _NOTHING)
            for load in sorted(unread)
        ]
    return PointFile(name, RUN, tuple(points), tuple(excluded))


def read_predictions(document: Mapping[str, Any], path: Path) -> PointFile:
    """Every prediction of `autotuner predict --json`.

    Raises:
        VerifyError: a key is missing.
    """
    missing = [key for key in ("model", "engine", "workload") if key not in document]
    if missing:
        raise VerifyError(
            f"{path} is no prediction: {missing[0]} is missing",
            remedy="give what `autotuner predict TASK --json` prints",
        )
    if not isinstance(document["predictions"], list) or not isinstance(document["workload"], dict):
        raise VerifyError(f"{path} is no prediction: predictions or workload is of another kind")
    points: list[Point] = []
    excluded: list[Excluded] = []
    for index, row in enumerate(document["predictions"]):
        source = f"predictions[{index}]"
        try:
            points.append(_prediction(row, document, source))
        except KeyError as error:
            excluded.append(Excluded(source, f"{error.args[0]} is missing"))
        except (ValueError, TypeError, AttributeError) as error:
            excluded.append(Excluded(source, str(error)))
    if not points and excluded:
        raise VerifyError(f"{path}: {excluded[0].source}: {excluded[0].why}")
    notes = (f"predicted by {document['predictor']}",) if document.get("predictor") else ()
    return PointFile(
        str(path),
        PREDICTIONS,
        tuple(points),
        tuple(excluded),
        notes=notes,
        corrected_by=frozenset(map(str, document.get("corrected_by") or ())),
    )


def _prediction(row: Mapping[str, Any], document: Mapping[str, Any], source: str) -> Point:
    workload = document["workload"]
    one_token = workload.get("osl") == 1
    figures: dict[str, Any] = {
        name: figure(name, row[name])
        for name in _FIGURES
        if not (one_token and name == "tpot_ms" and row[name] is None)
    }
    settings = dict(row.get("settings") or {})
    gpus = row.get("gpus")
    return Point(
        **figures,
        load=_load(row),
        gpus=max(int(gpus), 1) if gpus is not None else occupied(settings),
        model=document["model"],
        engine=settings.get("system.backend") or _only(document["engine"]),
        engine_version=settings.get("system.backend_version"),
        system=settings.get("system.gpu_type") or document.get("device"),
        candidate=row.get("candidate"),
        settings=settings,
        isl=workload.get("isl"),
        osl=workload.get("osl"),
        source=source,
        originals=dict(row),
        remarks=(row["note"],) if row.get("note") else (),
    )


def _load(row: Mapping[str, Any]) -> LoadLevel:
    """Of a predicted row; `concurrency` alone, where it was written before there were loads."""
    if "load" in row:
        return LoadLevel.from_json(row["load"])
    return LoadLevel.concurrency(whole("concurrency", row["concurrency"]))


def _only(names: Any) -> str | None:
    """The engine of a task that has one; of several, each candidate says its own."""
    return None if not isinstance(names, str) or "," in names else names


def _levels(experiment: ExperimentView, summary: TaskSummary) -> list[Point]:
    if experiment.status != "completed":
        return []
    settings: dict[str, Any] = dict(experiment.settings)
    gpus = occupied_gpus(settings)
    isl, osl, lengths = run_workload(summary, settings)
    levels = pooled_levels(experiment.measurements)
    return [
        Point(
            load=point.load,
            ttft_ms=point.ttft_ms,
            tpot_ms=point.tpot_ms,
            tok_s=point.tok_s,
            gpus=max(gpus, 1),
            model=summary.task.model,
            engine=settings.get("system.backend") or summary.task.engine,
            engine_version=settings.get("system.backend_version") or summary.task.engine_version,
            system=settings.get("system.gpu_type") or summary.task.device,
            candidate=experiment.id,
            settings=settings,
            isl=isl,
            osl=osl,
            lengths=lengths,
            tool=levels[point.load][0].tool,
            source=f"task {summary.task.id}, {experiment.id} at {point.load}",
            originals={"levels": [m.model_dump() for m in levels[point.load]]},
            remarks=remarks(levels[point.load]),
        )
        for point in operating_points(experiment.id, experiment.measurements, gpus=gpus)
    ]


def remarks(levels: list[Measurement]) -> tuple[str, ...]:
    """Remarks on one level and its repeats."""
    notes = []
    short = sum(level.requests_short for level in levels)
    if short:
        notes.append(f"{short} answers were shorter than asked for")
    if any(level.client_bottleneck for level in levels):
        notes.append(_CLIENT)
    return (*notes, *dict.fromkeys(level.note for level in levels if level.note))


def run_workload(
    summary: TaskSummary, settings: Mapping[str, Any]
) -> tuple[float | None, float | None, str | None]:
    """Mean input and output tokens, and the distribution where they are not fixed."""
    workload = parse_stored_task(
        summary.task.config, source=f"task {summary.task.id}"
    ).benchmark.workload
    if workload is None:
        return settings.get("runtime.isl"), settings.get("runtime.osl"), None
    isl, osl = workload.mean()
    return isl, osl, None if workload.kind == "D" else str(workload)
