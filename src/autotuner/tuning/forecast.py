"""Expectations of a task's candidates before they are launched.

A predictor never breaks tuning: what it cannot say is kept with its reason, and an error that
nobody expected becomes a warning with its name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autotuner.config import Candidate, LoadLevel, PredictionConfig
from autotuner.landscapes import RecordedPredictor, Replay, same_model
from autotuner.measure.replay import TOOL as REPLAY_TOOL
from autotuner.predict import (
    Observation,
    OutOfMemory,
    Prediction,
    Predictions,
    Predictor,
    Scenario,
    Support,
)
from autotuner.predict.agreement import weighed
from autotuner.predict.calibration import CalibratedPredictor, correcting
from autotuner.predict.combined import Choose, answers, predictor_for
from autotuner.predict.predictor import ANY_LOAD, METRICS
from autotuner.store import About, Store
from autotuner.tuning.prepare import Prepared
from autotuner.tuning.scenarios import Question, scenarios

Calibrate = Callable[[Predictor, Sequence[Observation]], Predictor]
MOST_REMEMBERED = 5_000
"""Observations that are read: what is more, and farther from the task, corrects nothing."""
PREDICTION_CACHE = Path("cache") / "predictions"
"""Under the home: answers of predictors that are slow to ask."""

ASKED_AT_ONCE = 500
"""Candidates between two calls of `progress`."""


@dataclass(frozen=True)
class Expected:
    """Expectation of one candidate, as known at a moment.

    Attributes:
        predictor: the name of the one that answered.
        base: what it says, load levels rising.
        calibrated: the same, corrected by what was measured before.
        out_of_memory: why it is expected not to fit.
        refused: why nothing can be said.
    """

    predictor: str = ""
    base: tuple[Prediction, ...] = ()
    calibrated: tuple[Prediction, ...] = ()
    out_of_memory: OutOfMemory | None = None
    refused: str | None = None

    @property
    def points(self) -> tuple[Prediction, ...]:
        """The best that is known: calibrated where it can be."""
        return self.calibrated or self.base

    @property
    def absent(self) -> str | None:
        """Why there are no points; None where there are."""
        if self.out_of_memory is not None:
            return f"out of memory: {self.out_of_memory.why}"
        return self.refused

    def at(self, load: LoadLevel) -> Prediction | None:
        """The best that is known of a load level."""
        return next((p for p in self.points if p.load == load), None)


class Forecast:
    """Answers for candidates; each is asked of its predictor once.

    Args:
        questions: scenarios with their candidates.
        choose: the predictor of a scenario; asked when the first of its candidates is.
        calibrate: makes a predictor that observations correct; None leaves predictions as they are.
        replays: the model whose recorded launches are replayed; what other tasks saw of it counts
            for nothing, since it may be the answer itself.
        silent: why nothing is said of candidates outside `questions`.
        warnings: what went wrong before.

    Attributes:
        whys: predictor -> why it was chosen.
        warnings: what went wrong in a predictor, each once.
    """

    def __init__(
        self,
        questions: Sequence[Question],
        load_levels: Sequence[LoadLevel],
        *,
        choose: Choose = predictor_for,
        calibrate: Calibrate | None = None,
        replays: str | None = None,
        silent: str = "",
        warnings: Sequence[str] = (),
    ) -> None:
        self._questions = tuple(questions)
        self._levels = tuple(sorted(load_levels))
        self._choose = choose
        self._calibrate = calibrate
        self._replays = replays
        self._silent = silent
        self._places = {
            candidate.id: (place, candidate)
            for place, (_, candidates) in enumerate(questions)
            for candidate in candidates
        }
        self._chosen: dict[int, Predictor] = {}
        self._known: dict[str, Expected] = {}
        self.whys: dict[str, str] = {}
        self.warnings = list(warnings)

    def scenario(self, candidate_id: str) -> Scenario | None:
        """The circumstances of a candidate; None where nobody is asked about it."""
        place = self._places.get(candidate_id)
        return None if place is None else self._questions[place[0]][0]

    def expected(
        self, candidate_ids: Iterable[str], observations: Sequence[Observation] = ()
    ) -> dict[str, Expected]:
        """Expectation of each, where `observations` are known."""
        ids = list(dict.fromkeys(candidate_ids))
        groups: dict[int, list[Candidate]] = {}
        for key in ids:
            if key in self._places:
                place, candidate = self._places[key]
                groups.setdefault(place, []).append(candidate)
        found: dict[str, Expected] = {}
        for place, group in groups.items():
            new = [candidate for candidate in group if candidate.id not in self._known]
            if new:
                self._known.update(self._asked(place, new))
            found.update(self._corrected(place, group, observations))
        return {key: found.get(key) or Expected(refused=self._silent) for key in ids}

    def expected_in_batches(
        self,
        ids: Sequence[str],
        observations: Sequence[Observation] = (),
        *,
        progress: Callable[[int, int], None],
    ) -> dict[str, Expected]:
        """As `expected`, `ASKED_AT_ONCE` at a time; `progress` gets how many, of how many."""
        found: dict[str, Expected] = {}
        for begin in range(0, len(ids), ASKED_AT_ONCE):
            found |= self.expected(ids[begin : begin + ASKED_AT_ONCE], observations)
            progress(len(found), len(ids))
        return found

    def remembered(
        self, store: Store, *, until: int | None = None, besides_task: int | None = None
    ) -> tuple[Observation, ...]:
        """Other tasks' observations that count: what was measured on engines, or in a replay
        what is not of its model; at most `MOST_REMEMBERED`, those nearest to what is asked. What
        others measured and disagrees with what is known is left out.

        Args:
            until: as in `About`.
            besides_task: the task that asks.
        """
        asked = [scenario for scenario, _ in self._questions]
        about = About(
            models=tuple({scenario.model for scenario in asked}),
            engines=tuple({scenario.engine for scenario in asked}),
            devices=tuple({scenario.device for scenario in asked}),
            besides_tool=REPLAY_TOOL if self._replays is None else None,
            besides_task=besides_task,
            until=until,
        )
        kept = store.observations_about(about, most=MOST_REMEMBERED) if asked else ()
        found = [
            record.observation
            for record in kept
            if self._replays is None or not same_model(record.observation.model, self._replays)
        ]
        return weighed(found).kept

    def relevant(self, observations: Sequence[Observation]) -> tuple[Observation, ...]:
        """The observations that changed what was said of the candidates asked so far."""
        if self._calibrate is None:
            return ()
        asked = {
            (expected.predictor, self._places[key][0])
            for key, expected in self._known.items()
            if expected.base
        }
        found = {
            seen
            for base, place in asked
            for seen in map(id, correcting(observations, base, self._questions[place][0]))
        }
        return tuple(seen for seen in observations if id(seen) in found)

    def _asked(self, place: int, candidates: Sequence[Candidate]) -> dict[str, Expected]:
        scenario = self._questions[place][0]
        try:
            if place not in self._chosen:
                self._chosen[place], why = self._choose(scenario)
                self.whys[self._chosen[place].name] = why
            parts = answers(self._chosen[place], scenario, candidates, self._levels)
            _check(parts)
        except Exception as error:  # whatever it is, tuning goes on, and says what it was
            reason = self._warn("the predictor failed", error)
            return {candidate.id: Expected(refused=reason) for candidate in candidates}
        return {key: expected for part in parts for key, expected in _by_candidate(part).items()}

    def _corrected(
        self, place: int, candidates: Sequence[Candidate], observations: Sequence[Observation]
    ) -> dict[str, Expected]:
        scenario = self._questions[place][0]
        found = {candidate.id: self._known[candidate.id] for candidate in candidates}
        if self._calibrate is None:
            return found
        for name in dict.fromkeys(expected.predictor for expected in found.values()):
            group = [c for c in candidates if found[c.id].predictor == name and found[c.id].base]
            if not group:
                continue
            known = _Answered(name, {c.id: found[c.id].base for c in group})
            seen = [observation for observation in observations if observation.base == name]
            try:
                answer = self._calibrate(known, seen).predict(scenario, group, self._levels)
                _check((answer,))
            except Exception as error:  # the same: what is left is the base's own prediction
                self._warn("calibration failed", error)
                continue
            for key, corrected in _by_candidate(answer).items():
                found[key] = replace(found[key], calibrated=corrected.base)
        return found

    def _warn(self, what: str, error: Exception) -> str:
        text = f"{what}: {type(error).__name__}: {error}"
        if text not in self.warnings:
            self.warnings.append(text)
        return text


def forecast_of(prepared: Prepared, home: Path, *, measure: bool = True) -> Forecast:
    """The forecast that a task asks for in `prediction`.

    Args:
        measure: whether a CPU whose speed is not known yet is measured now.
    """
    wanted = prepared.task.prediction
    levels = prepared.task.benchmark.levels
    if wanted.predictor == "none":
        return Forecast((), levels, silent="prediction.predictor is none")
    warnings: list[str] = []
    try:
        questions = scenarios(prepared, home, measure=measure, warn=warnings.append)
    except Exception as error:  # looking at a device must not keep anyone from tuning
        silent = f"the device cannot be described: {type(error).__name__}: {error}"
        return Forecast((), levels, silent=silent, warnings=(*warnings, silent))
    choose = _chosen(questions, wanted, home / PREDICTION_CACHE)
    if prepared.replay is not None and wanted.predictor == "auto":
        choose = _recorded(prepared.replay)
    calibrate = CalibratedPredictor if wanted.calibrate else None
    return Forecast(
        questions,
        levels,
        choose=choose,
        calibrate=calibrate,
        replays=prepared.model.name if prepared.replay else None,
        warnings=warnings,
    )


def _chosen(questions: Sequence[Question], wanted: PredictionConfig, cache: Path) -> Choose:
    """Chooses as the task asks; what runs on one engine and device is answered by one kind."""

    def choose(scenario: Scenario) -> tuple[Predictor, str]:
        place = scenario.engine, scenario.device
        compared = [q for q in questions if (q[0].engine, q[0].device) == place]
        return predictor_for(
            scenario, wanted=wanted.predictor, mode=wanted.mode, cache=cache, compared=compared
        )

    return choose


def _recorded(replay: Replay) -> Choose:
    """Chooses what the replayed landscape predicts itself."""

    def choose(scenario: Scenario) -> tuple[Predictor, str]:
        predictor = RecordedPredictor(replay, model=scenario.model)
        return predictor, predictor.supports(scenario).why

    return choose


def _check(parts: Sequence[Predictions]) -> None:
    """Raises ValueError where a figure is none that could be measured."""
    for part in parts:
        for point in part:
            for name, std_name in METRICS.items():
                value, log_std = getattr(point, name), getattr(point, std_name)
                if value is None and point.osl <= 1:
                    continue
                if not (math.isfinite(value) and value > 0 and math.isfinite(log_std)):
                    raise ValueError(f"{part.predictor}: {name} {value!r} +- {log_std!r}")


def _by_candidate(answer: Predictions) -> dict[str, Expected]:
    points: dict[str, list[Prediction]] = {}
    for point in answer.points:
        points.setdefault(point.candidate_id, []).append(point)
    name = answer.predictor
    return {
        **{key: Expected(name, base=tuple(found)) for key, found in points.items()},
        **{key: Expected(name, out_of_memory=why) for key, why in answer.out_of_memory.items()},
        **{key: Expected(name, refused=why) for key, why in answer.refused.items()},
    }


class _Answered:
    """A predictor that repeats what was answered before, for calibration to build on."""

    load_kinds = ANY_LOAD

    def __init__(self, name: str, points: dict[str, tuple[Prediction, ...]]) -> None:
        self.name = name
        self._points = points

    def supports(self, scenario: Scenario) -> Support:
        return Support(True, "it was answered before")

    def predict(
        self, scenario: Scenario, candidates: Sequence[Candidate], load_levels: Sequence[LoadLevel]
    ) -> Predictions:
        wanted = set(load_levels)
        points = [p for c in candidates for p in self._points[c.id] if p.load in wanted]
        return Predictions(self.name, tuple(points))
