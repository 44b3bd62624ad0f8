"""The roofline: the contract of predictors, what physics demands, and a few figures by hand."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from autotuner.catalog import (
    Gpu,
    ModelFacts,
    gpu_named,
    gpus,
    known_model,
    known_models,
    resolve_model,
)
from autotuner.config import Candidate, Model, closed_loops
from autotuner.predict import Prediction, Predictor, RooflinePredictor, Scenario, cpu_with_speed
from autotuner.predict.device_speed import DeviceSpeed
from autotuner.predict.roofline.layout import machine_of, work_of
from autotuner.predict.roofline.predictor import tokens_per_step
from autotuner.predict.roofline.step import (
    Batch,
    Link,
    all_reduce_s,
    all_to_all_s,
    experts_touched,
    link_between,
    pass_parts,
)
from autotuner.space import RULES, SpaceContext
from autotuner.testing.predictor_contract import PredictorContract

SPEED = DeviceSpeed(30.0, {"float32": 0.2}, 2, "a CPU", "2025-01-01T00:00:00+00:00")
CPU = cpu_with_speed(gpu_named("cpu"), SPEED)
GPUS = sorted(name for name, gpu in gpus().items() if gpu.memory_gib)
MODELS = sorted(
    name
    for name, row in known_models().items()
    if row.package is None and row.facts.parameters is not None
)
ENGINES = ("vllm", "sglang", "trtllm")
PREDICTOR = RooflinePredictor()
quickly = settings(max_examples=60)


def facts_of(name: str) -> ModelFacts:
    known = known_model(name)
    assert known is not None
    return known.facts


@functools.cache
def smollm2() -> ModelFacts:
    return resolve_model(Model(id="smollm2-135m"), base=Path()).facts


def on_the_cpu(isl: float, osl: float, **more: Any) -> Scenario:
    return Scenario("smollm2-135m", smollm2(), "llamacpp", None, CPU, "cpu", isl, osl, **more)


def scenario(
    model: str = "meta-llama/Llama-3.1-70B",
    gpu: str | Gpu = "h100_sxm",
    *,
    engine: str = "vllm",
    isl: float = 1024,
    osl: float = 256,
    **more: Any,
) -> Scenario:
    device = gpu_named(gpu) if isinstance(gpu, str) else gpu
    return Scenario(model, facts_of(model), engine, None, device, device.name, isl, osl, **more)


def candidate(**groups: Any) -> Candidate:
    return Candidate.model_validate(groups)


def layout(tensor: int = 1, pipeline: int = 1, data: int = 1, **groups: Any) -> Candidate:
    widths = {"tensor_parallel": tensor, "pipeline_parallel": pipeline, "data_parallel": data}
    return candidate(parallel=widths, **groups)


def points(where: Scenario, what: Candidate, *levels: int) -> tuple[Prediction, ...]:
    answer = PREDICTOR.predict(where, [what], closed_loops(*(levels or (1,))))
    assert not answer.refused, answer.refused
    return answer.points


def point(where: Scenario, what: Candidate, level: int = 1) -> Prediction:
    found = points(where, what, level)
    assert len(found) == 1, "it does not fit"
    return found[0]


class TestRooflineContract(PredictorContract):
    def predictor(self) -> Predictor:
        return RooflinePredictor()

    def scenario(self) -> Scenario:
        return scenario()

    def candidates(self) -> Sequence[Candidate]:
        return [
            layout(8),
            layout(4, quantization={"gemm_mode": "fp8"}),
            layout(4, 2, scheduling={"max_running_requests": 8}),
            layout(1),
            layout(8, system={"serving_mode": "disagg"}),
        ]


class TestRooflineContractOnACpu(PredictorContract):
    def predictor(self) -> Predictor:
        return RooflinePredictor()

    def scenario(self) -> Scenario:
        return on_the_cpu(32, 32)

    def candidates(self) -> Sequence[Candidate]:
        return [candidate(scheduling={"slots": s}, misc={"threads": 2}) for s in (1, 4)]


@given(st.sampled_from(MODELS), st.sampled_from(GPUS), st.sampled_from(ENGINES), st.data())
@quickly
def test_whatever_the_rules_allow_is_reported_in_finite_figures(
    model: str, gpu: str, engine: str, data: st.DataObject
) -> None:
    width = st.sampled_from([1, 2, 4, 8])
    parallel = {"tensor_parallel": data.draw(width), "pipeline_parallel": data.draw(width)}
    if facts_of(model).is_moe:
        parallel |= {"data_parallel": data.draw(width)}
    what = candidate(
        parallel=parallel,
        quantization={"kvcache_mode": data.draw(st.sampled_from(["bfloat16", "fp8"]))},
        scheduling={"max_running_requests": data.draw(st.sampled_from([None, 1, 64]))},
    )
    where = scenario(model, gpu, engine=engine, isl=data.draw(st.sampled_from([1, 512, 8192])))
    setting = SpaceContext(
        math.ceil(where.isl + where.osl), {}, where.facts, where.gpu.memory_gib, False, where.gpu
    )
    assume(not any(rule.judge(what, setting) for rule in RULES))
    answer = PREDICTOR.predict(where, [what], closed_loops(1, 7, 512))
    assert not answer.refused
    assert len(answer.points) == (0 if answer.out_of_memory else 3)
    for reported in answer:
        assert all(
            math.isfinite(x) and x > 0 for x in (reported.ttft_ms, reported.tpot_ms, reported.tok_s)
        )
        assert reported.memory_gib is not None
        assert reported.memory_gib > 0


@given(st.sampled_from(ENGINES), st.integers(1, 300), st.floats(1.05, 4), st.floats(16, 8192))
@quickly
def test_more_bandwidth_is_never_slower(engine: str, level: int, factor: float, isl: float) -> None:
    base = gpu_named("h200_sxm")
    faster = replace(base, bandwidth_gb_s=(base.bandwidth_gb_s or 0) * factor)
    slow, fast = (
        point(scenario(gpu=gpu, engine=engine, isl=isl), layout(8), level) for gpu in (base, faster)
    )
    assert fast.tok_s >= slow.tok_s * 0.999
    assert fast.e2e_ms <= slow.e2e_ms * 1.001


@given(st.sampled_from(ENGINES), st.sampled_from(["h100_sxm", "l40s"]), st.integers(64, 4096))
@quickly
def test_more_users_are_never_served_faster_each(engine: str, gpu: str, isl: int) -> None:
    where = scenario("Qwen/Qwen3-8B", gpu, engine=engine, isl=isl)
    found = points(where, layout(1), *(1, 2, 3, 5, 8, 13, 40, 150, 600))
    for fewer, more in itertools.pairwise(found):
        assert more.e2e_ms >= fewer.e2e_ms * 0.999
        assert more.tok_s_per_user <= fewer.tok_s_per_user * 1.001
        assert more.tok_s >= fewer.tok_s * 0.99


@given(st.sampled_from(ENGINES), st.integers(1, 64), st.floats(1, 16000), st.floats(1, 3))
@quickly
def test_longer_prompts_never_start_sooner(
    engine: str, level: int, isl: float, factor: float
) -> None:
    short, long = (
        point(scenario(engine=engine, isl=length, gpu="h200_sxm"), layout(8), level)
        for length in (isl, isl * factor)
    )
    assert long.ttft_ms >= short.ttft_ms * 0.999


@pytest.mark.parametrize("gpu", ["h100_sxm", "b200_sxm", "mi300x"])
def test_fast_links_make_wider_tp_worth_it_for_a_large_model(gpu: str) -> None:
    where = scenario(gpu=gpu, isl=128)
    times = [found[0].tpot_ms for tp in (1, 2, 4, 8) if (found := points(where, layout(tp), 1))]
    assert len(times) >= 3
    assert times == sorted(times, reverse=True)


def test_slow_links_cost_more() -> None:
    linked = gpu_named("h100_sxm")
    slow = replace(linked, interconnect="pcie", interconnect_gb_s=32.0)
    fast_point, slow_point = (point(scenario(gpu=g), layout(8), 16) for g in (linked, slow))
    assert slow_point.ttft_ms > 1.5 * fast_point.ttft_ms
    assert slow_point.tpot_ms > fast_point.tpot_ms


def test_a_single_user_reads_all_weights_for_every_token() -> None:
    where = scenario("meta-llama/Llama-3.1-8B", isl=128, osl=128)
    # 7.5e9 weights outside the embedding table, 16 bits each, at 3350 GB/s.
    least_ms = 7.5e9 * 2 / 3350e9 * 1000
    assert least_ms < point(where, layout(1)).tpot_ms < 2 * least_ms


def test_a_long_prompt_is_bound_by_arithmetic() -> None:
    where = scenario("meta-llama/Llama-3.1-8B", isl=8192, osl=2)
    least_ms = 2 * 7e9 * 8192 / 989e12 * 1000
    assert least_ms < point(where, layout(1)).ttft_ms < 3 * least_ms


def test_a_few_users_touch_a_few_experts() -> None:
    assert experts_touched(8 / 256, 1) == pytest.approx(8 / 256)
    assert experts_touched(8 / 256, 2) == pytest.approx(1 - (31 / 32) ** 2)
    assert experts_touched(0.0, 100) == 0
    where = scenario("deepseek-ai/DeepSeek-V3", "h200_sxm", isl=128)
    work, machine = work_of(where, layout(8)), machine_of(where, layout(8))
    one, many = (sum(pass_parts(work, machine, Batch(sequences=n, context=128))) for n in (1, 64))
    assert many > 2 * one


def test_longer_context_costs_bytes_of_keys_and_values() -> None:
    where = scenario("meta-llama/Llama-3.1-8B")
    work, machine = work_of(where, layout(1)), machine_of(where, layout(1))
    short, long = (
        sum(pass_parts(work, machine, Batch(sequences=32, context=c))) for c in (1000, 5000)
    )
    # 32 sequences x 4000 tokens x 131072 bytes.
    assert long - short == pytest.approx(32 * 4000 * 131072 / machine.bandwidth, rel=0.01)


def test_a_window_bounds_what_its_layers_read() -> None:
    work = work_of(scenario("gpt-oss-120b"), layout(1))
    assert work.attended(100) == 100
    assert work.attended(10_128) == pytest.approx((10_128 + 128) / 2)


def test_the_latent_of_mla_is_copied_to_every_rank() -> None:
    where = scenario("deepseek-ai/DeepSeek-V3", "h200_sxm")
    assert work_of(where, layout(8)).kv_bytes == work_of(where, layout(1)).kv_bytes
    heads = scenario("meta-llama/Llama-3.1-70B")
    assert work_of(heads, layout(8)).kv_bytes == work_of(heads, layout(1)).kv_bytes / 8
    assert work_of(heads, layout(16)).kv_bytes == work_of(heads, layout(8)).kv_bytes


def test_what_does_not_fit_is_a_prediction() -> None:
    answer = PREDICTOR.predict(scenario(), [layout(1), layout(8)], closed_loops(1))
    memory = answer.out_of_memory[layout(1).id]
    # 70.6e9 weights of 2 bytes, on 92 % of 79.2 GiB without what vLLM keeps for itself: 0.5 GiB,
    # 0.6 GiB of graphs, and four float32 copies of the logits of 1,024 slots.
    assert memory.needed_gib == pytest.approx(131.9, rel=0.02)
    kept = 0.5 + 0.6 + 4 * 4 * 1024 * 128256 / 2**30
    assert memory.available_gib == pytest.approx(0.92 * gpu_named("h100_sxm").memory_gib - kept)
    assert [reported.candidate_id for reported in answer] == [layout(8).id]


def test_users_above_the_slots_wait() -> None:
    few = layout(8, scheduling={"max_running_requests": 4})
    four, eight, sixteen = points(scenario(), few, 4, 8, 16)
    assert four.note == ""
    assert eight.note == "requests wait for a free slot"
    assert four.ttft_ms < eight.ttft_ms < sixteen.ttft_ms
    assert sixteen.tpot_ms == four.tpot_ms
    assert sixteen.tok_s == pytest.approx(four.tok_s)


def test_the_kv_cache_limits_who_runs() -> None:
    where = scenario("meta-llama/Llama-3.1-70B", isl=8192, osl=1024)
    tight = layout(2, quantization={"gemm_mode": "fp8"})
    *_, last = points(where, tight, 1, 64)
    assert last.note == "requests wait for room in the KV cache"
    assert last.memory_gib is not None
    assert last.memory_gib <= 79.2


def test_chunked_prompts_interrupt_others_for_less_time() -> None:
    whole, cut = (
        point(
            scenario(isl=8192, osl=64),
            layout(8, scheduling={"max_num_batched_tokens": tokens}),
            16,
        )
        for tokens in (8192, 512)
    )
    assert cut.tpot_ms != whole.tpot_ms
    assert cut.tok_s < whole.tok_s


def test_a_cached_prefix_is_not_computed_again() -> None:
    plain, cached = (point(scenario(isl=4096, prefix=p), layout(8), 8) for p in (0.0, 3500.0))
    assert cached.ttft_ms < plain.ttft_ms / 2
    off = layout(8, attention={"enable_prefix_caching": False})
    again = point(scenario(isl=4096, prefix=3500.0), off, 8)
    assert again.ttft_ms == pytest.approx(plain.ttft_ms)


def test_drafts_shorten_the_time_between_tokens_of_few_users() -> None:
    where = scenario("deepseek-ai/DeepSeek-V3", "h200_sxm")
    plain, drafted = (point(where, layout(8, runtime={"nextn": n})) for n in (0, 2))
    assert drafted.tpot_ms < plain.tpot_ms
    assert drafted.tpot_log_std > plain.tpot_log_std
    # 1 + 0.7 + 0.49 tokens.
    assert tokens_per_step(2) == pytest.approx(2.19)


def test_replicas_of_a_dense_model_share_nothing() -> None:
    where = scenario("Qwen/Qwen3-8B")
    one, two = point(where, layout(1), 8), point(where, layout(1, data=2), 16)
    assert two.tok_s == pytest.approx(2 * one.tok_s, rel=0.02)
    assert two.devices == 2


def test_one_user_leaves_the_stages_of_a_pipeline_idle() -> None:
    where = scenario("Qwen/Qwen3-8B", osl=128)
    flat, piped = point(where, layout(1), 1), point(where, layout(1, pipeline=4), 1)
    assert piped.tpot_ms >= flat.tpot_ms
    assert point(where, layout(1, pipeline=4), 64).tok_s > 1.5 * point(where, layout(1), 64).tok_s


def test_without_cuda_graphs_small_steps_are_slower() -> None:
    where = scenario("Qwen/Qwen3-0.6B")
    plain, eager = (point(where, layout(1, misc={"cuda_graph": g})) for g in (True, False))
    assert eager.tpot_ms > 1.3 * plain.tpot_ms


def test_collectives() -> None:
    link = Link(1e-6, 1e9)
    assert all_reduce_s(link, 1, 1e6) == 0
    # Small messages double up: log2(8) hops; large ones go round: 2 x 7 / 8 of the bytes.
    assert all_reduce_s(link, 8, 1) == pytest.approx(3e-6, rel=0.01)
    assert all_reduce_s(link, 8, 1e9) == pytest.approx(1.75, rel=0.01)
    assert all_to_all_s(link, 4, 1e9) == pytest.approx(0.75, rel=0.01)
    node, nodes = (link_between(gpu_named("h100"), devices) for devices in (8, 16))
    assert nodes.bytes_s < node.bytes_s
    assert link_between(gpu_named("gb200"), 64) == link_between(gpu_named("gb200"), 2)


@pytest.mark.parametrize(
    ("changes", "stated"),
    [
        ({"engine": "another"}, "'another' is not known"),
        ({"engine": "trtllm", "gpu": CPU}, "does not run on a CPU"),
        ({"gpu": gpu_named("cpu")}, "calibrate-device"),
        ({"model": "nvidia/Nemotron-H-56B-Base-8K"}, "not known of nvidia/Nemotron"),
    ],
)
def test_what_it_cannot_name_is_refused_with_the_reason(changes: Any, stated: str) -> None:
    support = PREDICTOR.supports(scenario(**changes))
    assert not support
    assert stated in support.why


def test_drafting_by_other_means_is_refused() -> None:
    other = layout(8, misc={"speculative_algorithm": "ngram"})
    answer = PREDICTOR.predict(scenario(), [other], closed_loops(1))
    assert "speculative_algorithm" in answer.refused[other.id]


def test_threads_slots_and_cache_formats_matter_on_a_cpu() -> None:
    where = on_the_cpu(512, 128, requests=32)

    def reported(level: int = 1, **groups: Any) -> Prediction:
        return point(where, candidate(**groups), level)

    assert reported(misc={"threads": 1}).tpot_ms > reported(misc={"threads": 2}).tpot_ms
    assert reported(misc={"threads": 8}).tpot_ms > reported(misc={"threads": 2}).tpot_ms
    few, many = (reported(8, scheduling={"slots": slots}) for slots in (1, 8))
    assert few.ttft_ms > many.ttft_ms
    assert few.tpot_ms < many.tpot_ms
    thin, wide = (reported(8, quantization={"kvcache_mode": m}) for m in ("int8", "float32"))
    assert thin.tpot_ms < wide.tpot_ms
    small = reported(attention={"chunked_prefill_size": 8})
    assert small.ttft_ms > reported(attention={"chunked_prefill_size": 512}).ttft_ms


def test_figures_of_a_measured_laptop_are_met_within_a_factor_of_two() -> None:
    # README: SmolLM2-135M on llama.cpp, 8 slots, 2 threads of a CPU that reaches SPEED.
    where = on_the_cpu(32, 32, requests=12)
    what = candidate(scheduling={"slots": 8}, misc={"threads": 2}, memory={"max_model_len": 128})
    one, eight = points(where, what, 1, 8)
    measured = [(one, 100.8, 98, 7.1), (eight, 138.5, 728, 35.7)]
    for point_at, speed, ttft, tpot in measured:
        expected = (point_at.tok_s, point_at.ttft_ms, point_at.tpot_ms)
        for predicted, actual in zip(expected, (speed, ttft, tpot), strict=True):
            assert 0.5 < predicted / actual < 2
