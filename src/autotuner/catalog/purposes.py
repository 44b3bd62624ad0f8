"""Purposes that a model is served for: kinds of workloads, and goals; from two YAML tables."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from autotuner.config import nearest
from autotuner.config.optimization import ObjectiveName
from autotuner.config.tables import packaged_table
from autotuner.errors import CatalogError

_PACKAGE = "autotuner.catalog"


@dataclass(frozen=True)
class Workload:
    """A kind of requests, by the tokens of one of them.

    Attributes:
        isl, osl: tokens in and out.
        prefix: tokens of the prompt that requests share.
        source: where the figures come from.
    """

    name: str
    title: str
    description: str
    isl: int
    osl: int
    prefix: int
    source: str


@dataclass(frozen=True)
class ServingGoal:
    """A goal of a search.

    Attributes:
        objectives: of `optimization.objectives`.
        needs_slo: whether it means nothing without limits in `slo`.
    """

    name: str
    title: str
    description: str
    objectives: tuple[ObjectiveName, ...]
    needs_slo: bool


@functools.cache
def workloads() -> Mapping[str, Workload]:
    """The kinds of workloads, by name."""
    rows = packaged_table(_PACKAGE, "workloads")["workloads"]
    return MappingProxyType({name: Workload(name, **row) for name, row in rows.items()})


@functools.cache
def goals() -> Mapping[str, ServingGoal]:
    """The goals, by name; the first is what a task without one has."""
    rows = packaged_table(_PACKAGE, "goals")["goals"]
    return MappingProxyType(
        {
            name: ServingGoal(name, **{**row, "objectives": tuple(row["objectives"])})
            for name, row in rows.items()
        }
    )


def workload_named(name: str) -> Workload:
    """The workload of that name.

    Raises:
        CatalogError: there is none; names the nearest.
    """
    return workloads()[_known(name, workloads(), "workload")]


def goal_named(name: str) -> ServingGoal:
    """The goal of that name.

    Raises:
        CatalogError: there is none; names the nearest.
    """
    return goals()[_known(name, goals(), "goal")]


def _known(name: str, table: Mapping[str, object], noun: str) -> str:
    if name not in table:
        raise CatalogError(f"{noun}: {name!r} is unknown; {nearest(name, list(table))}")
    return name
