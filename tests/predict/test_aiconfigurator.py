"""What aiconfigurator says, in our terms: its numbers, queueing, memory, fallbacks, refusals."""

from __future__ import annotations

import dataclasses
import importlib.util
import logging
import sys
from pathlib import Path

import pytest
from aiconfigurator_cases import candidate, scenario

from autotuner.config import closed_loops, load_task
from autotuner.errors import EngineError
from autotuner.predict import Prediction, Predictions, e2e_ms
from autotuner.predict.aiconfigurator import host, installation
from autotuner.predict.aiconfigurator.cache import OutcomeCache
from autotuner.predict.aiconfigurator.disagg import DisaggWorkers, disagg_estimate
from autotuner.predict.aiconfigurator.predictor import AiconfiguratorPredictor
from autotuner.predict.aiconfigurator.questions import IGNORED_FIELDS, question
from autotuner.tuning.prepare import prepare

EXAMPLE = Path(__file__).parents[2] / "examples" / "v2" / "qwen3-32b-h200.yaml"
LEVELS = closed_loops(1, 4, 16, 64)
PREDICTOR = AiconfiguratorPredictor()


def asks(monkeypatch: pytest.MonkeyPatch) -> list[host.Job]:
    """The jobs that reach aiconfigurator from here on."""
    jobs: list[host.Job] = []
    real = host.answer

    def answer(job: host.Job) -> object:
        jobs.append(job)
        return real(job)

    monkeypatch.setattr(host, "answer", answer)
    return jobs


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("Qwen/Qwen3-32B", {"quantization.gemm_mode": "fp8", "memory.mem_fraction_static": 0.8}),
        ("Qwen/Qwen3-32B", {"scheduling.max_num_batched_tokens": 512, "runtime.nextn": 1}),
        ("Qwen/Qwen3-32B", {"parallel.pipeline_parallel": 2, "quantization.kvcache_mode": "fp8"}),
        ("openai/gpt-oss-120b", {"parallel.data_parallel": 2, "parallel.expert_parallel": 4}),
    ],
)
def test_the_numbers_are_those_of_its_plain_api(model: str, settings: dict[str, object]) -> None:
    asked, circumstances = candidate(settings), scenario(model, prefix=128)
    found = PREDICTOR.predict(circumstances, [asked], LEVELS)
    reported = question(asked, circumstances, model, "h200_sxm")
    plain = [
        host.estimate(reported.layout, "SILICON", batch_size=reported.batch(level.at_once))
        for level in LEVELS
    ]
    assert [(p.ttft_ms, p.tpot_ms, p.memory_gib) for p in found] == [
        (p.ttft, p.tpot, p.memory) for p in plain
    ]
    assert [p.load for p in found] == list(LEVELS)
    assert [p.tok_s for p in found] == pytest.approx(
        [
            p.seq_per_second * 256 * level.value / p.concurrency
            for p, level in zip(plain, LEVELS, strict=True)
        ],
        rel=0.05,
    )


def test_equal_questions_are_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = asks(monkeypatch)
    alike = [candidate({"misc.threads": n, "scheduling.policy": "fcfs"}) for n in (1, 2, 3)]
    found = PREDICTOR.predict(
        scenario(), [*alike, candidate({"parallel.tensor_parallel": 4})], LEVELS
    )
    assert [job.batches for job in jobs] == [(1, 4, 16, 64)] * 2
    assert len(found.points) == 16
    assert {"misc.threads", "scheduling.policy"} <= set(IGNORED_FIELDS)
    first, second = (found.of(c.id) for c in alike[:2])
    assert [dataclasses.replace(p, candidate_id="") for p in first] == [
        dataclasses.replace(p, candidate_id="") for p in second
    ]


def test_replicas_of_a_dense_model_share_the_load() -> None:
    one = PREDICTOR.predict(scenario(), [candidate()], closed_loops(16)).points[0]
    four = PREDICTOR.predict(
        scenario(), [candidate({"parallel.data_parallel": 4})], closed_loops(64)
    ).points[0]
    assert (four.ttft_ms, four.tpot_ms) == (one.ttft_ms, one.tpot_ms)
    assert four.tok_s == pytest.approx(4 * one.tok_s)
    assert (one.devices, four.devices) == (2, 8)


