"""Exports of what was measured in containers: image, program, mounts, user, root and memory."""

from __future__ import annotations

import itertools
import shlex
from typing import Any

import pytest
import yaml
from deployed import GPU, rendered, summary_of

from autotuner.config.containers import DockerConfig
from autotuner.deploy import FORMATS, DeployedEngine, ExportWishes, deployed_engine
from autotuner.launch.container_spec import Binding, container_request


def made(*, command: str | None = None, gpus: int = 1, **task: Any) -> DeployedEngine:
    settings, spec = rendered("vllm")
    wishes = task.pop("wishes", ExportWishes())
    summary = summary_of(command or spec.command(), "vllm", GPU | settings, gpus, **task)
    return deployed_engine(summary, wishes)


def head(engine: DeployedEngine, form: str = "kubernetes") -> str:
    text = FORMATS[form].files(engine)[0].text
    return "".join(f"{line}\n" for line in text.splitlines() if line.startswith("#"))


def test_the_program_that_is_asked_for_starts_a_container() -> None:
    inside = {"deployment_mode": "docker", "docker": {"image": "mine/vllm:1"}}
    engine = made(config=inside, wishes=ExportWishes(program="/opt/mine serve"))
    assert (engine.image, engine.program) == ("mine/vllm:1", ("/opt/mine", "serve"))


def test_a_container_is_deployed_as_it_was_measured() -> None:
    docker = {"image": "mine/vllm:{version}-cu", "shm_gib": 4.0, "user": "1000"}
    docker |= {"mounts": ["/data/templates:/templates"]}
    _, spec = rendered("vllm")
    command = spec.command().replace("vllm serve", "/opt/vllm/bin/vllm serve")
    config = {"deployment_mode": "docker", "docker": docker}
    engine = made(command=command, config=config, gpus=0, engine_version="0.11.2")
    [service] = yaml.safe_load(FORMATS["compose"].files(engine)[0].text)["services"].values()
    assert service["image"] == "mine/vllm:0.11.2-cu"
    assert service["entrypoint"] == ["/opt/vllm/bin/vllm", "serve"]
    assert "/data/templates:/templates:ro" in service["volumes"]
    assert "sizeLimit: 4Gi" in FORMATS["kubernetes"].files(engine)[0].text
    other = made(command=command, config=config, wishes=ExportWishes(image="other:1"))
    assert (other.image, other.program) == ("other:1", ("vllm", "serve"))


CONFINED = {"user": "1000:7", "read_only": True, "memory_gib": 2.0, "environment": ["ODD"]}


def confined(**docker: Any) -> DeployedEngine:
    """A launch in a container that was confined."""
    return made(config={"deployment_mode": "docker", "docker": CONFINED | docker})


def test_a_container_is_confined_as_it_was_measured() -> None:
    """By the words that the launcher's own request has for it."""
    spec = rendered("vllm")[1]
    options = DockerConfig.model_validate(CONFINED)
    at, nothing = Binding("0.0.0.0", 8000), dict[str, str]()  # noqa: S104
    request = container_request(
        spec, [], image="i:1", options=options, at=at, environment=nothing, labels=nothing
    )
    of_host = request["HostConfig"]
    [(folder, option)] = of_host["Tmpfs"].items()
    limit = f"{of_host['Memory'] // 2**20}m"

    [service] = yaml.safe_load(FORMATS["compose"].files(confined())[0].text)["services"].values()
    assert service["user"] == request["User"]
    assert (service["read_only"], service["tmpfs"]) == (True, [f"{folder}:{option}"])
    assert (service["mem_limit"], service["memswap_limit"]) == (limit, limit)
    assert service["environment"]["ODD"] is None

    run = shlex.split(FORMATS["docker"].files(confined())[0].text, comments=True)
    pairs = list(itertools.pairwise(run))
    assert "--read-only" in run
    for pair in (
        *(("--user", request["User"]), ("--tmpfs", f"{folder}:{option}"), ("--env", "ODD")),
        *(("--memory", limit), ("--memory-swap", limit)),
    ):
        assert pair in pairs

    *_, deployment, _ = yaml.safe_load_all(FORMATS["kubernetes"].files(confined())[0].text)
    pod = deployment["spec"]["template"]["spec"]
    [container] = pod["containers"]
    known = {"runAsUser": 1000, "runAsGroup": 7, "readOnlyRootFilesystem": True}
    assert container["securityContext"] == known
    assert container["resources"]["limits"]["memory"] == "2048Mi"
    assert {"name": "scratch", "mountPath": folder} in container["volumeMounts"]
    assert {"name": "scratch", "emptyDir": {}} in pod["volumes"]
    assert pod["securityContext"] == {"fsGroup": 7}


@pytest.mark.parametrize("form", ["llm-d", "kserve"])
def test_platforms_confine_a_container_too(form: str) -> None:
    text = FORMATS[form].files(confined())[-1].text
    for words in ("runAsUser: 1000", "readOnlyRootFilesystem: true", "mountPath: /tmp"):
        assert words in text
    assert "as user" not in head(confined(), form)


def test_a_file_says_how_a_container_was_confined_where_it_is_not_so() -> None:
    named = confined(user="me")
    assert "Note: it was measured as user me, and this format takes users by number" in head(named)
    assert "runAs" not in FORMATS["kubernetes"].files(named)[0].text
    assert "Note: user me must be able to write the volume" in head(named, "compose")
    found = head(named, "sky")
    assert "Note: it was measured as user me\n" in found
    assert "Note: it was measured with a root that cannot be written\n" in found
    assert "with ODD of the environment" in found
    assert "must be able to write" not in found
