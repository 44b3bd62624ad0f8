"""What is known of a search's candidates besides what the search itself has measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from autotuner.predict import Observation, Prediction


@dataclass(frozen=True)
class Circumstances:
    """What a candidate is of and runs on, as calibration compares it with other launches.

    Attributes:
        family: the model's architecture; None where it is not known.
        device: the GPU's name, as in `Scenario.device`.
        isl, osl: mean tokens of a request.
        gpus: devices that the candidate occupies; a CPU counts as one.
    """

    model: str
    family: str | None
    engine: str
    device: str
    isl: float
    osl: float
    gpus: int


@dataclass(frozen=True)
class Knowledge:
    """What was predicted, and what earlier tasks measured. Empty is allowed: nothing is known.

    Attributes:
        predictions: id -> the base prediction of its load levels, rising; absent where there is
            none. A level may be missing.
        out_of_memory: id -> why it is predicted not to fit; such a candidate has no predictions,
            or those of the levels that fit.
        refused: id -> why nothing is predicted of it.
        circumstances: id -> what it is of and runs on.
        earlier: measured by other tasks, beside what their predictor said.
        minutes: id -> what a launch with its whole sweep is expected to take.
    """

    predictions: Mapping[str, tuple[Prediction, ...]] = field(default_factory=dict)
    out_of_memory: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    circumstances: Mapping[str, Circumstances] = field(default_factory=dict)
    earlier: tuple[Observation, ...] = ()
    minutes: Mapping[str, float] = field(default_factory=dict)
