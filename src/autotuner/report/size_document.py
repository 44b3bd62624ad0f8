"""Deployments that hold a traffic, as `autotuner size --json` prints them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotuner.config import LoadKind
from autotuner.landscapes import unserved
from autotuner.sizing import (
    Deployment,
    ServiceLevel,
    TracedTraffic,
    Traffic,
    cheapest,
    deployment,
    deployments,
    nearest,
)
from autotuner.tuning.predicted_choice import Kind
from autotuner.tuning.replicas import KnownReplica, KnownReplicas

MOST_DEPLOYMENTS = 20
_CLOSED_LOOP = (
    "measured or predicted with a fixed number of requests in flight: arrivals at random make the "
    "time to first token longer at the same rate, and the head room is for that too"
)


@dataclass(frozen=True)
class SizeQuestion:
    """Traffic, limits and what they are asked of.

    Attributes:
        task: number of a stored task, or the path of a task file.
        measured: whether replicas are known by measurements, or else predicted.
        growth: traffic now and after each month; none where it stays as it is.
        trace: that the traffic is of, where it is of one.
    """

    task: str
    model: str
    measured: bool
    requirement: ServiceLevel
    growth: tuple[Traffic, ...] = ()
    trace: SizedTrace | None = None


@dataclass(frozen=True)
class SizedTrace:
    """Trace that the traffic is of.

    Attributes:
        isl, osl: mean tokens of its requests; None where it does not say them.
    """

    path: str
    format: str
    traffic: TracedTraffic
    isl: float | None
    osl: float | None

    def to_json(self) -> dict[str, Any]:
        """The trace as JSON has it."""
        mine = {"path": self.path, "format": self.format, "isl": self.isl, "osl": self.osl}
        return mine | self.traffic.to_json()


def size_document(question: SizeQuestion, known: KnownReplicas) -> dict[str, Any]:
    """The answer as JSON has it; docs/json.md describes it."""
    requirement = question.requirement
    by_key = {one.replica.key: one for one in known.found}
    found = deployments((one.replica for one in known.found), requirement)
    shown = found if question.measured else _of_each_kind(found, by_key)
    best_priced = cheapest(found)
    return {
        "task": question.task,
        "model": question.model,
        "source": "measured" if question.measured else "predicted",
        "traffic": traffic_document(requirement.traffic),
        "trace": None if question.trace is None else question.trace.to_json(),
        "slo": dict(requirement.slo),
        "headroom": requirement.headroom,
        "gpus": _gpus(known.found, by_key, found),
        "refused": dict(known.refused),
        "candidates": sum(not one.is_baseline for one in known.found),
        "holding": len(_candidates(found, by_key)),
        "deployments": [_deployment(made, by_key) for made in shown[:MOST_DEPLOYMENTS]],
        "cheapest": None if best_priced is None else _deployment(best_priced, by_key),
        "growth": _growth(question, known, by_key),
        "nearest": None if found else _nearest(known, by_key, requirement.slo),
        "notes": _notes(question, known, found, _candidates(found, by_key)),
    }


def traffic_document(traffic: Traffic) -> dict[str, float | None]:
    """Traffic as JSON has it."""
    return {
        "requests_per_s": traffic.rate,
        "users": traffic.users,
        "think_s": traffic.think_s if traffic.users is not None else None,
    }


def _of_each_kind(
    found: Sequence[Deployment], by_key: Mapping[tuple[str, str], KnownReplica]
) -> list[Deployment]:
    """The first of each GPU, engine, layout and number formats."""
    kinds: dict[tuple[str, Kind], Deployment] = {}
    for made in found:
        one = by_key[made.replica.key]
        kinds.setdefault((one.gpu, Kind.of(one.engine, one.settings, moe=True)), made)
    return list(kinds.values())


def _candidates(
    found: Sequence[Deployment], by_key: Mapping[tuple[str, str], KnownReplica]
) -> list[Deployment]:
    """All but that of the baseline, which is no candidate."""
    return [made for made in found if not by_key[made.replica.key].is_baseline]


def _gpus(
    known: Iterable[KnownReplica],
    by_key: Mapping[tuple[str, str], KnownReplica],
    found: Sequence[Deployment],
) -> list[dict[str, Any]]:
    """Of each GPU: its price, its candidates, and the smallest deployment's size."""
    rows: dict[str, dict[str, Any]] = {}
    for one in known:
        row = rows.setdefault(
            one.gpu,
            {
                "gpu": one.gpu,
                "usd_per_gpu_hour": one.replica.usd_per_device_hour,
                "candidates": 0,
                "holding": 0,
                "gpus": None,
                "usd_per_hour": None,
            },
        )
        row["candidates"] += not one.is_baseline
    for made in found:
        one = by_key[made.replica.key]
        row = rows[one.gpu]
        if row["gpus"] is None:
            row |= {"gpus": one.occupied(made.replicas), "usd_per_hour": made.usd_per_hour}
        row["holding"] += not one.is_baseline
    return list(rows.values())


