"""All engines keep the contract."""

from __future__ import annotations

from pathlib import Path

import pytest
from candidates import model

from autotuner.catalog import GgufHeader, ResolvedModel
from autotuner.config import Candidate
from autotuner.engines import ENGINES, Engine, Installation
from autotuner.errors import EngineError
from autotuner.testing.engine_contract import EngineContract

DEEPSEEK, LLAMA = "deepseek-ai/DeepSeek-V3", "meta-llama/Llama-3.1-8B"
QWEN, QWEN_MOE = "Qwen/Qwen3-8B", "Qwen/Qwen3-30B-A3B"
FP8_DENSE_ONLY = {"quantization__gemm_mode": "fp8", "quantization__moe_mode": "bfloat16"}


class TestLlamaCpp(EngineContract):
    def engine(self) -> Engine:
        return ENGINES["llamacpp"]

    def model(self) -> ResolvedModel:
        header = GgufHeader(Path("/m.gguf"), 1, *([None] * 7), metadata={})
        return ResolvedModel("m", "/m.gguf", path=header.path, header=header)

    def installation(self) -> Installation:
        return self.engine().assume(None)


class TestVllm(TestLlamaCpp):
    def engine(self) -> Engine:
        return ENGINES["vllm"]

    def model(self) -> ResolvedModel:
        return model(QWEN_MOE)


class TestSglang(TestVllm):
    def engine(self) -> Engine:
        return ENGINES["sglang"]


class TestTrtllm(TestVllm):
    def engine(self) -> Engine:
        return ENGINES["trtllm"]


def said(engine: str, name: str, **settings: object) -> str:
    by_path = {path.replace("__", "."): value for path, value in settings.items()}
    tabled = ENGINES[engine]
    candidate = Candidate.from_settings(by_path)
    return tabled.render(candidate, model(name), tabled.assume(None)).command()


def test_attention_data_parallelism_counts_all_ranks_on_sglang() -> None:
    moe = said("sglang", DEEPSEEK, parallel__tensor_parallel=2, parallel__data_parallel=4)
    assert "--tp-size 8 --attn-dp-size 4" in moe
    dense = said("sglang", LLAMA, parallel__tensor_parallel=2, parallel__data_parallel=4)
    assert "--tp-size 2 --dp-size 4" in dense


def test_an_older_version_is_told_in_its_own_words() -> None:
    engine = ENGINES["vllm"]
    candidate = Candidate.from_settings(
        {"attention.backend": "flashinfer", "memory.swap_space": 4.0}
    )
    old = engine.render(candidate, model(QWEN), engine.assume("0.11.0"))
    assert old.env == (("VLLM_ATTENTION_BACKEND", "FLASHINFER"),)
    assert "--swap-space 4.0" in old.command()
    new = engine.render(candidate, model(QWEN), engine.assume(None))
    assert "--attention-backend FLASHINFER" in new.command()
    assert "--kv-offloading-size" in new.command()


def test_options_of_tensorrt_llm_go_into_a_file_that_the_command_writes() -> None:
    command = said("trtllm", QWEN, quantization__kvcache_mode="fp8", memory__page_size=64)
    assert '"dtype": "fp8"' in command
    assert "> options.yaml && trtllm-serve Qwen/Qwen3-8B" in command
    assert command.endswith("--extra_llm_api_options options.yaml")


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_a_checkpoint_says_its_own_format(engine: str) -> None:
    plain = said(engine, DEEPSEEK)
    assert said(engine, DEEPSEEK, quantization__gemm_mode="fp8_block") == plain
    with pytest.raises(EngineError, match="weights are fp8_block"):
        said(engine, DEEPSEEK, quantization__gemm_mode="bfloat16")
    with pytest.raises(EngineError, match="one flag says both"):
        said(engine, QWEN_MOE, **FP8_DENSE_ONLY)


def test_a_setting_it_cannot_express_names_the_engines_that_can() -> None:
    with pytest.raises(EngineError, match="these can: sglang"):
        said("vllm", QWEN, scheduling__conservativeness=0.5)


def test_an_engine_refuses_a_model_of_another_format() -> None:
    with pytest.raises(EngineError, match=r"serves a \.gguf file"):
        said("llamacpp", QWEN)
