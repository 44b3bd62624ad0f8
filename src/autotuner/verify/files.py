"""Files of other programs, read as JSON objects or as a table, whatever their names say.

Text may be compressed with gzip, in UTF-8 or UTF-16, with or without a mark; JSON may be one
object, a list, or an object on each line.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotuner.errors import VerifyError
from autotuner.verify.points import Excluded

CSV_REMEDY = (
    "write a CSV with the columns concurrency, ttft_ms, tpot_ms, tok_s, and isl, osl, gpus, model, "
    "engine where they are known (docs/verification.md)"
)
_MOST_BYTES = 1 << 30
_GZIP = b"\x1f\x8b"
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BINARY = (
    (b"PK\x03\x04", "an Excel workbook or a ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"),
    (b"GGUF", "a model"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ", "compressed with xz"),
)


@dataclass(frozen=True)
class Opened:
    """The content of a file: objects, or else text that is no JSON.

    Attributes:
        objects: each with where it stands (`line 3`, `[2]`, or "").
        excluded: lines that are no JSON object.
        is_lines: an object on each line. is_list: a list of objects.
    """

    path: Path
    text: str
    objects: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    excluded: tuple[Excluded, ...] = ()
    is_lines: bool = False
    is_list: bool = False


def open_file(path: Path) -> Opened:
    """Reads the file at `path`.

    Raises:
        VerifyError: it cannot be read, is empty, no text, or broken JSON.
    """
    text = _text(path)
    start = text.lstrip()
    if not start:
        raise VerifyError(f"{path} is empty")
    if start[0] not in "{[":
        return Opened(path, text)
    try:
        document = _loaded(text)
    except (ValueError, RecursionError) as error:
        lines = _lines(path, text)
        if lines is None:
            raise VerifyError(f"{path} is broken JSON{_place(error)}") from None
        return lines
    if isinstance(document, list):
        return _list(path, text, document)
    return Opened(path, text, (("", document),))


def _loaded(text: str) -> Any:
    """The document that a text is.

    Raises:
        ValueError, RecursionError: it is no JSON, or holds half a character, which nothing can
            print or store.
    """
    document = json.loads(text)
    if _SURROGATE.search(text) is not None:
        try:
            json.dumps(document, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("half of a character that takes two (a lone surrogate)") from None
    return document


def _list(path: Path, text: str, document: list[Any]) -> Opened:
    objects = [(f"[{i}]", row) for i, row in enumerate(document) if isinstance(row, dict)]
    if not objects:
        held = type(document[0]).__name__ if document else "nothing"
        raise VerifyError(f"{path} is a JSON list of {held}, and no results", remedy=CSV_REMEDY)
    excluded = tuple(
        Excluded(f"[{i}]", "no JSON object") for i, row in enumerate(document)
        if not isinstance(row, dict)
    )  # fmt: skip
    return Opened(path, text, tuple(objects), excluded, is_list=True)


def _lines(path: Path, text: str) -> Opened | None:
    """An object on each line; None where the first line holds none."""
    objects: list[tuple[str, Mapping[str, Any]]] = []
    excluded: list[Excluded] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            found = _loaded(line)
        except (ValueError, RecursionError) as error:
            excluded.append(Excluded(f"line {number}", f"broken JSON{_place(error)}"))
        else:
            if isinstance(found, dict):
                objects.append((f"line {number}", found))
            else:
                excluded.append(Excluded(f"line {number}", "no JSON object"))
        if not objects and excluded:
            return None
    return Opened(path, text, tuple(objects), tuple(excluded), is_lines=True)


def _place(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f" at line {error.lineno}, column {error.colno}: {error.msg}"
    return ": too many levels" if isinstance(error, RecursionError) else f": {str(error)[:100]}"


def _text(path: Path) -> str:
    data = _bytes(path)
    for magic, what in _BINARY:
        if data.startswith(magic):
            raise VerifyError(f"{path} is {what}, and no result that is read", remedy=CSV_REMEDY)
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    if encoding is None and b"\0" in data[:64]:
        # Without a mark, UTF-16 of plain letters has a zero in every other byte.
        encoding = "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
        if data[:64].count(0) < len(data[:64]) // 3:
            raise VerifyError(f"{path} is no text", remedy=CSV_REMEDY)
    try:
        text = data.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        raise VerifyError(
            f"{path} is not UTF-8 text (byte {error.start})", remedy="save it as UTF-8"
        ) from None
    if "\0" in text:
        raise VerifyError(f"{path} is no text", remedy=CSV_REMEDY)
    return text


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise VerifyError(f"{path} is larger than {_MOST_BYTES >> 30} GiB")
        data = path.read_bytes()
    except OSError as error:
        raise VerifyError(f"{path} cannot be read: {error.strerror or error}") from None
    return unpacked(data, str(path))


def unpacked(data: bytes, name: str, most_bytes: int = _MOST_BYTES) -> bytes:
    """The content of a file that may be compressed with gzip.

    Raises:
        VerifyError: it is damaged, or unpacks to more than `most_bytes`.
    """
    if not data.startswith(_GZIP):
        return data
    try:
        found = gzip.GzipFile(fileobj=io.BytesIO(data)).read(most_bytes + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise VerifyError(f"{name} is a damaged gzip file: {error}") from None
    if len(found) > most_bytes:
        raise VerifyError(f"{name} unpacks to more than {most_bytes >> 20} MiB")
    return found


_DELIMITERS = (",", ";", "\t")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_MOST_CELL = 10 << 20


@dataclass(frozen=True)
class TextTable:
    """A header and its lines.

    Attributes:
        rows: number of the line, its cells.
        has_decimal_commas: whether commas were read as decimal points.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    delimiter: str
    has_decimal_commas: bool

    def objects(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Each line as an object, numbers as numbers, empty cells left out."""
        for line, cells in self.rows:
            pairs = zip(self.header, cells, strict=False)
            yield f"line {line}", {key: _value(cell) for key, cell in pairs if cell}


def read_table(text: str) -> TextTable:
    """The table that `text` is, its first line taken as the header.

    Raises:
        ValueError: a cell that has no end.
    """
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    csv.field_size_limit(_MOST_CELL)
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        header = tuple(name.strip() for name in next(lines, []))
        rows = [(lines.line_num, tuple(cell.strip() for cell in row)) for row in lines if row]
    except csv.Error as error:
        raise ValueError(str(error)) from None
    commas = delimiter != "," and any(
        _DECIMAL_COMMA.fullmatch(cell) for _, cells in rows for cell in cells
    )
    if commas:
        rows = [(line, tuple(map(_with_point, cells))) for line, cells in rows]
    return TextTable(header, tuple(rows), delimiter, commas)


def _with_point(cell: str) -> str:
    return cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell


def _value(cell: str) -> Any:
    if not _NUMBER.fullmatch(cell) or len(cell) > 300:
        return cell
    return int(cell) if cell.isdigit() else float(cell)
