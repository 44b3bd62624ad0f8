"""`autotuner calibrate-device`: figures for people, one document for scripts, kept in the home."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_it_measures_prints_and_keeps(run: Callable[..., Any], home: Path) -> None:
    done = run("calibrate-device", "--json")
    assert done.returncode == 0
    shown = json.loads(done.stdout)
    assert shown["bandwidth_gb_s"] > 0
    assert shown["tflops"]["float32"] > 0
    kept = json.loads(Path(shown.pop("kept")).read_text(encoding="utf-8"))
    assert kept == shown
    assert Path(home / "device.json").exists()


def test_a_home_that_cannot_be_written_is_a_mistake(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = run("calibrate-device", "--home", tmp_path / "file")
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
