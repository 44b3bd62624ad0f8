"""Launchers by name: one list for tasks, policies and handles; what is not installed is refused."""

from __future__ import annotations

from typing import Any

import pytest

from autotuner.config import parse_task
from autotuner.config.extensions import LAUNCHERS, ExtensionPoint
from autotuner.errors import ConfigError, LaunchError
from autotuner.launch import EngineHandle, LocalLauncher, Reaped, launcher_named, reap
from autotuner.launch.docker import DockerLauncher
from autotuner.launch.replay import ReplayLauncher
from autotuner.workers.policy import Policy

TASK: dict[str, Any] = {"version": 2, "name": "t", "model": {"id": "smollm2-135m"}}


def test_every_installed_launcher_is_found_by_its_name() -> None:
    found = {name: launcher_named(name) for name in LAUNCHERS.installed}
    found.pop("ray", None)  # where it is installed
    assert found == {"local": LocalLauncher, "docker": DockerLauncher, "replay": ReplayLauncher}


def test_a_launcher_that_is_not_installed_is_refused_with_those_that_are() -> None:
    for name in ("nothing", "dokcer"):
        with pytest.raises(LaunchError, match=f"'{name}' is not installed") as caught:
            launcher_named(name)
        assert "local, " in caught.value.remedy


def test_one_whose_library_is_missing_is_named_with_the_extra_that_brings_it() -> None:
    launchers = ExtensionPoint(
        "launcher",
        group="autotuner.none",
        own={"local": "autotuner.launch.local:LocalLauncher", "far": "autotuner.launch:Far"},
        error=LaunchError,
        needs={"far": "no_such_library"},
    )
    assert launchers.installed == ("local",)
    assert "far" in launchers
    with pytest.raises(LaunchError, match="'far' is not installed") as caught:
        launchers.load("far")
    assert caught.value.remedy == "pip install 'inference-autotuner[no_such_library]'"


def test_a_name_that_is_none_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"deployment_mode: 'dokcer'.*did you mean 'docker'"):
        parse_task(TASK | {"deployment_mode": "dokcer"})
    with pytest.raises(ValueError, match="did you mean 'local'"):
        Policy(deployment_modes=("locla",))


def test_a_handle_is_reaped_by_the_launcher_of_its_kind() -> None:
    assert reap(EngineHandle("replay", "7", "here")) is Reaped.GONE
    with pytest.raises(LaunchError, match="slurm engine abc of gpu-7 cannot be ended") as caught:
        reap(EngineHandle("slurm", "abc", "gpu-7"))
    assert "install" in caught.value.remedy
