"""Command lines as people run them, read back into settings: the inverse of rendering."""

from __future__ import annotations

import shlex
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from candidates import MODELS, SETTINGS, model
from hypothesis import given
from hypothesis import strategies as st

from autotuner.catalog import GgufHeader, ResolvedModel
from autotuner.config import BACKENDS, Candidate
from autotuner.engines import (
    NOTHING,
    LaunchSpec,
    ParsedCommand,
    engine_named,
    engine_table,
    parse_command,
)
from autotuner.errors import ConfigError, EngineError


def versions(engine: str) -> list[str]:
    """The newest version, and the last and first ones of every row that not all versions have."""
    table = engine_table(engine)
    rows = [row for rows in table.rows.values() for row in rows]
    ends = {end for row in rows for end in (row.since, row.until) if end}
    return [table.version, *sorted(ends - {table.version})]


VERSIONS = [(engine, version) for engine in BACKENDS for version in versions(engine)]
EXTRA = st.sampled_from([(), ("--an-extra-flag", "7"), ("--one", "--two=a b", "--three", "x", "y")])


def served(engine: str, name: str) -> ResolvedModel:
    if engine_table(engine).model_format == "folder":
        return model(name)
    header = GgufHeader(Path("/m.gguf"), 1, *([None] * 7), metadata={})
    return ResolvedModel("m", "/m.gguf", path=header.path, header=header)


def rendered(engine: str, version: str, settings: dict[str, Any], name: str) -> LaunchSpec:
    tabled = engine_named(engine)
    candidate = Candidate.from_settings(settings)
    return tabled.render(candidate, served(engine, name), tabled.assume(version))


def expressible(
    engine: str, version: str, settings: dict[str, Any], name: str
) -> tuple[dict[str, Any], LaunchSpec]:
    """The settings without those that this version refuses, and their launch."""
    kept = dict(settings)
    while True:
        try:
            return kept, rendered(engine, version, kept, name)
        except EngineError as error:
            del kept[error.message.partition(":")[0]]


def content(spec: LaunchSpec) -> tuple[Any, ...]:
    """A launch without the order of its words."""
    return Counter(spec.argv), spec.env, spec.files, spec.model_name


@pytest.mark.parametrize(("engine", "version"), VERSIONS)
@given(SETTINGS, EXTRA, st.sampled_from(MODELS))
def test_what_is_rendered_is_read_back(
    engine: str, version: str, chosen: dict[str, Any], extra: tuple[str, ...], name: str
) -> None:
    words = {"misc.extra_args": extra} if extra else {}
    kept, spec = expressible(engine, version, chosen | words, name)
    read = parse_command(spec.command())
    assert (read.engine, read.extra, read.env) == (engine, extra, {})
    assert read.model == served(engine, name).location
    again = rendered(engine, version, {**read.settings, **words}, name)
    assert content(again) == content(spec)
    table, facts = engine_table(engine), served(engine, name).facts
    for path, value in kept.items():
        row = table.row(path, version, facts, kept)
        # One flag may say two fields; a number of pages is no number of tokens any more; and
        # one word may stand for two values (LMDeploy has one for a cache of 16 bits).
        if row is None or row.render == "words" or row.same_as or row.over:
            continue
        if table.fragment(path, table.defaults | kept, version, facts) != NOTHING:
            found = read.settings[path]
            one_word = row.known and row.known.get(str(found)) == row.known.get(str(value))
            assert found == value or one_word, path


REDIRECTIONS = st.sampled_from(
    [
        *(">log", "> log", ">>log", "> 'a log'", ">|log", "2>err.log", "2>> err.log", ">&log"),
        *("2>&1", ">&2", "2>&-", "&>log", "&>>log", "</dev/null", "0< in", "<<< text"),
        "2> >(tee err >&2)",
    ]
)


@pytest.mark.parametrize("engine", BACKENDS)
@given(SETTINGS, EXTRA, st.sampled_from(MODELS), st.lists(REDIRECTIONS, min_size=1), st.data())
def test_redirections_are_none_of_its_words(
    engine: str,
    chosen: dict[str, Any],
    extra: tuple[str, ...],
    name: str,
    redirections: list[str],
    data: st.DataObject,
) -> None:
    words = {"misc.extra_args": extra} if extra else {}
    _, spec = expressible(engine, engine_table(engine).version, chosen | words, name)
    command = spec.command()
    assert parse_command(f"{command} {' '.join(redirections)}") == parse_command(command)
    parts = list(map(shlex.quote, spec.argv))
    for redirection in redirections:
        parts.insert(data.draw(st.integers(1, len(parts))), redirection)
    assert parse_command(" ".join(parts)) == parse_command(spec.argv)


