"""What is shared holds no word that not everyone knows."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.catalog import gpus, known_models
from autotuner.config import GROUPS, LoadLevel
from autotuner.predict import Observation, RooflinePredictor
from autotuner.predict.observations import read_lines, written_lines
from autotuner.verify.foreign_lines import taken_over
from autotuner.verify.sharing import shared

HUSHED = "hush"
"""Stands in every private word: whatever holds it has leaked."""
SEEN = Observation(
    model="meta-llama/Meta-Llama-3.1-8B",
    family="LlamaForCausalLM",
    engine="vllm",
    engine_version="0.11.2",
    device="h100_sxm",
    devices=2,
    settings={"system.gpu_type": "h100", "parallel.tensor_parallel": 2},
    isl=512,
    osl=128,
    load=LoadLevel.concurrency(8),
    ttft_ms=120.0,
    tpot_ms=9.0,
    tok_s=800.0,
    base="mean of aiconfigurator-0.12.0-1 and roofline-2",
    base_ttft_ms=100.0,
    base_tpot_ms=8.0,
    launch="3f2a",
    source="task 3",
    at=datetime(2026, 1, 1, tzinfo=UTC),
)
PRIVATE = st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=12).map(
    lambda text: f"{text[:6]}{HUSHED}{text[6:]}"
)
FIELDS = [f"{group}.{name}" for group, model in GROUPS.items() for name in model.model_fields]
VALUES = st.none() | st.booleans() | st.integers(0, 99) | PRIVATE | st.lists(PRIVATE, max_size=3)
SETTINGS = st.dictionaries(st.sampled_from(FIELDS) | PRIVATE, VALUES, max_size=5)
OBSERVATIONS = st.builds(
    replace,
    st.just(SEEN),
    model=st.sampled_from(list(known_models())) | PRIVATE,
    family=st.none() | PRIVATE,
    engine=st.sampled_from(["vllm", "sglang", "llamacpp"]) | PRIVATE,
    engine_version=st.none() | PRIVATE | st.just("0.11.2"),
    device=st.sampled_from([*gpus(), "AMD EPYC 7B13, 2 cores"])
    | PRIVATE
    | PRIVATE.map(lambda text: f"{text}, 4 cores"),
    settings=SETTINGS,
    base=PRIVATE,
    launch=PRIVATE,
    tool=PRIVATE,
    source=PRIVATE,
    members=st.dictionaries(PRIVATE, st.just((80.0, 8.0)), max_size=2),
)


@given(st.lists(OBSERVATIONS, max_size=4))
def test_no_private_word_is_shared(observations: list[Observation]) -> None:
    found = shared(observations)
    assert len(found.observations) + len(found.left_out) == len(observations)
    assert HUSHED not in written_lines(found.observations)
    assert HUSHED not in repr(found.left_out)
    for one in found.observations:
        assert (one.source, one.at, one.origin) == ("", None, "shared")


def test_figures_and_settings_are_kept_as_they_are() -> None:
    (found,) = shared([SEEN]).observations
    kept = ("isl", "osl", "load", "ttft_ms", "tpot_ms", "tok_s", "devices", "engine_version")
    assert all(getattr(found, name) == getattr(SEEN, name) for name in kept)
    assert found.settings == {"system.gpu_type": "h100_sxm", "parallel.tensor_parallel": 2}
    assert found.launch != SEEN.launch
    assert read_lines(written_lines([found]), source="a file") == (found,)


def test_levels_of_a_launch_stay_together_and_launches_apart() -> None:
    level = replace(SEEN, load=LoadLevel.concurrency(16), tok_s=900.0)
    other = replace(SEEN, launch="else", ttft_ms=99.0)
    first, second, third = shared([SEEN, level, other]).observations
    assert first.launch == second.launch != third.launch


def test_what_others_measured_keeps_its_origin_and_licence() -> None:
    foreign = replace(SEEN, origin="inferencex", licence="Apache-2.0")
    (found,) = shared([foreign]).observations
    assert (found.origin, found.licence) == ("inferencex", "Apache-2.0")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"model": "acme-70b"}, "model is not in the catalog"),
        ({"device": "acme-chip"}, "device is not in the catalog"),
        ({"engine": "acme"}, "engine is described in a file of your own"),
        ({"tool": "replay"}, "replayed launch"),
        ({"settings": {"misc.extra_args": ["--api-key", "x"]}}, "misc.extra_args"),
        ({"settings": {"misc.speculative_draft_model": "/srv/draft"}}, "speculative_draft_model"),
        ({"settings": {"attention.backend": "ACME"}}, "attention.backend"),
    ],
)
def test_what_may_be_private_is_kept_back_with_the_reason(
    changed: dict[str, Any], why: str
) -> None:
    found = shared([replace(SEEN, **changed)])
    assert found.observations == ()
    assert why in found.left_out[0].why


def test_prices_and_targets_stay_at_home_and_words_of_an_engine_go_along() -> None:
    settings = {
        "system.price_per_gpu_hour": 1.23,
        "runtime.ttft_target": 321.0,
        "system.total_gpus": 64,
        "attention.backend": "flashinfer",
        "quantization.gemm_mode": "fp8",
        "misc.cuda_graph": True,
    }
    (found,) = shared([replace(SEEN, settings=settings)]).observations
    assert found.settings == {
        "attention.backend": "flashinfer",
        "quantization.gemm_mode": "fp8",
        "misc.cuda_graph": True,
    }
    text = json.dumps(found.settings)
    assert "1.23" not in text
    assert "321" not in text


def test_members_of_others_are_not_taken_over() -> None:
    forged = replace(SEEN, model="Qwen/Qwen3-32B", members={"roofline-3": (1e9, 1e-9)})
    (found,) = taken_over([forged], RooflinePredictor(), described={}, cpus={}).observations
    assert found.members == {}
    assert found.base == RooflinePredictor().name
