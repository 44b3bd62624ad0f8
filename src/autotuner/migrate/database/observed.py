"""Observations of what version 1 measured: beside what a predictor says, for calibration."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
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
NO_OBSERVATION = "no observation for predictions"
"""Begins the note of an experiment of which there is none, at `experiments.N.metrics`."""
_NO_WORDS = {"extra_args": None}
_MOST_KNOWN = 5_000
"""Answers of a predictor that are kept."""


class Seen(NamedTuple):
    """A level of an experiment that predictions can learn from.

    `asked` is the candidate as predictors see it, `settings` all that it sets.
    """

    experiment: Launched
    candidate: Candidate
    asked: Candidate
    settings: Mapping[str, Any]
    level: RawLevel
    measurement: Measurement


class BasePrediction(NamedTuple):
    """The prediction that an observation stands beside, and how many devices it is of."""

    name: str
    ttft_ms: float
    tpot_ms: float | None
    devices: int
    members: Mapping[str, tuple[float, float | None]]


Bases = Callable[[str, Scenario, Sequence[Seen]], list[BasePrediction | str]]
"""For the levels of a task (its identity is given) under one workload: what observations of them
stand beside, or why there are none."""


class _Answer(NamedTuple):
    """Predictions by load, each with its predictor; and why there are no more."""

    points: Mapping[LoadLevel, tuple[str, Prediction]]
    why: str


class Observer:
    """Makes observations of whole tasks, beside what the predictor says that tasks have by default.

    Args:
        cache: folder in which slow predictors keep their answers.
    """

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self._predictor: Predictor = best_of_both(cache=cache)
        self._known: dict[tuple[object, ...], _Answer] = {}

    def __call__(self, launches: Launches) -> tuple[tuple[Observation, ...], tuple[Note, ...]]:
        """Observations, and a note for every experiment of which there is none."""
        return observed(launches, self._bases)

    def _bases(
        self, identity: str, scenario: Scenario, group: Sequence[Seen]
    ) -> list[BasePrediction | str]:
        predicted = self._predicted(scenario, group)
        found: list[BasePrediction | str] = []
        for one in group:
            answer = predicted[one.asked.id]
            base = answer.points.get(one.measurement.load)
            found.append(answer.why if base is None else _base(*base))
        return found

    def _predicted(self, scenario: Scenario, group: Sequence[Seen]) -> dict[str, _Answer]:
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


def observed(launches: Launches, bases: Bases) -> tuple[tuple[Observation, ...], tuple[Note, ...]]:
    """Observations of a task, and a note for every experiment of which there is none."""
    notes: list[Note] = []
    found: list[Observation] = []
    for group in _groups(launches, notes):
        found += _observations(launches, group, notes, bases)
    return tuple(found), tuple(notes)


def _groups(launches: Launches, notes: list[Note]) -> list[list[Seen]]:
    """Levels that were steady, by GPU and workload."""
    seen: dict[tuple[str, str], list[Seen]] = {}
    for experiment in launches.experiments:
        try:
            candidate, asked, sets = _candidates(json.dumps(experiment.settings))
        except ValidationError as error:
            notes.append(_unseen(experiment, f"{error.errors()[0]['msg']}"))
            continue
        for level in experiment.levels:
            measurement = level.measurement
            steady = measurement.valid and informative_levels((measurement,))
            if steady and measurement.ttft_ms is not None:
                where = experiment.gpu.name, level.scenario
                seen.setdefault(where, []).append(
                    Seen(experiment, candidate, asked, sets, level, measurement)
                )
    return list(seen.values())


def _observations(
    launches: Launches, group: Sequence[Seen], notes: list[Note], bases: Bases
) -> list[Observation]:
    """Observations on one GPU under one workload."""
    first = group[0]
    try:
        scenario = _scenario(launches.document, first.experiment.gpu, first.level.scenario)
        answers = bases(launches.identity, scenario, group)
    except (AutotunerError, ValueError) as error:
        why = str(error).replace("\n", " ")
        notes += dict.fromkeys(_unseen(one.experiment, why) for one in group)
        return []
    found = []
    unseen: dict[Note, None] = {}
    for one, base in zip(group, answers, strict=True):
        why = base if isinstance(base, str) else ""
        if isinstance(base, BasePrediction):
            try:
                found.append(_observation(launches.identity, scenario, one, base))
                continue
            except ValueError as error:
                why = str(error)
        unseen[_unseen(one.experiment, why)] = None
    notes += unseen
    return found


def _base(name: str, predicted: Prediction) -> BasePrediction:
    return BasePrediction(
        *(name, predicted.ttft_ms, predicted.tpot_ms, predicted.devices),
        members=predicted.other_members,
    )


@functools.lru_cache(maxsize=_MOST_KNOWN)
def _candidates(settings: str) -> tuple[Candidate, Candidate, Mapping[str, Any]]:
    """The candidate of settings in JSON, itself as predictors see it, and all that it sets: many
    tasks launch the same.

    Raises:
        ValidationError: these are settings of no candidate.
    """
    candidate = Candidate.from_settings(json.loads(settings))
    return candidate, _without_words(candidate), candidate.settings()


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


def _observation(identity: str, scenario: Scenario, one: Seen, base: BasePrediction) -> Observation:
    measured = one.measurement
    tpot = measured.tpot_ms.mean if measured.tpot_ms else None
    return Observation(
        model=scenario.model,
        family=scenario.facts.architecture,
        engine=scenario.engine,
        engine_version=None,
        device=scenario.device,
        devices=base.devices,
        settings=dict(one.settings),
        isl=scenario.isl,
        osl=scenario.osl,
        load=measured.load,
        ttft_ms=measured.ttft_ms.mean if measured.ttft_ms else 0.0,
        tpot_ms=tpot,
        tok_s=measured.tok_s,
        base=base.name,
        base_ttft_ms=base.ttft_ms,
        base_tpot_ms=base.tpot_ms if tpot is not None else None,
        members=base.members,
        launch=launch_of(identity, one),
        tool=TOOL,
        source=SOURCE,
        at=one.experiment.at,
    )


def launch_of(identity: str, one: Seen) -> str:
    """The word that observations of one experiment of a source share."""
    return f"{identity[:16]}-{one.experiment.source_id}"


def _unseen(experiment: Launched, why: str) -> Note:
    return Note(
        f"experiments.{experiment.source_id}.metrics",
        Done.KEPT,
        f"{NO_OBSERVATION}: {why}",
    )
