"""AISimulate's answers as predictions; whatever happens to its process, the rest is answered."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiconfigurator_cases import scenario

from autotuner.config import Candidate, LoadLevel, closed_loops
from autotuner.errors import EngineError
from autotuner.predict import AISimulatePredictor, Predictions, Predictor, Scenario
from autotuner.predict.aisimulate import host
from autotuner.predict.aisimulate.host import (
    MOST_FAILURES,
    ProcessPool,
    SimulatorProcess,
    shared_pool,
)
from autotuner.predict.aisimulate.installation import AISimulateInstallation, installed
from autotuner.predict.aisimulate.questions import (
    SETTLED_PER_IN_FLIGHT,
    Lengths,
    load_of,
    question_of,
)
from autotuner.testing.predictor_contract import PredictorContract

STAND_IN = Path(__file__).with_name("aisimulate_stand_in.py")
QWEN = scenario(osl_spread=0.0642)
LEVELS = closed_loops(1, 8)
BROKEN, SOUND = 4, 2
"""Widths at which the stand-in goes wrong, and answers."""
REAL = installed()


def stand_in(manner: str, folder: Path, version: str = "0.13.0") -> AISimulateInstallation:
    """What is installed, were it the stand-in."""
    return AISimulateInstallation(
        version=version,
        models=frozenset({"Qwen/Qwen3-32B", "deepseek-ai/DeepSeek-V3"}),
        systems={"h200_sxm": frozenset({"vllm", "sglang"}), "l4": frozenset({"trtllm"})},
        command=(sys.executable, str(STAND_IN), manner, str(folder)),
    )


@pytest.fixture
def pools() -> Iterator[list[ProcessPool]]:
    """Pools that a test has made; ended with it."""
    made: list[ProcessPool] = []
    yield made
    for pool in made:
        pool.close()


class Asked:
    """A predictor that asks the stand-in, and what it asked."""

    def __init__(
        self, pools: list[ProcessPool], folder: Path, manner: str = "", **options: Any
    ) -> None:
        self._folder = folder / "asked"
        self._folder.mkdir(exist_ok=True)
        installation = stand_in(manner, self._folder)
        pools.append(ProcessPool(installation.command, most=1, question_limit_s=2))
        self.predictor = AISimulatePredictor(installation=installation, pool=pools[-1], **options)

    @property
    def questions(self) -> list[dict[str, Any]]:
        """All questions, of its earlier processes too."""
        return [json.loads(path.read_text()) for path in self._folder.iterdir()]

    def predict(
        self,
        *candidates: Candidate,
        levels: Sequence[LoadLevel] = LEVELS,
        about: Scenario = QWEN,
    ) -> Predictions:
        return self.predictor.predict(about, candidates, levels)


def wide(width: int, settings: Mapping[str, Any] | None = None) -> Candidate:
    return Candidate.from_settings({"parallel.tensor_parallel": width, **(settings or {})})


class TestAISimulatePredictor(PredictorContract):
    _folder = tempfile.mkdtemp(prefix="autotuner-aisimulate-")

    def predictor(self) -> Predictor:
        return AISimulatePredictor(installation=stand_in("refuses", Path(self._folder)))

    def scenario(self) -> Scenario:
        return QWEN

    def candidates(self) -> Sequence[Candidate]:
        return [
            wide(2),
            wide(8, {"quantization.gemm_mode": "fp8"}),
            wide(1, {"memory.mem_fraction_static": 0.1}),
            wide(BROKEN),
            wide(2, {"system.serving_mode": "disagg"}),
        ]


@pytest.mark.parametrize(
    ("manner", "why"),
    [
        ("hangs", "no answer within 2 s, so it was ended"),
        ("crashes", "it ended with exit code 3: the 3rd rank is poisoned"),
        ("is killed", "it ended with signal 9"),
        ("talks", "its answer is no JSON object"),
        ("nan", "tpot_ms = nan, which no engine can take"),
        ("zero", "ttft_ms = 0.0, which no engine can take"),
        ("says less", "e2e_p99_ms = None"),
        ("drops", "0 of 16 requests: prompt and answer need more than the KV cache"),
        ("no mapping", "a load level without figures"),
        ("refuses", "no timing data for this"),
    ],
)
def test_what_goes_wrong_is_a_refusal_of_that_candidate(
    pools: list[ProcessPool], tmp_path: Path, manner: str, why: str
) -> None:
    broken, *others = wide(BROKEN), wide(SOUND), wide(8)
    found = Asked(pools, tmp_path, manner).predict(broken, *others)
    assert list(found.refused) == [broken.id]
    assert why in found.refused[broken.id]
    assert [p.candidate_id for p in found] == [c.id for c in others for _ in LEVELS]


def test_a_question_that_is_interrupted_does_not_answer_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = SimulatorProcess(stand_in("", tmp_path).command)
    worker = {"parallelism": {"tensor": 2}, "kv_cache": {}}
    question = {"engine": {"workers": {"aggregated": worker}}, "loads": []}
    process.ask(question)
    with monkeypatch.context() as patch:
        patch.setattr(host.os, "read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            process.ask(question | {"loads": [{"concurrency": 1, "request_count": 1, "osl": 8}]})
    assert process.ask(question) == {"levels": []}
    process.close()


def interrupted(*arguments: object) -> bytes:
    raise KeyboardInterrupt


def test_after_some_failures_in_a_row_the_rest_is_not_asked(
    pools: list[ProcessPool], tmp_path: Path
) -> None:
    asked = Asked(pools, tmp_path, "crashes")
    many = [wide(BROKEN, {"scheduling.max_running_requests": n}) for n in range(1, 6)]
    refused = asked.predict(*many, wide(SOUND)).refused
    assert len(asked.questions) == MOST_FAILURES
    assert len(refused) == len(many) + 1
    assert "not asked any more after 3 failures in a row: it ended" in refused[wide(SOUND).id]
    # Another call tries again.
    assert asked.predict(wide(SOUND)).points


def test_what_cannot_be_loaded_or_started_names_the_remedy(tmp_path: Path) -> None:
    unloadable = AISimulatePredictor(installation=stand_in("unloadable", tmp_path))
    with pytest.raises(EngineError, match="no module named jax") as failure:
        unloadable.predict(QWEN, [wide(2)], LEVELS)
    assert failure.value.remedy == "make aisimulate"
    gone = replace(stand_in("", tmp_path), command=(str(tmp_path / "python"),))
    with pytest.raises(EngineError, match="cannot be started: No such file"):
        AISimulatePredictor(installation=gone).predict(QWEN, [wide(2)], LEVELS)


@pytest.mark.parametrize(
    ("version", "why"), [(None, "is not installed"), ("0.14.0", "0.14.0 is installed, and 0.13.")]
)
def test_without_it_or_with_another_version_it_is_refused(
    tmp_path: Path, version: str | None, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    found = stand_in("", tmp_path, version) if version else None
    predictor = AISimulatePredictor(installation=found)
    support = predictor.supports(QWEN)
    assert not support
    assert why in support.why
    assert "make aisimulate" in support.why
    with pytest.raises(EngineError, match=why):
        predictor.predict(QWEN, [wide(2)], LEVELS)


@pytest.mark.parametrize(
    ("about", "why"),
    [
        (replace(QWEN, engine="llamacpp"), "the engine llamacpp"),
        (scenario(gpu="a100_sxm"), "the device a100_sxm, but h200_sxm, l4"),
        (scenario(gpu="l4"), "no kernels of vllm on l4, but trtllm"),
        (replace(QWEN, model="nobody/knows-this"), "the model 'nobody/knows-this'"),
    ],
)
def test_what_it_does_not_know_is_named(tmp_path: Path, about: Scenario, why: str) -> None:
    predictor = AISimulatePredictor(installation=stand_in("", tmp_path))
    assert why in predictor.supports(about).why
    assert why in predictor.predict(about, [wide(2)], LEVELS).refused[wide(2).id]


def test_an_installation_is_read_from_its_folder(tmp_path: Path) -> None:
    assert installed(tmp_path) is None
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    core = packages / "aisimulate_core"
    for folder in ("systems/data/h200_sxm/gemm/vllm", "systems/data/gone/gemm/vllm"):
        (core / folder).mkdir(parents=True)
    (core / "model_configs").mkdir()
    for path in ("systems/h200_sxm.yaml", "model_configs/Qwen--Qwen3-32B_config.json"):
        (core / path).touch()
    (core / "model_configs" / "Qwen--Qwen3-32B_hf_quant_config.json").touch()
    (packages / "aisimulate-0.13.0.dist-info").mkdir()
    assert installed(tmp_path) is None, "no Python"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    found = installed(tmp_path)
    assert found is not None
    assert (found.version, found.models) == ("0.13.0", {"Qwen/Qwen3-32B"})
    assert found.systems == {"h200_sxm": {"vllm"}}
    assert Path(found.command[-1]).exists()


def test_all_levels_of_a_candidate_are_one_question(
    pools: list[ProcessPool], tmp_path: Path
) -> None:
    asked = Asked(pools, tmp_path)
    twin = wide(2, {"misc.load_format": "dummy"})
    found = asked.predict(wide(2), twin, levels=closed_loops(1, 8, 64))
    assert [[load["concurrency"] for load in q["loads"]] for q in asked.questions] == [[1, 8, 64]]
    one, other = found.of(wide(2).id), found.of(twin.id)
    assert [p.ttft_ms for p in one] == [p.ttft_ms for p in other]
    for point in one:
        assert point.ttft_p90_ms is not None
        assert point.ttft_ms < point.ttft_p90_ms < (point.ttft_p99_ms or 0)
        assert point.e2e_p90_ms is not None
        assert point.e2e_p90_ms < (point.e2e_p99_ms or 0)
        assert point.source == "aisimulate 0.13.0 SILICON: vllm 0.24.0 on h200_sxm"


def test_slots_that_a_level_never_fills_are_asked_about_once(
    pools: list[ProcessPool], tmp_path: Path
) -> None:
    asked = Asked(pools, tmp_path)
    few, many = (wide(2, {"scheduling.max_running_requests": slots}) for slots in (8, 128))
    found = asked.predict(few, many, levels=[*closed_loops(1, 8, 64), LoadLevel.rate(1)])
    loads = sorted(
        (q["engine"]["workers"]["aggregated"]["scheduler"]["max_sequences"], load["concurrency"])
        for q in asked.questions
        for load in q["loads"]
        if "concurrency" in load
    )
    assert loads == [(8, 64), (4096, 1), (4096, 8), (4096, 64)]
    assert sum("concurrency" not in load for q in asked.questions for load in q["loads"]) == 2
    assert len(found.of(few.id)) == len(found.of(many.id)) == 4


def test_answers_and_refusals_are_kept_and_failures_are_not(
    pools: list[ProcessPool], tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    asked = Asked(pools, tmp_path, "refuses", cache=cache)
    first = asked.predict(wide(2), wide(BROKEN))
    assert asked.predict(wide(2), wide(BROKEN)) == first
    assert len(asked.questions) == 2
    asked.predict(wide(2), levels=closed_loops(8, 16))
    assert [load["concurrency"] for load in asked.questions[-1]["loads"]] in ([16], [1, 8])
    assert sum(len(q["loads"]) for q in asked.questions) == 5
    failing = Asked(pools, tmp_path, "nan", cache=tmp_path / "other")
    for _ in range(2):
        failing.predict(wide(BROKEN))
    assert len(failing.questions) == 5


def test_equal_lengths_stay_equal_and_others_are_drawn_with_their_spread() -> None:
    equal = Lengths.of(replace(QWEN, osl_spread=0.0), 0)
    assert (equal.largest_input, equal.largest_output, equal.smallest_share) == (1024, 256, 1.0)
    drawn = Lengths.of(QWEN, 900)
    assert drawn.smallest_share == pytest.approx(0.8, abs=0.001)
    for largest, mean in ((drawn.largest_input, 1024), (drawn.largest_output, 256)):
        assert largest * (1 + drawn.smallest_share) / 2 == pytest.approx(mean, rel=0.01)
    assert drawn.prefix == 900
    assert Lengths.of(QWEN, 1023).prefix < 0.8 * drawn.largest_input
    assert Lengths.of(replace(QWEN, osl_spread=3.0), 0).smallest_share == pytest.approx(1 / 256)


def test_rates_are_constant_or_poisson_and_simulated_until_they_settle(
    pools: list[ProcessPool], tmp_path: Path
) -> None:
    rates = [LoadLevel.rate(0.5), LoadLevel.rate(40), LoadLevel.rate(400)]
    asked = Asked(pools, tmp_path)
    found = asked.predict(wide(2), levels=rates)
    assert [p.load for p in found] == rates[:2]
    assert [p.tok_s for p in found] == [pytest.approx(p.load.value * 256) for p in found]
    assert all("no answer at rate 400 req/s: saturated" in p.note for p in found)
    lasting = {
        load["arrival_interval_ms"]: load["request_count"]
        for question in sorted(asked.questions, key=lambda q: len(q["loads"]), reverse=True)
        for load in question["loads"]
    }
    assert lasting[1000 / 40] >= SETTLED_PER_IN_FLIGHT * found.points[1].in_flight
    assert lasting[2000] == 256
    only = asked.predict(wide(2), levels=rates[2:])
    assert "saturated" in only.refused[wide(2).id]
    random = Asked(pools, tmp_path / "asked", arrivals="poisson")
    random.predict(wide(2), levels=rates[:1])
    assert random.questions[0]["loads"][0]["request_rate"] == 0.5
    assert random.predictor.name.endswith("-poisson")


@pytest.mark.skipif(REAL is None, reason="AISimulate is not installed: make aisimulate")
@pytest.mark.slow
def test_aisimulate_itself() -> None:
    predictor = AISimulatePredictor()
    moe = scenario("deepseek-ai/DeepSeek-V3", engine="sglang", version="0.5.20", osl_spread=0.06)
    layout = {"parallel.data_parallel": 8, "parallel.moe_expert_parallel": 8}
    chunk = {"attention.chunked_prefill_size": 4096, "runtime.nextn": 1}
    drawn = predictor.predict(QWEN, [wide(2), wide(1, {"memory.mem_fraction_static": 0.2})], LEVELS)
    equal = predictor.predict(replace(QWEN, osl_spread=0.0), [wide(2)], LEVELS)
    wave, spread = equal.points[-1], drawn.points[-1]
    assert wave.ttft_ms > 1.2 * spread.ttft_ms
    assert list(drawn.out_of_memory) == [wide(1, {"memory.mem_fraction_static": 0.2}).id]
    assert predictor.predict(moe, [wide(1, {**layout, **chunk})], LEVELS).points
    rates = predictor.predict(QWEN, [wide(2)], [LoadLevel.rate(1), LoadLevel.rate(1000)])
    assert [p.load.value for p in rates] == [1]
    poisson = AISimulatePredictor(arrivals="poisson").predict(QWEN, [wide(2)], [LoadLevel.rate(1)])
    assert poisson.points[0].ttft_p99_ms >= rates.points[0].ttft_p99_ms
    unknown = wide(2, {"quantization.gemm_mode": "nvfp4"})
    assert "fp4" in predictor.predict(QWEN, [unknown], LEVELS).refused[unknown.id]


@pytest.mark.skipif(REAL is None, reason="AISimulate is not installed: make aisimulate")
@pytest.mark.slow
@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_aisimulate_answers_alike_with_any_slots_that_are_never_filled(engine: str) -> None:
    assert REAL is not None
    about = scenario(engine=engine, version=None, osl_spread=0.06)
    load = load_of(LEVELS[-1], Lengths.of(about, 0), 40, "constant")
    questions = []
    for slots in (8, 256):
        candidate = wide(2, {"scheduling.max_running_requests": slots})
        asked = question_of(about, candidate, REAL, ("SILICON",))
        questions += [
            {**json.loads(document), "loads": [load]}
            for document in (asked.document, asked.any_slots)
        ]
    few, free, many, again = shared_pool(REAL.command).answer_all(questions)
    assert not isinstance(few, str)
    assert few["levels"][0]["ttft_ms"] > 0
    assert few == free == many == again


def test_slots_count_for_a_model_whose_slots_may_take_memory(
    pools: list[ProcessPool], tmp_path: Path
) -> None:
    asked = Asked(pools, tmp_path)
    few, many = (wide(2, {"scheduling.max_running_requests": slots}) for slots in (8, 128))
    for facts in (replace(QWEN.facts, attention="hybrid"), replace(QWEN.facts, state_bytes=1)):
        asked.predict(few, many, levels=closed_loops(1), about=replace(QWEN, facts=facts))
    slots = [q["engine"]["workers"]["aggregated"]["scheduler"] for q in asked.questions]
    assert sorted(each["max_sequences"] for each in slots) == [8, 8, 128, 128]
