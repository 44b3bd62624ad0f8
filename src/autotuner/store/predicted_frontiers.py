"""Predicted frontiers of whole spaces, each kept with its task when it is planned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from autotuner.config import LoadLevel
from autotuner.predict import Prediction
from autotuner.predict.predictor import NOT_IN_COLUMNS, percentiles_document
from autotuner.store.schema import PredictedFrontierRow
from autotuner.store.sessions import Sessions, retried


@dataclass(frozen=True)
class PredictedFrontier:
    """The predicted frontier of a task's whole space, before anything of it was measured.

    Attributes:
        points: the fastest for a user first.
        settings: candidate id -> `group.field` -> value, of every candidate among them.
    """

    points: tuple[Prediction, ...]
    settings: Mapping[str, dict[str, Any]]


class PredictedFrontiers:
    """Keeps and reads the predicted frontiers of tasks."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    @retried
    def keep(self, task_id: int, frontier: PredictedFrontier) -> None:
        """Keeps a task's frontier in place of the one before."""
        document = {
            "points": [_document(point) for point in frontier.points],
            "settings": dict(frontier.settings),
        }
        with self._sessions.writing() as session:
            session.merge(PredictedFrontierRow(task_id=task_id, document=document))

    @retried
    def of_task(self, task_id: int) -> PredictedFrontier | None:
        """A task's frontier; None where it has not been planned, or was before any was kept."""
        with self._sessions.reading() as session:
            row = session.get(PredictedFrontierRow, task_id)
            document = None if row is None else row.document
        if document is None:
            return None
        return PredictedFrontier(tuple(map(_prediction, document["points"])), document["settings"])


def _document(prediction: Prediction) -> dict[str, Any]:
    figures = {name: getattr(prediction, name) for name in _KEPT}
    percentiles = percentiles_document(prediction)
    return figures | {"load": prediction.load.to_json(), "percentiles": percentiles}


def _prediction(document: Mapping[str, Any]) -> Prediction:
    figures = {name: document[name] for name in _KEPT}
    figures |= document.get("percentiles", {})  # frontiers of before have none
    return Prediction(load=LoadLevel.from_json(document["load"]), **figures)


_KEPT = [
    field.name
    for field in fields(Prediction)
    if field.name not in ("load", "memory_gib", "power_w", *NOT_IN_COLUMNS)
]
"""Fields of a prediction that a point shows."""
