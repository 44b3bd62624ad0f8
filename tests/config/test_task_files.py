"""Task files: YAML and JSON are read alike, and broken ones are refused with line and column."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from autotuner.config import (
    DocumentError,
    load_task,
    parse_document,
    parse_task,
)
from autotuner.errors import AutotunerError, ConfigError

MINIMAL: dict[str, Any] = {"version": 2, "name": "t", "model": {"id": "m"}}


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


MERGED = """
metadata:
  gpu: &gpu {backend: vllm, gpu_type: h100}
  length: &length {isl: 512, osl: 128}
version: 2
name: merged
model: {id: smollm2-135m}
runtime: {<<: *length, osl: 64}
system:
  <<: [*gpu, {total_gpus: 8}]
"""


def test_merge_keys_join_mappings_and_the_nearer_value_wins(tmp_path: Path) -> None:
    task = load_task(write(tmp_path / "t.yaml", MERGED))
    assert task.fixed()["runtime.isl"] == 512
    assert task.fixed()["runtime.osl"] == 64
    assert task.fixed()["system.backend"] == "vllm"
    assert task.fixed()["system.total_gpus"] == 8


LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)
MERGED_LAUGHS = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 10)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &a {x: 1}\nb: {<<: *a, <<: *a}\n", r"line 2, column 13: the key '<<' is given twice"),
        ("a: &a {x: 1}\nb: {<<: *a, y: 1, y: 2}\n", "line 2.*the key 'y' is given twice"),
        ("a: {<<: 3}\n", "line 1.*mapping"),
        ("a: {<<: *nothing}\n", "line 1.*nothing"),
        ("a: &a {b: *a}\n", "line 1.*contains itself"),
        ("a: &a {<<: *a}\n", "line 1.*contains itself"),
        (LAUGHS, "aliases.*more than 100,000 values"),
        (MERGED_LAUGHS, "aliases.*more than 100,000 values"),
        ("a: " + "1" * 5000, "digits"),
        ("a: 2024-13-45", "month"),
    ],
)
def test_yaml_that_is_no_document_is_shown(text: str, message: str) -> None:
    with pytest.raises(DocumentError, match=message):
        parse_document(text)


def test_broken_yaml_is_shown_with_line_and_column(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="line 2, column 8"):
        load_task(write(tmp_path / "t.yaml", "version: 2\nname: a: b\n"))


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'name' is given twice"):
        load_task(write(tmp_path / "t.yaml", "version: 2\nname: a\nname: b\n"))


def test_a_key_given_twice_in_json_is_refused(tmp_path: Path) -> None:
    text = json.dumps(MINIMAL)[:-1] + ', "parallel": {"tp": 1, "tp": 8}}'
    with pytest.raises(ConfigError, match=r"'tp' is given twice"):
        load_task(write(tmp_path / "t.json", text))


def test_broken_json_is_shown_with_line_and_column(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="line 1, column"):
        load_task(write(tmp_path / "t.json", '{"version": 2,'))


@pytest.mark.parametrize("content", ["", "- 1", "3"])
def test_what_is_no_mapping_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(ConfigError, match="mapping"):
        load_task(write(tmp_path / "t.yaml", content))


def test_a_missing_or_binary_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AutotunerError, match="no file"):
        load_task(tmp_path / "none.yaml")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AutotunerError, match="UTF-8"):
        load_task(tmp_path / "b.yaml")


def test_yaml_and_json_mean_the_same(tmp_path: Path) -> None:
    document = MINIMAL | {"misc": {"threads": [1, 2]}, "benchmark": {"workload": "N(9,1)/(8,2)"}}
    one = load_task(write(tmp_path / "t.yaml", yaml.safe_dump(document)))
    two = load_task(write(tmp_path / "t.json", json.dumps(document)))
    assert one == two
    assert parse_task(one.written()) == one
