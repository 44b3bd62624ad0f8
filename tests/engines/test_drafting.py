"""Fields that mean the same draft agree; flags that versions differ in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from autotuner.catalog import ModelFacts, ResolvedModel
from autotuner.config import Candidate
from autotuner.engines import engine_named
from autotuner.errors import EngineError

MODEL = ResolvedModel("m", "org/m", ModelFacts(experts=256, mtp_layers=1, attention="mla"))


def argv(engine: str, settings: dict[str, Any], version: str | None = None) -> tuple[str, ...]:
    found = engine_named(engine)
    return found.render(Candidate.from_settings(settings), MODEL, found.assume(version)).argv


def value(words: tuple[str, ...], flag: str) -> str:
    assert words.count(flag) == 1
    return words[words.index(flag) + 1]


@pytest.mark.parametrize(
    "beside",
    [
        {},
        {"misc.speculative_algorithm": "mtp"},
        {"misc.speculative_algorithm": "eagle", "misc.speculative_num_draft_tokens": 4},
        {"misc.speculative_num_draft_tokens": 4},
    ],
)
def test_sglang_is_given_all_three_numbers(beside: dict[str, Any]) -> None:
    words = argv("sglang", {"runtime.nextn": 3} | beside)
    assert value(words, "--speculative-algorithm") == "EAGLE"
    assert value(words, "--speculative-num-steps") == "3"
    assert value(words, "--speculative-eagle-topk") == "1"
    assert value(words, "--speculative-num-draft-tokens") == "4"


def test_the_algorithm_alone_keeps_its_name() -> None:
    words = argv("sglang", {"misc.speculative_algorithm": "mtp"})
    assert value(words, "--speculative-algorithm") == "NEXTN"
    assert "--speculative-num-steps" not in words


@pytest.mark.parametrize(
    "beside",
    [
        {},
        {"misc.speculative_algorithm": "mtp"},
        {"misc.speculative_algorithm": "mtp", "misc.speculative_num_draft_tokens": 2},
    ],
)
def test_vllm_drafts_as_many_as_are_set(beside: dict[str, Any]) -> None:
    written = json.loads(value(argv("vllm", {"runtime.nextn": 2} | beside), "--speculative-config"))
    assert written == {"method": "mtp", "num_speculative_tokens": 2}


@pytest.mark.parametrize(
    ("engine", "beside"),
    [
        ("vllm", {"misc.speculative_algorithm": "eagle3"}),
        ("vllm", {"misc.speculative_num_draft_tokens": 7}),
        ("sglang", {"misc.speculative_algorithm": "eagle3"}),
        ("sglang", {"misc.speculative_num_draft_tokens": 7}),
        ("trtllm", {"misc.speculative_algorithm": "eagle3"}),
    ],
)
def test_what_means_something_else_is_refused(engine: str, beside: dict[str, Any]) -> None:
    with pytest.raises(EngineError, match=r"runtime\.nextn"):
        argv(engine, {"runtime.nextn": 2} | beside)


def test_nothing_is_drafted_where_the_count_is_zero() -> None:
    assert not [word for word in argv("sglang", {"runtime.nextn": 0}) if "speculative" in word]


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("0.4.6", "--tp-size 8 --dp-size 8 --enable-dp-attention --ep-size 8 --enable-ep-moe"),
        ("0.5.10", "--tp-size 8 --dp-size 8 --enable-dp-attention --ep-size 8"),
        ("0.5.23", "--tp-size 8 --attn-dp-size 8 --ep-size 8"),
    ],
)
def test_attention_data_parallelism_is_expressed_as_each_version_has_it(
    version: str, words: str
) -> None:
    layout = {
        "parallel.tensor_parallel": 1,
        "parallel.data_parallel": 8,
        "parallel.moe_expert_parallel": 8,
    }
    assert " ".join(argv("sglang", layout, version)).endswith(words)


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_a_cache_in_e5m2_can_be_asked_for(engine: str) -> None:
    words = argv(engine, {"quantization.kvcache_mode": "fp8_e5m2"})
    assert value(words, "--kv-cache-dtype") == "fp8_e5m2"