@pytest.mark.parametrize("mark", ["{}", "'{}'", '"{}"'])
def test_only_a_number_that_touches_the_sign_is_a_descriptor(mark: str) -> None:
    read = parse_command("vllm serve org/model --max-num-seqs 64 >log 2>&1 | tee 2>out")
    assert (read.settings, read.extra) == ({"scheduling.max_running_requests": 64}, ())
    assert [note.word for note in read.noted("lost")] == ["tee"]
    quoted = mark.format("2>a") if mark != "{}" else r"2\>a"
    read = parse_command(f"vllm serve org/model --one {quoted} --two a2>log --three '4'>log")
    assert read.extra == ("--one", "2>a", "--two", "a2", "--three", "4")
    assert parse_command(["vllm", "serve", "a/b", "--one", "2>&1"]).extra == ("--one", "2>&1")


def noted(read: ParsedCommand) -> dict[str, str]:
    return {note.word: f"{note.outcome}: {note.text}" for note in read.notes}


SGLANG = "python3 -m sglang.launch_server --model-path"


@pytest.mark.parametrize(
    ("command", "settings", "extra"),
    [
        (
            "vllm serve Qwen/Qwen3-235B-A22B-FP8 --tensor-parallel-size 8 --enable-expert-parallel "
            "--gpu-memory-utilization=0.95 --max-model-len 32768 --trust-remote-code "
            '--compilation-config \'{"cudagraph_mode": "NONE"}\' --reasoning-parser qwen3',
            {
                "parallel.tensor_parallel": 8,
                "parallel.expert_parallel": 8,
                "memory.mem_fraction_static": 0.95,
                "memory.max_model_len": 32768,
                "misc.trust_remote_code": True,
                "misc.cuda_graph": False,
            },
            ("--reasoning-parser", "qwen3"),
        ),
        (
            "python3 -m vllm.entrypoints.openai.api_server --model meta-llama/Llama-3.1-8B \\\n"
            "  --host 0.0.0.0 --port 8000 \\\n  --tensor_parallel_size 2 --max-num-batched 8192",
            {"parallel.tensor_parallel": 2, "scheduling.max_num_batched_tokens": 8192},
            (),
        ),
        (
            f"{SGLANG} deepseek-ai/DeepSeek-V3 --tp 8 --trust-remote-code --mem-fraction .85 "
            "--disable-radix-cache --chunked-prefill-size -1 --dist-init-addr 10.0.0.1:5000",
            {
                "parallel.tensor_parallel": 8,
                "memory.mem_fraction_static": 0.85,
                "attention.enable_chunked_prefill": False,
                "attention.enable_prefix_caching": False,
                "misc.trust_remote_code": True,
            },
            ("--dist-init-addr", "10.0.0.1:5000"),
        ),
        (
            "./llama-server -m ./m.gguf -c 16384 -np 8 -b 2048 -ub 512 -ngl 99 -fa on --no-mmap",
            {
                "memory.max_total_tokens": 16384,
                "scheduling.max_running_requests": 8,
                "scheduling.max_num_batched_tokens": 2048,
                "attention.chunked_prefill_size": 512,
                "attention.backend": "flash",
                "misc.load_format": "none",
            },
            ("-ngl", "99"),
        ),
        (
            "trtllm-serve org/model --tp_size 4 --max_batch_size 64 --backend pytorch",
            {"parallel.tensor_parallel": 4, "scheduling.max_running_requests": 64},
            (),
        ),
        (
            "lmdeploy serve api_server a/b --tp 2 --cache-max-entry-count .7 --log-level INFO",
            {"parallel.tensor_parallel": 2, "memory.mem_fraction_static": 0.7},
            ("--log-level", "INFO"),
        ),
    ],
)
def test_command_lines_of_today_are_read(
    command: str, settings: dict[str, Any], extra: tuple[str, ...]
) -> None:
    read = parse_command(command)
    assert (dict(read.settings), read.extra) == (settings, extra)


