"""The request for a container, and the meaning of a daemon's refusals: without any daemon."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autotuner.config import DockerConfig
from autotuner.engines import HOST, PORT, LaunchSpec, Mount
from autotuner.errors import LaunchError
from autotuner.launch.container_spec import (
    FILES,
    Binding,
    Folder,
    binding,
    container_request,
    hub_folder,
    inherited,
    leaves_files_of_root,
)
from autotuner.launch.docker_daemon import DockerDaemon, reference_of
from autotuner.launch.docker_failures import ImageError, why_no_container, why_no_image

SPEC = LaunchSpec(
    "vllm",
    ("vllm", "serve", "/models/a", "--host", HOST, "--port", PORT, "--config", "{file:x.yaml}"),
    "a",
    env=(("VLLM_USE_V1", "1"), ("CUDA_VISIBLE_DEVICES", "5")),
    files=(("x.yaml", "a: 1\n"),),
    mounts=(Mount("/models/a", "/models/a"),),
)
PUBLISHED = Binding("0.0.0.0", 8000, "127.0.0.1")  # noqa: S104


def request(devices: tuple[str, ...] = (), **options: Any) -> dict[str, Any]:
    config = DockerConfig(**options)
    return container_request(
        SPEC,
        devices,
        image="vllm/vllm-openai:v1",
        options=config,
        at=PUBLISHED,
        environment={"HF_TOKEN": "hf_secret"},
        labels={"inference-autotuner": "engine"},
        folders=[Folder("/home/caches", "/home/caches", writable=True)],
    )


def test_the_engine_is_the_containers_first_process_and_its_port_is_on_the_loopback() -> None:
    asked = request()
    assert asked["Entrypoint"] == ["vllm"]
    assert asked["Cmd"][:2] == ["serve", "/models/a"]
    assert asked["Cmd"][-1] == f"{FILES}/x.yaml"
    assert asked["HostConfig"]["PortBindings"] == {
        "8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]
    }


def test_gpus_are_requested_by_name_and_numbered_anew() -> None:
    asked = request(("2", "GPU-ab"))
    (gpus,) = asked["HostConfig"]["DeviceRequests"]
    assert gpus["DeviceIDs"] == ["2", "GPU-ab"]
    assert not any(word.startswith("CUDA_VISIBLE_DEVICES") for word in asked["Env"])
    assert "NVIDIA_VISIBLE_DEVICES=void" not in asked["Env"]


def test_a_launch_without_gpus_gets_none_whatever_its_image_asks_for() -> None:
    asked = request()
    assert "NVIDIA_VISIBLE_DEVICES=void" in asked["Env"]
    assert "DeviceRequests" not in asked["HostConfig"]


def test_a_secret_is_in_the_environment_alone() -> None:
    asked = request()
    assert "HF_TOKEN=hf_secret" in asked.pop("Env")
    assert "hf_secret" not in str(asked)


def test_options_limit_what_the_container_may_do() -> None:
    asked = request(memory_gib=2, shm_gib=1, user="1000:1000", read_only=True, network="mine")
    host = asked["HostConfig"]
    assert (asked["User"], host["ReadonlyRootfs"], host["NetworkMode"]) == (
        "1000:1000",
        True,
        "mine",
    )
    assert (host["Memory"], host["MemorySwap"], host["ShmSize"]) == (2 * 2**30, 2 * 2**30, 2**30)
    assert host["Tmpfs"] == {"/tmp": "exec"}  # noqa: S108 - engines load what they compile there
    assert host["SecurityOpt"] == ["no-new-privileges"]


@pytest.mark.parametrize(
    ("user", "own_uid", "is_rootless", "leaves"),
    [
        ("", 1000, False, True),
        ("root:users", 1000, False, True),
        ("0", 1000, False, True),
        ("1000:1000", 1000, False, False),
        ("vllm", 1000, False, False),
        ("", 0, False, False),
        ("", 1000, True, False),
    ],
)
def test_which_containers_leave_files_that_a_user_cannot_remove(
    user: str, own_uid: int, is_rootless: bool, leaves: bool
) -> None:
    assert leaves_files_of_root(user, own_uid=own_uid, is_rootless=is_rootless) is leaves


def test_a_log_can_be_read_whatever_the_driver_of_the_daemon_and_fills_no_disk() -> None:
    log = request()["HostConfig"]["LogConfig"]
    assert log["Type"] == "json-file"
    assert {"max-size", "max-file"} <= log["Config"].keys()


def test_mounts_are_read_only_but_for_the_caches_and_each_target_is_there_once() -> None:
    mounts = request(mounts=("/data:/data", "/other:/models/a"))["HostConfig"]["Mounts"]
    assert sorted((m["Source"], m["Target"], m["ReadOnly"]) for m in mounts) == [
        ("/data", "/data", True),
        ("/home/caches", "/home/caches", False),
        ("/models/a", "/models/a", True),
    ]


def test_on_the_machines_own_network_the_engine_listens_on_the_loopback() -> None:
    at = binding("host", published_at="127.0.0.1", free_port=5123, loopback="127.0.0.1")
    assert at == Binding("127.0.0.1", 5123)


def test_the_network_of_another_machine_is_refused_before_anything_is_started() -> None:
    with pytest.raises(LaunchError, match=r"docker\.network: 'host' .* another machine") as caught:
        binding("host", published_at="192.0.2.7", free_port=5123, loopback="127.0.0.1")
    assert caught.value.remedy is not None
    assert "leave docker.network out" in caught.value.remedy


def test_mounts_are_compared_in_one_spelling() -> None:
    asked = DockerConfig(mounts=("//data/./a/:/x//b/", "/c:/d:ro"))
    assert asked.mounted() == (("/data/a", "/x/b"), ("/c", "/d"))


@pytest.mark.parametrize(
    ("environment", "place"),
    [({"HF_HOME": "/data/hf"}, "/data/hf/hub"), ({"HF_HUB_CACHE": "/data/models"}, "/data/models")],
)
def test_a_container_sees_the_cache_of_models_and_no_token_beside_it(
    environment: dict[str, str], place: str
) -> None:
    variables, folder = hub_folder(environment, is_here=True)
    assert (folder.source, folder.target, folder.writable) == (place, place, True)
    assert variables["HF_HUB_CACHE"] == place
    assert not Path(variables["HF_HOME"]).is_relative_to(Path(place).parent)
    _, elsewhere = hub_folder(environment, is_here=False)
    assert elsewhere.is_volume
    assert elsewhere.target == place


def test_only_variables_that_mean_something_in_a_container_are_inherited() -> None:
    environment = {
        "PATH": "/usr/bin",
        "HOME": "/root",
        "HF_TOKEN": "t",
        "HF_HOME": "/root/hf",
        "VLLM_LOGGING_LEVEL": "DEBUG",
        "VLLM_CACHE_ROOT": "/root/.cache",
        "CUDA_VISIBLE_DEVICES": "1",
        "LD_LIBRARY_PATH": "/x",
        "MINE": "1",
    }
    assert inherited("vllm", environment) == {"HF_TOKEN": "t", "VLLM_LOGGING_LEVEL": "DEBUG"}
    assert "MINE" in inherited("vllm", environment, ("MINE",))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("manifest for a/b:1 not found: manifest unknown: manifest unknown", "no such image"),
        ("pull access denied for a/b, repository does not exist", "does not give it"),
        ("Get https://r/v2/: dial tcp: lookup r: no such host", "cannot be reached"),
        ("no matching manifest for linux/arm64/v8 in the manifest list", "not for linux/arm64/v8"),
        ("write /var/lib/docker/tmp/x: no space left on device", "disk is full"),
        ("toomanyrequests: You have reached your pull rate limit", "too many requests"),
        ('Head "https://r/v2/a/b/manifests/1": no basic auth credentials', "does not give it"),
        ('Get "https://r/v2/": http: server gave HTTP response to HTTPS client', "no TLS"),
        ('Get "https://r/v2/": x509: certificate signed by unknown authority', "not trust"),
        ("received unexpected HTTP status: 503 Service Unavailable", "its registry fails"),
        ("filesystem layer verification failed for digest sha256:ab", "damaged"),
        ("something that nobody foresaw", "something that nobody foresaw"),
    ],
)
def test_why_an_image_cannot_be_fetched(message: str, expected: str) -> None:
    error = why_no_image("a/b:1", message)
    assert isinstance(error, ImageError)
    assert expected in error.message
    assert "a/b:1" in error.message
    assert error.remedy
    assert "\n" not in error.message


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('could not select device driver "nvidia" with capabilities: [[gpu]]', "give GPUs"),
        ("failed to discover GPU vendor from CDI: no known GPU vendor found", "give GPUs"),
        ("CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=0", "give GPUs"),
        ("nvidia-container-cli: device error: 9: unknown device: unknown", "9: unknown device"),
        ("Bind for 127.0.0.1:80 failed: port is already allocated", "taken"),
        ("invalid mount config: bind source path does not exist: /x/y", "/x/y is not on"),
        ('exec: "vllm": executable file not found in $PATH: unknown', "no program vllm"),
        ("exec /usr/bin/vllm: no such file or directory", "no program /usr/bin/vllm"),
        ("exec /usr/bin/vllm: exec format error", "another architecture"),
        ("network nowhere not found", "no network nowhere"),
        (
            'invalid mount config for type "bind": destination can\'t be "/"',
            "mounts cannot be made",
        ),
        ('error mounting "/tmp" to rootfs at "/proc": permission denied', "mounts cannot be made"),
        ("Invalid network mode: invalid container format container:<name|id>", "is no network"),
        ("uids and gids must be in range 0-2147483647", "docker.user is no user"),
        ("unable to find user me: no matching entries in passwd file", "no user"),
        ('The container name "/a" is already in use by container "b"', "name is taken"),
    ],
)
def test_why_a_container_cannot_be_started(message: str, expected: str) -> None:
    error = why_no_container("a/b:1", message)
    assert isinstance(error, LaunchError)
    assert expected in error.message
    assert error.remedy


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("a", ("a", "latest")),
        ("a/b:1", ("a/b", "1")),
        ("r:5000/a/b", ("r:5000/a/b", "latest")),
        ("r:5000/a/b:v1", ("r:5000/a/b", "v1")),
        ("a/b:1@sha256:ff", ("a/b", "sha256:ff")),
    ],
)
def test_an_image_is_a_repository_and_a_tag(image: str, parts: tuple[str, str]) -> None:
    assert reference_of(image) == parts


@pytest.mark.parametrize(
    ("address", "is_here"),
    [
        ("unix:///var/run/docker.sock", True),
        ("tcp://127.0.0.1:2375", True),
        ("tcp://localhost:2375", True),
        ("tcp://[::1]:2375", True),
        ("tcp://gpu-7:2376", False),
        ("tcp://127.gpu.example:2376", False),
        ("tcp://192.0.2.7:2376", False),
        ("tcp://[2001:db8::7]:2376", False),
    ],
)
def test_a_daemon_is_here_or_elsewhere(address: str, is_here: bool) -> None:
    assert DockerDaemon(address).is_here is is_here


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("image", "vllm/vllm-openai"),
        ("image", "--privileged:1"),
        ("mounts", ["relative:/x"]),
        ("mounts", ["/a:/b/../c"]),
        ("mounts", ["/a:/b:rw"]),
        ("mounts", ["/a:/b:/c"]),
        ("mounts", ["/a:/b\n"]),
        ("mounts", ["/a"]),
        ("network", "--x"),
        ("environment", ["A=B"]),
        ("user", "a b"),
        ("shm_gib", 0),
        ("shm_gib", 1e300),
        ("memory_gib", 1e6),
    ],
)
def test_an_option_that_is_none_is_refused(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        DockerConfig(**{field: value})
