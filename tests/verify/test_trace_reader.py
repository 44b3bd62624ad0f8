"""Traces of requests in the formats of those who publish them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from autotuner.errors import VerifyError
from autotuner.verify.trace_reader import read_trace

AZURE = """TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 18:15:46.6805900,374,44
2023-11-16 18:15:50.9951690,396,109
2023-11-16 18:16:46.6805900,200,27
"""
BURST = """Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type
5,ChatGPT,472,18,490,Conversation log
45,ChatGPT,1087,230,1317,Conversation log
120,GPT-4,300,0,300,API log
"""
MOONCAKE = """{"timestamp": 0, "input_length": 6755, "output_length": 500, "hash_ids": [0, 1]}
{"timestamp": 27482, "input_length": 655, "output_length": 52, "hash_ids": [46, 47]}
"""
BAILIAN = """{"chat_id": 1, "timestamp": 0.5, "input_length": 10, "output_length": 4}
{"chat_id": 2, "timestamp": 2.0, "input_length": 30, "output_length": 8}
"""
PLAIN = "timestamp_ms,prompt_tokens,output_tokens\n0.0,512,128\n250,256,64\n"


def read(tmp_path: Path, text: str, name: str = "trace", **options: str) -> tuple[object, ...]:
    """Format, times since the first, and mean lengths."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    found = read_trace(path, **options)  # type: ignore[arg-type]
    since = [round(time_s - found.times_s[0], 4) for time_s in found.times_s]
    return found.format, since, found.isl, found.osl


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (AZURE, ("Azure LLM inference", [0, 4.3146, 60], pytest.approx(970 / 3), 60)),
        (BURST, ("BurstGPT", [0, 40, 115], pytest.approx(1859 / 3), 124)),
        (MOONCAKE, ("Mooncake", [0, 27.482], 3705, 276)),
        (BAILIAN, ("Alibaba Bailian", [0, 1.5], 20, 6)),
        (PLAIN, ("arrival times", [0, 0.25], 384, 96)),
        ("timestamp_s\n1\n3\n", ("arrival times", [0, 2], None, None)),
    ],
    ids=["azure", "burstgpt", "mooncake", "bailian", "plain", "times_alone"],
)
def test_a_format_is_known_by_its_names(
    text: str, expected: tuple[object, ...], tmp_path: Path
) -> None:
    assert read(tmp_path, text) == expected
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(("\ufeff" + text).encode()))
    assert read_trace(packed).format == expected[0]


def test_times_without_a_unit_ask_for_it(tmp_path: Path) -> None:
    text = '{"timestamp": 0, "input_length": 10}\n{"timestamp": 500, "input_length": 10}\n'
    with pytest.raises(VerifyError, match="seconds or milliseconds") as error:
        read(tmp_path, text)
    assert "--trace-unit" in (error.value.remedy or "")
    assert read(tmp_path, text, unit="ms")[1] == [0, 0.5]
    assert read(tmp_path, text, unit="s")[1] == [0, 500]
    dates = "timestamp\n2024-05-10 00:00:00.009930+00:00\n2024-05-10T00:00:01Z\n"
    assert read(tmp_path, dates)[1] == [0, 0.9901]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no requests"),
        ("\n\n", "no requests"),
        ("timestamp_s,isl\n", "no requests"),
        ("a,b\n1,2\n", "no column is the time of a request: a, b"),
        ('{"a": 1}\n', "no column is the time of a request: a"),
        ('{"timestamp_s": 1}\nnot json\n', "line 2: it is no JSON object"),
        ('{"timestamp_s": 1}\n[1]\n', "line 2: it is no JSON object"),
        ("timestamp_s\n1\nsoon\n", "line 3: timestamp_s: 'soon' is no time"),
        ("timestamp_s,isl\n1,2\n,3\n", "line 3: timestamp_s: there is no time"),
        ("timestamp_s\n1\nnan\n", "line 3: timestamp_s: 'nan' is no time"),
        ('{"timestamp_s": 1}\n{"timestamp_s": true}\n', "there is no time"),
    ],
)
def test_what_is_no_trace_says_where_and_why(text: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(VerifyError, match=why):
        read(tmp_path, text)


@pytest.mark.parametrize(
    "content",
    [
        b"\x00\xff\xfe\x80" * 8,
        gzip.compress(b"timestamp_s\n1\n", mtime=0)[:20],
        gzip.compress(b"timestamp_s\n1\n", mtime=0)[:10] + b"\xff" * 40,
    ],
    ids=["binary", "cut_off", "damaged"],
)
def test_a_file_that_is_no_text_is_an_error(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "binary"
    path.write_bytes(content)
    with pytest.raises(VerifyError):
        read_trace(path)
    with pytest.raises(VerifyError, match="cannot be read"):
        read_trace(tmp_path / "absent")
    with pytest.raises(VerifyError, match="cannot be read"):
        read_trace(tmp_path)
