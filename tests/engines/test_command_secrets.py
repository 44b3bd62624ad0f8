"""Command lines with secrets: none is repeated in what is read of them."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from autotuner.engines import ParsedCommand, parse_command, secrets_as_variables
from autotuner.errors import ConfigError

SECRET = "hf_" + "a1B2" * 8


def noted(read: ParsedCommand) -> dict[str, str]:
    return {note.word: f"{note.outcome}: {note.text}" for note in read.notes}


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        (["--hf-token", SECRET], "--hf-token"),
        ([f"--hf-token={SECRET}"], "--hf-token"),
        (["--api-key", "12345678"], "--api-key"),
        (["--api-ke", "12345678"], "--api-ke"),
        (["--some.password", "12345678"], "--some.password"),
        (["--an-extra-flag", SECRET], "--an-extra-flag"),
        (["--served-model-name", SECRET], "--served-model-name"),
        (["--compilation-config", '{"a": {"api_key": "12345678"}}'], "--compilation-config"),
        (["--max-num-seqs", SECRET], "--max-num-seqs"),
        (["--api-key", "abc", "12345678"], "--api-key"),
        (["--seed=1", "org/model", SECRET], "(a secret)"),
    ],
)
def test_a_secret_is_left_out_and_never_repeated(words: list[str], flag: str) -> None:
    for command in (["vllm", "serve", "org/model", *words], ["vllm", "serve", *words]):
        read = parse_command(command)
        assert SECRET not in repr(read)
        assert "12345678" not in repr(read)
    read = parse_command(["vllm", "serve", "org/model", *words])
    assert "engine's environment" in noted(read)[flag]
    with pytest.raises(ConfigError) as caught:
        parse_command(["vllm", "serve", f"https://me:{SECRET}@host/model"])
    assert SECRET not in str(caught.value)


def test_a_secret_of_an_options_file_is_left_out() -> None:
    text = f"kv_cache_config: {{dtype: fp8}}\nhub: {{token: abc}}\nother: {SECRET}\n"
    command = "trtllm-serve org/model --extra_llm_api_options o.yaml"
    read = parse_command(command, files={"o.yaml": text})
    assert read.settings == {"quantization.kvcache_mode": "fp8"}
    assert "environment" in noted(read)["other"]
    assert SECRET not in repr(read)


def test_what_only_sounds_like_a_secret_is_kept() -> None:
    read = parse_command("vllm serve a/b --max-num-batched-tokens 64 --long-tokens 7 --hf-token")
    assert read.settings == {"scheduling.max_num_batched_tokens": 64}
    assert read.extra == ("--long-tokens", "7", "--hf-token")


FAKE = 'vllm() { printf \'%s\\n\' "$VLLM_API_KEY" "$@"; }; '


@pytest.mark.parametrize(
    ("words", "secrets"),
    [
        (["--hf-token", SECRET], {"HF_TOKEN": SECRET}),
        ([f"--hf-token={SECRET}"], {"HF_TOKEN": SECRET}),
        (["--api-key", "abc d", "1234"], {"API_KEY": "abc d", "API_KEY_2": "1234"}),
        (["--x.y-z", "redis://:12'34@h"], {"X_Y_Z": "redis://:12'34@h"}),
        (["--cfg", '{"token": "1234"}', "--b", "1"], {"CFG": '{"token": "1234"}'}),
    ],
)
def test_a_shell_puts_secrets_where_they_were(words: list[str], secrets: dict[str, str]) -> None:
    arguments = ["serve", "org/model", "--seed", "1", *words, "--max-num-seqs", "2"]
    written = secrets_as_variables(f"VLLM_API_KEY='a b' {shlex.join(['vllm', *arguments])}")
    given = secrets | {"VLLM_API_KEY": "a b"}
    for value in given.values():
        assert value not in written
        assert shlex.quote(value) not in written
    assert shell(FAKE + written, given).stdout.splitlines() == ["a b", *arguments]
    for name in given:
        missing = shell(FAKE + written, {k: v for k, v in given.items() if k != name})
        assert f"{name}: is a secret" in missing.stderr
        assert missing.returncode


def shell(text: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", text], env=variables, capture_output=True, text=True, check=False
    )


def test_a_command_without_secrets_stays_as_it_is() -> None:
    for command in ("vllm serve a/b --seed 1 --long-tokens 7", "unheard-of --hf-token x"):
        assert secrets_as_variables(command) == command
