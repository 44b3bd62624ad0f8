"""explain, profiles and engines, as a user calls them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from running import Run

from autotuner.catalog import known_model
from autotuner.engines import FIELDS

Call = Callable[..., str]

TASK = """version: 2
name: t
model: {id: llama-3.1-70b}
profiles: [high_throughput, fp8_quantized]
runtime: {isl: 2048, osl: 512}
system: {backend: [vllm, sglang], gpu_type: h100, total_gpus: 8}
"""


@pytest.fixture
def call(run: Run) -> Call:
    """What the command says: stdout, or stderr where another code than 0 is wanted."""

    def call_words(*words: object, code: int = 0) -> str:
        done = run(*words)
        assert done.returncode == code, done.stderr
        return done.stderr if code else done.stdout

    return call_words


@pytest.fixture
def task(tmp_path: Path) -> Path:
    file = tmp_path / "task.yaml"
    file.write_text(TASK, encoding="utf-8")
    return file


def test_explain_says_who_set_what_and_why(call: Call, task: Path) -> None:
    found = json.loads(call("explain", task, "--json"))
    assert [v["engine"] for v in found["variants"]] == ["vllm", "sglang"]
    width = found["variants"][0]["fields"]["parallel.tensor_parallel"]
    assert width["value"] == 2
    assert [layer["status"] for layer in width["layers"]] == ["replaced", "set"]
    text = call("explain", task)
    assert "not applied: high_throughput/experts: model_is_moe is false" in text
    assert all(path in text for path in FIELDS)


def test_explain_shows_every_field_and_what_counts_where_nobody_says_it(
    call: Call, task: Path
) -> None:
    for variant in json.loads(call("explain", task, "--json"))["variants"]:
        fields = variant["fields"]
        assert list(fields) == list(FIELDS)
        for path, row in fields.items():
            assert (row["value"] is None) == bool(row["unset"]), path
    assert fields["quantization.comm_mode"]["unset"] == "sglang cannot express"
    assert fields["memory.page_size"]["unset"] == "sglang's own default counts"


def test_explain_shows_what_the_engine_is_shown_at_every_launch(call: Call, tmp_path: Path) -> None:
    task = tmp_path / "task.yaml"
    task.write_text(
        "version: 2\nname: t\nmodel: {id: smollm2-135m}\nruntime: {isl: 8, osl: 4}\n",
        encoding="utf-8",
    )
    [variant] = json.loads(call("explain", task, "--json"))["variants"]
    slots = variant["fields"]["scheduling.max_running_requests"]
    assert (slots["value"], slots["layers"][0]["origin"]) == (4, "engine")
    assert "--parallel 4" in call("render", task)


def test_render_is_shown_for_an_engine_that_is_not_here(call: Call, task: Path) -> None:
    lines = json.loads(call("render", task, "--engine", "sglang", "--json"))["candidates"]
    assert len(lines) == 6
    assert all("--attention-backend" not in line["command"] for line in lines)
    assert all(line["command"].startswith("sglang serve --model-path") for line in lines)
    assert "did you mean 'vllm'" in call("render", task, "--engine", "vlm", code=2)


def test_render_moves_a_task_to_an_engine_that_it_does_not_name(call: Call, task: Path) -> None:
    found = json.loads(call("render", task, "--engine", "trtllm", "--json"))["candidates"]
    first = found[0]
    assert first["settings"]["system.backend"] == "trtllm"
    assert first["argv"][:2] == ["trtllm-serve", "meta-llama/Llama-3.1-70B"]
    assert list(first["files"]) == ["options.yaml"]
    assert "dtype" in first["files"]["options.yaml"]
    assert first["env"] == {}
    own = TASK.replace("[vllm, sglang]", "vllm, backend_version: 0.30.0") + "misc: {threads: 8}\n"
    task.write_text(own, encoding="utf-8")
    moved = json.loads(call("render", task, "--engine", "sglang", "--json"))["candidates"]
    assert moved[0]["env"] == {"OMP_NUM_THREADS": "8"}
    assert "system.backend_version" not in moved[0]["settings"]
    task.write_text(own + "scheduling: {policy: priority}\n", encoding="utf-8")
    assert "scheduling.policy" in call("render", task, "--engine", "trtllm", code=2)


def test_what_is_not_installed_is_planned_and_not_tuned(
    call: Call, task: Path, tmp_path: Path
) -> None:
    plan = json.loads(call("plan", task, "--json"))
    assert (plan["installed"], plan["candidates"], plan["device"]) == (False, 12, "8 x h100_sxm")
    assert "is not installed" in call("tune", task, "--home", tmp_path, code=2)


def test_every_field_is_covered_by_every_engine(call: Call) -> None:
    found = json.loads(call("engines", "coverage", "--json"))
    for path, row in found["fields"].items():
        assert set(row) == set(found["engines"]), path
        for message in row.values():
            assert message["how"] in ("flag", "key", "variable", "implied", "task", "no")
            assert message["name"] or message["note"], (path, message)


def test_engines_are_listed_and_shown(call: Call) -> None:
    names = [row["name"] for row in json.loads(call("engines", "list", "--json"))["engines"]]
    assert names == ["llamacpp", "vllm", "sglang", "trtllm", "lmdeploy"]
    old = json.loads(call("engines", "show", "vllm", "--engine-version", "0.11.0", "--json"))
    message = {row["field"]: row["name"] for row in old["fields"]}
    assert message["attention.backend"] == "VLLM_ATTENTION_BACKEND"
    assert "did you mean 'vllm'" in call("engines", "show", "vlm", code=2)


def test_profiles_are_listed_shown_applied_and_checked(call: Call, tmp_path: Path) -> None:
    mine = tmp_path / "profiles" / "mine.yaml"
    mine.parent.mkdir()
    mine.write_text("name: mine\nextends: balanced\nlayers: []\n", encoding="utf-8")
    rows = json.loads(call("profiles", "list", "--home", tmp_path, "--json"))["profiles"]
    assert [row["name"] for row in rows if not row["builtin"]] == ["mine"]
    shown = json.loads(call("profiles", "show", "mine", "--home", tmp_path, "--json"))
    assert shown["layers"][0]["layer"] == "balanced/width"
    where = ("--model", "llama-3.1-8b", "--engine", "vllm", "--gpu", "a100")
    message = call("profiles", "apply", "fp8_quantized", *where)
    assert "gpu_supports_fp8 is false" in message
    assert "is valid" in call("profiles", "validate", mine, "--home", tmp_path / "other")
    assert "is valid" in call("profiles", "validate", mine, "--home", tmp_path)
    taken = tmp_path / "taken.yaml"
    taken.write_text("name: balanced\nlayers: []\n", encoding="utf-8")
    assert "'balanced' is taken by built-in" in call("profiles", "validate", taken, code=2)
    mine.write_text("name: mine\nextends: balance\n", encoding="utf-8")
    assert "did you mean 'balanced'" in call("profiles", "validate", mine, code=2)
    listed = json.loads(call("profiles", "list", "--home", tmp_path, "--json"))["profiles"]
    (broken,) = [row for row in listed if row["name"] == "mine"]
    assert "did you mean 'balanced'" in broken["problem"]
    assert "did you mean 'balanced'" in call("profiles", "show", "mine", "--home", tmp_path, code=2)


def test_a_profile_is_applied_to_a_model_of_ones_own(call: Call, tmp_path: Path) -> None:
    config = dict(known_model("qwen3-8b").config or {})  # type: ignore[union-attr]
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    where = ("--engine", "vllm", "--gpu", "l4", "--json")
    words = ("profiles", "apply", "balanced", "--model")
    found = json.loads(call(*words, tmp_path, *where))
    assert found["context"]["model_kv_heads"] == 8
    gguf = json.loads(call(*words, "smollm2-135m", "--engine", "llamacpp", "--json"))
    assert gguf["context"]["model_weights_gib"] > 0
    unknown = json.loads(call(*words, "org/unknown", *where))
    assert unknown["context"]["model_is_moe"] is None
    assert "path of a model folder" in call(*words, "llama-3.1-9z", *where, code=2)
    assert "no model file" in call(*words, tmp_path / "none.gguf", *where, code=2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("high_throughput", "high_thruput"), "did you mean 'high_throughput'"),
        (("h100", "h1000"), "did you mean 'h100'"),
        (("llama-3.1-70b", "llama-3.1-71b"), "did you mean"),
        (("[vllm, sglang]", "vlm"), "did you mean 'vllm'"),
        (("total_gpus: 8", "total_gpus: 8}\nparallel: {tp: 3"), "does not divide the 64"),
        (("[vllm, sglang]", "vllm, backend_version: ['0.30.0', '0.31.0']"), ""),
        (("[vllm, sglang]", "vllm, backend_version: banana"), "'banana' is no version"),
        (("osl: 512", "osl: 512, prefix: 64"), "runtime.prefix"),
        (
            ("total_gpus: 8", "total_gpus: 8}\nparallel: {pp: 16"),
            "(16) is more than total_gpus (8)",
        ),
        (("total_gpus: 8", "total_gpus: 8, nvlink_bandwidth: [1, 2]"), "cannot be searched"),
        (("h100", "a100, backend_version: 0.9.0"), "ambiguous"),
    ],
)
def test_mistakes_are_shown_with_field_value_and_remedy(
    call: Call, task: Path, change: tuple[str, str], message: str
) -> None:
    task.write_text(TASK.replace(*change), encoding="utf-8")
    if message:
        assert message in call("plan", task, code=2)
    else:
        assert json.loads(call("plan", task, "--json"))["engine_version"] == "0.30.0, 0.31.0"
