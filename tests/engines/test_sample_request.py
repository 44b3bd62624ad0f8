"""The sample request: where the command binds, of what it serves, and none where it cannot be."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from autotuner.catalog import ResolvedModel, resolve_model
from autotuner.config import BACKENDS, Candidate, Model
from autotuner.engines import LaunchSpec, engine_named, sample_request

NAME = 'it\'s "our" $(model) #1'


def rendered(engine: str) -> LaunchSpec:
    found = engine_named(engine)
    here = resolve_model(Model(id="smollm2-135m"), base=Path())
    model = ResolvedModel(NAME, "org/m")
    if found.table.model_format == "gguf":
        model = replace(here, name=NAME)
    return found.render(Candidate.from_settings({}), model, found.assume(None))


@pytest.mark.parametrize("engine", BACKENDS)
def test_it_goes_to_where_the_command_binds_with_the_name_that_it_serves(engine: str) -> None:
    command = rendered(engine).command(81, host="10.0.0.7")
    request = sample_request(f"{command}  # a comment", engine)
    assert request is not None
    curl, url, *_, payload = shlex.split(request)
    assert (curl, url) == ("curl", "http://10.0.0.7:81/v1/chat/completions")
    assert json.loads(payload)["model"] == NAME


@pytest.mark.parametrize(
    ("command", "engine"),
    [
        ("", "vllm"),
        ("# replayed, not launched; there is no command line: why", "vllm"),
        ("vllm serve org/m --host 127.0.0.1", "vllm"),
        ("vllm serve 'org/m", "vllm"),
        ("mine serve", "mine"),
    ],
)
def test_there_is_none_where_the_command_starts_no_such_engine(command: str, engine: str) -> None:
    assert sample_request(command, engine) is None
