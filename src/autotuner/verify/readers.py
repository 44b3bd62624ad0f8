"""A file or folder of operating points: which format it has, and what it says."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autotuner.errors import VerifyError
from autotuner.verify import aiconfigurator_reader, autotuner_reader, csv_reader
from autotuner.verify.files import CSV_REMEDY, Opened, TextTable, open_file, read_table
from autotuner.verify.points import Excluded, Point, PointFile
from autotuner.verify.tools import TOOLS, Tool, genai_bench


@dataclass(frozen=True)
class Format:
    """A format that is read.

    Attributes:
        about: what such a file is, for people.
        predicted: whether its figures are predictions, and nothing was measured.
    """

    about: str
    predicted: bool = False


FORMATS: Mapping[str, Format] = {
    autotuner_reader.RUN: Format("what `autotuner show --json` or `tune --json` prints"),
    autotuner_reader.PREDICTIONS: Format("what `autotuner predict --json` prints", predicted=True),
    aiconfigurator_reader.FORMAT: Format(
        "what `aiconfigurator cli … --save-dir` leaves, or a CSV of it", predicted=True
    ),
    genai_bench.FORMAT: Format("genai-bench's result folder, or a result file of it"),
    csv_reader.FORMAT: Format("CSV with units in the names of its columns"),
    **{tool.name: Format(tool.about, tool.predicted) for tool in TOOLS},
}
"""By name."""
_PREDICTED_COLUMN = "kind of data"
"""Only the CSV of predictions has it."""
_JSON_MARKS = {
    "experiments": autotuner_reader.RUN,
    "predictions": autotuner_reader.PREDICTIONS,
    "aggregated_metrics": genai_bench.FORMAT,
}
_REMEDY = f"give its format, one of {', '.join(FORMATS)}"
_UNKNOWN_REMEDY = f"{_REMEDY}; or {CSV_REMEDY}"
_BY_NAME: Mapping[str, Tool] = {tool.name: tool for tool in TOOLS}
_OF_FOLDERS = (aiconfigurator_reader.FORMAT, genai_bench.FORMAT, *_BY_NAME)
_MOST_FILES = 10_000
_SHOWN_KEYS = 6
_KNOWN_OTHERS: tuple[tuple[Callable[[Mapping[str, Any]], bool], str], ...] = (
    (lambda row: "log_history" in row, "the state of a training"),
    (lambda row: "results" in row and "versions" in row, "a result of lm-evaluation-harness"),
    (lambda row: "architectures" in row, "the configuration of a model"),
    (lambda row: "traceEvents" in row, "a trace of a profiler"),
    (lambda row: "records" in row and "scores" in row, "genai-perf's"),
)
"""Formats that are not read, and can be named all the same."""


def read_points(path: Path, format_name: str | None = None) -> PointFile:
    """The points of `path`, in the format given or else detected.

    Raises:
        VerifyError: it is not there, cannot be read, or has no format that is known.
    """
    _check_place(path)
    if format_name is not None and format_name not in FORMATS:
        raise VerifyError(f"there is no format {format_name!r}", remedy=_REMEDY)
    if path.is_dir():
        return _read_folder(path, format_name or _format_of_folder(path))
    opened = open_file(path)
    name = format_name or _format_of(opened)
    tool = _BY_NAME.get(name)
    if tool is None:
        return _OWN[name](opened)
    objects = opened.objects or tuple(_table(opened).objects())
    return _points_of(tool, objects, path, opened.excluded)


def is_predicted(file: PointFile) -> bool:
    """Whether a file holds predictions. Of most CSVs nobody knows; they are taken as measured."""
    return FORMATS[file.format].predicted or _PREDICTED_COLUMN in file.not_used


def detect_format(path: Path) -> str:
    """The format by what is inside, whatever the name.

    Raises:
        VerifyError: none is recognised.
    """
    _check_place(path)
    return _format_of_folder(path) if path.is_dir() else _format_of(open_file(path))


def _check_place(path: Path) -> None:
    try:
        there = path.exists()
    except (OSError, ValueError) as error:
        raise VerifyError(f"{str(path)[:200]!r} is no path: {error}") from None
    if not there:
        raise VerifyError(f"there is no file or folder {path}")


def _format_of(opened: Opened) -> str:
    if opened.objects:
        return _format_of_objects(opened)
    path, text = opened.path, opened.text
    if path.suffix in (".yaml", ".yml"):
        raise VerifyError(f"{path} is a task and holds no predictions")
    if text.lstrip().startswith("<"):
        raise VerifyError(f"{path} is a web page or XML", remedy=CSV_REMEDY)
    table = _table(opened)
    if aiconfigurator_reader.MARK in table.header:
        return aiconfigurator_reader.FORMAT
    if csv_reader.is_ours(table.header):
        return csv_reader.FORMAT
    rows = [row for _, row in itertools.islice(table.objects(), 1)]
    tool = next((tool for tool in TOOLS if rows and tool.recognises(rows[0])), None)
    if tool is not None:
        return tool.name
    if csv_reader.knows_any(table.header):
        return csv_reader.FORMAT
    raise VerifyError(_no_table(path, table), remedy=_UNKNOWN_REMEDY)


def _format_of_objects(opened: Opened) -> str:
    first = opened.objects[0][1]
    if not (opened.is_lines or opened.is_list):
        for mark, name in _JSON_MARKS.items():
            if mark in first:
                return name
    for _, row in opened.objects:
        tool = _tool_of(row)
        if tool is not None:
            return tool.name
    kind = "JSON Lines" if opened.is_lines else "a JSON list" if opened.is_list else "JSON"
    known = next((what for is_it, what in _KNOWN_OTHERS if is_it(first)), None)
    keys = ", ".join(list(map(str, first))[:_SHOWN_KEYS]) or "none"
    content = known or f"no format that is known; its keys: {keys[:200]}"
    raise VerifyError(f"{opened.path} is {kind} of {content}", remedy=_UNKNOWN_REMEDY)


def _tool_of(row: Mapping[str, Any]) -> Tool | None:
    return next((tool for tool in TOOLS if _recognises(tool, row)), None)


def _recognises(tool: Tool, row: Mapping[str, Any]) -> bool:
    try:
        return tool.recognises(row)
    except (TypeError, AttributeError):
        # A key holds something that the tool never writes.
        return False


def _no_table(path: Path, table: TextTable) -> str:
    first = table.header[0] if table.header else ""
    if first in ("Metric", "metric"):
        return (
            f"{path} is AIPerf's CSV, which does not say how many requests were in flight; give "
            "the profile_export_aiperf.json beside it"
        )
    if "INSERT INTO" in first or first.startswith("CREATE TABLE"):
        return f"{path} is SQL; give what `llama-bench -o json` prints"
    if first.startswith("|"):
        return f"{path} is a table in Markdown; give what the tool prints as JSON or CSV"
    shown = ", ".join(table.header)[:80]
    return f"{path} is text of no format that is known; it begins with {shown!r}"


def _table(opened: Opened) -> TextTable:
    try:
        return read_table(opened.text)
    except ValueError as error:
        raise VerifyError(f"{opened.path} is no CSV: {error}") from None


def _points_of(
    tool: Tool,
    objects: Iterable[tuple[str, Mapping[str, Any]]],
    path: Path,
    excluded: Iterable[Excluded] = (),
) -> PointFile:
    """The points of a tool's objects; what cannot be used of them is listed with the reason."""
    points: list[Point] = []
    left = list(excluded)
    rows = []
    for source, row in objects:
        if not _recognises(tool, row):
            left.append(Excluded(source, f"no result of {tool.name}"))
        elif tool.inner is not None:
            rows += [(f"{source} {where}".strip(), one) for where, one in tool.inner(row)]
        else:
            rows.append((source, row))
    if tool.together is not None and rows:
        try:
            for found in tool.together(rows):
                if isinstance(found, Point):
                    points.append(replace(found, source=found.source or rows[0][0]))
                else:
                    left.append(found)
        except _FAULTS as error:
            left.append(Excluded(rows[0][0] or path.name, _why(error)))
    for source, row in rows if tool.together is None else ():
        try:
            points.append(replace(tool.point(row), source=source or path.name))
        except _FAULTS as error:
            left.append(Excluded(source or path.name, _why(error)))
    if not points:
        why = f": {left[0].source}: {left[0].why}" if left else ""
        raise VerifyError(f"{path} is {tool.about}, and nothing of it can be used{why}")
    return PointFile(str(path), tool.name, tuple(points), tuple(left), notes=tool.notes)


