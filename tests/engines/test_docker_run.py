"""The `docker run` line of a launch: a shell's words, and the engine's own words among them."""

from __future__ import annotations

import csv
import shlex

import pytest

from autotuner.config.containers import DockerConfig
from autotuner.engines import command_parts
from autotuner.engines.docker_run import docker_line

VLLM = "vllm serve Qwen/Qwen3-8B --host 127.0.0.1 --port 8080 --served-model-name a"


def line(
    command: str = VLLM, *, version: str | None = "0.11.2", gpus: int = 0, **docker: object
) -> str:
    return docker_line(command, DockerConfig.model_validate(docker), version=version, gpus=gpus)


@pytest.mark.parametrize(
    "command",
    [
        VLLM,
        "/opt/my\\ vllm/vllm serve /models/it\\'s --host 127.0.0.1 --port 8080",
        "python3 -m sglang.launch_server --model-path a/b --host 127.0.0.1 --port 8080",
        "A='b c' llama-server -m /m.gguf --host 127.0.0.1 --port 8080",
    ],
)
def test_the_engine_in_the_container_is_the_one_of_the_command(command: str) -> None:
    own, inside = command_parts(command), command_parts(line(command, image="mine/it:1"))
    assert inside.arguments == own.arguments
    assert inside.model == own.model
    words = shlex.split(line(command, image="mine/it:1"))
    assert words[words.index("mine/it:1") + 1 :][: len(own.program)] == list(own.program)
    for name, value in own.env:
        assert words[words.index("--env") + 1] == f"{name}={value}"


def test_it_answers_where_the_command_itself_would() -> None:
    assert "--publish 127.0.0.1:8080:8000 " in line()
    assert line().endswith("--host 0.0.0.0 --port 8000 --served-model-name a")
    shared = line(network="host")
    assert "--publish" not in shared
    assert "--network host " in shared
    assert "--host 127.0.0.1 --port 8080" in shared
    assert "--network mine " in line(network="mine")


def test_the_image_is_that_of_the_measured_version() -> None:
    assert " vllm/vllm-openai:v0.11.2 vllm serve " in line()
    assert " mine/vllm:0.11.2-cu vllm serve " in line(image="mine/vllm:{version}-cu")


@pytest.mark.parametrize(
    ("command", "docker", "image"),
    [
        ("unheard-of --model a", {"image": "mine/it:1"}, "mine/it:1"),
        ("unheard-of --model a", {}, "its engine"),
        (f"{VLLM} --api-key hush", {"image": "mine/it:1"}, "mine/it:1"),
    ],
)
def test_a_command_of_no_known_engine_names_its_image(
    command: str, docker: dict[str, str], image: str
) -> None:
    assert line(command, **docker) == f"{command}  # in a container of {image}"


def test_a_command_of_an_unknown_version_names_no_image() -> None:
    assert line(version=None) == f"{VLLM}  # in a container of its engine"


def test_secrets_are_of_the_shell_that_starts_it() -> None:
    found = line(f"VLLM_API_KEY=hush {VLLM}", environment=["ODD"])
    assert "hush" not in found
    assert "--env ODD --env VLLM_API_KEY " in found


def test_its_files_are_written_and_mounted() -> None:
    command = (
        "printf %s 'a: 1' > options.yaml && trtllm-serve a/b --host 127.0.0.1 --port 8080 "
        "--extra_llm_api_options options.yaml"
    )
    found = line(command, gpus=2)
    assert found.startswith("printf %s 'a: 1' > options.yaml && docker run --rm ")
    assert '--volume "$PWD/options.yaml:/etc/autotuner/options.yaml:ro"' in found
    assert found.endswith("--extra_llm_api_options /etc/autotuner/options.yaml")
    assert "--gpus 2 " in found


def test_models_of_this_machine_are_mounted_beside_what_the_task_mounts() -> None:
    command = "llama-server -m /models/m.gguf --host 127.0.0.1 --port 8080"
    found = line(command, image="mine/it:1", mounts=["/data:/data"])
    assert "--volume /models/m.gguf:/models/m.gguf:ro --volume /data:/data:ro " in found
    assert "autotuner-models" not in found


def test_a_path_with_a_colon_is_mounted_by_the_option_that_colons_do_not_part() -> None:
    command = "llama-server -m '/models/a:b, \"c\".gguf' --host 127.0.0.1 --port 8080"
    words = shlex.split(line(command, image="mine/it:1"))
    assert not any(word.startswith("/models") for word in words if ":ro" in word)
    [fields] = csv.reader([words[words.index("--mount") + 1]])
    path = '/models/a:b, "c".gguf'
    assert fields == ["type=bind", f"source={path}", f"target={path}", "readonly"]
