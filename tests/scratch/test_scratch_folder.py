"""Temporary folders of processes that end by themselves, and of those that are killed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from autotuner.scratch_folder import ScratchFolder

MADE = """
import os, signal
from autotuner.scratch_folder import ScratchFolder
found = ScratchFolder("test")
(found.path / "a file").write_text("x")
print(found.path, flush=True)
"""
KILLED = f"{MADE}os.kill(os.getpid(), signal.SIGKILL)"
WAITING = f"{MADE}input()"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nothing is removed for others")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)


def process(program: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", program]
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_a_folder_goes_with_its_block() -> None:
    with ScratchFolder("test") as found:
        (found.path / "a file").write_text("x", encoding="utf-8")
    assert not found.path.exists()


def test_a_folder_goes_with_its_process(tmp_path: Path) -> None:
    assert process(MADE).wait() == 0
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_leaves_is_removed_by_the_next_and_nothing_else(
    tmp_path: Path,
) -> None:
    with process(KILLED) as killed, process(WAITING) as waiting:
        assert killed.stdout is not None
        assert waiting.stdout is not None
        left, used = (Path(one.stdout.readline().strip()) for one in (killed, waiting))
        killed.wait()
        others = [tmp_path / name for name in ("autotuner-test-unlocked", "autotuner-more-1")]
        for other in others:
            other.mkdir()
        (others[1] / ".lock").touch()
        link = tmp_path / "autotuner-test-link"
        link.symlink_to(others[1])
        with ScratchFolder("test") as mine:
            assert not left.exists()
            assert (used / "a file").exists()
            assert all(path.exists() for path in (*others, link, others[1] / ".lock", mine.path))
        waiting.communicate("\n")
        assert not used.exists()
    assert os.fspath(left) != os.fspath(used)