_FAULTS = (ValueError, TypeError, KeyError, AttributeError, IndexError, ArithmeticError)
"""Errors that an object of another shape than its tool writes leads to."""


def _why(error: Exception) -> str:
    if isinstance(error, ValueError):
        return str(error)[:300]
    return f"it is not as the tool writes it ({type(error).__name__}: {str(error)[:100]})"


def _format_of_folder(path: Path) -> str:
    files = _files(path)
    if any(file.match(genai_bench.RESULTS) for file in files):
        return genai_bench.FORMAT
    names = {file.name for file in files}
    if names & {*aiconfigurator_reader.RESULTS, "generator_config.yaml"}:
        return aiconfigurator_reader.FORMAT
    found = {tool.name for file in files if (tool := _tool_of_file(file)) is not None}
    if len(found) == 1:
        return found.pop()
    if found == {"aiperf", "aiperf-records"}:
        return "aiperf"
    if found:
        raise VerifyError(
            f"{path} holds results of several tools: {', '.join(sorted(found))}",
            remedy="give a folder or a file of one of them",
        )
    shown = ", ".join(sorted(names)[:_SHOWN_KEYS])
    content = f"it holds {shown[:200]}" if names else "it is empty"
    raise VerifyError(
        f"{path} is a folder without results that are known: {content}", remedy=_REMEDY
    )