def test_a_container_has_an_image_a_version_and_variables() -> None:
    read = parse_command(
        "docker run --rm --gpus all --name vllm -p 8000:8000 -e HF_TOKEN=abc --env=A=1 -v /d:/d "
        "docker.io/vllm/vllm-openai:v0.12.0 --model org/model --swap-space 4"
    )
    assert (read.engine, read.version, read.model) == ("vllm", "0.12.0", "org/model")
    assert read.env == {"HF_TOKEN": "abc", "A": "1"}
    read = parse_command(f"docker run lmsysorg/sglang:latest {SGLANG} org/model --tp 2")
    assert (read.engine, read.version, read.gpus) == ("sglang", None, 2)


def test_variables_are_settings_where_a_field_says_them() -> None:
    read = parse_command(
        "export A=b && VLLM_ATTENTION_BACKEND=FLASHINFER OMP_NUM_THREADS=8 "
        "CUDA_VISIBLE_DEVICES=0,1 vllm serve org/model"
    )
    assert read.settings == {"attention.backend": "flashinfer", "misc.threads": 8}
    assert (read.env, read.gpus) == ({"A": "b"}, 2)
    assert "0.32.0 is written otherwise" in noted(read)["vllm"]


def test_of_two_flags_the_last_wins() -> None:
    read = parse_command(
        "vllm serve org/model -tp 2 --tensor-parallel-size 4 --enable-prefix-caching "
        "--no-enable-prefix-caching --lora-a 1 --lora-a 2"
    )
    assert read.settings["parallel.tensor_parallel"] == 4
    assert read.settings["attention.enable_prefix_caching"] is False
    assert read.extra == ("--lora-a", "1", "--lora-a", "2")
    notes = noted(read)
    assert notes["-tp"] == "overruled: --tensor-parallel-size 4 comes later and wins"
    assert "--no-enable-prefix-caching" in notes["--enable-prefix-caching"]


def test_keys_that_no_field_says_keep_their_flag_whole() -> None:
    text = '{"mode": 3, "pass_config": {"fuse": true}}'
    read = parse_command(["vllm", "serve", "org/model", "--compilation-config", text])
    assert (read.settings, read.extra) == ({}, ("--compilation-config", text))
    read = parse_command("vllm serve org/model --compilation-config.mode 3")
    assert read.settings == {"misc.torch_compile": True}


def test_options_of_a_file_are_read_where_it_is_given() -> None:
    command = "trtllm-serve org/model --extra_llm_api_options more.yaml"
    text = "kv_cache_config: {dtype: fp8, enable_block_reuse: false}\nbuild_config: {a: 1}\n"
    read = parse_command(command, files={"more.yaml": text})
    assert read.settings == {
        "quantization.kvcache_mode": "fp8",
        "attention.enable_prefix_caching": False,
    }
    assert noted(read)["build_config.a"].startswith("lost")
    assert "more.yaml could not be read" in noted(parse_command(command))["--extra_llm_api_options"]


def test_comments_are_none_of_its_words() -> None:
    read = parse_command(
        "# don't edit\nvllm serve 'org/a #1' --seed 1#2 \\\n  -q fp8 # it's \"fast\"; vllm\n"
    )
    assert (read.model, read.extra) == ("org/a #1", ("--seed", "1#2"))
    assert read.settings == {"quantization.gemm_mode": "fp8"}
    assert not read.noted("lost")


def test_replicas_share_experts_where_the_command_says_so() -> None:
    shared = parse_command(f"{SGLANG} deepseek-ai/DeepSeek-V3 --tp 8 --dp 4 --enable-dp-attention")
    assert shared.settings == {"parallel.tensor_parallel": 2, "parallel.data_parallel": 4}
    whole = parse_command(f"{SGLANG} deepseek-ai/DeepSeek-V3 --tp 8 --dp 4")
    assert (whole.settings["parallel.moe_tensor_parallel"], whole.gpus) == (8, 32)


