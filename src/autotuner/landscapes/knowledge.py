"""Knowledge that a search has of a landscape, of its own or from other landscapes.

The predictions that a landscape carries, as a predictor.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from autotuner.catalog import ModelFacts, known_gpu, known_model, known_models
from autotuner.config import Candidate, LoadLevel
from autotuner.landscapes.landscape import Landscape, RecordedLaunch, same_model
from autotuner.landscapes.replay import Replay
from autotuner.predict import Observation, OutOfMemory, Prediction, Predictions, Scenario, Support
from autotuner.predict.predictor import ANY_LOAD
from autotuner.predict.roofline.predictor import time_parts_of
from autotuner.search import Circumstances, Knowledge

BASE = "recorded"
"""The name under which a table's predictions stand as a base predictor's."""

ALL_OUT_OF_MEMORY = "every load level is predicted to run out of memory"
UNPREDICTED = "the table has no prediction of it"

_LOG_STD = 0.3
"""Uncertainty given to a recorded prediction; tables tell none."""


def knowledge(landscape: Landscape, earlier: Iterable[Observation] = ()) -> Knowledge:
    """Predictions of each launch, and observations of `earlier` tasks."""
    predicted = {
        launch.id: _with_parts(landscape, launch, predictions(launch, landscape.osl))
        for launch in landscape.launches
    }
    memory = {
        launch.id: ALL_OUT_OF_MEMORY
        for launch in landscape.launches
        if all(level.predicted_status == "oom" for level in launch.levels)
    }
    family = _family(landscape.model)
    return Knowledge(
        predictions={key: points for key, points in predicted.items() if points},
        out_of_memory=memory,
        refused={
            key: UNPREDICTED
            for key, points in predicted.items()
            if not points and key not in memory
        },
        circumstances={
            launch.id: Circumstances(
                model=landscape.model,
                family=family,
                engine=launch.engine,
                device=landscape.device,
                isl=landscape.isl,
                osl=landscape.osl,
                gpus=launch.gpus,
            )
            for launch in landscape.launches
        },
        earlier=tuple(earlier),
    )


def predictions(launch: RecordedLaunch, osl: float) -> tuple[Prediction, ...]:
    """The predicted load levels of a launch, rising."""
    return tuple(
        Prediction(
            candidate_id=launch.id,
            load=level.load,
            ttft_ms=level.predicted.ttft_ms,
            tpot_ms=level.predicted.tpot_ms,
            tok_s=level.predicted.tok_s,
            devices=launch.gpus,
            osl=osl,
            ttft_log_std=_LOG_STD,
            tpot_log_std=_LOG_STD,
            tok_s_log_std=_LOG_STD,
            source=BASE,
            memory_gib=level.predicted_memory_gib,
            percentiles_from="the means, which stand for percentiles in a recorded table",
            **level.predicted.percentiles(),  # type: ignore[arg-type]
        )
        for level in launch.levels
        if level.predicted is not None
    )


def _with_parts(
    landscape: Landscape, launch: RecordedLaunch, points: tuple[Prediction, ...]
) -> tuple[Prediction, ...]:
    """The points with where their time goes, if the roofline knows model and device."""
    facts, gpu = facts_of_table(landscape.model), known_gpu(landscape.device)
    if facts is None or gpu is None or not points:
        return points
    scenario = Scenario(
        model=landscape.model,
        facts=facts,
        engine=launch.engine,
        engine_version=None,
        gpu=gpu,
        device=landscape.device,
        isl=landscape.isl,
        osl=landscape.osl,
    )
    parts = time_parts_of(
        scenario, Candidate.from_settings(dict(launch.settings)), [point.load for point in points]
    )
    return tuple(replace(point, parts=parts.get(point.load)) for point in points)


@functools.lru_cache
def facts_of_table(name: str) -> ModelFacts | None:
    """Of the model that a table's name means: of those alike, the one with the shortest name that
    has its letters and digits in order (`qwen30ba3b`: Qwen3-30B-A3B)."""
    known = known_model(name)
    if known is not None:
        return known.facts
    alike = [
        (_compact(model.id), model.facts)
        for model in known_models().values()
        if same_model(name, model.id)
    ]
    named = [(word, facts) for word, facts in alike if _in_order(_compact(name), word)]
    return min(named, key=lambda one: (len(one[0]), one[0]))[1] if name and named else None


def _compact(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.rsplit("/", 1)[-1].lower())


def _in_order(letters: str, word: str) -> bool:
    rest = iter(word)
    return all(letter in rest for letter in letters)


def observations(landscape: Landscape) -> tuple[Observation, ...]:
    """Every level that was both predicted and measured, as another task's observation."""
    family = _family(landscape.model)
    return tuple(
        Observation(
            model=landscape.model,
            family=family,
            engine=launch.engine,
            engine_version=None,
            device=landscape.device,
            devices=launch.gpus,
            settings=launch.settings,
            isl=landscape.isl,
            osl=landscape.osl,
            load=level.load,
            ttft_ms=level.true.ttft_ms,
            tpot_ms=level.true.tpot_ms,
            tok_s=level.true.tok_s,
            base=BASE,
            base_ttft_ms=level.predicted.ttft_ms,
            base_tpot_ms=level.predicted.tpot_ms,
            launch=f"{landscape.name}:{launch.id}",
            tool="recorded",
            source=landscape.name,
        )
        for launch in landscape.launches
        for level in launch.levels
        if level.true is not None and level.predicted is not None
    )


def _family(model: str) -> str | None:
    known = known_model(model)
    return None if known is None else known.facts.architecture


class RecordedPredictor:
    """Answers with what was predicted when the landscape was recorded.

    Args:
        model: what the scenarios of the replay call the landscape's model.
    """

    name = BASE
    load_kinds = ANY_LOAD

    def __init__(self, replay: Replay, *, model: str) -> None:
        self._replay = replay
        self._model = model

    def supports(self, scenario: Scenario) -> Support:
        """Whether `scenario` is the replay's own."""
        name = self._replay.landscape.name
        if scenario.model != self._model:
            return Support(False, f"{name} is of {self._model}, not of {scenario.model}")
        return Support(True, f"{name} carries predictions of its launches")

    def predict(
        self, scenario: Scenario, candidates: Sequence[Candidate], load_levels: Sequence[LoadLevel]
    ) -> Predictions:
        """The landscape's predictions of each; see `Predictor.predict`."""
        support = self.supports(scenario)
        if not support:
            return Predictions(self.name, refused={c.id: support.why for c in candidates})
        wanted = set(load_levels)
        points: list[Prediction] = []
        out_of_memory: dict[str, OutOfMemory] = {}
        refused: dict[str, str] = {}
        for candidate in candidates:
            launch = self._replay.launches.get(candidate.id)
            if launch is None:
                refused[candidate.id] = f"{self._replay.landscape.name} has no such launch"
                continue
            levels = tuple(level for level in launch.levels if level.load in wanted)
            own = predictions(replace(launch, levels=levels), scenario.osl)
            parts = time_parts_of(scenario, candidate, [point.load for point in own])
            own = tuple(replace(point, parts=parts.get(point.load)) for point in own)
            points += [replace(point, candidate_id=candidate.id) for point in own]
            if not own and levels and all(level.predicted_status == "oom" for level in levels):
                out_of_memory[candidate.id] = OutOfMemory(ALL_OUT_OF_MEMORY)
            elif not own:
                refused[candidate.id] = UNPREDICTED
        return Predictions(self.name, tuple(points), out_of_memory, refused)
