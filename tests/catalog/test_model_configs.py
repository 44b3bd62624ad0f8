"""Facts read from real configurations: layers with a KV cache, heads, lengths, parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from autotuner.catalog import ModelFacts, facts_from_config

CASES: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "data" / "model_configs.yaml").read_text("utf-8")
)
READ = {
    "kv": ModelFacts.kv_bytes_per_token,
    "cached": lambda facts: facts.attention_layers,
    "windowed": lambda facts: facts.windowed_layers,
    "context": lambda facts: facts.context_length,
    "attention": lambda facts: facts.attention,
    "billions": lambda facts: facts.parameters and facts.parameters / 1e9,
}


@pytest.mark.parametrize("name", CASES)
def test_a_configuration_is_read_as_it_is_meant(name: str) -> None:
    case = CASES[name]
    facts = facts_from_config(case["config"])
    for what, right in case["expect"].items():
        published = what == "billions" and right is not None
        assert READ[what](facts) == (pytest.approx(right, rel=0.02) if published else right), what


@given(
    st.sampled_from(["num_attention_heads", "n_head", "n_heads", "num_heads"]),
    st.sampled_from(["num_key_value_heads", "n_head_kv", "num_kv_heads", "num_attention_groups"]),
    st.sampled_from(["num_hidden_layers", "n_layer", "num_layers", "n_layers"]),
    st.sampled_from(["max_position_embeddings", "n_positions", "seq_length", "max_seq_len"]),
    st.sampled_from([None, "text_config", "llm_config", "language_config"]),
    st.sampled_from([1, 2, 4, 8]),
)
def test_every_spelling_says_the_same(
    heads: str, shared: str, layers: str, length: str, part: str | None, count: int
) -> None:
    text = {heads: 32, shared: count, layers: 10, length: 4096, "hidden_size": 4096}
    text |= {"model_type": "brand_new", "intermediate_size": 8192, "vocab_size": 1000}
    facts = facts_from_config({part: text} if part else text)
    assert facts.kv_bytes_per_token() == 2 * 10 * count * 128 * 2
    assert (facts.context_length, facts.heads, facts.layers) == (4096, 32, 10)


@given(st.data())
def test_a_key_that_is_left_out_leaves_something_unknown_and_nothing_broken(
    data: st.DataObject,
) -> None:
    case = CASES[data.draw(st.sampled_from(sorted(CASES)))]
    gone = data.draw(st.sets(st.sampled_from(sorted(case["config"])), min_size=1))
    facts = facts_from_config({k: v for k, v in case["config"].items() if k not in gone})
    assert facts.weights_gib() is None or facts.parameters


@pytest.mark.parametrize("name", sorted(CASES))
def test_any_one_key_may_be_left_out(name: str) -> None:
    config = CASES[name]["config"]
    for gone in config:
        facts = facts_from_config({k: v for k, v in config.items() if k != gone})
        assert facts.weights_gib() is None or facts.parameters, gone
        facts = facts_from_config({**config, gone: None})
        assert facts.weights_gib() is None or facts.parameters, gone


@given(
    st.sampled_from(["yarn", "linear", "dynamic", "llama3", "longrope", "su", "default", "mrope"]),
    st.sampled_from(["rope_scaling", "rope_parameters"]),
    st.sampled_from(["type", "rope_type"]),
    st.floats(1, 16),
)
def test_scaling_never_shortens_a_context_and_only_some_kinds_stretch_it(
    kind: str, key: str, word: str, factor: float
) -> None:
    scaling = {word: kind, "factor": factor}
    facts = facts_from_config({"max_position_embeddings": 4096, key: scaling})
    stretches = kind in ("yarn", "linear", "dynamic")
    assert facts.context_length == (int(4096 * factor) if stretches else 4096)
