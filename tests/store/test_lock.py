"""Devices are held by one process of a machine at a time, whatever its home and its user."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from autotuner.errors import InUseError, StoreError
from autotuner.store import device_locks, machine_locks

HOLDER = """
import sys, time
from pathlib import Path
from autotuner.store import device_locks
with device_locks(["2", "3"], "the other", kind="worker", folder=Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_the_holder_of_a_device_is_named_and_its_death_frees_it(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        shown = rf"GPU 3 is in use by worker 'the other' \(pid {holder.pid}\)"
        with pytest.raises(InUseError, match=shown), device_locks(["3"], "mine", folder=tmp_path):
            raise AssertionError("the device was given twice")
        with device_locks(["cpu", "0", "1"], "mine", folder=tmp_path):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with device_locks(["2", "3"], "mine", folder=tmp_path):
        assert str(os.getpid()) in (tmp_path / "2.lock").read_text()


def test_devices_come_back_also_where_one_of_several_is_held(tmp_path: Path) -> None:
    with device_locks(["1"], "one", folder=tmp_path):
        for _ in range(2):
            with (
                pytest.raises(InUseError, match="GPU 1 is in use by task 'one'"),
                device_locks(["0", "1"], "two", folder=tmp_path),
            ):
                raise AssertionError("the device was given twice")
        with device_locks(["0"], "three", folder=tmp_path):
            pass
    with device_locks(["0", "1"], "two", folder=tmp_path):
        pass


def test_the_folder_is_the_same_for_every_home_user_and_temporary_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = machine_locks()
    for name in ("HOME", "TMPDIR", "XDG_RUNTIME_DIR", "AUTOTUNER_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    assert machine_locks() == found
    assert found.parent.stat().st_mode & stat.S_IWOTH


def test_other_users_may_lock_what_one_has_locked(tmp_path: Path) -> None:
    folder = tmp_path / "locks"
    before = os.umask(0o077)
    try:
        with device_locks(["GPU-0a/1"], "mine", folder=folder):
            (file,) = folder.iterdir()
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o1777
    assert stat.S_IMODE(file.stat().st_mode) == 0o666


@pytest.mark.parametrize("kind", ["link", "hard link", "folder"])
def test_what_another_user_put_there_is_not_written_to(kind: str, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("of somebody")
    folder = tmp_path / "locks"
    folder.mkdir()
    if kind == "link":
        (folder / "cpu.lock").symlink_to(precious)
    elif kind == "hard link":
        (folder / "cpu.lock").hardlink_to(precious)
    else:
        (folder / "cpu.lock").mkdir()
    with (
        pytest.raises(StoreError, match="AUTOTUNER_LOCKS"),
        device_locks(["cpu"], "mine", folder=folder),
    ):
        raise AssertionError("a lock on something else")
    assert precious.read_text() == "of somebody"


def test_a_holder_that_says_nothing_readable_is_shown_as_another(tmp_path: Path) -> None:
    with device_locks(["cpu"], "mine", folder=tmp_path):
        for message in ("", "{", "[]", '{"pid": "\\u001b[2J", "kind": "task", "name": "x"}'):
            (tmp_path / "cpu.lock").write_text(message)
            with (
                pytest.raises(InUseError, match="the CPU is in use by another task"),
                device_locks(["cpu"], "two", folder=tmp_path),
            ):
                raise AssertionError("the device was given twice")


def test_a_folder_that_cannot_be_used_is_shown_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for folder in (tmp_path / "file", tmp_path / "file" / "locks"):
        with (
            pytest.raises(StoreError, match="AUTOTUNER_LOCKS"),
            device_locks(["cpu"], "mine", folder=folder),
        ):
            raise AssertionError("a lock on nothing")
