"""What aiconfigurator writes, read; our tasks in its words; and the table between the two."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from autotuner.catalog.gpus import gpus
from autotuner.config import GROUPS, Candidate, TaskConfig, parse_task
from autotuner.errors import VerifyError
from autotuner.verify import compare_files, read_points
from autotuner.verify.aiconfigurator_fields import FieldRow, table, to_ours
from autotuner.verify.aiconfigurator_reader import read_task, read_tasks
from autotuner.verify.aiconfigurator_writer import write_candidate, write_task

DATA = Path(__file__).parent / "data" / "aiconfigurator"
WITHOUT = {"runtime.nextn", "model.id"}
"""Rows that a task cannot say alone: drafting needs nextn_accepted; a model is no group."""


def experiments(task: TaskConfig) -> list[dict[str, Any]]:
    return [dict(fields) for fields in write_task(task).experiments.values()]


def task_of(settings: dict[str, Any], **shown: Any) -> TaskConfig:
    document: dict[str, Any] = {"version": 2, "name": "t", "model": {"id": "Qwen/Qwen3-32B"}}
    for path, value in settings.items():
        group, _, field = path.partition(".")
        document.setdefault(group, {})[field] = value
    return parse_task(document | shown)


def test_points_are_read_with_their_settings_and_originals() -> None:
    found = read_points(DATA / "default")
    point = next(p for p in found.points if p.source == "agg/best_config_topn.csv:2")
    assert (point.model, point.engine, point.engine_version) == ("Qwen/Qwen3-32B", "vllm", "0.24.0")
    assert (point.system, point.isl, point.osl, point.load.value) == ("h200_sxm", 1024, 512, 112)
    assert (point.ttft_ms, point.tpot_ms, point.gpus) == (305.123, 27.857, 2)
    # 7.703 requests/s x 512 tokens; its own 3936.141 tokens/s is x 511.
    assert point.tok_s == pytest.approx(7.703 * 512)
    assert point.originals["tokens/s"] == "3936.141"
    assert point.settings["parallel.tensor_parallel"] == 2
    assert point.settings["quantization.comm_mode"] == "half"
    assert (point.loop, point.tpot_as) == ("steady", "without_first")
    assert found.excluded == ()
    assert "bs" in found.not_used


def test_a_row_in_both_files_counts_once() -> None:
    found = read_points(DATA / "default")
    rows = [tuple(p.originals.values()) for p in found.points if p.source.startswith("agg")]
    assert len(rows) == len(set(rows))


def test_workers_that_are_apart_are_shown_in_words() -> None:
    found = read_points(DATA / "default" / "disagg" / "pareto.csv")
    point = found.points[0]
    assert point.layout == "prefill 2x tp1pp1dp1etp1ep1, decode 1x tp2pp1dp1etp1ep1"
    assert (point.engine, point.system, point.gpus) == ("vllm", "h200_sxm", 4)
    assert point.tok_s == pytest.approx(8873.452, rel=1e-4), "its tokens/s counts first tokens here"


def test_tpot_stated_with_the_first_token_is_converted_and_shown() -> None:
    found = read_points(DATA / "inclusive")
    point = next(p for p in found.points if p.source == "moe/best_config_topn.csv:2")
    assert point.originals["tpot"].startswith("60.83")
    assert point.tpot_ms == pytest.approx((7786.922 - 459.949) / 127)
    assert point.tpot_with_first_ms == pytest.approx(60.835625, rel=1e-4)
    assert (point.tpot_as, point.load.value, point.originals["bs"]) == ("with_first", 640, "160")
    assert any("--inclusive-tpot" in note for note in found.notes)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"ttft": "nan"}, "ttft is NaN"),
        ({"tpot": "-1"}, "tpot is -1"),
        ({"seq/s": "0"}, "seq/s is 0"),
        ({"concurrency": "many"}, "concurrency is 'many' and no number"),
        ({"request_latency": "inf"}, "request_latency is inf"),
    ],
)
def test_rows_that_cannot_be_used_are_listed(
    change: dict[str, str], word: str, tmp_path: Path
) -> None:
    file = tmp_path / "pareto.csv"
    with (DATA / "default" / "agg" / "pareto.csv").open(encoding="utf-8") as source:
        rows = list(csv.DictReader(source))
    write_csv(file, [rows[0] | change, *rows[1:]])
    found = read_points(file)
    assert [(one.source, one.why.startswith(word)) for one in found.excluded] == [
        ("pareto.csv:2", True)
    ]
    assert len(found.points) == len(rows) - 1


def write_csv(file: Path, rows: list[dict[str, str]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    file.write_text(text.getvalue(), encoding="utf-8")


def test_a_column_that_is_missing_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "pareto.csv"
    with (DATA / "default" / "agg" / "pareto.csv").open(encoding="utf-8") as source:
        rows = [{k: v for k, v in row.items() if k != "ttft"} for row in csv.DictReader(source)]
    write_csv(file, rows)
    with pytest.raises(VerifyError, match="column ttft is missing"):
        read_points(file)


def test_a_folder_that_predicts_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(VerifyError, match="predicts nothing"):
        read_points(DATA / "generate")
    with pytest.raises(VerifyError, match="it is empty"):
        read_points(tmp_path)


def test_a_saved_experiment_is_a_task_here() -> None:
    agg, disagg = read_tasks(DATA / "default")
    settings = agg.task.settings()
    assert agg.task.model.id == "Qwen/Qwen3-32B"
    assert settings["parallel.tensor_parallel"] == [1, 2, 4, 8]
    assert settings["parallel.data_parallel"] == 1, "one value is no axis"
    assert (settings["runtime.ttft_target"], settings["system.gpu_type"]) == (2000, "h200_sxm")
    assert disagg.task.settings()["system.serving_mode"] == "disagg"
    assert disagg.task.settings()["quantization.gemm_mode"] == "bfloat16"


def test_every_field_is_translated_or_listed_with_a_reason() -> None:
    for file in DATA.rglob("exp_config.yaml"):
        theirs = yaml.safe_load(file.read_text(encoding="utf-8"))
        read = read_task(theirs, name="x")
        shown = {name for name, value in theirs.items() if value not in (None, "", [])}
        names = {row.task for row in table().rows} | {
            name for row in table().rows for name in row.role_names
        }
        left = {one.field for one in read.left}
        assert shown - left <= names
        assert all(one.why and "not a field" not in one.why for one in read.left)
        assert read.task.metadata["aiconfigurator"].keys() == left


def test_there_and_back_writes_what_was_saved() -> None:
    for file in DATA.rglob("exp_config.yaml"):
        theirs = yaml.safe_load(file.read_text(encoding="utf-8"))
        shown = {name: value for name, value in theirs.items() if value not in (None, "", [])}
        (written,) = experiments(read_task(theirs, name="x").task)
        assert written == shown


def test_a_deployment_is_a_task_of_one_candidate() -> None:
    (read,) = read_tasks(DATA / "generate")
    assert read.task.axes() == {}
    assert read.task.settings()["scheduling.max_running_requests"] == 128
    assert (read.task.model.id, read.task.fixed()["runtime.isl"]) == ("Qwen/Qwen3-32B", 4000)
    with pytest.raises(VerifyError, match="separate prefill and decode"):
        read_tasks(DATA / "default" / "disagg" / "top1" / "generator_config.yaml")


def test_a_file_written_by_hand_is_read_with_what_is_taken_where_it_is_silent(
    tmp_path: Path,
) -> None:
    file = tmp_path / "tasks.yaml"
    one = {"serving_mode": "agg", "model_path": "a/b", "system_name": "h200_sxm", "tpott": 3}
    file.write_text(yaml.safe_dump({"exps": ["one"], "one": one, "two": one}), encoding="utf-8")
    (read,) = read_tasks(file)
    assert read.filled == {"runtime.isl": 4000, "runtime.osl": 1000, "system.backend": "trtllm"}
    assert read.task.fixed()["system.backend"] == "trtllm"
    ((field, why),) = [(one.field, one.why) for one in read.left]
    assert (field, "did you mean 'tpot'" in why) == ("tpott", True)
    file.write_text("exps: [three]\none: {isl: 3}\n", encoding="utf-8")
    with pytest.raises(VerifyError, match="'three'"):
        read_tasks(file)
    file.write_text("one: {mode: patch, config: {}}\n", encoding="utf-8")
    with pytest.raises(VerifyError, match=r"before 0\.12"):
        read_tasks(file)


@pytest.mark.parametrize(
    ("theirs", "word"),
    [
        ({"gemm_quant_mode": "nvfp4_wo"}, "no counterpart for this value"),
        ({"backend_name": "auto"}, "no counterpart for this value"),
        ({"enable_wideep": True}, "expert parallelism"),
    ],
)
def test_what_has_no_counterpart_here_is_left_with_the_reason(
    theirs: dict[str, Any], word: str
) -> None:
    settings, left = to_ours(theirs, "task")
    assert settings == {}
    assert word in left[0].why


@pytest.mark.parametrize(
    ("settings", "field", "word"),
    [
        ({"quantization.kvcache_mode": "int4"}, "quantization.kvcache_mode", "bfloat16, int8, fp8"),
        ({"system.backend": "llamacpp"}, "system.backend", "trtllm, sglang, vllm"),
        ({"memory.page_size": 16}, "memory.page_size", "page size"),
        ({"runtime.nextn": 1}, "runtime.nextn", "nextn_accepted"),
        ({"system.price_per_gpu_hour": 2.0}, "system.price_per_gpu_hour", "money"),
    ],
)
def test_what_has_no_counterpart_there_is_left_with_the_reason(
    settings: dict[str, Any], field: str, word: str
) -> None:
    (one,) = write_task(task_of(settings)).left
    assert (one.field, word in one.why) == (field, True)


def test_the_rest_of_a_task_is_left_with_the_reason() -> None:
    task = task_of(
        {},
        profiles=["balanced"],
        slo={"ttft_ms": 500.0, "e2e_p90_ms": 9000.0},
        benchmark={"workload": "N(100,10)/(50,5)"},
    )
    written = write_task(task)
    assert {"profiles", "benchmark", "slo.e2e_p90_ms", "benchmark.workload"} == {
        one.field for one in written.left
    }
    (fields,) = written.experiments.values()
    assert (fields["isl"], fields["osl"], fields["ttft"]) == (100, 50, 500.0)


def test_an_axis_that_they_do_not_search_becomes_an_experiment_for_each_value() -> None:
    task = task_of(
        {"quantization.kvcache_mode": ["bfloat16", "fp8"]},
        combinations=[{"parallel": {"tp": [1, 2]}}, {"parallel": {"tp": 4}}],
    )
    shown = [(f["kvcache_quant_mode"], f["agg_tp_candidates"]) for f in experiments(task)]
    assert shown == [("bfloat16", [1, 2]), ("fp8", [1, 2]), ("bfloat16", [4]), ("fp8", [4])]


def test_an_axis_that_they_lack_multiplies_no_experiments() -> None:
    task = parse_task(
        {
            "version": 2,
            "name": "t",
            "model": {"id": "Qwen/Qwen3-32B"},
            "quantization": {"gemm_mode": ["bfloat16", "fp8"]},
            "scheduling": {"max_running_requests": [8, 32], "policy": ["fcfs", "lpm"]},
        }
    )
    written = write_task(task)
    assert list(written.experiments) == ["t-1", "t-2"]
    left = {item.field: item.value for item in written.left}
    assert left == {
        "scheduling.max_running_requests": [8, 32],
        "scheduling.policy": ["fcfs", "lpm"],
    }


def test_every_field_of_ours_has_a_row_or_a_reason() -> None:
    ours = {f"{g}.{f}" for g, model in GROUPS.items() for f in model.model_fields}
    in_tasks = {row.ours for row in table().rows if row.task} - {"model.id"}
    assert in_tasks | set(table().only_ours) == ours
    assert in_tasks.isdisjoint(table().only_ours)
    assert {row.ours for row in table().rows} - {"model.id"} <= ours


def values_of(row: FieldRow) -> st.SearchStrategy[Any]:
    if row.values:
        return st.sampled_from(row.values)
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "system.gpu_type": st.sampled_from([name for name in gpus() if name != "cpu"]),
        "system.backend_version": st.from_regex(r"[0-9]\.[0-9]{1,2}\.[0-9]", fullmatch=True),
        "runtime.osl": st.integers(2, 4096),
        "runtime.prefix": st.integers(0, 1000),
        "runtime.ttft_target": st.floats(0.5, 1e5),
        "runtime.tpot_target": st.floats(0.5, 1e5),
        "memory.mem_fraction_static": st.floats(0.01, 1),
        "attention.enable_chunked_prefill": st.booleans(),
    }
    one = kinds.get(row.ours, st.integers(1, 4096))
    many = st.lists(st.integers(1, 64), min_size=2, max_size=4, unique=True)
    return one | many if row.many else one


SHARED = [row for row in table().rows if row.task and row.ours not in WITHOUT]
SETTINGS = st.fixed_dictionaries({}, optional={row.ours: values_of(row) for row in SHARED})


@given(SETTINGS)
def test_there_and_back_is_the_identity_on_what_both_sides_have(settings: dict[str, Any]) -> None:
    written = write_task(task_of(settings))
    assert written.left == ()
    ((name, fields),) = written.experiments.items()
    back = read_task(yaml.safe_load(written.text())[name], name=name)
    shown = {p: v for p, v in back.task.settings().items() if p not in back.filled}
    assert shown == {"system.serving_mode": "agg"} | settings
    assert back.left == ()
    assert back.task.model.id == "Qwen/Qwen3-32B"
    again = {n: v for n, v in experiments(back.task)[0].items() if n in fields}
    assert again == fields


@given(SETTINGS)
def test_a_candidate_is_an_experiment_of_single_values(settings: dict[str, Any]) -> None:
    scalars = {p: v[0] if isinstance(v, list) else v for p, v in settings.items()}
    candidate = Candidate.from_settings(scalars)
    (fields,) = write_candidate(candidate, model="a/b").experiments.values()
    assert all(len(value) == 1 for value in fields.values() if isinstance(value, list))
    read = read_task(dict(fields), name="x").task.settings()
    assert {p: v for p, v in read.items() if p in scalars} == scalars


def aiconfigurator() -> str | None:
    return shutil.which("aiconfigurator", path=str(Path(sys.executable).parent)) or shutil.which(
        "aiconfigurator"
    )


def call(words: Iterable[object]) -> None:
    done = subprocess.run(
        [str(aiconfigurator()), *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]


@pytest.mark.slow
@pytest.mark.skipif(aiconfigurator() is None, reason="aiconfigurator is not installed")
def test_the_real_tool_takes_our_tasks_and_what_it_saves_is_read(tmp_path: Path) -> None:
    task = task_of(
        {
            "runtime.isl": 1024,
            "runtime.osl": 128,
            "system.gpu_type": "h200",
            "system.total_gpus": 2,
            "system.backend": "vllm",
            "parallel.tensor_parallel": [1, 2],
        }
    )
    file, saved = tmp_path / "task.yaml", tmp_path / "saved"
    file.write_text(write_task(task).text(), encoding="utf-8")
    call(("cli", "exp", "--yaml-path", file, "--save-dir", saved, "--top-n", 1, "--no-color"))
    found = read_points(saved)
    assert {point.label for point in found.points} <= {"tp1", "tp2"}
    assert found.excluded == ()
    for point in found.points:
        assert point.engine == "vllm"
        assert point.tok_s_per_gpu is not None
        assert point.tok_s_per_gpu == pytest.approx(
            float(point.originals["tokens/s/gpu"]) * 128 / 127, rel=1e-3
        )
        if point.tpot_as == "without_first":
            shown = float(point.originals["request_latency"])
            assert point.e2e_ms == pytest.approx(shown, rel=1e-3)
    (back,) = read_tasks(saved)
    assert back.task.settings()["parallel.tensor_parallel"] == [1, 2]
    compared = compare_files(found, found)
    assert compared.errors["ttft"].median_ape == 0
    assert [choice.same for choice in compared.choices] == [True]
