"""What a task asks of a landscape: everything, a choice, or what is not there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from autotuner.config import TaskConfig, closed_loops, parse_task
from autotuner.errors import ConfigError, LandscapeError
from autotuner.landscapes import Landscape, Matched, match
from autotuner.landscapes.matching import NO_COMBINATION, NO_LEVEL, SAME_SETTINGS
from autotuner.testing.made_up_landscape import made_up_landscape

TABLE = made_up_landscape(levels=(1, 4, 16))


def task(**changes: Any) -> TaskConfig:
    base = {"version": 2, "name": "t", "deployment_mode": "replay", "replay": {"landscape": "t"}}
    return parse_task(base | changes)


def found(landscape: Landscape = TABLE, **changes: Any) -> Matched:
    return match(task(**changes), landscape, source="task")


def ids(matched: Matched) -> list[str]:
    return [launch.id for _, launch in matched.launches]


def reported(landscape: Landscape = TABLE, **changes: Any) -> list[tuple[str, str]]:
    """Field and message of every problem."""
    with pytest.raises(ConfigError) as caught:
        match(task(**changes), landscape, source="task")
    return [(problem.path, problem.message) for problem in caught.value.problems]


def test_a_task_without_settings_takes_every_launch_as_it_stands() -> None:
    matched = found()
    assert ids(matched) == ["0", "1", "2", "3", "4", "5"]
    assert (matched.excluded, matched.levels, matched.gpus) == ({}, closed_loops(1, 4, 16), 4)
    assert (matched.isl, matched.osl, matched.gpu_type) == (16, 8, "h100_sxm")
    for candidate, launch in matched.launches:
        assert candidate.gpus == launch.gpus
        assert candidate.settings() == launch.settings | {"system.gpu_type": "h100_sxm"}


def test_values_and_lists_choose_and_the_rest_is_counted() -> None:
    matched = found(parallel={"tp": [1, 4]}, quantization={"kvcache_mode": "fp8"})
    assert ids(matched) == ["3", "5"]
    assert matched.excluded == {
        "quantization.kvcache_mode is not what the task asks for": 3,
        "parallel.tensor_parallel is not what the task asks for": 1,
    }


def test_combinations_choose_what_belongs_together() -> None:
    both = [
        {"parallel": {"tp": 1}, "quantization": {"kvcache_mode": "bfloat16"}},
        {"parallel": {"tp": 4}, "quantization": {"kvcache_mode": "fp8"}},
    ]
    matched = found(combinations=both)
    assert ids(matched) == ["0", "5"]
    assert matched.excluded == {NO_COMBINATION: 4}


def test_launches_that_need_more_gpus_than_there_are_are_left_out() -> None:
    matched = found(system={"total_gpus": 2})
    assert ids(matched) == ["0", "1", "3", "4"]
    assert matched.gpus == 2
    assert sum(matched.excluded.values()) == 2


def test_equal_settings_are_one_candidate() -> None:
    twin = replace(TABLE.launches[0], id="twin")
    matched = found(replace(TABLE, launches=(*TABLE.launches, twin)))
    assert ids(matched) == ["0", "1", "2", "3", "4", "5"]
    assert matched.excluded == {SAME_SETTINGS: 1}


def test_load_levels_are_those_of_the_table_or_some_of_them() -> None:
    assert found(benchmark={"concurrency": [16, 4]}).levels == closed_loops(16, 4)
    short = replace(TABLE.launches[0], levels=TABLE.launches[0].levels[:1])
    matched = found(
        replace(TABLE, launches=(short, TABLE.launches[1])), benchmark={"concurrency": [4]}
    )
    assert (ids(matched), matched.excluded) == (["1"], {NO_LEVEL: 1})


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"parallel": {"tp": [1, 3]}}, "parallel.tensor_parallel", "3 is not"),
        ({"parallel": {"tp": [1, 3]}}, "parallel.tensor_parallel", "recorded: 1, 2, 4"),
        ({"quantization": {"kvcache_mode": "int8"}}, "quantization.kvcache_mode", "bfloat16, fp8"),
        ({"memory": {"page_size": 16}}, "memory.page_size", "is not recorded"),
        ({"system": {"backend": "sglang"}}, "system.backend", "recorded: vllm"),
        ({"system": {"gpu_type": "b200"}}, "system.gpu_type", "'h100_sxm'"),
        ({"runtime": {"isl": 17}}, "runtime.isl", "17 is not what is recorded, 16"),
        ({"runtime": {"osl": 9}}, "runtime.osl", "9 is not what is recorded, 8"),
        ({"benchmark": {"concurrency": [4, 5]}}, "benchmark.concurrency", "recorded: 1, 4, 16"),
        ({"combinations": [{"parallel": {"tp": 64}}]}, "parallel.tensor_parallel", "64"),
    ],
)
def test_what_is_not_recorded_is_an_error_with_what_is(
    changes: dict[str, Any], path: str, words: str
) -> None:
    ((where, message),) = reported(**changes)
    assert where == path
    assert words in message


def test_what_the_table_does_not_name_the_task_has_to() -> None:
    silent = [
        replace(
            launch,
            engine="unknown",
            settings={k: v for k, v in launch.settings.items() if k != "system.backend"},
        )
        for launch in TABLE.launches
    ]
    table = replace(TABLE, device="", launches=tuple(silent), assumed=("isl", "osl"))
    assert [path for path, _ in reported(table)] == ["system.backend", "system.gpu_type"]
    system = {"backend": "sglang", "gpu_type": "h200"}
    matched = found(table, system=system, runtime={"isl": 4000, "osl": 100})
    assert (matched.isl, matched.osl, matched.gpu_type) == (4000, 100, "h200")
    assert {c.system.backend for c, _ in matched.launches} == {"sglang"}


def test_the_same_device_by_another_name_is_no_contradiction() -> None:
    assert len(found(system={"gpu_type": "h100"}).launches) == 6


def test_a_table_on_a_cpu_needs_no_gpu() -> None:
    one = replace(
        TABLE.launches[0],
        engine="llamacpp",
        settings={"system.backend": "llamacpp", "misc.threads": 2},
    )
    matched = found(replace(TABLE, device="AMD EPYC, 2 cores", launches=(one,)))
    ((candidate, _),) = matched.launches
    assert (candidate.gpus, matched.gpu_type) == (0, None)


def test_nothing_left_names_why() -> None:
    problems = reported(parallel={"tp": 4}, system={"total_gpus": 2})
    assert [message for _, message in problems] == [
        "parallel.tensor_parallel is not what the task asks for (4 x)",
        "more GPUs than system.total_gpus (2) (2 x)",
    ]


@pytest.mark.parametrize(
    ("settings", "gpus", "words"),
    [
        ({"parallel.tensor_paralel": 1}, 1, "tensor_parallel"),
        ({"quantization.gemm_mode": "fp7"}, 1, "quantization.gemm_mode"),
        ({"parallel.tensor_parallel": 2}, 4, "its widths make 2"),
    ],
)
def test_a_launch_that_no_candidate_can_be_is_named(
    settings: dict[str, Any], gpus: int, words: str
) -> None:
    odd = replace(
        TABLE.launches[0], id="odd", gpus=gpus, settings={"system.backend": "vllm", **settings}
    )
    with pytest.raises(LandscapeError, match=rf"made-up: launch odd.*{words}"):
        found(replace(TABLE, launches=(*TABLE.launches, odd)))
