"""Forms of files: formats, encodings, delimiters and folders that are read, and what is refused."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from tool_results import aiperf, lines, only, stored, vllm

from autotuner.errors import VerifyError
from autotuner.verify import read_points


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", b"", "is empty"),
        ("a.json", b"  \n", "is empty"),
        ("a.jsonl", b'{"a": 1}\n{"b": 2}\n', "is JSON Lines of no format that is known"),
        ("a.json", b'[{"a": 1}]', "is a JSON list of no format that is known"),
        ("a.json", b"[1, 2]", "is a JSON list of int"),
        ("a.json", b"[]", "is a JSON list of nothing"),
        ("a.json", b'{"architectures": ["X"]}', "is JSON of the configuration of a model"),
        ("a.json", b'{"a": ', "broken JSON at line 1"),
        ("a.xlsx", b"PK\x03\x04....", "an Excel workbook"),
        ("a.parquet", b"PAR1....", "a Parquet file"),
        ("a.bin", bytes(range(256)), "is no text|not UTF-8"),
        ("a.html", b"<html></html>", "a web page or XML"),
        ("a.txt", b"hello world\n", "text of no format that is known"),
        ("a.sql", b"CREATE TABLE IF NOT EXISTS llama_bench (\n", "is SQL"),
        ("a.md", b"| model | size | test | t/s |\n", "a table in Markdown"),
        ("a.gz", b"\x1f\x8b\x08\x00broken", "a damaged gzip file"),
    ],
)  # fmt: skip
def test_what_is_no_known_format_is_named_as_what_it_is(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(VerifyError, match=message):
        read_points(path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_are_read(encoding: str, tmp_path: Path) -> None:
    text = "concurrency,ttft_ms,tpot_ms\n1,100,9\n"
    for name, content in (("a.csv", text), ("a.json", json.dumps(vllm()))):
        path = tmp_path / name
        path.write_bytes(content.encode(encoding))
        assert read_points(path).points
    packed = tmp_path / "a.jsonl.gz"
    packed.write_bytes(gzip.compress(lines(vllm()).encode()))
    assert only(packed).ttft_ms == 120


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_semicolons_tabs_and_decimal_commas_are_read(delimiter: str, tmp_path: Path) -> None:
    text = "concurrency,ttft_ms,tpot_ms\n1,100.5,9.25\n"
    theirs = text.replace(",", delimiter).replace(".", ",")
    found = read_points(stored(tmp_path, theirs, "a.csv"))
    assert (found.points[0].ttft_ms, found.points[0].tpot_ms) == (100.5, 9.25)
    assert found.notes == ("decimal commas were read as points",)


def test_a_last_line_that_broke_off_is_left_out(tmp_path: Path) -> None:
    found = read_points(stored(tmp_path, lines(vllm()) + '{"date": "20', "a.jsonl"))
    assert (len(found.points), found.excluded[0].source) == (1, "line 2")


def test_folders_say_what_they_hold(tmp_path: Path) -> None:
    stored(tmp_path, "x", "notes.txt")
    with pytest.raises(VerifyError, match=r"without results that are known: it holds notes\.txt"):
        read_points(tmp_path)
    stored(tmp_path, vllm(), "a.json")
    assert only(tmp_path).tool == "vllm bench serve"
    stored(tmp_path, aiperf(), "b.json")
    with pytest.raises(VerifyError, match="several tools: aiperf, vllm-bench"):
        read_points(tmp_path)
    assert read_points(tmp_path, "aiperf").points
