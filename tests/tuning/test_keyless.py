"""Keys: engines that are measured ask for none, and one that is deployed asks for its own."""

from __future__ import annotations

import pytest

from autotuner import llamacpp_host
from autotuner.engines import engine_table
from autotuner.tuning.assembly import keyless


def test_an_engine_that_is_measured_asks_for_no_key() -> None:
    environment = {"VLLM_API_KEY": "a", "LLAMA_API_KEY": "b", "HF_TOKEN": "c"}
    assert keyless(environment) == {"HF_TOKEN": "c"}


def test_the_embedded_server_asks_for_the_key_of_its_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("xllamacpp")
    assert engine_table("llamacpp").file.deploy.api_key == llamacpp_host.API_KEY
    args = llamacpp_host.parser().parse_args(["--model", "m.gguf"])
    monkeypatch.delenv(llamacpp_host.API_KEY, raising=False)
    assert not llamacpp_host.common_params(args).api_keys
    monkeypatch.setenv(llamacpp_host.API_KEY, "sesame")
    assert llamacpp_host.common_params(args).api_keys == ["sesame"]
