"""Whether two names mean one model: in doubt they do, as a model must not teach itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.landscapes import same_model

NAMES = [
    "deepseek-v3",
    "gpt-oss-120b",
    "gptoss120b",
    "llama-3.1-70b",
    "llama70b",
    "qwen3-32b",
    "qwen235b",
    "qwen30ba3b",
    "some-new-model-7b",
    "",
]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("llama70b", "llama-3.1-70b"),
        ("llama70b", "meta-llama/Meta-Llama-3.1-70B"),
        ("meta-llama/Llama-3.1-70B-Instruct", "meta-llama/Meta-Llama-3.1-70B"),
        ("gptoss120b", "openai/gpt-oss-120b"),
        ("qwen235b", "Qwen/Qwen3-235B-A22B-FP8"),
        ("qwen30ba3b", "Qwen/Qwen3-30B-A3B"),
        ("deepseek-v3", "deepseek-ai/DeepSeek-R1"),
        ("my-model-7b", "org/My-Model-7B-Instruct"),
        ("", "qwen3-32b"),
        ("", ""),
    ],
)
def test_names_of_one_model_are_the_same(one: str, other: str) -> None:
    assert same_model(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("llama-3.1-70b", "llama-3.1-8b"),
        ("qwen3-32b", "qwen235b"),
        ("qwen3-32b", "qwen30ba3b"),
        ("gpt-oss-120b", "gpt-oss-20b"),
        ("deepseek-v3", "gpt-oss-120b"),
        ("my-model-7b", "my-model-70b"),
    ],
)
def test_other_sizes_and_families_are_other_models(one: str, other: str) -> None:
    assert not same_model(one, other)


@given(st.sampled_from(NAMES), st.sampled_from(NAMES))
def test_the_order_of_names_does_not_matter(one: str, other: str) -> None:
    assert same_model(one, other) == same_model(other, one)
    assert same_model(one, one)
