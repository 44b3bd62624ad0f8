"""`autotuner observations`: taken in whole or not at all, and forgotten only with a backup."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from running import Run
from test_bad_input import is_told
from test_json import document

SEEN: dict[str, Any] = {
    "model": "m",
    "family": "LlamaForCausalLM",
    "engine": "vllm",
    "engine_version": "0.11",
    "device": "h100_sxm",
    "devices": 2,
    "settings": {"parallel.tensor_parallel": 2},
    "isl": 512,
    "osl": 64,
    "concurrency": 8,
    "ttft_ms": 120.0,
    "tpot_ms": 11.5,
    "tok_s": 600.0,
    "base": "roofline-1",
    "base_ttft_ms": 90.0,
    "base_tpot_ms": 10.0,
    "launch": "one",
}


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A file of three observations, two of them of vLLM."""
    path = tmp_path / "lab.jsonl"
    seen = [SEEN, SEEN | {"concurrency": 16}, SEEN | {"engine": "sglang"}]
    path.write_text("".join(f"{json.dumps(one)}\n" for one in seen), encoding="utf-8")
    return path


def test_there_and_back(run: Run, lab: Path, tmp_path: Path) -> None:
    assert document(run("observations", "import", lab, "--json")) == {
        "imported": 3,
        "duplicates": 0,
    }
    again = run("observations", "import", lab)
    assert "0 observations imported, 3 were there already" in again.stdout
    out = tmp_path / "new" / "out.jsonl"
    written = document(run("observations", "export", out, "--engine", "vllm", "--json"))
    assert written == {"exported": 2, "file": str(out)}
    back = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [{key: one[key] for key in SEEN} for one in back] == [
        SEEN,
        SEEN | {"concurrency": 16},
    ]
    assert {one["source"] for one in back} == {"lab.jsonl"}
    listed = document(run("observations", "list", "--json"))["observations"]
    assert [one["engine"] for one in listed] == ["vllm", "vllm", "sglang"]
    assert {one["run"] for one in listed} == {None}
    table = run("observations", "list").stdout
    assert "1.33" in table, "median of measured / predicted TTFT"


def test_a_broken_file_is_refused_as_a_whole(run: Run, lab: Path) -> None:
    with lab.open("a", encoding="utf-8") as file:
        file.write(json.dumps(SEEN | {"tpot_ms": -3}) + "\n")
    is_told(run("observations", "import", lab), "lab.jsonl", "line 4", "tpot_ms", "-3")
    assert document(run("observations", "list", "--json")) == {"observations": []}


def test_files_that_cannot_be_read_or_written(run: Run, lab: Path, tmp_path: Path) -> None:
    is_told(run("observations", "import", tmp_path / "none.jsonl"), "none.jsonl")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    is_told(run("observations", "import", tmp_path / "binary"), "UTF-8")
    is_told(run("observations", "export", lab / "below"), str(lab))


def test_nothing_is_forgotten_without_saying_what_and_yes(run: Run, lab: Path) -> None:
    run("observations", "import", lab)
    is_told(run("observations", "forget"), "--all")
    is_told(run("observations", "forget", "--all", "--engine", "vllm"), "--all")
    is_told(run("observations", "forget", "--all"), "--yes")
    assert len(document(run("observations", "list", "--json"))["observations"]) == 3


def test_what_is_forgotten_can_be_taken_back(run: Run, lab: Path) -> None:
    run("observations", "import", lab)
    words = ("observations", "forget", "--engine", "vllm", "--yes", "--json")
    forgotten = document(run(*words))
    assert forgotten["forgotten"] == 2
    (left,) = document(run("observations", "list", "--json"))["observations"]
    assert left["engine"] == "sglang"
    back = document(run("observations", "import", forgotten["backup"], "--json"))
    assert back == {"imported": 2, "duplicates": 0}
    assert document(run(*words, "--run", "7")) == {"forgotten": 0, "backup": None}


def test_looking_creates_nothing(run: Run, home: Path) -> None:
    assert "no observations yet" in run("observations", "list").stdout
    assert not home.exists()


@pytest.mark.parametrize("name", ["vllm-bench.json", "sglang-bench.jsonl", "predicted.csv", "gb"])
def test_results_of_load_generators_are_named_and_sent_to_compare(name: str, run: Run) -> None:
    data = Path(__file__).parents[1] / "verify" / "data" / "tools"
    found = run("observations", "import", data / name)
    assert found.returncode == 2
    assert "measurements without the predictions" in found.stderr
    assert "verify compare" in found.stderr
