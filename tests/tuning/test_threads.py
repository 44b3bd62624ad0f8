"""llama.cpp is told how many threads it may use; what the task says wins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autotuner.catalog import Device
from autotuner.config import parse_task
from autotuner.tuning import resolve
from autotuner.tuning.prepare import Prepared, prepare

WHY = "the container's CPU quota is 3 of 64 CPUs"


@pytest.fixture(autouse=True)
def _in_a_container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve, "this_device", lambda: Device("a CPU", 3, 16.0, WHY))


def prepared(**more: Any) -> Prepared:
    document = {
        "version": 2,
        "name": "t",
        "model": {"id": "smollm2-135m"},
        "runtime": {"isl": 64, "osl": 16},
        **more,
    }
    return prepare(parse_task(document), base=Path())


def commands(found: Prepared) -> list[list[str]]:
    (variant,) = found.variants
    return [
        list(variant.engine.render(candidate, found.model, variant.installation).argv)
        for candidate in found.space.candidates
    ]


def test_without_threads_it_gets_the_cpus_that_the_process_may_use() -> None:
    found = prepared()
    (argv,) = commands(found)
    assert argv[argv.index("--threads") + 1] == "3"
    (origin,) = found.variants[0].config.provenance["misc.threads"]
    assert (origin.layer, origin.value, origin.why) == ("this machine", 3, WHY)


def test_what_the_task_says_wins() -> None:
    found = prepared(misc={"threads": [1, 2]})
    assert [argv[argv.index("--threads") + 1] for argv in commands(found)] == ["1", "2"]


@pytest.mark.parametrize("words", [["--threads", "1"], ["-t", "1"], [["-t", "1"], ["-t", "1"]]])
def test_threads_among_the_extra_arguments_are_the_tasks_own(words: list[Any]) -> None:
    for argv in commands(prepared(misc={"extra_args": words})):
        assert argv[-1] == "1"
        assert "3" not in argv


def test_other_engines_are_shown_nothing() -> None:
    system = {"backend": "vllm", "gpu_type": "h100", "total_gpus": 1}
    found = prepared(model={"id": "Qwen/Qwen3-8B"}, system=system)
    assert "misc.threads" not in found.variants[0].config.settings
