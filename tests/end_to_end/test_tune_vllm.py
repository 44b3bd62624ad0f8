"""Real vLLM on the CPU, tuned from the example's task."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "v2" / "vllm-cpu.yaml"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_vllm_is_tuned_to_a_measured_frontier(tmp_path: Path) -> None:
    task = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    task["model"]["path"] = str(Path(sys.prefix) / "models" / "tiny-llama")
    task["optimization"]["budget"]["experiments"] = 1
    task["benchmark"] |= {"concurrency": [1, 8], "requests_per_level": 12}
    file = tmp_path / "task.yaml"
    file.write_text(yaml.safe_dump(task), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "autotuner", "tune", file, "--home", tmp_path / "home", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [e["status"] for e in found["experiments"]] == ["completed"] * 2
    assert (found["task"]["engine"], found["task"]["engine_version"]) == ("vllm", "0.32.0")
    assert found["frontier"]
    for experiment in found["experiments"]:
        for level in experiment["measurements"]:
            assert level["valid"]
            assert level["output_tokens"] == 32 * level["requests_completed"]
            assert level["input_tokens"] == 128 * level["requests_completed"]
