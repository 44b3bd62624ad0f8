"""Images and mounts of containers in task files."""

from __future__ import annotations

from typing import Any

import pytest

from autotuner.config import parse_stored_task, parse_task
from autotuner.config.containers import docker_options
from autotuner.errors import ConfigError


def task(image: str) -> dict[str, Any]:
    """A task in containers of an image."""
    named = {"version": 2, "name": "t", "model": {"id": "m"}}
    return named | {"deployment_mode": "docker", "docker": {"image": image}}


@pytest.mark.parametrize(
    "image",
    ["a:1", "vllm/vllm-openai:v{version}", "Host.example:5000/a__b/c-d:V1_{version}-Cu12"],
)
def test_an_image_with_its_tag_is_taken(image: str) -> None:
    assert parse_task(task(image)).docker.image == image


@pytest.mark.parametrize(
    ("image", "why"),
    [
        ("Nobody/NO:1", "small letters"),
        ("nobody/a..b:1", "is no image"),
        ("nobody//a:1", "is no image"),
        ("nobody/a", "with its tag"),
    ],
)
def test_what_no_daemon_takes_for_an_image_is_refused(image: str, why: str) -> None:
    with pytest.raises(ConfigError, match=rf"docker\.image: .*{why}"):
        parse_task(task(image))


@pytest.mark.parametrize("image", ["vllm/vllm-openai", "nobody/NO:x y", "nobody/a b:1"])
def test_letters_are_named_only_where_they_are_what_is_wrong(image: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_task(task(image))
    assert "small letters" not in str(refused.value)


def test_a_stored_task_keeps_its_image() -> None:
    document = task("nobody/NO:1")
    assert parse_stored_task(document, source="task 1").docker.image == "nobody/NO:1"
    options = docker_options(document)
    assert options is not None
    assert options.image == "nobody/NO:1"


def test_mounts_at_one_place_are_refused() -> None:
    document = task("a:1") | {"docker": {"mounts": ["/a:/x", "/b:/x/"]}}
    with pytest.raises(ConfigError, match=r"docker\.mounts: several have the target '/x'"):
        parse_task(document)
    assert len(parse_stored_task(document, source="task 1").docker.mounts) == 2
