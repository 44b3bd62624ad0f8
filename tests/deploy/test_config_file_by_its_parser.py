"""The config file given to vLLM's own parser: it reads what it reads of the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from candidates import MODELS, SETTINGS, arguments
from deployed import engine_of_spec, rendered
from hypothesis import given, settings
from hypothesis import strategies as st
from test_real_parsers import PYTHONS, parsed

from autotuner.deploy import FORMATS

OTHER = {"model", "model_tag", "config", "host", "port"}


@pytest.mark.slow
def test_the_parser_reads_the_same_of_both(tmp_path: Path) -> None:
    if not PYTHONS["vllm"].exists():
        pytest.skip("vLLM is not installed: make engine-vllm")
    lines: list[list[str]] = []

    @settings(max_examples=40, database=None)
    @given(SETTINGS, st.sampled_from(MODELS))
    def collect(chosen: dict[str, Any], name: str) -> None:
        kept, spec = rendered("vllm", chosen, name)
        engine = engine_of_spec(spec, kept, gpus=max(spec.gpus, 1))
        [config, _] = FORMATS["vllm-config"].files(engine)
        file = tmp_path / f"{len(lines)}.yml"
        file.write_text(config.text, encoding="utf-8")
        lines.extend([arguments(spec), ["--config", str(file)]])

    collect()
    read = parsed("vllm", lines)
    for command, file in zip(read[::2], read[1::2], strict=True):
        assert "refused" not in command
        assert {k: v for k, v in file.items() if k not in OTHER} == {
            k: v for k, v in command.items() if k not in OTHER
        }
