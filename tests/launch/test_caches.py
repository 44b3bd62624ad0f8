"""Folders for what engines compile: the tuner's own, unless the user or the task names others."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from autotuner.engines import HOST, PORT, LaunchSpec, Mount
from autotuner.errors import LaunchError
from autotuner.launch import LocalLauncher
from autotuner.launch.caches import caches_of, make_folders
from autotuner.launch.engine_log import LinesOfLog
from autotuner.launch.page_cache import page_cache_of, resident_bytes
from autotuner.testing.fake_engine import install_fake_engine

MIB = 2**20
SPEC = LaunchSpec(
    "vllm",
    ("vllm", "--host", HOST, "--port", PORT),
    "m",
    env=(("C_DIR", "/of/the/task"),),
    caches=(("A_DIR", "a"), ("B_DIR", "b"), ("C_DIR", "c")),
)


def test_a_folder_that_the_user_or_the_task_names_stays(tmp_path: Path) -> None:
    found = caches_of(SPEC, {"B_DIR": "/of/the/user", "D_DIR": "/else"}, tmp_path)
    kept = str(tmp_path / "vllm" / "a")
    assert found == {"A_DIR": kept, "B_DIR": "/of/the/user", "C_DIR": "/of/the/task"}


def test_folders_are_made_whoever_names_them(tmp_path: Path) -> None:
    ours, users = tmp_path / "ours", tmp_path / "users" / "triton"
    (tmp_path / "file").touch()
    named = {"A_DIR": str(ours / "a"), "B_DIR": str(users), "C_DIR": f"{tmp_path}/file/below"}
    make_folders(named, ours)
    assert (ours / "a").is_dir()
    assert users.is_dir(), "a container cannot be given what is not there"


def test_without_a_folder_only_what_is_named_is_recorded() -> None:
    assert caches_of(SPEC, {}, None) == {"C_DIR": "/of/the/task"}


def test_a_folder_that_cannot_be_made_is_an_error_of_the_launch(tmp_path: Path) -> None:
    (tmp_path / "vllm").write_text("in the way")
    with pytest.raises(LaunchError, match="what engines compile cannot be made"):
        make_folders(caches_of(SPEC, {}, tmp_path), tmp_path)


def test_an_engine_is_given_its_folders_and_its_log_names_them(tmp_path: Path) -> None:
    fake = install_fake_engine(tmp_path / "bin")
    seen, script = tmp_path / "seen", tmp_path / "engine"
    script.write_text(f'#!/bin/sh\nprintf "%s %s" "$A_DIR" "$B_DIR" > {seen}\nexec {fake} "$@"\n')
    script.chmod(0o755)
    argv = (str(script), "--host", HOST, "--port", PORT)
    spec = LaunchSpec("fake", argv, "m", caches=(("A_DIR", "a"), ("B_DIR", "b")))
    log, kept = tmp_path / "engine.log", tmp_path / "home" / "caches"

    async def launched() -> dict[str, str]:
        launcher = LocalLauncher(
            environment={"B_DIR": "/mine", "PATH": "/bin:/usr/bin"}, caches=kept
        )
        engine = await launcher.launch(spec, (), log_path=log, ready_timeout_s=60)
        async with engine:
            return dict(engine.caches)

    caches = asyncio.run(launched())
    folder = str(kept / "fake" / "a")
    assert caches == {"A_DIR": folder, "B_DIR": "/mine"}
    assert seen.read_text() == f"{folder} /mine"
    assert f"# A_DIR={folder}\n# B_DIR=/mine\n" in log.read_text()
    assert Path(folder).is_dir()


def test_only_lines_that_are_appended_later_count(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    log.write_text("compiling at the start\n")
    lines = LinesOfLog(log, ("compiling",))
    assert not lines.has_appeared()
    with log.open("a") as file:
        file.write("request\nCompiling a kernel")
    assert lines.has_appeared()
    assert not lines.has_appeared()
    assert not LinesOfLog(tmp_path / "absent", ("compiling",)).has_appeared()
    assert not LinesOfLog(log, ()).has_appeared()


def test_a_model_is_seen_to_be_on_its_disk_or_in_memory(tmp_path: Path) -> None:
    model = tmp_path / "model.gguf"
    with model.open("wb") as file:
        file.truncate(16 * MIB)
        assert resident_bytes(model) == (0, 16 * MIB)
        file.write(os.urandom(8 * MIB))
    resident, size = resident_bytes(model) or (0, 0)
    assert 8 * MIB <= resident < size == 16 * MIB
    (tmp_path / "tokenizer.json").write_bytes(b"{}")
    spec = replace(SPEC, mounts=(Mount(str(tmp_path), "/model"),))
    assert page_cache_of(spec) == {"page cache": "0.01 of 0.02 GiB of the model"}
    assert page_cache_of(replace(SPEC, mounts=(Mount("/nowhere", "/model"),))) == {}
