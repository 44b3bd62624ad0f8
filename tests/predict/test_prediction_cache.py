"""A cache saves time and never costs more than that."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from autotuner.predict.prediction_cache import PredictionCache


def test_what_is_written_is_read(tmp_path: Path) -> None:
    PredictionCache(tmp_path / "new").write("a", {"x": 1})
    assert PredictionCache(tmp_path / "new").read("a", int) == {"x": 1}
    assert PredictionCache(tmp_path / "new").read("b", int) == {}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.json"]


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", '{"x": "no number"}', "\x00\xff"])
def test_a_damaged_file_is_reported_and_replaced(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    cache = PredictionCache(tmp_path)
    (tmp_path / "a.json").write_text(text, encoding="latin-1")
    with caplog.at_level(logging.WARNING):
        assert cache.read("a", int) == {}
    assert "a.json" in caplog.text
    assert "made anew" in caplog.text
    cache.write("a", {"x": 1})
    assert cache.read("a", int) == {"x": 1}


def test_the_files_used_longest_ago_go_first(tmp_path: Path) -> None:
    cache = PredictionCache(tmp_path, limit_bytes=250)
    for age, name in enumerate(("new", "older", "oldest")):
        cache.write(name, {"x": "y" * 80})
        os.utime(tmp_path / f"{name}.json", (1e9 - age, 1e9 - age))
    cache.read("oldest", str)
    cache.write("last", {"x": "y" * 80})
    assert sorted(path.stem for path in tmp_path.glob("*.json")) == ["last", "oldest"]


def test_a_folder_that_cannot_be_written_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        PredictionCache(tmp_path / "file").write("a", {"x": 1})
    assert "not cached" in caplog.text
