"""Texts that people have, as v2 documents: task files of either version, and command lines."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from v1_examples import NAMES, example

from autotuner.config import parse_task
from autotuner.errors import ConfigError
from autotuner.migrate import Converted, TextFormat, convert
from autotuner.profiles import builtin_registry
from autotuner.tuning.prepare import prepare

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "v2").glob("*.yaml"))


def noted(converted: Converted) -> dict[str, str]:
    return {note.path: note.message for note in converted.notes}


def settings_of(text: str) -> dict[str, Any]:
    document = convert(text, TextFormat.COMMAND).document
    return parse_task(document).fixed()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_file_of_version_2_means_the_same_afterwards(path: Path) -> None:
    text = path.read_text("utf-8")
    found = convert(text)
    assert (found.format, found.notes) == (TextFormat.V2, ())
    assert parse_task(found.document) == parse_task(yaml.safe_load(text))


def test_a_faulty_file_of_version_2_is_kept_with_its_faults() -> None:
    found = convert("version: 2\nname: x\nmodel: {id: a/b}\nmisc: {threads: [1, 0], x: 1}\n")
    assert found.document["misc"] == {"threads": [1, 0], "x": 1}
    assert set(noted(found)) == {"misc.threads[1]", "misc.x"}


def test_short_names_become_the_fields_own() -> None:
    found = convert("version: 2\nname: x\nmodel: {id: a/b}\nparallel: {tp: [1, 2]}\n")
    assert found.document["parallel"] == {"tensor_parallel": [1, 2]}


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_version_1_is_recognised(name: str) -> None:
    found = convert(json.dumps(example(name)))
    assert found.format is TextFormat.V1
    assert parse_task(found.document).name == name


def test_what_version_1_says_otherwise_is_noted() -> None:
    v1 = example("simple") | {"deployment_mode": "ome", "clusterbasemodel_config": {"x": 1}}
    notes = noted(convert(json.dumps(v1)))
    assert "no engine is deployed on Kubernetes" in notes["deployment_mode"]
    assert notes["clusterbasemodel_config"].startswith("not carried over: ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "vllm serve meta-llama/Llama-3.1-8B-Instruct --tensor-parallel-size 2 "
            "--max-num-seqs=128 --enable-prefix-caching --gpu-memory-utilization 0.9",
            {
                "system.backend": "vllm",
                "system.total_gpus": 2,
                "parallel.tensor_parallel": 2,
                "scheduling.max_running_requests": 128,
                "attention.enable_prefix_caching": True,
                "memory.mem_fraction_static": 0.9,
            },
        ),
        (
            "vllm serve --enable-prefix-caching org/model -tp 4",
            {
                "system.backend": "vllm",
                "system.total_gpus": 4,
                "attention.enable_prefix_caching": True,
                "parallel.tensor_parallel": 4,
            },
        ),
        (
            "python3 -m sglang.launch_server --model-path org/model \\\n  --tp 2 \\\n"
            "  --chunked-prefill-size 4096 --disable-radix-cache",
            {
                "system.backend": "sglang",
                "system.total_gpus": 2,
                "parallel.tensor_parallel": 2,
                "attention.chunked_prefill_size": 4096,
                "attention.enable_prefix_caching": False,
            },
        ),
        (
            "./build/bin/llama-server -m /models/a.gguf -np 4 -c 8192 -fa on -ctk q8_0 -ctv q8_0 "
            "-ngl 99",
            {
                "system.backend": "llamacpp",
                "scheduling.max_running_requests": 4,
                "memory.max_total_tokens": 8192,
                "attention.backend": "flash",
                "quantization.kvcache_mode": "int8",
                "misc.extra_args": ("-ngl", "99"),
            },
        ),
        (
            "docker run --gpus all -e HF_TOKEN=abc vllm/vllm-openai:v0.12.0 --model org/model "
            "--max-model-len 4096",
            {
                "system.backend": "vllm",
                "system.backend_version": "0.12.0",
                "memory.max_model_len": 4096,
            },
        ),
        ("trtllm-serve serve org/model", {"system.backend": "trtllm"}),
    ],
)
def test_a_command_becomes_the_fields_that_it_says(text: str, expected: dict[str, Any]) -> None:
    assert settings_of(text) == expected
    assert convert(text).format is TextFormat.COMMAND


def test_model_revision_and_name_are_kept() -> None:
    found = convert("vllm serve org/model --revision main --served-model-name chat --port 80")
    assert found.document["model"] == {"id": "org/model", "revision": "main", "served_name": "chat"}
    assert "tuner sets this flag itself" in noted(found)["--port"]


def test_nothing_is_dropped_in_silence() -> None:
    text = (
        "export A=1 && CUDA_VISIBLE_DEVICES=0,1 VLLM_USE_V1=1 vllm serve org/model "
        "--api-key s3cr3t --seed 1 --seed 2 --lora-modules a=b c=d > log.txt | tee"
    )
    found = convert(text)
    notes = noted(found)
    assert set(notes) >= {
        *("A", "CUDA_VISIBLE_DEVICES", "VLLM_USE_V1", "--api-key", "--lora-modules"),
        *("--seed", "tee", "runtime.isl", "runtime.osl", "system.gpu_type"),
    }
    assert found.document["system"]["total_gpus"] == 2
    assert found.document["misc"]["extra_args"] == [
        *("--seed", "2"),
        *("--lora-modules", "a=b", "c=d"),
    ]
    assert "s3cr3t" not in str(found)


def test_one_flag_of_two_is_noted() -> None:
    notes = noted(convert("llama-server -m /m/a.gguf --cache-type-k q8_0"))
    assert "--cache-type-v" in notes["--cache-type-k"]


def test_a_converted_command_lacks_only_what_commands_do_not_say(tmp_path: Path) -> None:
    document = convert("vllm serve meta-llama/Llama-3.1-8B-Instruct --max-num-seqs 64").document
    document["runtime"] = {"isl": 128, "osl": 32}
    document["system"] |= {"gpu_type": "h100", "total_gpus": 1}
    prepared = prepare(parse_task(document), base=tmp_path, registry=builtin_registry())
    (spec,) = prepared.space.specs.values()
    assert "--max-num-seqs 64" in spec.command()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["neither"]),
        ("[1, 2]", ["neither"]),
        ("hello world", ["neither"]),
        ("a: [", ["broken YAML", "line 1"]),
        ("vllm serve --tensor-parallel-size 2", ["names no model"]),
        ("task_name: x\n", ["model.id_or_path", "base_runtime"]),
    ],
)
def test_what_is_none_of_these_is_refused(text: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        convert(text)
    for word in words:
        assert word in str(caught.value)


def test_a_quote_that_is_not_closed_is_refused() -> None:
    with pytest.raises(ConfigError, match="quotation"):
        convert("vllm serve 'org/model", TextFormat.COMMAND)


WORDS = st.sampled_from(
    ["--tp", "-np", "4", "--x=1", "--seed", "-1", "{a: 1}", "org/m", "--model", "a b", "&&", "--"]
)


@given(st.lists(WORDS, max_size=8))
def test_any_command_is_converted_or_refused(words: list[str]) -> None:
    text = "vllm serve org/model " + " ".join(w if w == "&&" else shlex.quote(w) for w in words)
    try:
        found = convert(text)
    except ConfigError:
        return
    parse_task(found.document)
