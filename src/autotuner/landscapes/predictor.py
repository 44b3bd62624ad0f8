"""The predictions that a landscape carries, as a predictor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from autotuner.config import Candidate
from autotuner.landscapes.knowledge import ALL_OUT_OF_MEMORY, BASE, UNPREDICTED, predictions
from autotuner.landscapes.recorded import Replay
from autotuner.predict import OutOfMemory, Prediction, Predictions, Scenario, Support


class RecordedPredictor:
    """Answers with what was predicted when the landscape was recorded.

    Args:
        model: what the scenarios of the replay call the landscape's model.
    """

    name = BASE

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
        self, scenario: Scenario, candidates: Sequence[Candidate], load_levels: Sequence[int]
    ) -> Predictions:
        """What the landscape predicts of each; see `Predictor.predict`."""
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
            levels = tuple(level for level in launch.levels if level.concurrency in wanted)
            told = predictions(replace(launch, levels=levels), scenario.osl)
            points += [replace(point, candidate_id=candidate.id) for point in told]
            if not told and levels and all(level.predicted_status == "oom" for level in levels):
                out_of_memory[candidate.id] = OutOfMemory(ALL_OUT_OF_MEMORY)
            elif not told:
                refused[candidate.id] = UNPREDICTED
        return Predictions(self.name, tuple(points), out_of_memory, refused)
