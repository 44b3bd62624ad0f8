"""Positions that a task stretches: by fields, by an engine's own flags, and how they are said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from autotuner.catalog import ModelFacts, ResolvedModel, facts_from_config, resolve_model
from autotuner.config import Candidate, Model
from autotuner.engines import engine_named
from autotuner.errors import EngineError
from autotuner.space.positions import known_positions, partial_rope_scaling

YARN = {
    "misc.rope_scaling": "yarn",
    "misc.rope_factor": 4.0,
    "misc.rope_original_context": 32768,
}
FACTS = ModelFacts(context_length=40960)
SCALING = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}


@pytest.mark.parametrize(
    ("settings", "known"),
    [
        ({}, 40960),
        (YARN, 131072),
        ({"misc.context_length": 65536}, 65536),
        ({"misc.extra_args": ["--hf-overrides", json.dumps({"rope_parameters": SCALING})]}, 131072),
        ({"misc.extra_args": [f"--hf-overrides={json.dumps({'rope_scaling': SCALING})}"]}, 131072),
        ({"misc.extra_args": ["--rope-scaling", json.dumps(SCALING)]}, 131072),
        (
            {
                "misc.extra_args": [
                    "--json-model-override-args",
                    json.dumps({"rope_scaling": SCALING}),
                ]
            },
            131072,
        ),
        (
            {
                "misc.extra_args": [
                    *("--rope-scaling", "yarn", "--rope-scale", "4"),
                    *("--yarn-orig-ctx", "32768"),
                ]
            },
            131072,
        ),
        ({"misc.extra_args": ["--hf-overrides", '{"rope_parameters": 3, "x": [1]}']}, 40960),
        ({"misc.extra_args": ["--rope-scaling", "none", "--rope-scale", "4"]}, 40960),
        ({"misc.extra_args": ["--seed", "1"]}, 40960),
    ],
)
def test_positions_reach_as_far_as_they_are_scaled(settings: dict[str, Any], known: int) -> None:
    assert known_positions(Candidate.from_settings(settings), FACTS) == known


def test_a_scaling_in_parts_is_refused() -> None:
    for path in YARN:
        parts = {name: value for name, value in YARN.items() if name != path}
        assert path in str(partial_rope_scaling(Candidate.from_settings(parts)))
    assert partial_rope_scaling(Candidate.from_settings(YARN)) is None


def _command(engine: str, model: ResolvedModel, version: str | None = None) -> tuple[str, ...]:
    found = engine_named(engine)
    return found.render(Candidate.from_settings(YARN), model, found.assume(version)).argv


def test_engines_that_read_a_configuration_are_given_a_whole_one() -> None:
    model = ResolvedModel("m", "org/m", facts_from_config({"rope_theta": 1000000.0}))
    message = SCALING | {"rope_theta": 1000000.0}
    for engine, flag, key, version in (
        ("vllm", "--hf-overrides", "rope_parameters", None),
        ("vllm", "--hf-overrides", "rope_scaling", "0.10.0"),
        ("sglang", "--json-model-override-args", "rope_scaling", None),
    ):
        argv = _command(engine, model, version)
        found = json.loads(argv[argv.index(flag) + 1])
        assert found == {
            key: message if version is None else SCALING,
            "max_position_embeddings": 131072,
        }


def test_without_the_base_of_its_wavelengths_the_override_would_change_the_model() -> None:
    with pytest.raises(EngineError, match="rope_theta"):
        _command("vllm", ResolvedModel("m", "org/m"))
    qwen = resolve_model(Model(id="Qwen/Qwen3-8B"), base=Path())
    assert '"rope_theta": 1000000.0' in " ".join(_command("vllm", qwen))
