"""`autotuner init`: a file that validates, plans and tunes, and never replaces another unasked."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from running import Run
from test_bad_input import is_shown
from test_json import document


def test_without_options_a_task_for_this_cpu_is_written(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "task.yaml"
    shown = document(run("init", "-o", file, "--json"))
    assert (shown["engine"], shown["gpu"], shown["file"]) == ("llamacpp", "cpu", str(file))
    valid = document(run("validate", file, "--json"))
    assert valid["candidates"] == shown["candidates"] > 0
    assert valid["task"]["model"] == {"id": "smollm2-135m"}
    assert str(file) in run("init", "-o", file, "--force").stdout


@pytest.mark.slow
def test_a_task_without_options_is_tuned(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "task.yaml"
    assert run("init", "-o", file).returncode == 0
    task = yaml.safe_load(file.read_text(encoding="utf-8"))
    task["optimization"]["budget"]["experiments"] = 1
    task["runtime"] = {"isl": 32, "osl": 8}
    task["benchmark"] |= {"requests_per_level": 4, "concurrency": [1, 2]}
    file.write_text(yaml.safe_dump(task), encoding="utf-8")
    assert document(run("tune", file, "--json"))["frontier"]


@pytest.mark.slow
def test_options_say_model_devices_engine_and_limits(run: Run, tmp_path: Path) -> None:
    words = ("--model", "meta-llama/Llama-3.1-70B-Instruct", "--gpu", "h100", "--gpus", 4)
    slo = ("--slo", "ttft_ms=2000,tpot_ms=50.5", "--slo", "e2e_p90_ms=9000")
    done = run("init", *words, "--engine", "sglang", *slo, "--isl", 512, "--osl", 64, "-o", "-")
    task = yaml.safe_load(done.stdout)
    assert task["name"] == "llama-3.1-70b-instruct"
    assert task["system"] == {"backend": "sglang", "gpu_type": "h100_sxm", "total_gpus": 4}
    assert task["runtime"] == {"isl": 512, "osl": 64}
    assert task["slo"] == {"ttft_ms": 2000, "tpot_ms": 50.5, "e2e_p90_ms": 9000}
    assert "# " in done.stdout
    file = tmp_path / "out" / "t.yaml"
    shown = run("init", *words, "-o", file)
    assert "4 x h100_sxm" in shown.stdout
    assert document(run("plan", file, "--json"))["candidates"] > 0


def test_a_gpu_that_the_home_describes_is_taken(run: Run, home: Path, tmp_path: Path) -> None:
    home.mkdir()
    facts = {"memory_gib": 64, "bandwidth_gb_s": 2000, "tflops": {"bfloat16": 400}}
    (home / "gpus.yaml").write_text(yaml.safe_dump({"gpus": {"our_gpu": facts}}), encoding="utf-8")
    file = tmp_path / "t.yaml"
    words = ("--model", "meta-llama/Llama-3.1-8B-Instruct", "--gpu", "our_gpu", "--gpus", 2)
    shown = document(run("init", *words, "--engine", "vllm", "-o", file, "--json"))
    assert (shown["gpu"], shown["gpus"]) == ("our_gpu", 2)
    assert document(run("plan", file, "--json"))["candidates"] == shown["candidates"]


def test_a_file_is_replaced_only_with_force(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "task.yaml"
    file.write_text("mine", encoding="utf-8")
    is_shown(run("init", "-o", file), "task.yaml", "--force")
    assert file.read_text(encoding="utf-8") == "mine"
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("--slo", "ttft=3"), ["--slo", "ttft_ms"]),
        (("--slo", "ttft_ms=-3"), ["--slo", "ttft_ms=-3"]),
        (("--slo", "ttft_ms"), ["--slo", "ttft_ms=500"]),
        (("--slo", "ttft_ms=1,ttft_ms=2"), ["twice"]),
        (("--gpu", "h100"), ["--model"]),
        (("--gpu", "h1000", "--model", "x/y"), ["--gpu: 'h1000'", "h100"]),
        (("--gpu", "cpu", "--gpus", "2"), ["--gpus"]),
        (("--engine", "vlm"), ["--engine: 'vlm'", "vllm"]),
        (("--model", "no-such-model"), ["no-such-model"]),
        (
            ("--model", "meta-llama/Llama-3.1-70B", "--gpu", "l4", "--engine", "vllm"),
            ["1 x l4", "GiB"],
        ),
        (("-o", "-", "--json"), ["--json", "--output"]),
        (("-o", "/proc/none/t.yaml"), ["/proc/none"]),
    ],
)
def test_mistakes_are_shown(
    words: tuple[str, ...], shown: list[str], run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "t.yaml"
    output = () if "-o" in words else ("-o", file)
    is_shown(run("init", *words, *output), *shown)
    assert not file.exists()
