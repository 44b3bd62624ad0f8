"""Limits of an operator on what tasks do in containers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autotuner.config import parse_task
from autotuner.workers.policy import Policy
from autotuner.workers.violations import violations

TASK = {
    "version": 2,
    "name": "contained",
    "deployment_mode": "docker",
    "model": {"id": "smollm2-135m"},
    "system": {"backend": "vllm"},
    "runtime": {"isl": 16, "osl": 16},
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "models" / "mine").mkdir(parents=True)
    (tmp_path / "models" / "mine" / "run.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    return tmp_path


def refused(home: Path, policy: Policy, docker: dict[str, Any], **written: Any) -> dict[str, str]:
    task = parse_task(TASK | written | {"docker": docker}, source="task")
    return {found.path: found.message for found in violations(task, policy.at(home))}


def test_what_engines_need_is_allowed(home: Path) -> None:
    mine = f"{home}/models/mine"
    docker = {"shm_gib": 32, "mounts": [f"{mine}:{mine}", f"{mine}:/mnt/mine"], "memory_gib": 9}
    assert refused(home, Policy(), docker, engine_path="python3") == {}
    assert refused(home, Policy(), {}, engine_path="vllm") == {}
    assert refused(home, Policy(programs=(Path("/opt/v"),)), {}, engine_path="/opt/v") == {}


@pytest.mark.parametrize(
    "program",
    [
        "{home}/models/mine/run.sh",
        "models/mine/run.sh",
        "/usr/../models/mine/run.sh",
        "/proc/self/root/models/mine/run.sh",
        "/models/python3",
        "bash",
        "./python3",
        "../x",
    ],
)
def test_a_program_is_the_images_own_by_name(program: str, home: Path) -> None:
    found = refused(home, Policy(), {}, engine_path=program.format(home=home))
    assert list(found) == ["engine_path"]
    assert "the image's one" in found["engine_path"]


@pytest.mark.parametrize(
    "target",
    ["/usr/local/lib/python3.12/dist-packages/vllm", "/mnt", "/usr/bin", "/", "/mntx/a"],
)
def test_a_mount_hides_nothing_of_the_image(target: str, home: Path) -> None:
    found = refused(home, Policy(), {"mounts": [f"{home}/models/mine:{target}"]})
    assert list(found) == ["docker.mounts[0]"]
    assert "beneath /mnt/" in found["docker.mounts[0]"]


@pytest.mark.parametrize(
    ("docker", "policy", "wider"),
    [
        ({"user": "0"}, {}, {"container_users": ("0",)}),
        ({"user": "1000:1000"}, {"container_users": ("1001:*",)}, {"container_users": ("1000:*",)}),
        ({"shm_gib": 65}, {}, {"max_shm_gib": 65}),
        ({"memory_gib": 3}, {"max_memory_gib": 2}, {"max_memory_gib": 3}),
    ],
)
def test_user_and_memory_are_the_operators_to_allow(
    docker: dict[str, Any], policy: dict[str, Any], wider: dict[str, Any], home: Path
) -> None:
    (field,) = docker
    assert list(refused(home, Policy(**policy), docker)) == [f"docker.{field}"]
    assert refused(home, Policy(**(policy | wider)), docker) == {}


def test_where_memory_is_limited_a_task_says_how_much(home: Path) -> None:
    found = refused(home, Policy(max_memory_gib=2), {})
    assert found == {"docker.memory_gib": "is missing; the operator allows 2 GiB"}
