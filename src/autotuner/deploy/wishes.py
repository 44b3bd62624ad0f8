"""Wishes beside the format of an export, and as many replicas as hold the traffic they name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from autotuner.deploy.chosen_point import chosen_point
from autotuner.deploy.launch_source import is_predicted
from autotuner.errors import ExportError
from autotuner.sizing import ServiceLevel, Traffic, TrafficError, deployment
from autotuner.tuning.replicas import KnownReplicas
from autotuner.tuning.summary import TaskSummary

MOST_REPLICAS = 1000


@dataclass(frozen=True)
class ExportWishes:
    """Wishes beside the format.

    Attributes:
        point: `CANDIDATE` or `CANDIDATE@LOAD`; the recommended one where left out. `predicted`,
            `predicted:CANDIDATE[@LOAD]` and `disagg` are of predictions.
        replicas: how many engines; 1 where nothing sizes them.
        image: container image with its tag; the engine's of the measured version where left out.
        program: words that start the engine in that image, up to the model.
        api_key: whether requests must carry a key, which the deployment takes from a secret.
        rate: requests per second that the replicas hold within the task's SLO.
        users: at once, in place of `rate`.
    """

    point: str | None = None
    replicas: int | None = None
    image: str | None = None
    program: str | None = None
    api_key: bool = False
    rate: float | None = None
    users: float | None = None


def sized_wishes(
    wishes: ExportWishes, summary: TaskSummary, measured: Callable[[], KnownReplicas]
) -> ExportWishes:
    """The wishes with as many replicas as hold the traffic within the task's SLO, in place of it.

    Args:
        measured: looks up the task's replicas by its launches.

    Raises:
        NoResultError: no launch measured an operating point.
        ExportError: a number of replicas beside a traffic, a traffic that is none, or one that
            the point does not hold.
    """
    asked = {"replicas": wishes.replicas, "rate": wishes.rate, "users": wishes.users}
    given = {name: value for name, value in asked.items() if value is not None}
    if not given or [*given] == ["replicas"]:
        return wishes
    field, value = list(given.items())[-1]
    if len(given) > 1:
        raise ExportError(f"{field}: {' and '.join(given)} are given", remedy="give one of them")
    if is_predicted(wishes.point):
        raise ExportError(
            f"{field}: it sizes by measurements, and the point {wishes.point} has none",
            remedy="give replicas; sizing (`autotuner size`) goes by predictions, too",
        )
    try:
        traffic = Traffic(wishes.rate, wishes.users)
    except TrafficError as error:
        raise ExportError(f"{error.field}: {error}") from None
    candidate, limits = chosen_point(summary, wishes.point).experiment, summary.task.slo
    found = next((one for one in measured().found if one.candidate == candidate), None)
    made = None if found is None else deployment(found.replica, ServiceLevel(traffic, limits))
    if made is None:
        raise ExportError(
            f"{field}: {candidate} holds no load within the limits of the task",
            remedy="take another point, or give replicas; sizing (`autotuner size`) says which "
            "hold it",
        )
    if made.replicas > MOST_REPLICAS:
        raise ExportError(
            f"{field}: {value:.15g} takes {made.replicas:,} replicas of {candidate}, and an export "
            f"has {MOST_REPLICAS:,} at the most",
            remedy="give less traffic, or replicas in place of it",
        )
    return replace(wishes, replicas=made.replicas, rate=None, users=None)
