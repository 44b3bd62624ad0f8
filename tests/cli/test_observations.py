"""`autotuner observations`: taken in whole or not at all, and forgotten only with a backup."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from running import Run
from test_bad_input import is_shown
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
    "load": {"kind": "concurrency", "value": 8},
    "ttft_ms": 120.0,
    "tpot_ms": 11.5,
    "tok_s": 600.0,
    "base": "roofline-1",
    "base_ttft_ms": 90.0,
    "base_tpot_ms": 10.0,
    "launch": "one",
}
SIXTEEN = {"load": {"kind": "concurrency", "value": 16}}


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A file of three observations, two of them of vLLM."""
    path = tmp_path / "lab.jsonl"
    seen = [SEEN, SEEN | SIXTEEN, SEEN | {"engine": "sglang"}]
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
        SEEN | SIXTEEN,
    ]
    assert {one["source"] for one in back} == {"lab.jsonl"}
    listed = document(run("observations", "list", "--json"))["observations"]
    assert [one["engine"] for one in listed] == ["vllm", "vllm", "sglang"]
    assert {one["task"] for one in listed} == {None}
    table = run("observations", "list").stdout
    assert "1.33" in table, "median of measured / predicted TTFT"


def test_a_broken_file_is_refused_as_a_whole(run: Run, lab: Path) -> None:
    with lab.open("a", encoding="utf-8") as file:
        file.write(json.dumps(SEEN | {"tpot_ms": -3}) + "\n")
    is_shown(run("observations", "import", lab), "lab.jsonl", "line 4", "tpot_ms", "-3")
    assert document(run("observations", "list", "--json")) == {"observations": []}


def test_files_that_cannot_be_read_or_written(run: Run, lab: Path, tmp_path: Path) -> None:
    is_shown(run("observations", "import", tmp_path / "none.jsonl"), "none.jsonl")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    is_shown(run("observations", "import", tmp_path / "binary"), "UTF-8")
    is_shown(run("observations", "export", lab / "below"), str(lab))


def test_nothing_is_forgotten_without_naming_what_and_yes(run: Run, lab: Path) -> None:
    run("observations", "import", lab)
    is_shown(run("observations", "forget"), "--all")
    is_shown(run("observations", "forget", "--all", "--engine", "vllm"), "--all")
    is_shown(run("observations", "forget", "--all"), "--yes")
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
    assert document(run(*words, "--task", "7")) == {"forgotten": 0, "backup": None}


def test_looking_creates_nothing(run: Run, home: Path) -> None:
    assert "no observations yet" in run("observations", "list").stdout
    assert not home.exists()


DATA = Path(__file__).parents[1] / "verify" / "data" / "tools"
LLAMA = ("--set", "model=meta-llama/Llama-3.1-8B-Instruct")
ONE_GPU = (*LLAMA, "--set", "system=h100", "--set", "gpus=1")
LENGTHS = ("--set", "isl=512", "--set", "osl=128")


