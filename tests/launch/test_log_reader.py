"""Logs that are read while they are written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.launch.log_reader import LogReader, confined_log, end_of_log, last_lines, near_end


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "engine.log"


def appended(path: Path, text: str | bytes) -> None:
    with path.open("ab") as file:
        file.write(text.encode() if isinstance(text, str) else text)


def read_out(reader: LogReader) -> list[str]:
    lines = []
    while found := reader.more():
        lines += found
    return lines


def test_each_line_is_read_once_when_it_is_whole(path: Path) -> None:
    reader = LogReader(path)
    assert reader.more() == []
    appended(path, "one\r\ntwo\nthr")
    assert reader.more() == ["one", "two"]
    assert reader.more() == []
    appended(path, "ee\n")
    assert reader.more() == ["three"]
    appended(path, "four")
    assert reader.more() == []
    assert reader.more(to_the_end=True) == ["four"]
    assert reader.more(to_the_end=True) == []


def test_characters_may_be_written_by_halves(path: Path) -> None:
    reader = LogReader(path)
    for byte in "größer ∞\n".encode()[:-1]:
        appended(path, bytes([byte]))
        assert reader.more() == []
    appended(path, b"\n\xff\n")
    assert reader.more() == ["größer ∞", "\ufffd"]


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"))),
    st.integers(1, 20),
    st.lists(st.integers(1, 30), min_size=1),
)
def test_a_log_is_read_whole_whatever_the_size_of_reads_and_writes(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], chunk: int, writes: list[int]
) -> None:
    path = tmp_path_factory.mktemp("log") / "log"
    reader = LogReader(path, chunk_bytes=chunk)
    text = "".join(f"{line}\n" for line in lines).encode()
    seen = []
    for size in (*writes, len(text)):
        appended(path, text[:size])
        text = text[size:]
        seen += read_out(reader)
    assert seen == lines


def test_only_what_is_new_is_read(path: Path) -> None:
    appended(path, "old\n" * 1000)
    reader = LogReader(path, chunk_bytes=50)
    assert len(reader.more()) == 12
    assert len(read_out(reader)) == 988
    appended(path, "new\n")
    assert reader.more() == ["new"]


def test_long_lines_are_split_between_characters(path: Path) -> None:
    reader = LogReader(path, longest_line_bytes=10)
    appended(path, "é" * 12 + "x")
    assert reader.more() == ["é" * 5, "é" * 5]
    appended(path, "y\nshort\n" + "aé" * 4 + "\n")
    assert reader.more() == ["ééxy", "short", "aéaéaéa", "é"]


def test_long_lines_that_are_no_text_are_split_too(path: Path) -> None:
    reader = LogReader(path, longest_line_bytes=10)
    appended(path, b"\x80" * 25 + b"\n")
    assert "".join(reader.more()) == "\ufffd" * 25


@pytest.mark.parametrize("written", ["new\n", "new 1\nnew 2\nnew 3\n"])
def test_a_truncated_log_is_read_from_its_beginning(path: Path, written: str) -> None:
    appended(path, "one\ntwo\nhal")
    reader = LogReader(path)
    assert reader.more() == ["one", "two"]
    path.write_text(written)
    assert reader.more() == written.splitlines()


def test_a_log_that_is_replaced_is_read_from_its_beginning(path: Path) -> None:
    appended(path, "same\n")
    reader = LogReader(path)
    assert reader.more() == ["same"]
    other = path.with_name("other")
    other.write_text("same\nsame\n")
    other.replace(path)
    assert reader.more() == ["same", "same"]
    path.unlink()
    assert reader.more(to_the_end=True) == []


@pytest.mark.parametrize(
    ("text", "most", "end"),
    [
        ("one\ntwo\n", 100, "one\ntwo\n"),
        ("one\ntwo\n", 8, "one\ntwo\n"),
        ("one\ntwo\n", 6, "two\n"),
        ("one\ntwo\n", 4, "two\n"),
        ("one\ntwo\n", 3, "wo\n"),
        ("one\ntwo", 4, "two"),
        ("", 4, ""),
    ],
)
def test_the_end_of_a_log_begins_with_a_line(path: Path, text: str, most: int, end: str) -> None:
    path.write_text(text)
    assert end_of_log(path, most) == end
    assert near_end(path, most) == len(text) - len(end)


def test_a_reader_goes_on_behind_the_last_lines(path: Path) -> None:
    appended(path, "one\ntwo\nthree\nfo")
    lines, position = last_lines(path, 2)
    assert lines == ["two", "three"]
    reader = LogReader(path, position)
    appended(path, "ur\n")
    assert reader.more() == ["four"]


def test_logs_elsewhere_are_not_read(tmp_path: Path) -> None:
    root = tmp_path / "logs"
    root.mkdir()
    (root / "in.log").touch()
    (tmp_path / "out.log").touch()
    (root / "link.log").symlink_to(tmp_path / "out.log")
    assert confined_log(str(root / "in.log"), root) == root / "in.log"
    for elsewhere in ("../out.log", "link.log", ".", "none.log"):
        assert confined_log(str(root / elsewhere), root) is None
