"""Faults around a real daemon: each is one line with its remedy, and nothing is left running."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from own_registry import own_registry

from autotuner.config import DockerConfig
from autotuner.engines import HOST, PORT, FailureKind, LaunchSpec, Mount
from autotuner.errors import LaunchError
from autotuner.launch import LaunchContext, LaunchFailed, LaunchLost, Preparation, Reaped
from autotuner.launch.container_engine import DockerEngine
from autotuner.launch.container_spec import LABEL
from autotuner.launch.cpu_time import cpu_s_of_ours
from autotuner.launch.docker import DockerLauncher
from autotuner.launch.docker_daemon import DockerDaemon
from autotuner.launch.docker_failures import ImageError
from autotuner.launch.processes import this_machine
from autotuner.testing.engine_image import PYTHON
from autotuner.testing.launched import has_ended
from own_docker import IMAGE, OwnDocker

FAKE = LaunchSpec("llamacpp", ("fake-engine", "--host", HOST, "--port", PORT), "fake", image=IMAGE)
_READY_S = 60.0


def launcher(docker: OwnDocker, **options: object) -> DockerLauncher:
    config = DockerConfig(**options)  # type: ignore[arg-type]
    return DockerLauncher(daemon=docker.daemon, options=config, stop_grace_s=0.5)


async def launched(
    by: DockerLauncher, spec: LaunchSpec, folder: Path, log: str = "engine.log"
) -> DockerEngine:
    return await by.launch(spec, (), log_path=folder / log, ready_timeout_s=_READY_S)


def containers(docker: OwnDocker) -> list[str]:
    return [each["Name"] for each in docker.daemon.containers(stopped=True, label=LABEL)]


@pytest.mark.slow
def test_an_image_that_is_not_there_and_not_to_be_fetched(
    docker_here: OwnDocker, tmp_path: Path
) -> None:
    spec = replace(FAKE, image="nobody/has-this:1")
    with pytest.raises(ImageError, match="nobody/has-this:1 is not on") as caught:
        asyncio.run(launched(launcher(docker_here, pull="never"), spec, tmp_path))
    assert "docker pull nobody/has-this:1" in caught.value.remedy


@pytest.mark.slow
def test_a_registry_that_nobody_reaches(docker_here: OwnDocker, tmp_path: Path) -> None:
    spec = replace(FAKE, image="127.0.0.1:1/a/b:1")
    with pytest.raises(ImageError, match="its registry cannot be reached"):
        asyncio.run(launched(launcher(docker_here), spec, tmp_path))


@pytest.mark.slow
def test_an_image_is_fetched_before_a_launch_with_progress(docker_here: OwnDocker) -> None:
    seen: list[Preparation] = []
    with own_registry(good="amd64", foreign="s390x") as address:
        spec = replace(FAKE, image=f"{address}/some/engine:good")
        by = launcher(docker_here)
        asyncio.run(by.prepare(spec, seen.append))
        assert docker_here.daemon.image(spec.image or "") is not None
        with pytest.raises(ImageError, match="no such image or tag"):
            asyncio.run(by.prepare(replace(spec, image=f"{address}/some/engine:bad"), seen.append))
        foreign = replace(spec, image=f"{address}/some/engine:foreign")
        with pytest.raises(ImageError, match=r"is for s390x, and the daemon's machine is"):
            asyncio.run(by.prepare(foreign, seen.append))
    assert seen[0].what == f"fetching {spec.image}"
    assert any(0 < each.done_gib <= each.total_gib for each in seen)


@pytest.mark.slow
def test_a_container_that_the_kernel_kills_for_its_memory(
    docker_here: OwnDocker, tmp_path: Path
) -> None:
    greedy = replace(FAKE, argv=(PYTHON, "-c", "held = [b'x' * (10**7 + i) for i in range(1000)]"))
    with pytest.raises(LaunchFailed) as caught:
        asyncio.run(launched(launcher(docker_here, memory_gib=0.1), greedy, tmp_path))
    failure = caught.value.failure
    assert failure.kind is FailureKind.OUT_OF_MEMORY
    assert "its 0.1 GiB" in failure.message
    assert containers(docker_here) == []


@pytest.mark.slow
def test_a_container_that_others_end_says_nothing_of_its_engine(
    docker_here: OwnDocker, tmp_path: Path
) -> None:
    async def end_it() -> None:
        async with await launched(launcher(docker_here), FAKE, tmp_path) as engine:
            name = engine.handle.id.split()[0]
            await asyncio.to_thread(docker_here.daemon.act, name, "stop", timeout_s=0)
            await has_ended(engine)
            with pytest.raises(LaunchLost, match="the daemon ended its container"):
                engine.diagnose()

    asyncio.run(end_it())
    assert containers(docker_here) == []


@pytest.mark.slow
def test_a_daemon_that_is_restarted_under_load(docker_here: OwnDocker, tmp_path: Path) -> None:
    async def restart() -> None:
        async with await launched(launcher(docker_here), FAKE, tmp_path) as engine:
            await asyncio.to_thread(docker_here.stop)
            await has_ended(engine)
            with pytest.raises(LaunchLost, match="the daemon"):
                engine.diagnose()
            await asyncio.to_thread(docker_here.start)
        assert await asyncio.to_thread(DockerLauncher.reap, engine.handle) is Reaped.GONE

    asyncio.run(restart())
    assert containers(docker_here) == []


@pytest.mark.slow
def test_a_launch_removes_what_the_dead_have_left_and_nothing_else(docker_here: OwnDocker) -> None:
    here, daemon = this_machine(), docker_here.daemon
    owners = {"dead": f"{here.host} {here.boot} 1 1", "elsewhere": "another-host b 1 1"}
    for name, owner in owners.items():
        labels = {LABEL: "engine", f"{LABEL}.owner": owner}
        daemon.create(name, {"Image": IMAGE, "Cmd": ["sh"], "Labels": labels})
    asyncio.run(launcher(docker_here).prepare(FAKE, lambda progress: None))
    try:
        assert containers(docker_here) == ["/elsewhere"]
    finally:
        daemon.remove("elsewhere", force=True)


@pytest.mark.slow
def test_labels_say_whose_it_is_and_secrets_stay_out_of_the_log(
    docker_here: OwnDocker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", docker_here.daemon.address)
    context = LaunchContext({"HF_TOKEN": "hf_of_mine"}, labels=lambda: {"task": "7", "lease": "3"})

    async def look() -> dict[str, str]:
        async with await launched(DockerLauncher.of(context), FAKE, tmp_path) as engine:
            found = docker_here.daemon.container(engine.handle.id.split()[0])
            assert "HF_TOKEN=hf_of_mine" in found["Config"]["Env"]
            labels: dict[str, str] = found["Config"]["Labels"]
            return labels

    labels = asyncio.run(look())
    assert (labels[f"{LABEL}.task"], labels[f"{LABEL}.lease"]) == ("7", "3")
    assert "hf_of_mine" not in str(labels) + (tmp_path / "engine.log").read_text()


@pytest.mark.slow
def test_the_cpu_time_of_an_engine_in_a_container_is_ours(
    docker_here: OwnDocker, tmp_path: Path
) -> None:
    spin = "import time\nwhile time.process_time() < 0.3: pass\nimport os, sys"
    run = "os.execvp('fake-engine', ['fake-engine', *sys.argv[1:]])"
    spec = replace(FAKE, argv=(PYTHON, "-c", f"{spin}; {run}", *FAKE.argv[1:]))

    async def grown_s() -> tuple[float, float]:
        before_s = cpu_s_of_ours()
        async with await launched(launcher(docker_here), spec, tmp_path):
            while_it_runs = cpu_s_of_ours() - before_s
        return while_it_runs, cpu_s_of_ours() - before_s

    while_it_runs, once_it_ended = asyncio.run(grown_s())
    assert once_it_ended >= while_it_runs > 0.3


def test_without_a_daemon_nothing_is_tried(tmp_path: Path) -> None:
    nobody = DockerLauncher(daemon=DockerDaemon(f"unix://{tmp_path}/none"))
    with pytest.raises(LaunchError, match="Unable to connect to Docker daemon") as caught:
        asyncio.run(launched(nobody, FAKE, tmp_path))
    assert "start it" in caught.value.remedy


def model_of(folder: Path) -> Mount:
    """A model that has just been written, and so is in memory."""
    (folder / "model").write_bytes(bytes(8 * 2**20))
    return Mount(str(folder / "model"), "/model")


@pytest.mark.slow
def test_options_limit_a_real_container(docker_here: OwnDocker, tmp_path: Path) -> None:
    options = {"user": "65534:65534", "read_only": True, "network": "host", "shm_gib": 0.5}
    spec = replace(FAKE, mounts=(model_of(tmp_path),))

    async def look() -> tuple[str, dict[str, Any], Mapping[str, str]]:
        async with await launched(launcher(docker_here, **options), spec, tmp_path) as engine:
            found = docker_here.daemon.container(engine.handle.id.split()[0])
            return engine.base_url, found, engine.caches

    base_url, found, caches = asyncio.run(look())
    assert caches == {"page cache": "0.01 of 0.01 GiB of the model"}
    assert "# page cache=0.01 of " in (tmp_path / "engine.log").read_text()
    assert base_url.startswith("http://127.0.0.1:")
    assert found["Config"]["User"] == "65534:65534"
    assert found["HostConfig"]["ReadonlyRootfs"] is True
    assert found["HostConfig"]["ShmSize"] == 2**29


@pytest.mark.slow
def test_a_daemon_of_another_machine_gets_files_and_keeps_caches_itself(
    docker_here: OwnDocker, tmp_path: Path
) -> None:
    remote = docker_here.by_network
    by = DockerLauncher(daemon=remote, stop_grace_s=0.5, caches=tmp_path / "caches")
    script = 'cat "$1" && shift && exec fake-engine "$@"'
    spec = replace(
        FAKE,
        argv=("sh", "-c", script, "sh", "{file:a.yaml}", *FAKE.argv[1:]),
        files=(("a.yaml", "of the launch\n"),),
        caches=(("A_CACHE", "compiled"),),
        mounts=(model_of(tmp_path),),
    )

    async def look() -> tuple[str, list[dict[str, Any]], Mapping[str, str]]:
        async with await launched(by, spec, tmp_path) as engine:
            found = remote.container(engine.handle.id.split()[0])
            return engine.base_url, found["Mounts"], engine.caches

    base_url, found, caches = asyncio.run(look())
    mounts = [mount for mount in found if mount["Destination"] != "/model"]
    assert [*caches] == ["A_CACHE"], "what is in another machine's memory is not known"
    assert base_url.startswith(f"http://{remote.published_at}:")
    assert not base_url.startswith("http://127.")
    assert [(mount["Type"], mount["RW"]) for mount in mounts] == [("volume", True)]
    assert "of the launch" in (tmp_path / "engine.log").read_text()
    assert not (tmp_path / "caches").exists()
    assert containers(docker_here) == []


@pytest.mark.slow
def test_root_in_a_container_compiles_into_no_folder_of_a_user(
    docker_here: OwnDocker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.getuid", lambda: 1000)
    spec = replace(FAKE, caches=(("A_CACHE", "compiled"),))

    async def mounted(**options: Any) -> list[str]:
        config = DockerConfig(**options)
        caches = tmp_path / "caches"
        by = DockerLauncher(
            daemon=docker_here.daemon, options=config, stop_grace_s=0.5, caches=caches
        )
        async with await launched(by, spec, tmp_path) as engine:
            found = docker_here.daemon.container(engine.handle.id.split()[0])
            return [f"{mount['Type']} {mount.get('Name', '')}" for mount in found["Mounts"]]

    assert asyncio.run(mounted()) == ["volume inference-autotuner-llamacpp-compiled"]
    assert asyncio.run(mounted(user="1000:1000")) == ["bind "]