def test_an_imported_result_corrects_later_predictions(run: Run, tmp_path: Path) -> None:
    task = tmp_path / "task.yaml"
    asked = {
        "version": 2,
        "name": "on paper",
        "model": {"id": "meta-llama/Llama-3.1-8B-Instruct"},
        "runtime": {"isl": 512, "osl": 128},
        "system": {"backend": "vllm", "gpu_type": "h100", "total_gpus": 1},
        "parallel": {"tensor_parallel": 1},
        "benchmark": {"concurrency": [4]},
    }
    task.write_text(json.dumps(asked), encoding="utf-8")
    (before,) = document(run("predict", task, "--json"))["predictions"]
    words = ("observations", "import", DATA / "vllm-bench.json", *ONE_GPU, "--json")
    assert document(run(*words)) == {"imported": 1, "duplicates": 0, "left_out": []}
    assert document(run(*words)) == {"imported": 0, "duplicates": 1, "left_out": []}
    predicted = document(run("predict", task, "--json"))
    (after,) = predicted["predictions"]
    assert predicted["observations"] == 1
    for name, measured in (("ttft_ms", 120.0), ("tpot_ms", 9.0)):
        assert abs(after[name] - measured) < abs(before[name] - measured) / 2
        assert after[f"{name[:-3]}_log_std"] < before[f"{name[:-3]}_log_std"]
    (seen,) = document(run("observations", "list", "--json"))["observations"]
    assert (seen["tool"], seen["source"]) == ("vllm bench serve", "vllm-bench.json")
    assert (seen["ttft_ms"], seen["tpot_ms"], seen["tok_s"]) == (120.0, 9.0, 409.6)
    assert (seen["engine"], seen["device"], seen["devices"]) == ("vllm", "h100_sxm", 1)
    assert seen["base_ttft_ms"] == pytest.approx(before["ttft_ms"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words", "count"),
    [
        ("sglang-bench.jsonl", ONE_GPU, 2),
        ("guidellm.json", (*ONE_GPU, *LENGTHS, "--set", "engine=vllm"), 1),
        ("aiperf", (*ONE_GPU, *LENGTHS, "--set", "engine=TensorRT-LLM"), 1),
        ("llm-optimizer.json", (*LLAMA, "--set", "system=h200"), 2),
        ("gb", (*LLAMA, "--set", "tp=2"), 3),
        ("excel.csv", (*ONE_GPU, *LENGTHS, "--set", "engine=sglang"), 1),
    ],
)
def test_results_of_every_tool_are_imported(
    name: str, words: tuple[str, ...], count: int, run: Run
) -> None:
    found = document(run("observations", "import", DATA / name, *words, "--json"))
    assert found["imported"] == count, found


@pytest.mark.parametrize(
    ("name", "words", "shown"),
    [
        ("vllm-bench.json", (), ["--set system=GPU --set gpus=N"]),
        ("guidellm.json", ONE_GPU, ["--set engine=", "--set isl=TOKENS --set osl=TOKENS"]),
        ("gb", LLAMA, ["3 left out", "layout of 2 GPUs", "--set tp=N"]),
        ("gb", (*LLAMA, "--set", "tp=4"), ["4 GPUs", "gpus is 2", "--set gpus=4"]),
        ("vllm-bench.json", ONE_GPU[2:], ["'my-model'", "--set model=ORG/NAME"]),
        ("vllm-bench.json", (*LLAMA, *ONE_GPU[4:], "--set", "system=h1000"), ["h1000"]),
        ("gb-errors", LLAMA, ["1 of 5 requests failed", "--set tp=N"]),
        ("vllm-bench.json", ("--set", "gpu=1"), ["--set 'gpu'"]),
        ("vllm-bench.json", ("--set", "tp=["), ["--set", "tp=["]),
        (
            "vllm-bench.json",
            ("--set", "tp=x"),
            ["parallel.tensor_parallel", "a whole number, not 'x'"],
        ),
    ],
)
def test_what_a_result_lacks_is_named_with_the_remedy(
    name: str, words: tuple[str, ...], shown: list[str], run: Run
) -> None:
    found = run("observations", "import", DATA / name, *words)
    is_shown(found, *shown)
    assert document(run("observations", "list", "--json")) == {"observations": []}


def test_levels_that_cannot_be_used_are_counted_beside_the_others(run: Run, tmp_path: Path) -> None:
    good = json.loads((DATA / "vllm-bench.json").read_text(encoding="utf-8"))
    lines = [
        good,
        good | {"failed": 3, "completed": 29},
        good | {"request_rate": 2.0},
        {key: value for key, value in good.items() if key != "mean_ttft_ms"},
    ]
    path = tmp_path / "serve.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    found = document(run("observations", "import", path, *ONE_GPU, "--json"))
    assert found["imported"] == 1
    why = {one["source"]: one["why"] for one in found["left_out"]}
    assert "3 of 32 requests failed" in why["line 2"]
    assert "arrived at 2.0/s" in why["line 3"]
    assert why["line 4"] == "TTFT was not measured"
    assert "1 left out: 3 of 32" in run("observations", "import", path, *ONE_GPU).stdout


def test_predictions_are_no_measurements(run: Run, lab: Path, tmp_path: Path) -> None:
    columns = "concurrency,ttft (ms),tpot (ms),kind of data"
    (tmp_path / "p.csv").write_text(f"{columns}\n1,90,9.5,roofline\n", encoding="utf-8")
    is_shown(run("observations", "import", tmp_path / "p.csv"), "predictions, and no measurements")
    is_shown(run("observations", "import", lab, *ONE_GPU), "--set", "load generators")
    is_shown(run("observations", "import", lab.parent), str(lab.parent))


LLAMA_LINE = SEEN | {
    "model": "meta-llama/Meta-Llama-3.1-8B",
    "settings": {"system.gpu_type": "h100_sxm", "system.backend": "vllm"}
    | {"parallel.tensor_parallel": 2, "system.price_per_gpu_hour": 2.125},
    "launch": "launch-of-alice",
    "source": "task 7 of alice on build-host.acme.example",
    "at": "2026-01-02T03:04:05+00:00",
    "tool": "acme bench",
    "ttft_ms": 40.0,
    "tpot_ms": 7.0,
    "tok_s": 1061.1,
}
FORGERY = {"ttft_ms": 4.0, "tpot_ms": 0.7, "tok_s": 10611.4}
"""Ten times too good."""


def written(path: Path, *lines: dict[str, Any]) -> Path:
    path.write_text("".join(f"{json.dumps(one)}\n" for one in lines), encoding="utf-8")
    return path


def test_a_share_has_no_names_and_comes_home_as_what_is_there(run: Run, tmp_path: Path) -> None:
    mine = written(tmp_path / "mine.jsonl", LLAMA_LINE, SEEN | SIXTEEN)
    run("observations", "import", mine)
    out = tmp_path / "share.jsonl"
    words = ("observations", "export", out, "--share", "--licence", "CC0-1.0")
    shared = document(run(*words, "--json"))
    assert shared["exported"] == 1
    assert [one["count"] for one in shared["left_out"]] == [1]
    text = out.read_text(encoding="utf-8")
    for private in ("alice", "acme", "task 7", "mine", "2026", "2.125", str(tmp_path)):
        assert private not in text, private
    (line,) = map(json.loads, text.splitlines())
    assert (line["origin"], line["licence"], line["ttft_ms"]) == ("shared", "CC0-1.0", 40.0)
    listed = run("observations", "list").stdout
    assert "own" in listed
    is_shown(run("observations", "export", out, "--licence", "CC0-1.0"), "--share")


@pytest.mark.slow
def test_what_others_measured_is_named_weighed_and_removable(run: Run, tmp_path: Path) -> None:
    other = LLAMA_LINE | {"base": "their-predictor", "base_ttft_ms": 1.0, "base_tpot_ms": 1.0}
    good = written(tmp_path / "good.jsonl", other)
    found = document(
        run("observations", "import", good, "--origin", "lab", "--licence", "CC0-1.0", "--json")
    )
    assert (found["imported"], found["duplicates"]) == (1, 0)
    assert [(one["origin"], one["excluded"]) for one in found["origins"]] == [("lab", None)]
    again = document(run("observations", "import", good, "--origin", "lab2", "--json"))
    assert (again["imported"], again["duplicates"]) == (0, 1), "the same figures count once"
    bad = written(
        tmp_path / "bad.jsonl",
        *[other | FORGERY | {"load": one} for one in (SEEN["load"],)],
        other | {"device": "abacus 3000", "ttft_ms": 41.0},
        other | {"model": "who/knows", "ttft_ms": 42.0},
        other | {"tok_s": 530.0, "ttft_ms": 43.0},
        other | {"devices": 8, "ttft_ms": 44.0},
    )
    shown = run("observations", "import", bad, "--origin", "crook").stdout
    for words in ("1 observations imported", "abacus 3000", "mixed definitions", "takes 2 devices"):
        assert words in shown, words
    assert "left out: TTFT is" in shown or "TPOT is 0." in shown
    listed = run("observations", "list").stdout
    assert "crook" in listed
    assert "left out" in listed
    assert "lab (CC0-1.0)" in listed.replace("\n", " ") or "CC0-1.0" in listed
    rows = document(run("observations", "list", "--origin", "crook", "--json"))
    assert [row["origin"] for row in rows["observations"]] == ["crook"]
    (verdict,) = rows["origins"]
    assert "standard deviations off" in verdict["excluded"]
    kept = document(run("observations", "list", "--origin", "lab", "--json"))["observations"]
    assert kept[0]["base"] != "their-predictor", "the base prediction is made here"
    gone = document(run("observations", "forget", "--origin", "crook", "--yes", "--json"))
    assert gone["forgotten"] == 1
    left = document(run("observations", "list", "--json"))["observations"]
    assert {row["origin"] for row in left} == {"lab"}
    assert document(run("observations", "list", "--origin", "own", "--json"))["observations"] == []


def test_origins_and_licences_are_words(run: Run, lab: Path) -> None:
    is_shown(run("observations", "import", lab, "--origin", "own"), "--origin", "'own'")
    is_shown(run("observations", "import", lab, "--origin", "a b"), "--origin", "'a b'")
    is_shown(run("observations", "import", lab, "--licence", "a\nb"), "--licence")
    broken = written(lab, SEEN | {"origin": "a b"})
    is_shown(run("observations", "import", broken), "line 1", "origin")


@pytest.mark.slow
def test_public_results_have_the_origin_of_their_publisher(run: Run, tmp_path: Path) -> None:
    row = {
        "hw": "h200",
        "framework": "vllm",
        "model": "meta-llama/Llama-3.1-8B-Instruct",
        "conc": 8,
        "tp": 1,
        "isl": 1024,
        "osl": 1024,
        "precision": "bf16",
        "mean_ttft": 0.08,
        "mean_tpot": 0.0085,
        "output_tput_per_gpu": 930.0,
        "tput_per_gpu": 1860.0,
    }
    path = tmp_path / "agg_bmk.json"
    path.write_text(json.dumps([row]), encoding="utf-8")
    assert document(run("observations", "import", path, "--json"))["imported"] == 1
    (seen,) = document(run("observations", "list", "--json"))["observations"]
    assert (seen["origin"], seen["licence"]) == ("inferencex", "Apache-2.0")
