"""Engines in container images: their reference, version and program."""

from __future__ import annotations

import pytest

from autotuner.engines import ENGINES, engine_named
from autotuner.engines.containers import in_container
from autotuner.errors import EngineError


def found(engine: str, **given: str) -> tuple[str, str | None, tuple[str, ...]]:
    """Version, image and program."""
    asked = {"image": None, "program": None, "version": None} | given
    installation = in_container(engine_named(engine), **asked)
    return installation.version, installation.image, installation.command


def test_the_engines_own_image_is_taken_in_the_version_that_is_asked_for() -> None:
    assert found("vllm", version="0.31.0") == (
        "0.31.0",
        "vllm/vllm-openai:v0.31.0",
        ("vllm", "serve", "{model}"),
    )
    newest = engine_named("sglang").table.version
    module = ("python3", "-m", "sglang.launch_server", "--model-path", "{model}")
    assert found("sglang") == (newest, f"lmsysorg/sglang:v{newest}", module)


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("my.registry:5000/a/vllm:v0.29.1rc2-cu126", "0.29.1rc2"),
        ("vllm/vllm-openai:0.29.1.post1", "0.29.1.post1"),
        ("vllm/vllm-openai:nightly", engine_named("vllm").table.version),
        ("a/b@sha256:" + "0" * 64, engine_named("vllm").table.version),
    ],
)
def test_an_images_tag_names_its_version_where_it_does(image: str, version: str) -> None:
    assert found("vllm", image=image)[:2] == (version, image)


def test_a_version_stands_in_for_its_placeholder() -> None:
    image = "a/vllm:{version}-cu126"
    assert found("vllm", image=image, version="0.30.0")[1] == "a/vllm:0.30.0-cu126"


def test_a_program_or_python_of_the_image_may_be_named() -> None:
    program = found("llamacpp", image="a/b:1", program="/opt/llama-server")[2]
    assert program == ("/opt/llama-server",)
    assert found("vllm", program="/opt/bin/python3.12")[2][:3] == (
        "/opt/bin/python3.12",
        "-m",
        "vllm.entrypoints.openai.api_server",
    )


def test_every_engine_is_found_in_an_image_that_is_named() -> None:
    for name in ENGINES:
        version, image, command = found(name, image="a/b:1.2.3")
        assert (version, image, bool(command)) == ("1.2.3", "a/b:1.2.3", True)


def test_an_engine_without_an_image_says_what_to_name() -> None:
    without = [name for name in ENGINES if engine_named(name).table.file.image is None]
    for name in without:
        with pytest.raises(EngineError, match=r"docker\.image"):
            found(name)
