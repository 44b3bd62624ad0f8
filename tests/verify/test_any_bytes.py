"""Whatever a file holds, `verify compare` reads it or refuses it in a line: never a traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autotuner.errors import AutotunerError
from autotuner.verify import compare_files, read_points

DATA = Path(__file__).parent / "data"
PREDICTED = read_points(DATA / "tools" / "predicted.csv")
SAMPLES = sorted(
    path
    for path in (*(DATA / "tools").rglob("*"), *(DATA / "genai-bench").glob("*.json"))
    if path.is_file() and path.suffix in (".json", ".jsonl", ".csv")
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.just(10**400),
    st.floats(),
    st.sampled_from(["", "x", "1e999", "nan", "inf", "-1"]),
    st.just([]),
    st.just({}),
    st.just([{"a": 1}]),
)
hostile = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)


def is_read_or_refused(path: Path) -> None:
    try:
        found = read_points(path)
        compare_files(PREDICTED, found)
    except AutotunerError as error:
        assert error.message
        assert "\n" not in error.message.partition("\n  ")[0]


@given(content=st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode)))
@hostile
def test_any_bytes_are_read_or_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "any"
    path.write_bytes(content)
    is_read_or_refused(path)


@given(data=st.data())
@hostile
def test_results_with_bytes_changed_are_read_or_refused(
    data: st.DataObject, tmp_path: Path
) -> None:
    sample = data.draw(st.sampled_from(SAMPLES))
    content = bytearray(sample.read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.sampled_from(b'\0"{}[],:-.019eNx\xff\n'))
    path = tmp_path / f"changed{sample.suffix}"
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))] or content))
    is_read_or_refused(path)


def changed(value: Any, draw: Any, depth: int = 0) -> Any:
    """The document with one value, at any depth, replaced or taken out."""
    inner = list(value) if isinstance(value, dict) else range(len(value)) if value else []
    if not inner or (depth and draw(st.integers(0, 3)) == 0):
        return draw(SCALARS)
    key = draw(st.sampled_from(list(inner)))
    copy = dict(value) if isinstance(value, dict) else list(value)
    if isinstance(value[key], dict | list):
        copy[key] = changed(value[key], draw, depth + 1)
    elif isinstance(copy, dict) and draw(st.booleans()):
        del copy[key]
    else:
        copy[key] = draw(SCALARS)
    return copy


@given(data=st.data())
@hostile
def test_results_with_values_of_other_kinds_are_read_or_refused(
    data: st.DataObject, tmp_path: Path
) -> None:
    sample = data.draw(st.sampled_from([path for path in SAMPLES if path.suffix == ".json"]))
    document = json.loads(sample.read_text("utf-8"))
    for _ in range(data.draw(st.integers(1, 3))):
        if isinstance(document, dict | list):
            document = changed(document, data.draw)
    path = tmp_path / sample.name
    path.write_text(json.dumps(document), encoding="utf-8")
    is_read_or_refused(path)
