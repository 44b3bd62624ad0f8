"""The answer of predictions alone, as `autotuner recommend --json` prints it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any, Self

from autotuner.engines import sample_request
from autotuner.report.plan_document import chosen_document, mixed_text
from autotuner.search import OBJECTIVES
from autotuner.search.slo import served_by, within
from autotuner.tuning.estimate import RecommendedPrediction
from autotuner.tuning.first_task_asked import Asked
from autotuner.tuning.predicted_choice import (
    ChoiceByPrediction,
    PointOfKind,
    choose,
    engines_of,
)
from autotuner.tuning.predicted_tasks import PredictedTask, PredictedTasks
from autotuner.tuning.slo_effects import predicted_points, slo_effects
from autotuner.tuning.why_sentences import why_not_lines

MOST_RIVALS = 8


@dataclass(frozen=True)
class Recommendation:
    """Predicted tasks and what was chosen among their points; None where nothing is predicted."""

    asked: Asked
    tasks: PredictedTasks
    choice: ChoiceByPrediction | None

    @classmethod
    def of(cls, asked: Asked, tasks: PredictedTasks) -> Self:
        """Chooses among the points of all engines.

        Args:
            asked: for any of the engines.
        """
        objectives = tasks.tasks[0].prepared.task.objectives if tasks.tasks else ()
        return cls(asked, tasks, choose(tasks.points(), asked.slo, objectives))

    @property
    def fits(self) -> bool:
        """Whether a point is predicted within the SLO."""
        return self.choice is not None and self.choice.meets_slo


def recommendation_document(found: Recommendation, *, seconds: float) -> dict[str, Any]:
    """The answer as JSON has it; docs/json.md describes it."""
    asked, tasks, choice = found.asked, found.tasks.tasks, found.choice
    points = [point for task in tasks for point in task.found.points]
    return {
        "model": tasks[0].prepared.model.name if tasks else asked.name,
        "gpu": asked.gpu,
        "gpus": asked.gpus,
        "workload": {"isl": asked.isl, "osl": asked.osl},
        "slo": dict(asked.slo),
        "usd_per_gpu_hour": tasks[0].prepared.usd_per_gpu_hour if tasks else None,
        "engines": [_engine(task) for task in tasks],
        "refused": dict(found.tasks.refused),
        "mixed": mixed_text(points),
        "meets_slo": found.fits,
        "recommended": None if choice is None else _chosen(found, choice.best, choice.reason),
        "certain": None
        if choice is None or choice.certain is None
        else _chosen(found, choice.certain, "the best whose intervals are within all limits"),
        "alternatives": [
            {**_chosen(found, one.place, ""), "differs": list(one.differs)}
            for one in (choice.alternatives if choice else ())
        ],
        "why_not": _why_not(found),
        "measuring": None if choice is None else measuring_document(found, choice),
        "warnings": list(found.tasks.warnings),
        "seconds": seconds,
    }


def _why_not(found: Recommendation) -> list[str]:
    """Why nothing fits, of the points of all engines, in sentences; empty where something does."""
    slo, tasks = found.asked.slo, found.tasks.tasks
    if found.fits or not slo or not tasks:
        return []
    points = [
        point for task in tasks for point in predicted_points(task.prepared, task.found.points, slo)
    ]
    objectives = tasks[0].prepared.task.objectives
    effects = slo_effects("predicted", points, slo, objectives, ())
    return why_not_lines(effects, slo, OBJECTIVES[served_by(objectives)].unit)


def _engine(task: PredictedTask) -> dict[str, Any]:
    found = task.found
    return {
        "engine": task.engine,
        "engine_version": task.prepared.engine_version,
        "candidates": found.candidates,
        "predicted": sum(bool(expected.points) for expected in found.expected.values()),
        "out_of_memory": len(found.out_of_memory),
        "refused": len(found.refused),
        "predictor": "; ".join(found.whys) or None,
        "why": "; ".join(dict.fromkeys(found.whys.values())),
        "observations": found.observations,
    }


def _chosen(found: Recommendation, place: PointOfKind, reason: str) -> dict[str, Any]:
    """A point of any engine, its command and request, and how many such replicas the GPUs hold."""
    prepared, slo = found.tasks.of(place.engine).prepared, found.asked.slo
    meets = place.verdict(slo) if slo else None
    chosen = RecommendedPrediction(
        place.prediction, reason, meets_slo=within(place.point, slo) if slo else True
    )
    document = chosen_document(prepared, chosen)
    spec = prepared.space.specs[place.prediction.candidate_id]
    return {
        "engine": place.engine,
        **document,
        "verdict": meets,
        "kind": place.prediction.kind,
        "replicas_that_fit": replicas_that_fit(found, place),
        "sample_request": sample_request(spec.command(), place.engine),
    }


def replicas_that_fit(found: Recommendation, place: PointOfKind) -> int:
    """How many engines like this one the GPUs hold; one on a CPU."""
    return max(found.asked.gpus // place.prediction.devices, 1)


def measuring_document(found: Recommendation, choice: ChoiceByPrediction) -> dict[str, Any]:
    """Kinds that only measurements tell apart, and the commands that measure them."""
    engines = engines_of((choice.best, *choice.rivals))
    return {
        "kinds": choice.kinds,
        "rivals": len(choice.rivals),
        "first_rivals": [
            {"engine": one.engine, "candidate": one.prediction.candidate_id}
            for one in choice.rivals[:MOST_RIVALS]
        ],
        "tasks": [_tune(found.tasks.of(engine)) for engine in engines],
    }


def _tune(task: PredictedTask) -> dict[str, Any]:
    file = f"{task.asked.name}-{task.engine}.yaml"
    return {
        "engine": task.engine,
        "launches": task.measured.engine_starts,
        "minutes": task.minutes,
        "usd": task.usd,
        "load": [level.to_json() for level in task.measured.task.benchmark.levels],
        "load_missing": [level.to_json() for level in task.unmeasured],
        "commands": [_init_command(task.asked, file), f"autotuner tune {shlex.quote(file)}"],
    }


def _init_command(asked: Asked, file: str) -> str:
    limits = ",".join(f"{name}={limit:g}" for name, limit in asked.slo.items())
    words = [
        *("autotuner", "init", "--model", asked.model.path or asked.model.id or ""),
        *("--gpu", asked.gpu),
        *(() if asked.on_cpu else ("--gpus", str(asked.gpus))),
        *("--engine", asked.engine, "--isl", str(asked.isl), "--osl", str(asked.osl)),
        *(("--slo", limits) if limits else ()),
        *("--output", file),
    ]
    return shlex.join(words)
