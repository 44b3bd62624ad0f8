"""The containers that an operator lets a service's tasks start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autotuner.config import parse_task
from autotuner.workers.policy import Policy
from autotuner.workers.violations import violations


def refused(policy: Policy, program: str = "llama-server", **docker: Any) -> dict[str, str]:
    """Path and message of everything that is not allowed."""
    task = parse_task(
        {
            "version": 2,
            "name": "t",
            "deployment_mode": "docker",
            "docker": docker,
            "engine_path": program,
            "model": {"id": "smollm2-135m"},
            "runtime": {"isl": 8, "osl": 4},
        }
    )
    return {problem.path: problem.message for problem in violations(task, policy)}


def test_an_engines_own_image_is_allowed_in_any_version() -> None:
    assert refused(Policy(), image="vllm/vllm-openai:v0.9.1") == {}


def test_images_networks_and_folders_are_those_that_the_operator_allows(tmp_path: Path) -> None:
    (tmp_path / "models" / "extra").mkdir(parents=True)
    policy = Policy(images=("mine/*",), container_networks=("bridge", "engines")).at(tmp_path)
    mounts = [f"{tmp_path}/models/extra:/mnt/extra"]
    assert refused(policy, image="mine/llama:1", network="engines", mounts=mounts) == {}
    found = refused(policy, image="other/llama:1", network="host", mounts=["/etc:/mnt/extra"])
    assert list(found) == ["docker.image", "docker.network", "docker.mounts[0]"]
    assert "mine/*" in found["docker.image"]