@pytest.mark.parametrize(
    ("command", "engine", "words"),
    [
        ("", None, ["starts no engine", "vllm"]),
        ("serve.sh --tp-size 2", None, ["starts no engine", "name the engine"]),
        ("vllm bench serve --model org/model", None, ["starts no engine"]),
        ("vllm serve 'org/model", None, ["quotation mark is not closed"]),
        ("vllm serve org/model 2>", None, ["nothing follows 2>"]),
        ("vllm serve org/model > | tee log", None, ["nothing follows >"]),
        ("vllm serve org/model", "sglang", ["sglang", "starts vllm"]),
        (
            "vllm serve org/model --mem-fraction-static 0.8 --parallel 4",
            None,
            ["one of sglang", "--gpu-memory-utilization", "--parallel", "one of llamacpp"],
        ),
        ("vllm serve org/model -tp 0", None, ["-tp 0", "has to be 1 or more, not 0"]),
        ("vllm serve org/model -tp -1", None, ["-tp -1", "has to be 1 or more, not -1"]),
        ("vllm serve org/model -tp two", None, ["-tp two", "parallel.tensor_parallel", "'two'"]),
        (
            f"{SGLANG} deepseek-ai/DeepSeek-V3 --tp 6 --dp 4 --enable-dp-attention",
            None,
            ["--tp 6", "parallel.data_parallel 4 times"],
        ),
    ],
)
def test_a_mistake_names_the_word_and_the_remedy(
    command: str, engine: str | None, words: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_command(command, engine)
    for word in words:
        assert word in str(caught.value)


def test_the_engine_is_named_where_the_program_is_none_of_an_engine() -> None:
    read = parse_command("./start.sh --tp-size 2 --model-path org/model", "sglang")
    assert (read.settings, read.model) == ({"parallel.tensor_parallel": 2}, "org/model")


def test_a_value_that_no_field_takes_stays_an_argument() -> None:
    read = parse_command("vllm serve org/model --max-model-len 32k --kv-cache-dtype auto")
    assert read.extra == ("--max-model-len", "32k", "--kv-cache-dtype", "auto")
    assert "memory.max_model_len" in noted(read)["--max-model-len"]


def test_a_switch_that_no_table_knows_does_not_swallow_the_model() -> None:
    read = parse_command("vllm serve --enable-log-requests Qwen/Qwen3-8B -q fp8")
    assert (read.model, read.extra) == ("Qwen/Qwen3-8B", ("--enable-log-requests",))


@pytest.mark.parametrize(
    ("command", "model", "extra"),
    [
        ("--enforce-eager Qwen/Qwen3-8B", "Qwen/Qwen3-8B", ("--enforce-eager",)),
        ("--enforce-eager org/own-model -q fp8", "org/own-model", ("--enforce-eager",)),
        ("--enforce-eager ./mine", "./mine", ("--enforce-eager",)),
        ("--x a/b --y Qwen/Qwen3-8B", "Qwen/Qwen3-8B", ("--x", "a/b", "--y")),
        ("--chat-template ./a.jinja", None, ("--chat-template", "./a.jinja")),
        ("--seed 1", None, ("--seed", "1")),
    ],
)
def test_a_flag_that_may_be_a_switch_does_not_swallow_the_model(
    command: str, model: str | None, extra: tuple[str, ...]
) -> None:
    read = parse_command(f"vllm serve {command}")
    assert (read.model, read.extra) == (model, extra)


def test_a_deep_value_stays_a_word() -> None:
    deep = "[" * 100_000
    assert parse_command(["vllm", "serve", "a/b", "--x", deep]).extra == ("--x", deep)
    assert parse_command(["vllm", "serve", "a/b", "--compilation-config", deep]).extra[1] == deep


VALUES = st.sampled_from(
    ["", "1", "4", "-1", "0.5", "auto", "fp8", "none", "EAGLE", "FLASHINFER", "{}", '{"mode": 3}']
)


@pytest.mark.parametrize("engine", BACKENDS)
@given(st.data())
def test_any_flags_of_a_table_are_read_or_refused_and_none_is_lost(
    engine: str, data: st.DataObject
) -> None:
    table = engine_table(engine)
    name = data.draw(st.sampled_from(MODELS))
    claimed = {flag for rows in table.rows.values() for row in rows for flag in row.claims}
    flags = st.sampled_from(sorted({*claimed, *table.aliases, *table.file.allowed_flags, "--x-y"}))
    given_flags = data.draw(st.lists(st.tuples(flags, VALUES), max_size=7))
    place = served(engine, name).location
    words = [place if word == "{model}" else word for word in table.program_words]
    words += [] if "{model}" in table.program_words else ["--model", place]
    words += [word for pair in given_flags for word in pair if word]
    try:
        read = parse_command([table.program, *words])
    except ConfigError:
        return
    noted_words = {word for note in read.notes for word in note.word.split()}
    for flag, _ in given_flags:
        assert flag in noted_words or flag in read.extra, flag
    settings = {**read.settings, **({"misc.extra_args": read.extra} if read.extra else {})}
    try:
        rendered(engine, table.version, settings, name)
    except EngineError as error:
        assert not error.message.startswith("misc.extra_args")
