"""What a task needs of a machine, from its document alone."""

from __future__ import annotations

from typing import Any

import pytest

from autotuner.config import parse_task
from autotuner.errors import CatalogError
from autotuner.tuning.resources import engines_named, model_named, resource_request

BASE: dict[str, Any] = {"version": 2, "name": "a", "model": {"id": "smollm2-135m"}}
REPLAY: dict[str, Any] = {
    "version": 2,
    "name": "a",
    "deployment_mode": "replay",
    "replay": {"landscape": "a.csv"},
    "system": {"gpu_type": "h100"},
}


@pytest.mark.parametrize(
    ("changes", "needed"),
    [
        ({}, ("cpu", 0)),
        ({"system": {"gpu_type": "cpu"}}, ("cpu", 0)),
        ({"system": {"gpu_type": "h100"}}, ("h100_sxm", 1)),
        ({"system": {"gpu_type": "H100-SXM", "total_gpus": 8}}, ("h100_sxm", 8)),
        ({"system": {"gpu_type": [None]}}, ("cpu", 0)),
        (
            {"combinations": [{"system": {"gpu_type": "h100", "total_gpus": n}} for n in (2, 4)]},
            ("h100_sxm", 4),
        ),
    ],
)
def test_a_task_needs_the_gpus_that_it_names(
    changes: dict[str, Any], needed: tuple[str, int]
) -> None:
    assert resource_request(parse_task(BASE | changes)) == needed


def test_a_replay_runs_anywhere() -> None:
    assert resource_request(parse_task(REPLAY)) == ("", 0)
    assert model_named(parse_task(REPLAY)) == "as recorded"


def test_a_gpu_that_is_in_no_catalog_is_refused() -> None:
    with pytest.raises(CatalogError, match="h10"):
        resource_request(parse_task(BASE | {"system": {"gpu_type": "h10"}}))


def test_engines_are_those_that_the_task_names() -> None:
    several = {"combinations": [{"system": {"backend": name}} for name in ("vllm", "sglang")]}
    assert engines_named(parse_task(BASE)) == ("llamacpp",)
    assert engines_named(parse_task(BASE | several)) == ("vllm", "sglang")
