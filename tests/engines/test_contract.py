"""All engines keep the contract."""

from __future__ import annotations

from dataclasses import replace
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


class TestLmdeploy(TestVllm):
    def engine(self) -> Engine:
        return ENGINES["lmdeploy"]


def written(engine: str, name: str, **settings: object) -> str:
    by_path = {path.replace("__", "."): value for path, value in settings.items()}
    tabled = ENGINES[engine]
    candidate = Candidate.from_settings(by_path)
    return tabled.render(candidate, model(name), tabled.assume(None)).command()


def test_attention_data_parallelism_counts_all_ranks_on_sglang() -> None:
    moe = written("sglang", DEEPSEEK, parallel__tensor_parallel=2, parallel__data_parallel=4)
    assert "--tp-size 8 --attn-dp-size 4" in moe
    dense = written("sglang", LLAMA, parallel__tensor_parallel=2, parallel__data_parallel=4)
    assert "--tp-size 2 --dp-size 4" in dense


@pytest.mark.parametrize("version", ["0.4.6", "0.5.10", "0.5.23"])
def test_replicas_with_experts_of_their_own_are_whole_servers_on_sglang(version: str) -> None:
    widths = {"tensor_parallel": 2, "data_parallel": 4, "moe_tensor_parallel": 2}
    candidate = Candidate.model_validate({"parallel": widths | {"moe_expert_parallel": 1}})
    engine = ENGINES["sglang"]
    command = engine.render(candidate, model(DEEPSEEK), engine.assume(version)).command()
    assert "--tp-size 2 --dp-size 4" in command
    assert "attention" not in command
    assert "--attn-dp-size" not in command


def test_an_older_version_has_its_own_words() -> None:
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
    command = written("trtllm", QWEN, quantization__kvcache_mode="fp8", memory__page_size=64)
    assert '"dtype": "fp8"' in command
    assert "> options.yaml && trtllm-serve Qwen/Qwen3-8B" in command
    assert command.endswith("--extra_llm_api_options options.yaml")


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_a_checkpoint_says_its_own_format(engine: str) -> None:
    plain = written(engine, DEEPSEEK)
    assert written(engine, DEEPSEEK, quantization__gemm_mode="fp8_block") == plain
    with pytest.raises(EngineError, match="weights are fp8_block"):
        written(engine, DEEPSEEK, quantization__gemm_mode="bfloat16")
    with pytest.raises(EngineError, match="one flag says both"):
        written(engine, QWEN_MOE, **FP8_DENSE_ONLY)


@pytest.mark.parametrize("engine", ["sglang", "trtllm"])
def test_the_width_counts_all_ranks_where_only_data_parallel_is_set(engine: str) -> None:
    width_in = written(engine, DEEPSEEK, parallel__data_parallel=8).replace(
        "--tp_size", "--tp-size"
    )
    assert "--tp-size 8" in width_in


@pytest.mark.parametrize("engine", ["vllm", "sglang", "trtllm", "lmdeploy"])
def test_the_revision_of_a_hubs_model_is_expressed(engine: str) -> None:
    tabled, plain = ENGINES[engine], model(QWEN)
    at = replace(plain, revision="v1.0")
    candidate, here = Candidate(), tabled.assume(None)
    assert "--revision v1.0" in tabled.render(candidate, at, here).command()
    assert "--revision" not in tabled.render(candidate, plain, here).command()


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        ("vllm", ["--gpu-memory-utilization", "0.5"]),
        ("vllm", ["--gpu_memory_utilization=0.5"]),
        ("vllm", ["--device-memory-utilization=0.5"]),
        ("vllm", ["--gpu-memory-util", "0.5"]),
        ("sglang", ["--seed", "1", "--mem-fraction", "0.5"]),
    ],
)
def test_extra_arguments_do_not_say_what_a_field_says(engine: str, words: list[str]) -> None:
    both = {"memory__mem_fraction_static": 0.8, "misc__extra_args": words}
    with pytest.raises(EngineError, match=r"misc\.extra_args.*memory\.mem_fraction_static 0\.8"):
        written(engine, QWEN, **both)
    assert words[-1] in written(engine, QWEN, misc__extra_args=words)


