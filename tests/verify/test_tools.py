"""Results of load generators of others: read in our units, or refused with the reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tool_results import DATA, aiperf, lines, only, stored, vllm

from autotuner.errors import VerifyError
from autotuner.verify import compare_files, detect_format, read_points


@pytest.mark.parametrize(
    ("name", "format_name", "figures"),
    [
        ("vllm-bench.json", "vllm-bench", [(4, 120, 9, 409.6, 512, 128)]),
        ("vllm-names.csv", "vllm-bench", [(1, 100, 9, 100, None, None)]),
        (
            "sglang-bench.jsonl",
            "sglang-bench",
            [(1, 100, 9, 409.6, 512, 128), (4, 400, 9, 409.6, 512, 128)],
        ),
        (
            "llm-optimizer.json",
            "llm-optimizer",
            [(1, 100, 9, 409.6, 512, 128), (4, 100, 9, 409.6, 512, 128)],
        ),
        (
            "llm-optimizer.jsonl",
            "llm-optimizer",
            [(1, 100, 9, 409.6, 512, 128), (4, 100, 9, 409.6, 512, 128)],
        ),
        ("guidellm.json", "guidellm", [(4, 120, 9, 409.6, None, None)]),
        ("aiperf", "aiperf", [(4, 120, 9, 409.6, None, None)]),
        ("aiperf/profile_export_aiperf.json", "aiperf", [(4, 120, 9, 409.6, None, None)]),
        ("llama-bench.json", "llama-bench", [(1, 1000, None, None, 512, None)]),
        ("gb-one-token", "genai-bench", [(1, 100, None, 10, 512, 1)]),
        ("gb-noind", "genai-bench", [(1, 100, 10, 93.431, 512, 128)]),
        ("gb-reason", "genai-bench", [(1, 100, 10, 93.431, 512, 128)]),
        ("gb-dataset", "genai-bench", [(1, 100, 10, 93.431, 512, 128)]),
        ("excel.csv", "csv", [(1, 100.5, 9.5, None, None, None)]),
    ],
)
def test_what_people_have_is_read_in_our_units(
    name: str, format_name: str, figures: list[tuple[float | None, ...]]
) -> None:
    assert detect_format(DATA / name) == format_name
    found = [
        (p.load.value, p.ttft_ms, p.tpot_ms, p.tok_s, p.isl, p.osl)
        for p in read_points(DATA / name).points
    ]
    assert [figure is None for point in found for figure in point] == [
        figure is None for expected in figures for figure in expected
    ]
    for point, expected in zip(found, figures, strict=True):
        assert [x or 0 for x in point] == pytest.approx([x or 0 for x in expected], rel=1e-4)


def test_every_result_is_compared_with_predictions() -> None:
    predicted = read_points(DATA / "predicted.csv")
    for name in ("vllm-bench.json", "guidellm.json", "aiperf", "gb", "llm-optimizer.jsonl"):
        assert compare_files(predicted, read_points(DATA / name)).pairs, name
    one = compare_files(read_points(DATA / "predicted-one.csv"), read_points(DATA / "gb-one-token"))
    assert (one.errors["ttft"].pairs, one.errors["tpot"].pairs) == (1, 0)


def test_a_level_with_failed_requests_is_left_out_and_counted(tmp_path: Path) -> None:
    found = read_points(DATA / "gb-errors")
    assert [point.load.value for point in found.points] == [1]
    assert "1 of 5 requests failed" in found.excluded[0].why
    document = lines(vllm(), vllm(failed=3, num_prompts=35), vllm(failed="absent", num_prompts=40))
    left = read_points(stored(tmp_path, document, "runs.jsonl"))
    assert (len(left.points), [one.source for one in left.excluded]) == (1, ["line 2", "line 3"])
    whys = [one.why for one in left.excluded]
    assert whys == ["3 of 35 requests failed", "8 of 40 requests failed"]


def test_one_output_token_has_no_time_per_output_token(tmp_path: Path) -> None:
    point = only(stored(tmp_path, vllm(total_output_tokens=32, mean_tpot_ms=0.0)))
    assert (point.ttft_ms, point.tpot_ms, point.osl) == (120, None, 1)


def test_tpot_follows_from_end_to_end_latency_where_it_is_not_stated(tmp_path: Path) -> None:
    point = only(stored(tmp_path, vllm(mean_tpot_ms="absent", mean_e2el_ms=120 + 127 * 8.0)))
    assert point.tpot_ms == pytest.approx(8)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"max_concurrency": None, "request_rate": 3.5}, "arrived at 3.5/s"),
        ({"completed": 0, "num_prompts": 0}, "no request was completed"),
        ({"mean_ttft_ms": "absent", "mean_tpot_ms": "absent"}, "medians and no means"),
        ({"mean_ttft_ms": -1.0}, "mean_ttft_ms is -1.0"),
        ({"mean_ttft_ms": {"x": 1}}, "no number"),
        ({"max_concurrency": 2.5}, "max_concurrency is 2.5"),
    ],
)
def test_a_result_that_is_no_operating_point_says_why(
    changed: dict[str, Any], why: str, tmp_path: Path
) -> None:
    with pytest.raises(VerifyError, match=why):
        read_points(stored(tmp_path, vllm(**changed)))


def test_a_burst_is_as_many_requests_in_flight_and_marked(tmp_path: Path) -> None:
    point = only(stored(tmp_path, vllm(max_concurrency=None)))
    assert (point.load.value, point.remarks) == (32, ("all 32 requests were sent at once",))


def test_layouts_in_metadata_are_settings(tmp_path: Path) -> None:
    point = only(stored(tmp_path, vllm(tensor_parallel_size="2", dp=2)))
    assert (point.gpus, point.label) == (4, "tp2 dp2")


def test_a_sweep_is_its_runs_and_not_their_summary(tmp_path: Path) -> None:
    for run, concurrency in enumerate((1, 4)):
        stored(tmp_path, vllm(max_concurrency=concurrency), f"a/bench={concurrency}/run={run}.json")
    stored(tmp_path, [vllm(), vllm()], "a/summary.json")
    found = read_points(tmp_path)
    assert [point.load.value for point in found.points] == [1, 4]
    assert found.points[0].source == "a/bench=1/run=0.json"


def guidellm(**strategy: Any) -> dict[str, Any]:
    def of(mean: float, deviation: float = 0.0) -> dict[str, Any]:
        other = {"mean": mean * 3, "std_dev": 0.0}
        good = {"mean": mean, "std_dev": deviation, "percentiles": {"p01": 1, "p001": 0}}
        return {"successful": good, "errored": other, "incomplete": other, "total": other}

    metrics = {
        "request_totals": {"successful": 9, "errored": 0, "incomplete": 2, "total": 11},
        "requests_per_second": of(2.0),
        "request_concurrency": of(3.9),
        "prompt_token_count": of(512),
        "output_token_count": of(128),
        "time_to_first_token_ms": of(120.0),
        "time_per_output_token_ms": of((120 + 127 * 9.0) / 128),
        "inter_token_latency_ms": of(9.0),
        "output_tokens_per_second": of(256.0),
    }
    config = {"strategy": strategy, "backend": {"model": "org/m"}}
    return {
        "metadata": {"version": 2, "guidellm_version": "0.8.1"},
        "config": {"backend": {"model": "org/m"}},
        "benchmarks": [{"type_": "generative_benchmark", "config": config, "metrics": metrics}],
    }


def test_guidellm_counts_what_succeeded(tmp_path: Path) -> None:
    document = guidellm(type_="concurrent", streams=4)
    point = only(stored(tmp_path, document, "benchmarks.json"))
    assert (point.load.value, point.ttft_ms, point.tpot_ms, point.tok_s) == (4, 120, 9, 256)
    assert (point.isl, point.osl, point.model, point.lengths) == (512, 128, "org/m", None)
    # Its own TPOT includes the first token.
    del document["benchmarks"][0]["metrics"]["inter_token_latency_ms"]
    assert only(stored(tmp_path, document)).tpot_ms == pytest.approx(9)
    assert only(stored(tmp_path, guidellm(type_="synchronous"))).load.value == 1
    seen = only(stored(tmp_path, guidellm(type_="throughput")))
    assert (seen.load.value, "3.9 requests in flight" in seen.remarks[0]) == (4, True)


@pytest.mark.parametrize("kind", ["poisson", "constant"])
def test_guidellm_at_a_rate_is_no_number_of_requests_in_flight(kind: str, tmp_path: Path) -> None:
    with pytest.raises(VerifyError, match=rf"arrived at a rate \({kind}\)"):
        read_points(stored(tmp_path, guidellm(type_=kind, rate=3)))


def test_guidellms_errors_leave_the_level_out(tmp_path: Path) -> None:
    document = guidellm(type_="concurrent", streams=4)
    document["benchmarks"][0]["metrics"]["request_totals"]["errored"] = 2
    with pytest.raises(VerifyError, match="2 of 11 requests failed"):
        read_points(stored(tmp_path, document))


def test_aiperf_states_its_units(tmp_path: Path) -> None:
    changed = aiperf(
        time_to_first_token={"unit": "s", "avg": 0.12},
        inter_token_latency={"unit": "us", "avg": 9000.0},
        input_sequence_length={"unit": "tokens", "avg": 512, "std": 0.0},
        output_sequence_length={"unit": "tokens", "avg": 128, "std": 12.0},
    )
    point = only(stored(tmp_path, changed))
    assert (point.ttft_ms, point.tpot_ms, point.isl, point.osl) == (120, 9, 512, 128)
    assert point.lengths is not None


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"is_complete": False, "incomplete_reason": "timed out"}, "not complete: timed out"),
        ({"was_cancelled": True}, "not complete"),
        ({"error_request_count": {"unit": "requests", "avg": 3}}, "3 of 35 requests failed"),
        ({"input_config": {"loadgen": {"request_rate": 4}}}, "arrived at 4/s"),
        ({"input_config": {}}, "nothing says how many"),
        ({"time_to_first_token": {"unit": "parsec", "avg": 1}}, "no unit of time"),
    ],
)
def test_a_run_of_aiperf_that_cannot_be_used_says_why(
    changed: dict[str, Any], why: str, tmp_path: Path
) -> None:
    with pytest.raises(VerifyError, match=why):
        read_points(stored(tmp_path, aiperf(**changed)))


def record(start_ms: int, end_ms: int, **changed: Any) -> dict[str, Any]:
    def of(value: float, unit: str) -> dict[str, Any]:
        return {"value": value, "unit": unit}

    return {
        "metadata": {
            "benchmark_phase": "profiling",
            "request_start_ns": start_ms * 10**6,
            "request_end_ns": end_ms * 10**6,
            "was_cancelled": False,
        },
        "metrics": {
            "time_to_first_token": of(100.0, "ms"),
            "inter_token_latency": of(10.0, "ms"),
            "input_sequence_length": of(512, "tokens"),
            "output_sequence_length": of(128, "tokens"),
        },
        "error": None,
    } | changed


def test_records_of_requests_make_one_point(tmp_path: Path) -> None:
    rows = [record(1, 1001), record(2, 1002), record(1001, 2001), record(1002, 2001)]
    warm = {"metadata": {"benchmark_phase": "warmup", "request_start_ns": 1, "request_end_ns": 2}}
    text = lines({**record(1, 2), **warm}, *rows)
    point = only(stored(tmp_path, text, "profile_export.jsonl"))
    assert (point.load.value, point.ttft_ms, point.tpot_ms) == (2, 100, 10)
    assert point.tok_s == pytest.approx(4 * 128 / 2.0)
    with pytest.raises(VerifyError, match="1 of 2 requests failed"):
        read_points(stored(tmp_path, lines(rows[0], record(3, 4, error={"code": 503}))))


def inferencex(**changed: Any) -> dict[str, Any]:
    return {
        "hw": "h200",
        "conc": 16,
        "model": "org/m",
        "framework": "sglang",
        "precision": "fp8",
        "isl": 1024,
        "osl": 1024,
        "disagg": False,
        "is_multinode": False,
        "tp": 4,
        "ep": 1,
        "dp_attention": False,
        "tput_per_gpu": 500.0,
        "output_tput_per_gpu": 250.0,
        "mean_ttft": 0.2,
        "mean_tpot": 0.012,
        "p99_tpot": 0.02,
    } | changed


def test_inferencex_is_in_seconds_and_per_gpu(tmp_path: Path) -> None:
    point = only(stored(tmp_path, inferencex(), "agg_x.json"))
    assert (point.load.value, point.ttft_ms, point.tpot_ms, point.tok_s) == (16, 200, 12, 1000)
    assert (point.gpus, point.system, point.engine, point.label) == (4, "h200", "sglang", "tp4")
    apart = inferencex(disagg=True, num_prefill_gpu=4, num_decode_gpu=8, prefill_tp=4, decode_tp=8)
    both = read_points(stored(tmp_path, [inferencex(conc=32), apart], "agg_bmk.json"))
    assert [(p.load.value, p.tok_s, p.gpus) for p in both.points] == [
        (32, 1000, 4),
        (16, 2000, 12),
    ]
    assert both.points[1].layout == "prefill 1x tp4, decode 1x tp8"


def bench(prompt: int, answer: int, rate: float, **changed: Any) -> dict[str, Any]:
    return {
        "build_commit": "abc",
        "build_number": 9000,
        "model_filename": "/models/m.gguf",
        "n_batch": 2048,
        "n_ubatch": 512,
        "n_threads": 2,
        "type_k": "q8_0",
        "type_v": "q8_0",
        "n_prompt": prompt,
        "n_gen": answer,
        "avg_ns": 1,
        "avg_ts": rate,
    } | changed


@pytest.mark.parametrize("form", ["json", "jsonl", "csv"])
def test_llama_benchs_prompts_and_answers_make_a_point(form: str, tmp_path: Path) -> None:
    rows = [bench(512, 0, 1024.0), bench(0, 128, 50.0), bench(64, 16, 30.0)]
    header = ",".join(rows[0])
    table = "\n".join(",".join(f'"{value}"' for value in row.values()) for row in rows)
    text = {"json": json.dumps(rows), "jsonl": lines(*rows), "csv": f"{header}\n{table}\n"}[form]
    found = read_points(stored(tmp_path, text, f"bench.{form}"))
    (point,) = found.points
    assert (point.ttft_ms, point.tpot_ms, point.isl, point.osl) == (500, 20, 512, 128)
    assert point.tok_s == pytest.approx(128 / (0.5 + 127 * 0.02))
    assert (point.model, point.engine, point.load.value) == ("m", "llamacpp", 1)
    assert point.settings["quantization.kvcache_mode"] == "int8"
    assert "timed together" in found.excluded[0].why


def test_llama_batched_bench_has_as_many_sequences_in_flight(tmp_path: Path) -> None:
    row = {"pp": 128, "tg": 64, "pl": 4, "n_kv": 768, "t_pp": 0.5, "t_tg": 1.28, "speed_tg": 200.0}
    point = only(stored(tmp_path, lines(row), "b.jsonl"))
    assert (point.load.value, point.ttft_ms, point.tpot_ms) == (4, 500, 20)


def test_inference_perf_is_in_seconds(tmp_path: Path) -> None:
    document = {
        "load_summary": {"count": 10, "concurrency": 4},
        "successes": {
            "count": 10,
            "latency": {
                "time_to_first_token": {"mean": 0.1},
                "time_per_output_token": {"mean": 0.02},
            },
            "throughput": {"output_tokens_per_sec": 150.0},
            "prompt_len": {"mean": 512},
            "output_len": {"mean": 128},
        },
        "failures": {"count": 0},
    }  # fmt: skip
    point = only(stored(tmp_path, document, "stage_0_lifecycle_metrics.json"))
    assert (point.load.value, point.ttft_ms, point.tpot_ms, point.tok_s) == (4, 100, 20, 150)
    document["failures"] = {"count": 2}
    with pytest.raises(VerifyError, match="2 of 10 requests failed"):
        read_points(stored(tmp_path, document))


def test_predictions_of_several_engines_show_each_its_own(tmp_path: Path) -> None:
    row = {"candidate": "a", "gpus": 1, "concurrency": 4, "ttft_ms": 1, "tpot_ms": 1, "tok_s": 1}
    rows = [{**row, "settings": {"system.backend": engine}} for engine in ("vllm", "sglang")]
    document = {"model": "m", "engine": "vllm, sglang", "workload": {}, "predictions": rows}
    found = read_points(stored(tmp_path, document))
    assert [point.engine for point in found.points] == ["vllm", "sglang"]
    one = {**document, "engine": "vllm", "predictions": [{**row, "settings": {}}]}
    assert only(stored(tmp_path, one)).engine == "vllm"