def holds_littles_law(point: Prediction) -> bool:
    served = point.tok_s * e2e_ms(point.ttft_ms, point.tpot_ms, point.osl) / point.osl / 1000
    return served == pytest.approx(point.load.value)


def test_beyond_its_slots_users_wait_and_throughput_stays() -> None:
    found = PREDICTOR.predict(
        scenario(), [candidate({"scheduling.max_running_requests": 8})], closed_loops(8, 16, 32, 64)
    )
    first, *rest = found.points
    assert first.note == ""
    waits = [point.ttft_ms for point in found]
    assert waits == sorted(waits)
    assert waits[0] < waits[1]
    for point in rest:
        assert point.tpot_ms == first.tpot_ms
        assert point.tok_s == pytest.approx(first.tok_s)
        assert "8 requests are served at a time" in point.note
    assert all(map(holds_littles_law, found))


def test_prompts_that_come_faster_than_they_are_prefilled_wait() -> None:
    chunked = candidate({"scheduling.max_num_batched_tokens": 128})
    (found,) = PREDICTOR.predict(scenario(), [chunked], closed_loops(128))
    layout = question(chunked, scenario(), "Qwen/Qwen3-32B", "h200_sxm").layout
    plain = host.estimate(layout, "SILICON", batch_size=128)
    assert found.ttft_ms > 2 * plain.ttft
    assert found.tok_s == pytest.approx(256 * plain.seq_per_second)
    assert "faster than they are prefilled" in found.note
    assert holds_littles_law(found)


def test_what_memory_does_not_hold_waits() -> None:
    found = PREDICTOR.predict(
        scenario(isl=8192, osl=1024),
        [candidate({"parallel.tensor_parallel": 1})],
        closed_loops(8, 256),
    )
    fits, waits = found.points
    assert fits.note == ""
    assert "by memory" in waits.note
    assert fits.memory_gib is not None
    assert waits.memory_gib is not None
    assert fits.memory_gib < waits.memory_gib < 139.7
    assert holds_littles_law(waits)


def test_a_model_that_does_not_fit_is_a_prediction() -> None:
    huge = candidate({"parallel.tensor_parallel": 1})
    found = PREDICTOR.predict(scenario("meta-llama/Meta-Llama-3.1-405B"), [huge], LEVELS)
    reported = found.out_of_memory[huge.id]
    assert (found.points, found.refused) == ((), {})
    assert reported.needed_gib is not None
    assert reported.available_gib is not None
    assert reported.needed_gib > 700 > reported.available_gib


def test_a_share_of_memory_too_small_for_a_request_is_reported() -> None:
    tight = candidate({"memory.mem_fraction_static": 0.2})
    found = PREDICTOR.predict(scenario(), [tight], LEVELS)
    assert "mem_fraction_static" in found.out_of_memory[tight.id].why


def test_a_format_without_data_is_answered_by_the_next_mode() -> None:
    int4 = candidate({"quantization.gemm_mode": "int4_wo"})
    guessed = PREDICTOR.predict(scenario(), [int4], closed_loops(4)).points[0]
    measured = PREDICTOR.predict(scenario(), [candidate()], closed_loops(4)).points[0]
    assert "HYBRID" in guessed.source
    assert "SILICON" in measured.source
    assert guessed.ttft_log_std > measured.ttft_log_std
    strict = AiconfiguratorPredictor("SILICON").predict(scenario(), [int4], closed_loops(4))
    assert "int4_wo" in strict.refused[int4.id]
    assert "/" not in strict.refused[int4.id].partition(" at ")[0]


def test_a_quantised_checkpoint_decides_its_formats() -> None:
    circumstances = scenario("openai/gpt-oss-120b", "h100_sxm")
    asked = candidate({"quantization.gemm_mode": "fp8", "quantization.moe_mode": "fp8"})
    own, reported = PREDICTOR.predict(circumstances, [candidate(), asked], closed_loops(16)).points
    assert (reported.ttft_ms, reported.tpot_ms) == (own.ttft_ms, own.tpot_ms)
    assert "checkpoint's own formats" in reported.note
    assert own.note == ""


