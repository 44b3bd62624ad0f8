"""What earlier tasks may teach a replayed search: other models' landscapes, never its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autotuner.landscapes import Landscape, observations, same_model
from autotuner.predict import Observation

ByModel = Mapping[str, Sequence[Observation]]


@dataclass(frozen=True)
class Memory:
    """Observations of other models, and how many are left out as they may be the replayed one's."""

    used: tuple[Observation, ...] = ()
    left_out: int = 0


def by_model(landscapes: Iterable[Landscape]) -> ByModel:
    """Everything that was both predicted and measured, by the model that it is of."""
    found: dict[str, list[Observation]] = {}
    for landscape in landscapes:
        found.setdefault(landscape.model, []).extend(observations(landscape))
    return found


def memory_for(landscape: Landscape, others: ByModel) -> Memory:
    """What remains of `others` where the landscape is replayed.

    A landscape that tells no model may be of any, so it neither teaches nor is taught.
    """
    same = {model for model in others if same_model(landscape.model, model)}
    return Memory(
        used=tuple(one for model in others if model not in same for one in others[model]),
        left_out=sum(len(others[model]) for model in same),
    )