def _tool_of_file(file: Path) -> Tool | None:
    """The tool that wrote a JSON file; None where none did, or it cannot be read."""
    if not any(file.match(pattern) for pattern in ("*.json", "*.jsonl", "*.json.gz", "*.jsonl.gz")):
        return None
    try:
        opened = open_file(file)
    except VerifyError:
        # A file beside the results.
        return None
    return next((tool for _, row in opened.objects if (tool := _tool_of(row))), None)


def _read_folder(path: Path, name: str) -> PointFile:
    if name not in _OF_FOLDERS:
        raise VerifyError(f"{path} is a folder; {name} is a file", remedy="give the file")
    if name in _FOLDERS:
        return _FOLDERS[name](path)
    tool, files = _BY_NAME[name], _files(path)
    objects: list[tuple[str, Mapping[str, Any]]] = []
    excluded: list[Excluded] = []
    for pattern in tool.files:
        for file in (file for file in files if file.match(pattern)):
            where = str(file.relative_to(path))
            try:
                opened = open_file(file)
            except VerifyError as error:
                excluded.append(Excluded(where, error.message))
                continue
            found = [(place, row) for place, row in opened.objects if _recognises(tool, row)]
            objects += [(f"{where} {place}".strip(), row) for place, row in found]
            excluded += [Excluded(f"{where} {one.source}", one.why) for one in opened.excluded]
        if objects:
            break
    if not objects:
        raise VerifyError(f"{path} holds no result of {name} ({', '.join(tool.files)})")
    return _points_of(tool, objects, path, excluded)


def _files(path: Path) -> list[Path]:
    try:
        return sorted(f for f in itertools.islice(path.rglob("*"), _MOST_FILES) if f.is_file())
    except OSError as error:
        raise VerifyError(f"{path} cannot be read: {error.strerror}") from None


def _one(opened: Opened) -> Mapping[str, Any]:
    if len(opened.objects) != 1 or opened.is_lines or opened.is_list:
        raise VerifyError(f"{opened.path} holds no JSON object")
    return opened.objects[0][1]


_OWN: dict[str, Callable[[Opened], PointFile]] = {
    autotuner_reader.RUN: lambda file: autotuner_reader.read_run(_one(file), file.path),
    autotuner_reader.PREDICTIONS: lambda f: autotuner_reader.read_predictions(_one(f), f.path),
    aiconfigurator_reader.FORMAT: lambda file: aiconfigurator_reader.read_points(file.path),
    genai_bench.FORMAT: lambda file: genai_bench.read_genai_bench(file.path),
    csv_reader.FORMAT: lambda file: csv_reader.read_csv(file.path, file.text),
}
_FOLDERS: dict[str, Callable[[Path], PointFile]] = {
    aiconfigurator_reader.FORMAT: aiconfigurator_reader.read_points,
    genai_bench.FORMAT: genai_bench.read_genai_bench,
}
