"""Rendered command lines, given to the engines' own parsers: what they read is what was written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from candidates import MODELS, SETTINGS, arguments, expressible, reported
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
PYTHONS = {
    "vllm": Path(sys.prefix) / "engines" / "vllm" / "bin" / "python",
    "sglang": Path(sys.prefix) / "parsers" / "sglang" / "bin" / "python",
}


def parsed(engine: str, lines: list[list[str]]) -> list[dict[str, Any]]:
    done = subprocess.run(
        [PYTHONS[engine], ROOT / "scripts" / "parse_flags.py", engine],
        input=json.dumps(lines),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: list[dict[str, Any]] = json.loads(done.stdout[done.stdout.index("[{") :])
    return found


def same(written: Any, read: Any) -> bool:
    if isinstance(written, dict):
        document = json.loads(read) if isinstance(read, str) else read
        return all(same(value, document[key]) for key, value in written.items())
    if isinstance(written, bool) or written is None:
        return bool(read) == bool(written)
    try:
        return float(written) == float(read)
    except (TypeError, ValueError):
        return str(written).lower() in (
            str(read).lower(),
            *map(str.lower, map(str, [*read] if isinstance(read, list) else [])),
        )


@pytest.mark.slow
@pytest.mark.parametrize("engine", PYTHONS)
def test_the_engine_reads_what_the_candidate_has(engine: str) -> None:
    lines: list[list[str]] = []
    flags: list[dict[str, Any]] = []

    @settings(max_examples=300, database=None)
    @given(SETTINGS, st.sampled_from(MODELS))
    def collect(chosen: dict[str, Any], name: str) -> None:
        spec = expressible(engine, chosen, name)[1]
        lines.append(arguments(spec))
        flags.append(reported(spec))

    collect()
    for line, written, read in zip(lines, flags, parsed(engine, lines), strict=True):
        assert "refused" not in read, (line, read)
        for flag, value in written.items():
            name = flag.removeprefix("--").replace("-", "_")
            wanted = value
            if name.startswith("no_"):
                name, wanted = name.removeprefix("no_"), False
            assert same(wanted, read[name]), (flag, value, read[name])
