"""`autotuner import-command`: settings for a task file, a whole one, one document for scripts."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml
from running import COMMAND, Run
from test_bad_input import is_shown
from test_json import document

from autotuner.config import parse_task

SERVED = "HF_TOKEN=x vllm serve Qwen/Qwen3-8B -tp 2 --lora-modules a=b --port 80"


def test_the_groups_are_printed_and_nothing_else(run: Run, tmp_path: Path) -> None:
    done = run("import-command", SERVED)
    assert done.returncode == 0
    assert yaml.safe_load(done.stdout) == {
        "system": {"backend": "vllm", "total_gpus": 2},
        "parallel": {"tensor_parallel": 2},
        "misc": {"extra_args": ["--lora-modules", "a=b"]},
    }
    for word in ("HF_TOKEN: variables", "--lora-modules: no field", "--port: the tuner"):
        assert word in done.stderr
    file = tmp_path / "serve.sh"
    file.write_text(SERVED.replace(" -tp", " \\\n  -tp"), encoding="utf-8")
    assert run("import-command", file).stdout == done.stdout
    from_stdin = subprocess.run(
        [*COMMAND, "import-command", "-"], input=SERVED, capture_output=True, text=True, check=True
    )
    assert from_stdin.stdout == done.stdout
    assert run("import-command", "--", *SERVED.split()).stdout == done.stdout


def test_one_document_for_scripts_holds_no_secret(run: Run) -> None:
    found = document(run("import-command", SERVED, "--json"))
    assert (found["engine"], found["model"], found["gpus"]) == ("vllm", "Qwen/Qwen3-8B", 2)
    assert found["settings"] == {"parallel.tensor_parallel": 2}
    assert found["extra_args"] == ["--lora-modules", "a=b"]
    assert found["env"] == {"HF_TOKEN": None}
    assert {note["outcome"] for note in found["notes"]} == {
        *("translated", "extra_args", "kept", "lost"),
    }


def test_a_whole_task_file_is_written_once(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "task.yaml"
    done = run("import-command", SERVED, "--task", file)
    assert "1 setting, 2 extra arguments" in done.stdout
    text = file.read_text(encoding="utf-8")
    assert parse_task(yaml.safe_load(text)).model.id == "Qwen/Qwen3-8B"
    assert "isl" in text.partition("version:")[0]
    is_shown(run("import-command", SERVED, "--task", file), "--task", "is there already", "--force")
    assert run("import-command", SERVED, "--task", file, "--force").returncode == 0


def test_a_secret_reaches_no_output_and_no_file(run: Run, tmp_path: Path) -> None:
    secret, file = "hf_" + "a1B2" * 8, tmp_path / "task.yaml"
    command = f"docker run -e OTHER={secret} vllm/vllm-openai --model a/b --hf-token {secret}"
    for options in ([], ["--json"], ["--task", file]):
        done = run("import-command", command, *options)
        assert done.returncode == 0
        assert secret not in done.stdout + done.stderr
        assert "--hf-token" in done.stdout + done.stderr
    assert secret not in file.read_text(encoding="utf-8")


def test_a_file_of_an_unknown_user_is_not_here(run: Run) -> None:
    done = run(
        "import-command", "trtllm-serve ~nobody-here/m --extra_llm_api_options ~nobody-here/x"
    )
    assert done.returncode == 0
    assert "~nobody-here/x could not be read" in done.stderr
    is_shown(run("import-command", "a" * 5_000), "starts no engine")


def test_a_model_that_no_engine_can_be_given_is_read_as_it_stands(run: Run) -> None:
    done = run("import-command", "vllm serve --model=-org/m --max-num-seqs 8")
    assert done.returncode == 0, done.stderr
    assert "max_running_requests: 8" in done.stdout


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["hello"], ["starts no engine", "llama-server"]),
        (["vllm serve a/b --mem-fraction-static 1"], ["one of sglang", "correct the flag"]),
        (["vllm serve a/b", "--engine", "vlm"], ["'vlm' is unknown", "vllm"]),
        (["vllm serve -q fp8", "--task", "x.yaml"], ["names no model", "--task"]),
    ],
)
def test_a_mistake_is_a_line_or_two(run: Run, words: list[str], shown: list[str]) -> None:
    is_shown(run("import-command", *words), *shown)
