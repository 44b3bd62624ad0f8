"""A file or folder of operating points: which format it has, and what it says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from autotuner.errors import VerifyError
from autotuner.verify import aiconfigurator_reader, autotuner_reader, csv_reader, genai_bench_reader
from autotuner.verify.points import PointFile

FORMATS: dict[str, str] = {
    autotuner_reader.RUN: "what `autotuner show --json` or `tune --json` prints",
    autotuner_reader.PREDICTIONS: "what `autotuner predict --json` prints",
    aiconfigurator_reader.FORMAT: "what `aiconfigurator cli … --save-dir` leaves, or a CSV of it",
    genai_bench_reader.FORMAT: "genai-bench's result folder, or a result file of it",
    csv_reader.FORMAT: "CSV with units in the names of its columns",
}
"""Format -> what it is."""
_JSON_MARKS = {
    "experiments": autotuner_reader.RUN,
    "predictions": autotuner_reader.PREDICTIONS,
    "aggregated_metrics": genai_bench_reader.FORMAT,
}
_REMEDY = f"formats: {', '.join(FORMATS)}; name one with --predicted-format or --actual-format"


def read_points(path: Path, format_name: str | None = None) -> PointFile:
    """What `path` says, in the format given or else detected.

    Raises:
        VerifyError: it is not there, cannot be read, or has no format that is known.
    """
    if not path.exists():
        raise VerifyError(f"there is no file or folder {path}")
    if format_name is not None and format_name not in FORMATS:
        raise VerifyError(f"there is no format {format_name!r}", remedy=_REMEDY)
    return _READERS[format_name or detect_format(path)](path)


def detect_format(path: Path) -> str:
    """The format by what is inside, whatever the name.

    Raises:
        VerifyError: none is recognised.
    """
    if path.is_dir():
        if any(path.rglob(genai_bench_reader.RESULTS)):
            return genai_bench_reader.FORMAT
        return aiconfigurator_reader.FORMAT
    text = _text(path)
    if text.lstrip().startswith("{"):
        document = _json(path)
        for mark, name in _JSON_MARKS.items():
            if mark in document:
                return name
        raise VerifyError(f"{path} is JSON of no format that is known", remedy=_REMEDY)
    if path.suffix in (".yaml", ".yml"):
        raise VerifyError(f"{path} is a task and holds no predictions")
    header = text.partition("\n")[0]
    is_theirs = aiconfigurator_reader.MARK in header.split(",")
    return aiconfigurator_reader.FORMAT if is_theirs else csv_reader.FORMAT


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise VerifyError(f"{path} is not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise VerifyError(f"{path} cannot be read: {error.strerror}") from None


def _json(path: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise VerifyError(
            f"{path} is broken JSON at line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None
    if not isinstance(document, dict):
        raise VerifyError(f"{path} holds no JSON object")
    return document


_READERS: dict[str, Callable[[Path], PointFile]] = {
    autotuner_reader.RUN: lambda path: autotuner_reader.read_run(_json(path), path),
    autotuner_reader.PREDICTIONS: lambda path: autotuner_reader.read_predictions(_json(path), path),
    aiconfigurator_reader.FORMAT: aiconfigurator_reader.read_points,
    genai_bench_reader.FORMAT: genai_bench_reader.read_genai_bench,
    csv_reader.FORMAT: lambda path: csv_reader.read_csv(path, _text(path)),
}
