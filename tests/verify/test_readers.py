"""Files of predictions and measurements: formats detected, units converted once, faults told."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.errors import VerifyError
from autotuner.verify import FORMATS, detect_format, read_points
from autotuner.verify.csv_reader import read_csv
from autotuner.verify.point_views import point_views
from autotuner.verify.points import states_with_first, tpot_from_e2e_ms, tpot_without_first_ms

DATA = Path(__file__).parent / "data"
DOCS = Path(__file__).parents[2] / "docs"
LATENCY = st.floats(0.1, 1e5)


def distribution(mean: float) -> dict[str, Any]:
    return dict.fromkeys(("mean", "min", "p50", "p90", "p95", "p99", "max"), mean) | {
        "count": 3,
        "std": 0.0,
    }


def level(concurrency: int, tok_s: float = 100.0, **shown: Any) -> dict[str, Any]:
    return {
        "concurrency": concurrency,
        "duration_s": 2.0,
        "requests_completed": 3,
        "requests_failed": 0,
        "requests_short": 0,
        "ended_by": "requests",
        "valid": True,
        "tok_s": tok_s,
        "requests_s": 1.0,
        "input_tokens": 9,
        "output_tokens": 9,
        "ttft_ms": distribution(50.0),
        "tpot_ms": distribution(8.0),
        "e2e_ms": distribution(90.0),
    } | shown


def run(*levels: dict[str, Any], **shown: Any) -> dict[str, Any]:
    experiment = {
        "id": "abc",
        "index": 1,
        "status": "completed",
        "selection_reason": "first",
        "phase": "grid",
        "settings": {
            "runtime.isl": 64,
            "runtime.osl": 16,
            "system.gpu_type": "h100_sxm",
            "parallel.tensor_parallel": 2,
        },
        "command": "serve",
        "log_path": "log",
        "measurements": list(levels),
    }
    return {
        "run": {
            "id": 4,
            "name": "n",
            "status": "completed",
            "stop_reason": "",
            "started_at": "2026-01-01T00:00:00+00:00",
            "ended_at": None,
            "wall_s": 1.0,
            "candidates": 1,
            "excluded": {},
            "axes": {},
            "engine": "vllm",
            "engine_version": "0.24.0",
            "model": "m",
            "device": "H100",
            "objectives": ["tok_s_per_gpu", "tok_s_per_user"],
            "task": {"version": 2, "name": "n", "model": {"id": "m"}} | shown,
        },
        "experiments": [experiment],
        "frontier": [],
        "recommended": None,
    }


def prediction(**shown: Any) -> dict[str, Any]:
    row = {
        "candidate": "abc",
        "settings": {"parallel.tensor_parallel": 2},
        "gpus": 2,
        "concurrency": 8,
        "ttft_ms": 60.0,
        "tpot_ms": 9.0,
        "tok_s": 120.0,
        "note": "",
    } | shown
    return {
        "task": "t",
        "model": "m",
        "engine": "vllm",
        "device": "h100_sxm",
        "workload": {"isl": 64, "osl": 16, "prefix": 0},
        "predictor": "roofline-1",
        "predictions": [row],
    }


def written(folder: Path, document: dict[str, Any]) -> Path:
    path = folder / "file.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def table(folder: Path, *lines: str) -> Path:
    path = folder / "points.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_format_is_detected_by_what_is_inside(tmp_path: Path) -> None:
    found = [
        detect_format(written(tmp_path, run())),
        detect_format(written(tmp_path, prediction())),
        detect_format(DATA / "aiconfigurator" / "default"),
        detect_format(DATA / "genai-bench"),
        detect_format(table(tmp_path, "concurrency,ttft_ms", "1,2")),
    ]
    assert found == list(FORMATS)[: len(found)]
    pareto = DATA / "aiconfigurator" / "default" / "agg" / "pareto.csv"
    assert detect_format(pareto) == "aiconfigurator"
    (one, *_) = (DATA / "genai-bench").glob("D*.json")
    assert detect_format(one) == "genai-bench"


def test_which_formats_hold_predictions_is_as_documented() -> None:
    lines = (DOCS / "verification.md").read_text(encoding="utf-8").splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| `")]
    stated = {
        name.strip("`"): cells[-1]
        for cells in rows
        if cells[-1] in ("measured", "predicted", "either")
        for name in cells[0].split(", ")
    }
    assert stated.pop("csv") == "either"
    of_table = {n: "predicted" if f.predicted else "measured" for n, f in FORMATS.items()}
    assert stated == {name: of_table[name] for name in FORMATS if name != "csv"}


def test_a_csv_of_predictions_is_shown_as_predicted(tmp_path: Path) -> None:
    columns = ["concurrency,ttft_ms", "concurrency,ttft_ms,kind of data"]
    found = [read_points(table(tmp_path, one, "1,2" + ",x" * one.count("kind"))) for one in columns]
    assert [view.kind for file in found for view in point_views(file)] == ["measured", "predicted"]


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("a.json", "{", "broken JSON at line 1"),
        ("a.json", '{"a": 1}', "no format that is known"),
        ("a.csv", "", "is empty"),
        ("a.yaml", "version: 2\n", "holds no predictions"),
    ],
)
def test_what_cannot_be_read_is_named(name: str, text: str, word: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(VerifyError, match=word):
        read_points(path)


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(VerifyError, match="there is no file"):
        read_points(tmp_path / "none")
    path = tmp_path / "a.csv"
    path.write_bytes(b"concurrency\xff\n")
    with pytest.raises(VerifyError, match="UTF-8"):
        read_points(path)
    with pytest.raises(VerifyError, match="no format 'excel'"):
        read_points(path, "excel")


def test_a_run_is_read_with_repeats_as_medians_and_failures_listed(tmp_path: Path) -> None:
    broken = level(16, valid=False, requests_failed=1)
    document = run(level(8, 90), level(8, 100), level(8, 300), broken)
    found = read_points(written(tmp_path, document))
    (point,) = found.points
    assert (point.load.value, point.tok_s, point.ttft_ms, point.gpus) == (8, 100, 50, 2)
    assert (point.model, point.engine_version, point.system) == ("m", "0.24.0", "h100_sxm")
    assert (point.isl, point.osl, point.candidate, point.tool) == (64, 16, "abc", "autotuner")
    assert [one.source for one in found.excluded] == ["abc at 16"]


def test_a_run_shows_its_lengths_and_what_was_wrong_with_a_level(tmp_path: Path) -> None:
    shown = level(8, requests_short=2, client_bottleneck=True)
    document = run(shown, benchmark={"workload": "N(100,10)/(50,5)"})
    (point,) = read_points(written(tmp_path, document)).points
    assert (point.isl, point.osl, point.lengths) == (100, 50, "N(100,10)/(50,5)")
    assert "2 answers were shorter than asked for" in point.remarks
    assert any("load generator" in remark for remark in point.remarks)


def test_a_run_of_another_version_is_shown(tmp_path: Path) -> None:
    with pytest.raises(VerifyError, match="is no task"):
        read_points(written(tmp_path, run() | {"schema_version": 9}))


def test_predictions_are_read_and_bad_ones_listed(tmp_path: Path) -> None:
    document = prediction(note="queued")
    bad = [{"ttft_ms": 0.0}, {"tpot_ms": -1.0}, {"tok_s": None}, {"concurrency": 1.5}]
    document["predictions"] += [document["predictions"][0] | change for change in bad]
    found = read_points(written(tmp_path, document))
    (point,) = found.points
    assert (point.ttft_ms, point.tpot_ms, point.tok_s, point.gpus) == (60, 9, 120, 2)
    assert (point.isl, point.system, point.remarks) == (64, "h100_sxm", ("queued",))
    assert len(found.excluded) == len(bad)
    assert found.notes == ("predicted by roofline-1",)


def test_genai_bench_is_read_in_our_units(tmp_path: Path) -> None:
    found = read_points(DATA / "genai-bench")
    assert [point.load.value for point in found.points] == [1, 2]
    one = found.points[0]
    shown = one.originals["stats"]
    assert one.ttft_ms == pytest.approx(1000 * shown["ttft"]["mean"])
    assert one.tpot_ms == pytest.approx(1000 * shown["tpot"]["mean"])
    assert one.tok_s == one.originals["mean_output_throughput_tokens_per_s"]
    assert (one.isl, one.osl, one.lengths, one.tool) == (32, 8, None, "genai-bench")
    assert (one.engine, one.engine_version, one.gpus) == ("vllm", "0.24.0", 1)
    for file in (DATA / "genai-bench").glob("*.json"):
        document = json.loads(file.read_text(encoding="utf-8"))
        if "individual_request_metrics" in document:
            document["_time_unit"] = "ms"
            for row in document["individual_request_metrics"]:
                for key in ("ttft", "tpot", "e2e_latency"):
                    row[key] = row[key] and 1000 * row[key]
        (tmp_path / file.name).write_text(json.dumps(document), encoding="utf-8")
    again = read_points(tmp_path).points[0]
    assert again.ttft_ms == pytest.approx(one.ttft_ms)


def test_levels_of_genai_bench_that_cannot_be_used_are_listed(tmp_path: Path) -> None:
    for file in (DATA / "genai-bench").glob("*.json"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    first, second = sorted(tmp_path.glob("D*.json"))
    first.write_text("{}", encoding="utf-8")
    document = json.loads(second.read_text(encoding="utf-8"))
    document["aggregated_metrics"]["num_error_requests"] = 2
    third = tmp_path / "D32_8_text-to-text_num_concurrency_4_time_1s.json"
    third.write_text(json.dumps(document), encoding="utf-8")
    found = read_points(tmp_path)
    assert len(found.points) == 1
    assert ["aggregated_metrics" in one.why or "2 of 30 requests failed" in one.why
            for one in found.excluded] == [True, True]  # fmt: skip


def test_csv_converts_each_unit_and_takes_short_names(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "tp,dp,quantization.kvcache_mode,concurrency,isl,osl,ttft_s,tpot_with_first_ms,tok_s_per_gpu",
        "2,2,fp8,8,100,11,0.2,40,30",
    )
    (point,) = read_points(path).points
    assert (point.ttft_ms, point.gpus, point.tok_s) == (200, 4, 120)
    # (11 x 40 - 200) / 10
    assert point.tpot_ms == pytest.approx(24)
    assert point.tpot_with_first_ms == pytest.approx(40)
    assert point.tpot_as == "with_first"
    assert point.settings["quantization.kvcache_mode"] == "fp8"
    assert point.settings["parallel.data_parallel"] == 2


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("concurrency,ttft_ms,ttft_s", ("ttft_ms", "ttft_s")),
        ("concurrency,tok_s,tok_s_per_gpu,tpot_s,tpot_ms", ("tpot_s", "tpot_ms")),
        ("concurrency,ttft", ("ttft", "no unit")),
        ("concurrency,concurrency,ttft_ms", ("concurrency", "twice")),
        ("ttft_ms", ("concurrency", "missing")),
        ("concurrency,isl", ("no column with a figure",)),
    ],
)
def test_a_header_that_leaves_a_unit_open_is_an_error(
    header: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    with pytest.raises(VerifyError) as shown:
        read_points(table(tmp_path, header, "1,1,1,1,1"))
    assert all(word in str(shown.value) for word in words)


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ("8,nan,10", "ttft_ms is NaN"),
        ("8,-5,10", "ttft_ms is -5"),
        ("8,0,10", "ttft_ms is 0"),
        ("8,inf,10", "ttft_ms is inf"),
        ("8,fast,10", "ttft_ms is 'fast' and no number"),
        ("0,5,10", "concurrency is 0"),
        ("1.5,5,10", "concurrency is 1.5, expected a whole number"),
        (",5,10", "the concurrency is missing"),
        ("8,,", "it has no figure"),
        ("8,5", "it has 2 fields, and the header 3"),
    ],
)
def test_a_line_that_cannot_be_used_is_listed(cells: str, why: str, tmp_path: Path) -> None:
    found = read_points(table(tmp_path, "concurrency,ttft_ms,tpot_ms", "4,1,1", cells))
    assert len(found.points) == 1
    ((source, shown),) = [(one.source, one.why) for one in found.excluded]
    assert (source, shown.startswith(why)) == ("line 3", True)
    with pytest.raises(VerifyError, match="no line that can be used"):
        read_points(table(tmp_path, "concurrency,ttft_ms,tpot_ms", cells))


@pytest.mark.parametrize(
    ("header", "cells", "why"),
    [
        ("concurrency,tok_s_per_gpu", "1,5", "needs gpus"),
        ("concurrency,e2e_ms", "1,5", "needs ttft and osl"),
        ("concurrency,ttft_ms,e2e_ms,osl", "1,9,5,8", "not above a TTFT"),
        ("concurrency,ttft_ms,tp", "1,9,two", "parallel.tensor_parallel"),
    ],
)
def test_what_a_figure_needs_beside_it_is_shown(
    header: str, cells: str, why: str, tmp_path: Path
) -> None:
    with pytest.raises(VerifyError, match=why):
        read_points(table(tmp_path, header, cells))


def test_a_column_that_is_not_read_is_shown(tmp_path: Path) -> None:
    found = read_points(table(tmp_path, "concurrency,ttft_ms,colour", "1,2,red"))
    assert list(found.not_used) == ["colour"]
    assert found.points[0].originals["colour"] == "red"


@given(LATENCY, LATENCY, st.integers(2, 5000))
def test_both_definitions_of_tpot_lead_to_each_other(ttft: float, tpot: float, osl: int) -> None:
    e2e = ttft + (osl - 1) * tpot
    assert tpot_from_e2e_ms(e2e, ttft, osl) == pytest.approx(tpot, rel=1e-5, abs=1e-5)
    assert tpot_without_first_ms(e2e / osl, ttft, osl) == pytest.approx(tpot, rel=1e-5, abs=1e-5)
    if not math.isclose(ttft, tpot, rel_tol=1e-3):
        assert states_with_first(e2e / osl, ttft, e2e, osl)
        assert not states_with_first((e2e - ttft) / (osl - 1), ttft, e2e, osl)


@given(LATENCY, LATENCY, st.integers(1, 64), st.integers(2, 4000))
def test_seconds_and_ms_totals_and_shares_say_the_same(
    ttft_ms: float, tok_s: float, gpus: int, osl: int
) -> None:
    path = Path("p.csv")
    one = f"concurrency,gpus,osl,ttft_ms,tok_s\n1,{gpus},{osl},{ttft_ms!r},{tok_s!r}\n"
    two = (
        "concurrency,gpus,osl,ttft_s,tok_s_per_gpu\n"
        f"1,{gpus},{osl},{ttft_ms / 1000!r},{tok_s / gpus!r}\n"
    )
    first, second = (read_csv(path, text).points[0] for text in (one, two))
    assert second.ttft_ms == pytest.approx(first.ttft_ms)
    assert second.tok_s == pytest.approx(first.tok_s)
    assert second.tok_s_per_gpu == pytest.approx(first.tok_s_per_gpu)
