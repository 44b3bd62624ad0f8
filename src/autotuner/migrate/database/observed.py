"""Observations of what version 1 measured: beside what a predictor says, for calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from autotuner.catalog import Gpu, ModelFacts, known_model
from autotuner.config import Candidate, LengthDistribution, LoadLevel
from autotuner.engines import engine_table
from autotuner.errors import AutotunerError
from autotuner.measure import Measurement
from autotuner.measure.genai_bench import TOOL
from autotuner.migrate.database.measured import RawLevel
from autotuner.migrate.database.tasks import Launched, Launches
from autotuner.migrate.draft import Done, Note
from autotuner.predict import Observation, Prediction, Predictions, Predictor, Scenario
from autotuner.predict.combined import answers, best_of_both
from autotuner.tuning.points import informative_levels

SOURCE = "version 1"
_NO_WORDS = {"extra_args": None}
_MOST_KNOWN = 5_000
"""Answers of a predictor that are kept."""


class _Seen(NamedTuple):
    experiment: Launched
    candidate: Candidate
    asked: Candidate
    level: RawLevel
    measurement: Measurement


class _Answer(NamedTuple):
    """Predictions by load, each with its predictor; and why there are no more."""

    points: Mapping[LoadLevel, tuple[str, Prediction]]
    why: str


class Observer:
    """Makes observations of whole tasks.

    Args:
        predictor: asked for what observations stand beside.
    """

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self._known: dict[tuple[object, ...], _Answer] = {}

    @classmethod
    def of(cls, cache: Path) -> Observer:
        """With the predictor that tasks have unless they name another.

        Args:
            cache: folder in which slow predictors keep their answers.
        """
        return cls(best_of_both(cache=cache))

    def __call__(self, launches: Launches) -> tuple[tuple[Observation, ...], tuple[Note, ...]]:
        """Observations, and a note for every experiment of which there is none."""
        seen: dict[tuple[str, str], list[_Seen]] = {}
        notes: list[Note] = []
        for experiment in launches.experiments:
            try:
                candidate = Candidate.from_settings(dict(experiment.settings))
                asked = _without_words(candidate)
            except ValidationError as error:
                notes.append(_unseen(experiment, f"{error.errors()[0]['msg']}"))
                continue
            for level in experiment.levels:
                measurement = level.measurement
                steady = measurement.valid and informative_levels((measurement,))
                if steady and measurement.ttft_ms is not None:
                    where = experiment.gpu.name, level.scenario
                    seen.setdefault(where, []).append(
                        _Seen(experiment, candidate, asked, level, measurement)
                    )
        found: list[Observation] = []
        for group in seen.values():
            found += self._observed(launches, group, notes)
        return tuple(found), tuple(notes)

    def _observed(
        self, launches: Launches, group: Sequence[_Seen], notes: list[Note]
    ) -> list[Observation]:
        """Observations on one GPU under one workload."""
        first = group[0]
        try:
            scenario = _scenario(launches.document, first.experiment.gpu, first.level.scenario)
            predicted = self._predicted(scenario, group)
        except (AutotunerError, ValueError) as error:
            why = str(error).replace("\n", " ")
            notes += dict.fromkeys(_unseen(one.experiment, why) for one in group)
            return []
        found = []
        unseen: dict[Note, None] = {}
        for one in group:
            answer = predicted[one.asked.id]
            base, why = answer.points.get(one.measurement.load), answer.why
            if base is not None:
                try:
                    found.append(_observation(launches.identity, scenario, one, *base))
                    continue
                except ValueError as error:
                    why = str(error)
            unseen[_unseen(one.experiment, why)] = None
        notes += unseen
        return found

    def _predicted(self, scenario: Scenario, group: Sequence[_Seen]) -> dict[str, _Answer]:
        """The answer for each candidate at the loads of the group.

        Many tasks of a database launch the same candidates: each is asked once.
        """
        candidates = {one.asked.id: one.asked for one in group}
        levels = tuple(sorted({one.measurement.load for one in group}))
        place = (scenario.model, scenario.engine, scenario.device, scenario.isl, scenario.osl)
        keys = {id_: (place, id_, levels) for id_ in candidates}
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        unknown = [candidates[id_] for id_, key in keys.items() if key not in self._known]
        if unknown:
            parts = answers(self._predictor, scenario, unknown, levels)
            for candidate in unknown:
                self._known[keys[candidate.id]] = _answer(parts, candidate.id)
        return {id_: self._known[key] for id_, key in keys.items()}


def _without_words(candidate: Candidate) -> Candidate:
    """The candidate as predictors see it: words for the engine tell them nothing."""
    if candidate.misc.extra_args is None:
        return candidate
    return candidate.model_copy(update={"misc": candidate.misc.model_copy(update=_NO_WORDS)})


def _answer(parts: Sequence[Predictions], candidate_id: str) -> _Answer:
    why = "nothing is predicted of this load"
    points = {}
    for part in parts:
        memory = part.out_of_memory.get(candidate_id)
        why = (
            f"predicted not to fit: {memory.why}" if memory else part.refused.get(candidate_id, why)
        )
        for point in part.points:
            if point.candidate_id == candidate_id:
                points[point.load] = (part.predictor, point)
    return _Answer(points, why)


def _scenario(document: Mapping[str, Any], gpu: Gpu, lengths: str) -> Scenario:
    """Circumstances of a level; of the task's workload where version 1 kept no scenario.

    Raises:
        ValueError: its request lengths are not known.
    """
    model = document["model"]
    name = str(model.get("id") or model.get("path"))
    known = known_model(name)
    workload = lengths or str((document.get("benchmark") or {}).get("workload", ""))
    isl, osl = LengthDistribution.parse(workload).mean()
    backend = document["system"]["backend"]
    engine = str(backend[0] if isinstance(backend, list) else backend)
    return Scenario(
        model=known.id if known else name,
        facts=known.facts if known else ModelFacts(),
        engine=engine,
        engine_version=None,
        gpu=gpu,
        device=gpu.name,
        isl=isl,
        osl=osl,
        defaults=engine_table(engine).defaults,
    )


def _observation(
    identity: str, scenario: Scenario, one: _Seen, base: str, predicted: Prediction
) -> Observation:
    measured = one.measurement
    tpot = measured.tpot_ms.mean if measured.tpot_ms else None
    return Observation(
        model=scenario.model,
        family=scenario.facts.architecture,
        engine=scenario.engine,
        engine_version=None,
        device=scenario.device,
        devices=predicted.devices,
        settings=one.candidate.settings(),
        isl=scenario.isl,
        osl=scenario.osl,
        load=measured.load,
        ttft_ms=measured.ttft_ms.mean if measured.ttft_ms else 0.0,
        tpot_ms=tpot,
        tok_s=measured.tok_s,
        base=base,
        base_ttft_ms=predicted.ttft_ms,
        base_tpot_ms=predicted.tpot_ms if tpot is not None else None,
        launch=f"{identity[:16]}-{one.experiment.source_id}",
        tool=TOOL,
        source=SOURCE,
        at=one.experiment.at,
    )


def _unseen(experiment: Launched, why: str) -> Note:
    return Note(
        f"experiments.{experiment.source_id}.metrics",
        Done.KEPT,
        f"no observation for predictions: {why}",
    )