def _deployment(made: Deployment, by_key: Mapping[tuple[str, str], KnownReplica]) -> dict[str, Any]:
    one = by_key[made.replica.key]
    level = made.capacity.level
    return {
        "gpu": one.gpu,
        "engine": one.engine,
        "candidate": one.candidate,
        "is_baseline": one.is_baseline,
        "settings": dict(one.settings),
        "replicas": made.replicas,
        "replicas_interval": [made.least, made.most],
        "gpus_per_replica": one.gpus,
        "gpus": one.occupied(made.replicas),
        "requests_per_s": made.requests_per_s,
        "capacity": {
            "load": level.load.to_json(),
            "requests_per_s": made.capacity.requests_per_s,
            "interval": [level.requests_per_s.low, level.requests_per_s.high],
        },
        "utilisation": made.utilisation,
        "latencies_ms": dict(made.latencies_ms),
        "between": [load.to_json() for load in made.between],
        "usd_per_hour": made.usd_per_hour,
        **made.costs.to_json(),
        "command": one.command,
        "unserved": unserved(one.command),
    }


def _growth(
    question: SizeQuestion,
    known: KnownReplicas,
    by_key: Mapping[tuple[str, str], KnownReplica],
) -> list[dict[str, Any]]:
    """The deployment that is smallest in the last month, month by month."""
    if not question.growth:
        return []
    slo, headroom = question.requirement.slo, question.requirement.headroom
    last = ServiceLevel(question.growth[-1], slo, headroom)
    best = next(iter(deployments((one.replica for one in known.found), last)), None)
    if best is None:
        return []
    return [
        _month(month, by_key[best.replica.key], ServiceLevel(traffic, slo, headroom))
        for month, traffic in enumerate(question.growth)
    ]


def _month(month: int, one: KnownReplica, requirement: ServiceLevel) -> dict[str, Any]:
    made = deployment(one.replica, requirement)
    assert made is not None  # noqa: S101 - whether a replica holds any load depends on no traffic
    return {
        "month": month,
        "traffic": traffic_document(requirement.traffic),
        "gpu": one.gpu,
        "candidate": one.candidate,
        "is_baseline": one.is_baseline,
        "replicas": made.replicas,
        "gpus": one.occupied(made.replicas),
        "usd_per_hour": made.usd_per_hour,
    }


def _nearest(
    known: KnownReplicas, by_key: Mapping[tuple[str, str], KnownReplica], slo: Mapping[str, float]
) -> dict[str, Any] | None:
    found = nearest((one.replica for one in known.found), slo)
    if found is None:
        return None
    replica, missed = found
    one = by_key[replica.key]
    return {
        "gpu": one.gpu,
        "engine": one.engine,
        "candidate": one.candidate,
        "is_baseline": one.is_baseline,
        "settings": dict(one.settings),
        "load": missed.level.load.to_json(),
        "limit": missed.name,
        "limit_ms": missed.limit_ms,
        "value_ms": missed.value_ms,
        "over": None if missed.value_ms is None else missed.over,
    }


_ALIKE = 0.2
"""Share by which mean lengths may differ without a word."""


def _other_lengths(trace: SizedTrace, known: KnownReplicas) -> list[str]:
    """Where the trace has other requests than replicas were measured or predicted with."""
    replica = next((one.replica for one in known.found), None)
    if replica is None:
        return []
    pairs = (("input", trace.isl, replica.isl), ("output", trace.osl, replica.osl))
    return [
        f"the trace has {traced:,.0f} {what} tokens a request, and the figures here are of "
        f"{mine:,.0f}: set runtime.{'isl' if what == 'input' else 'osl'} to it and "
        "measure or predict again"
        for what, traced, mine in pairs
        if traced is not None and mine > 0 and abs(traced / mine - 1) > _ALIKE
    ]


def _notes(
    question: SizeQuestion,
    known: KnownReplicas,
    found: Sequence[Deployment],
    candidates: Sequence[Deployment],
) -> list[str]:
    notes = list(known.notes)
    if known.left_out:
        notes.append(f"{known.left_out} candidates have no operating point and are left out")
    if question.trace is not None:
        notes += _other_lengths(question.trace, known)
    if not question.requirement.slo:
        notes.append("no SLO is given: the highest known load of each candidate counts as held")
    closed = any(m.capacity.level.load.kind is LoadKind.CONCURRENCY for m in found)
    if closed and question.requirement.traffic.rate is not None:
        notes.append(_CLOSED_LOOP)
    highest = [m for m in candidates if m.capacity.level is m.replica.curve.levels[-1]]
    if highest:
        notes.append(
            f"{len(highest)} of {len(candidates)} candidates are within the limits at the highest "
            "load that is known; what they hold beyond it is not assumed"
        )
    return notes