def test_a_model_answers_to_its_other_names() -> None:
    names = ("meta-llama/Meta-Llama-3.1-8B", "meta-llama/Llama-3.1-8B-Instruct")
    first, second = (
        PREDICTOR.predict(scenario(name), [candidate()], closed_loops(4)) for name in names
    )
    assert first.points == second.points != ()


def test_a_model_that_only_our_catalog_knows_is_described_to_it() -> None:
    found = PREDICTOR.predict(scenario("meta-llama/Llama-3.2-3B"), [candidate()], closed_loops(4))
    assert "SILICON" in found.points[0].source


def test_a_version_without_data_is_answered_by_the_nearest_and_named() -> None:
    found = PREDICTOR.predict(scenario(version="0.19.1"), [candidate()], closed_loops(4)).points[0]
    exact = PREDICTOR.predict(scenario(), [candidate()], closed_loops(4)).points[0]
    assert found.ttft_ms == exact.ttft_ms
    assert found.source.endswith("vllm 0.24.0 on h200_sxm, the nearest to 0.19.1")
    assert exact.source.endswith("vllm 0.24.0 on h200_sxm")


def test_an_announced_version_without_data_here_is_not_asked() -> None:
    found = PREDICTOR.predict(scenario(version="0.32.0"), [candidate()], closed_loops(4)).points[0]
    assert "vllm 0.24.0 on h200_sxm, the nearest to 0.32.0" in found.source


def test_an_unknown_format_is_refused_by_name() -> None:
    int4 = candidate({"quantization.kvcache_mode": "int4"})
    assert "int4" in PREDICTOR.predict(scenario(), [int4], closed_loops(4)).refused[int4.id]


def test_a_prompt_that_is_cached_whole_is_answered() -> None:
    cached = PREDICTOR.predict(scenario(prefix=4096), [candidate()], closed_loops(4)).points[0]
    fresh = PREDICTOR.predict(scenario(), [candidate()], closed_loops(4)).points[0]
    assert 0 < cached.ttft_ms < fresh.ttft_ms


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "Qwen/Qwen3-33B"}, ("did you mean 'Qwen/Qwen3-32B'", "roofline")),
        ({"gpu": "mi300x"}, ("mi300x", "h200_sxm", "roofline")),
        ({"engine": "llamacpp"}, ("llamacpp", "vllm", "roofline")),
        ({"osl": 1}, ("single output token",)),
    ],
)
def test_what_it_does_not_know_is_refused_with_what_it_does(
    changes: dict[str, object], words: tuple[str, ...]
) -> None:
    circumstances = scenario(**changes)  # type: ignore[arg-type]  # one field of its own type each
    support = PREDICTOR.supports(circumstances)
    found = PREDICTOR.predict(circumstances, [candidate()], LEVELS)
    assert not support
    assert found.refused == {candidate().id: support.why}
    assert [word for word in words if word not in support.why] == []


def test_one_bad_candidate_does_not_spoil_the_others() -> None:
    bad = candidate({"parallel.moe_tensor_parallel": 3, "parallel.moe_expert_parallel": 2})
    good = candidate({"parallel.tensor_parallel": 4})
    found = PREDICTOR.predict(scenario("openai/gpt-oss-120b"), [bad, good], LEVELS)
    assert set(found.refused) == {bad.id}
    assert len(found.of(good.id)) == len(LEVELS)


def test_answers_outlive_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ask_with_cache(tmp_path)
    jobs = asks(monkeypatch)
    assert ask_with_cache(tmp_path) == first
    assert jobs == []
    AiconfiguratorPredictor(cache=tmp_path).predict(
        scenario(), [candidate()], (*LEVELS, *closed_loops(7))
    )
    assert [job.batches for job in jobs] == [(7,)]