@pytest.mark.parametrize(
    "words",
    [
        ["--quantization=awq"],
        ["--compilation-config.mode", "3"],
        ["--no-enable-prefix-caching"],
        ["-tp", "2"],
    ],
)
def test_a_flag_counts_by_any_of_its_names_whatever_the_field_says(words: list[str]) -> None:
    fields = {
        "quantization__gemm_mode": "bfloat16",
        "misc__torch_compile": False,
        "attention__enable_prefix_caching": True,
        "parallel__tensor_parallel": 1,
    }
    with pytest.raises(EngineError, match=r"misc\.extra_args.* beside "):
        written("vllm", QWEN, **fields, misc__extra_args=words)


def test_extra_arguments_do_not_decide_how_many_gpus_are_occupied() -> None:
    with pytest.raises(EngineError, match=r"say parallel\.data_parallel"):
        written("vllm", QWEN, misc__extra_args=["--data-parallel-size=2"])


def test_chunks_have_no_size_where_prefill_is_not_cut() -> None:
    size = {"attention__chunked_prefill_size": 2048}
    with pytest.raises(EngineError, match=r"attention\.enable_chunked_prefill False"):
        written("sglang", QWEN, attention__enable_chunked_prefill=False, **size)
    assert "--chunked-prefill-size 2048" in written(
        "sglang", QWEN, attention__enable_chunked_prefill=True, **size
    )


def test_what_only_some_gpus_can_is_refused_on_others() -> None:
    with pytest.raises(EngineError, match=r"comm_mode.*'int8' on h100_sxm.*AMD"):
        written("vllm", QWEN, quantization__comm_mode="int8", system__gpu_type="h100")
    assert "QUANTIZATION=INT8" in written(
        "vllm", QWEN, quantization__comm_mode="int8", system__gpu_type="mi300x"
    )
    plain = written("vllm", QWEN, system__gpu_type="h100")
    assert written("vllm", QWEN, quantization__comm_mode="half", system__gpu_type="h100") == plain


@pytest.mark.parametrize("version", ["banana", "", "latest", "1;2", "-1"])
def test_a_version_that_is_none_is_refused(version: str) -> None:
    with pytest.raises(EngineError, match=r"system\.backend_version"):
        ENGINES["vllm"].assume(version)


@pytest.mark.parametrize("version", ["0.32.0", "v0.9", "0.5.10.post2", "b4567", "1.2.0rc3"])
def test_versions_are_taken_as_they_are_written(version: str) -> None:
    assert ENGINES["vllm"].assume(version).version == version


def test_a_setting_it_cannot_express_names_the_engines_that_can() -> None:
    with pytest.raises(EngineError, match="these can: sglang"):
        written("vllm", QWEN, scheduling__conservativeness=0.5)


def test_an_engine_refuses_a_model_of_another_format() -> None:
    with pytest.raises(EngineError, match=r"serves a \.gguf file"):
        written("llamacpp", QWEN)


def test_lmdeploys_engines_are_chosen_by_the_attention_backend() -> None:
    assert "lmdeploy serve api_server Qwen/Qwen3-8B" in written("lmdeploy", QWEN)
    assert "--backend turbomind" in written("lmdeploy", QWEN)
    other = written(
        "lmdeploy", QWEN, attention__backend="pytorch", quantization__kvcache_mode="fp8"
    )
    assert "--backend pytorch" in other
    assert "--quant-policy fp8" in other
    wide = written("lmdeploy", DEEPSEEK, parallel__tensor_parallel=2, parallel__data_parallel=4)
    assert "--tp 2 --dp 4" in wide
