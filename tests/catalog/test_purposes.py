"""Workloads and goals: tables that every other room can use as they are."""

from __future__ import annotations

import typing

import pytest

from autotuner.catalog import goal_named, goals, workload_named, workloads
from autotuner.config.optimization import ObjectiveName
from autotuner.errors import CatalogError


def test_workloads_are_sizes_of_requests_with_a_source() -> None:
    assert set(workloads()) == {"chat", "rag", "summarisation", "code", "batch"}
    for row in workloads().values():
        assert row.isl > row.prefix >= 0 < row.osl
        assert row.title and row.description and row.source


def test_goals_are_objectives_that_a_search_can_have() -> None:
    known = typing.get_args(ObjectiveName)
    for row in goals().values():
        assert 1 <= len(row.objectives) <= 3
        assert set(row.objectives) <= set(known)


def test_the_nearest_name_is_offered() -> None:
    with pytest.raises(CatalogError, match="did you mean 'chat'"):
        workload_named("chatt")
    with pytest.raises(CatalogError, match="did you mean 'latency'"):
        goal_named("latancy")
