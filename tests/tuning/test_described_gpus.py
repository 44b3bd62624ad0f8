"""GPUs that a task or the home describes, from the file to the plan."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from autotuner.catalog import gpu_named
from autotuner.config import parse_task
from autotuner.errors import ConfigError
from autotuner.profiles import builtin_registry
from autotuner.tuning.checks import problems_in
from autotuner.tuning.prepare import prepare
from autotuner.tuning.resources import GPUS_FILE, resource_request, with_gpus_of_home
from autotuner.tuning.scenarios import scenarios

FACTS = {"memory_gib": 63.5, "bandwidth_gb_s": 1640, "tflops": {"bfloat16": 180}}


def document(gpu: str, **more: Any) -> dict[str, Any]:
    return {
        "version": 2,
        "name": "t",
        "model": {"id": "Qwen/Qwen3-8B"},
        "runtime": {"isl": 512, "osl": 128},
        "system": {"backend": "vllm", "gpu_type": gpu, "total_gpus": 2},
        "memory": {"max_model_len": 4096},
        **more,
    }


@pytest.mark.parametrize(
    "gpu",
    ["h20", "h800", "a800", "a100-40gb", "a40", "rtx3090", "rtx4090", "mi355x", "gb10", "l20"],
)
def test_a_task_on_a_gpu_that_people_have_is_planned(gpu: str, tmp_path: Path) -> None:
    prepared = prepare(parse_task(document(gpu)), base=tmp_path)
    assert prepared.space.candidates
    assert prepared.device_name == f"2 x {gpu_named(gpu).name}"


def test_a_task_may_describe_its_gpu(tmp_path: Path) -> None:
    task = parse_task(document("my-gpu", gpus={"my-gpu": FACTS}))
    assert problems_in(task, base=tmp_path, registry=builtin_registry()) == ()
    assert resource_request(task) == ("my-gpu", 2)
    prepared = prepare(task, base=tmp_path)
    ((scenario, _),) = scenarios(prepared, tmp_path)
    assert (scenario.gpu.memory_gib, scenario.gpu.bandwidth_gb_s) == (63.5, 1640)
    assert scenario.device == "my-gpu"


def test_what_does_not_fit_into_a_described_gpu_is_left_out(tmp_path: Path) -> None:
    small = {**FACTS, "memory_gib": 6}
    with pytest.raises(ConfigError, match="GiB per GPU"):
        prepare(parse_task(document("my-gpu", gpus={"my-gpu": small})), base=tmp_path)


def test_a_format_that_a_described_gpu_lacks_is_left_out(tmp_path: Path) -> None:
    task = document("my-gpu", gpus={"my-gpu": FACTS}, quantization={"gemm_mode": "fp8"})
    with pytest.raises(ConfigError, match="my-gpu does not compute in 'fp8'"):
        prepare(parse_task(task), base=tmp_path)


def test_the_home_describes_gpus_for_all_tasks(tmp_path: Path) -> None:
    (tmp_path / GPUS_FILE).write_text(yaml.safe_dump({"gpus": {"my-gpu": FACTS, "other": FACTS}}))
    task = with_gpus_of_home(parse_task(document("MY GPU")), tmp_path)
    assert list(task.gpus) == ["my-gpu"]
    assert prepare(task, base=tmp_path).device_name == "2 x my-gpu"
    own = parse_task(document("my-gpu", gpus={"my-gpu": {**FACTS, "memory_gib": 40}}))
    assert with_gpus_of_home(own, tmp_path).gpus["my-gpu"].memory_gib == 40
    plain = parse_task(document("h100"))
    assert with_gpus_of_home(plain, tmp_path) is plain


def test_facts_of_gpus_do_not_make_another_task() -> None:
    plain, shown = document("my-gpu"), document("my-gpu", gpus={"my-gpu": FACTS})
    assert parse_task(plain).content_id == parse_task(shown).content_id


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gpus: {x: {memory_gib: 1, bandwidth_gb_s: 1, tflop: {bfloat16: 1}}}", "tflops"),
        ("x: {memory_gib: 1}", "gpus"),
        ("[1]", "gpus.yaml"),
        ("gpus: [", "broken YAML"),
    ],
)
def test_a_file_that_describes_no_gpus_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / GPUS_FILE).write_text(text)
    with pytest.raises(ConfigError) as error:
        with_gpus_of_home(parse_task(document("h100")), tmp_path)
    assert message in str(error.value)