def test_a_damaged_cache_is_reported_and_made_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = ask_with_cache(tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_text("utf-8")
    file.write_text(whole[:40], encoding="utf-8")
    assert ask_with_cache(tmp_path) == first
    assert "made anew" in caplog.text
    assert file.read_text("utf-8") == whole
    file.write_text(whole.replace("ttft_ms", "other"), encoding="utf-8")
    assert ask_with_cache(tmp_path) == first


def test_another_version_of_it_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_with_cache(tmp_path)
    jobs = asks(monkeypatch)
    monkeypatch.setattr(installation, "_metadata_version", lambda: "0.12.9")
    found = ask_with_cache(tmp_path)
    assert "0.12.9" in found.predictor
    assert len(jobs) == 2


def ask_with_cache(folder: Path) -> Predictions:
    everything = [candidate(), candidate({"memory.mem_fraction_static": 0.2})]
    return AiconfiguratorPredictor(cache=folder).predict(scenario(), everything, LEVELS)


def test_the_cache_keeps_what_does_not_fit_too(tmp_path: Path) -> None:
    found = ask_with_cache(tmp_path)
    assert len(found.out_of_memory) == 1
    assert OutcomeCache(tmp_path).read("other-predictor", []) == {}
    assert ask_with_cache(tmp_path) == found


@pytest.mark.slow
def test_two_processes_say_the_same_as_one() -> None:
    several = [candidate({"parallel.tensor_parallel": width}) for width in (1, 2, 4)]
    both = AiconfiguratorPredictor(workers=2).predict(scenario(), several, LEVELS)
    assert both == PREDICTOR.predict(scenario(), several, LEVELS)


def test_where_it_is_not_installed_the_remedy_is_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiconfigurator_core", None)
    assert importlib.util.find_spec("aiconfigurator_core") is None
    support = PREDICTOR.supports(scenario())
    assert not support
    assert "pip install 'inference-autotuner[aiconfigurator]'" in support.why
    with pytest.raises(EngineError) as reported:
        PREDICTOR.predict(scenario(), [candidate()], LEVELS)
    assert "pip install" in reported.value.remedy


def test_its_log_stays_off_the_terminal_and_the_users_logging_as_it_was(
    capfd: pytest.CaptureFixture[str],
) -> None:
    logger = logging.getLogger("aiconfigurator_core")
    before = (logger.propagate, logger.handlers[:], logger.level, logging.root.handlers[:])
    host.database.cache_clear()
    PREDICTOR.predict(scenario(gpu="b200_sxm"), [candidate()], closed_loops(1))
    assert capfd.readouterr() == ("", "")
    after = (logger.propagate, logger.handlers[:], logger.level, logging.root.handlers[:])
    assert after == before


def test_the_task_on_h200_is_answered_whole() -> None:
    task = load_task(EXAMPLE)
    prepared = prepare(task, base=EXAMPLE.parent)
    found = PREDICTOR.predict(
        scenario(isl=4096, osl=512, version=prepared.engine_version),
        prepared.space.candidates,
        task.benchmark.levels,
    )
    assert len(prepared.space.candidates) >= 300
    assert len(task.benchmark.concurrency) == 8
    assert len(found.points) == 8 * len(prepared.space.candidates)


def test_prefill_and_decode_workers_have_the_numbers_of_its_plain_api() -> None:
    prefill = DisaggWorkers(candidate(), batch=1, count=2)
    decode = DisaggWorkers(candidate({"parallel.tensor_parallel": 4}), batch=32)
    found = disagg_estimate(scenario(), prefill, decode)
    assert isinstance(found, Prediction)
    plain = host.estimate(
        question(decode.candidate, scenario(), "Qwen/Qwen3-32B", "h200_sxm").layout,
        "SILICON",
        mode="disagg",
        prefill_tp_size=2,
        prefill_batch_size=1,
        prefill_num_workers=2,
        decode_tp_size=4,
        decode_batch_size=32,
        decode_num_workers=1,
    )
    assert (found.tpot_ms, found.devices, found.load.value) == (plain.tpot, 8, 32)
    assert found.tok_s <= plain.seq_per_second * 256 * (1 + 1e-9)
    assert found.ttft_ms >= plain.ttft
    assert holds_littles_law(found)


def test_a_disaggregated_candidate_is_a_pair_of_workers_or_replicas_of_it() -> None:
    pair = candidate({"system.serving_mode": "disagg"})
    pairs = candidate({"system.serving_mode": "disagg", "parallel.data_parallel": 2})
    found = PREDICTOR.predict(scenario(), [pair, pairs], closed_loops(1, 64))
    few, many, _, shared = found.points
    assert [point.devices for point in found] == [4, 4, 8, 8]
    assert few.ttft_ms < shared.ttft_ms < many.ttft_ms
    assert "one prefill and one decode worker" in few.note
    assert all(map(holds_littles_law, found))
