"""CSV with one operating point a line. The header names every column, units included.

| columns | meaning |
| --- | --- |
| `concurrency` | requests in flight, over the whole deployment; needed |
| `ttft_ms` or `ttft_s` | mean time to first token |
| `tpot_ms` or `tpot_s` | mean time per output token without the first |
| `tpot_with_first_ms` or `…_s`, `e2e_ms` or `e2e_s` | where TPOT without the first is not given |
| `tok_s` or `tok_s_per_gpu` | output tokens/s of the deployment, or that over its GPUs |
| `gpus`, `isl`, `osl` | GPUs of the deployment; mean tokens of a request |
| `model`, `engine`, `engine_version`, `system`, `candidate`, `tool` | names |
| `group.field`, or a short name such as `tp` | a setting |

One quantity in two units is an error, since a reader could not tell which to believe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from autotuner.config import GROUPS, Candidate, LoadLevel, nearest
from autotuner.config.fault_words import problems_of
from autotuner.errors import VerifyError
from autotuner.verify.files import read_table
from autotuner.verify.points import (
    FIGURES,
    Excluded,
    Point,
    PointFile,
    figure,
    occupied,
    tpot_from_e2e_ms,
    tpot_without_first_ms,
    whole,
)

FORMAT = "csv"
_NAMES = ("model", "engine", "engine_version", "system", "candidate", "tool")
_COUNTS = ("concurrency", "gpus", "isl", "osl")
_BARE = ("ttft", "tpot", "tpot_with_first", "e2e", "throughput")
_NOTE = "note"
_TITLES = {
    "ttft (ms)": "ttft_ms",
    "tpot (ms)": "tpot_ms",
    "e2e latency (ms)": "e2e_ms",
    "throughput (output tok/s)": "tok_s",
    "throughput per device (output tok/s)": "tok_s_per_gpu",
}
"""Heads of the columns that `autotuner predict --csv` writes -> their names here."""
_UNITS_REMEDY = "write the unit into the column's name: ttft_ms or ttft_s, tok_s or tok_s_per_gpu"


def setting_paths() -> dict[str, str]:
    """A column's name -> the setting it holds: `group.field`, and every short name."""
    full = {f"{g}.{f}": f"{g}.{f}" for g, model in GROUPS.items() for f in model.model_fields}
    short = {a: f"{g}.{f}" for g, model in GROUPS.items() for a, f in model.ALIASES.items()}
    return full | short


def is_ours(header: Sequence[str]) -> bool:
    """Whether its load stands under the name that is read here."""
    return "concurrency" in header


def knows_any(header: Sequence[str]) -> bool:
    """Whether any of its columns has a name that is read here."""
    known = {*_NAMES, *_COUNTS, *_BARE, *FIGURES, *setting_paths()}
    return any(name in known for name in header)


def read_csv(path: Path, text: str) -> PointFile:
    """Every usable line; a line with a value that cannot be is listed with the reason.

    Raises:
        VerifyError: the header is not this one, or no line can be used.
    """
    table = read_table(text.removeprefix("\ufeff"))
    header = [_TITLES.get(name, name) for name in table.header]
    _check(header, path)
    paths = setting_paths()
    points: list[Point] = []
    excluded: list[Excluded] = []
    for line, cells in table.rows:
        source = f"line {line}"
        try:
            if len(cells) != len(header):
                raise ValueError(f"it has {len(cells)} fields, and the header {len(header)}")
            row = dict(zip(header, cells, strict=True))
            points.append(_point({k: v for k, v in row.items() if v}, paths, source))
        except ValueError as error:
            excluded.append(Excluded(source, str(error)))
    if not points:
        why = f": {excluded[0].source}: {excluded[0].why}" if excluded else " below its header"
        raise VerifyError(f"{path} has no line that can be used{why}")
    known = {*_NAMES, *_COUNTS, *FIGURES, *paths, _NOTE}
    unused = {name: "not a column that is read" for name in header if name not in known}
    notes = ("decimal commas were read as points",) if table.has_decimal_commas else ()
    return PointFile(str(path), FORMAT, tuple(points), tuple(excluded), unused, notes)


def _check(header: list[str], path: Path) -> None:
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise VerifyError(f"{path}: the column {twice[0]} is there twice", remedy="keep one")
    bare = [name for name in header if name in _BARE]
    if bare:
        raise VerifyError(f"{path}: the column {bare[0]} says no unit", remedy=_UNITS_REMEDY)
    by_quantity: dict[str, list[str]] = {}
    for name in header:
        if name in FIGURES:
            by_quantity.setdefault(FIGURES[name][0], []).append(name)
    for names in by_quantity.values():
        if len(names) > 1:
            raise VerifyError(
                f"{path}: the columns {names[0]} and {names[1]} say one quantity in two units",
                remedy="keep one of them",
            )
    if "concurrency" not in header:
        raise VerifyError(f"{path}: the column concurrency is missing", remedy="add it")
    if not by_quantity:
        raise VerifyError(f"{path} has no column with a figure", remedy=_UNITS_REMEDY)


def _point(row: Mapping[str, str], paths: Mapping[str, str], source: str) -> Point:
    figures = {name: figure(name, text) for name, text in row.items() if name in FIGURES}
    if not figures:
        raise ValueError("it has no figure")
    if "concurrency" not in row:
        raise ValueError("the concurrency is missing")
    values = {FIGURES[name][0]: value * FIGURES[name][1] for name, value in figures.items()}
    settings = _settings({paths[name]: text for name, text in row.items() if name in paths})
    gpus = whole("gpus", row["gpus"]) if "gpus" in row else occupied(settings)
    names: dict[str, Any] = {name: row[name] for name in _NAMES if name in row}
    for name, path in (("engine", "system.backend"), ("system", "system.gpu_type")):
        if name not in names and settings.get(path) is not None:
            names[name] = str(settings[path])
    osl = figure("osl", row["osl"]) if "osl" in row else settings.get("runtime.osl")
    return Point(
        load=LoadLevel.concurrency(whole("concurrency", row["concurrency"])),
        ttft_ms=values.get("ttft_ms"),
        tpot_ms=_tpot_ms(values, osl),
        tok_s=_tok_s(values, gpus),
        gpus=gpus,
        settings=settings,
        isl=figure("isl", row["isl"]) if "isl" in row else settings.get("runtime.isl"),
        osl=osl,
        tpot_as="with_first" if "tpot_with_first_ms" in values else "without_first",
        source=source,
        originals=dict(row),
        remarks=(row[_NOTE],) if _NOTE in row else (),
        **names,
    )


def _tpot_ms(values: Mapping[str, float], osl: float | None) -> float | None:
    """TPOT without the first token, from whatever the line says of it."""
    if "tpot_ms" in values:
        return values["tpot_ms"]
    if osl == 1:
        return None
    for name, without in (
        ("tpot_with_first_ms", tpot_without_first_ms),
        ("e2e_ms", tpot_from_e2e_ms),
    ):
        if name in values:
            if "ttft_ms" not in values or osl is None:
                raise ValueError(f"{name} needs ttft and osl beside it")
            return without(values[name], values["ttft_ms"], osl)
    return None


def _tok_s(values: Mapping[str, float], gpus: int | None) -> float | None:
    if "tok_s" in values or "tok_s_per_gpu" not in values:
        return values.get("tok_s")
    if gpus is None:
        raise ValueError("tok_s_per_gpu needs gpus, or parallel widths, beside it")
    return values["tok_s_per_gpu"] * gpus


def _settings(texts: Mapping[str, str]) -> dict[str, Any]:
    try:
        return Candidate.from_settings(
            {path: yaml.safe_load(text) for path, text in texts.items()}
        ).settings()
    except ValidationError as error:
        raise ValueError(str(problems_of(error)[0])) from None
    except yaml.YAMLError:
        raise ValueError(f"a setting cannot be read: {', '.join(texts.values())}") from None


_TEXTS = ("model", "engine", "engine_version", "system", "candidate", "layout")
_NUMBERS = {"isl": figure, "osl": figure, "gpus": whole}


def stated(file: PointFile, option: str, texts: Sequence[str]) -> PointFile:
    """The file's points with what the user states of them in place of what the file says.

    Args:
        option: the option that the texts come from, for errors.
        texts: `FIELD=VALUE`; a field is one of a point's names or lengths, or a setting.

    Raises:
        VerifyError: an unknown field, or a value that it cannot have.
    """
    paths = setting_paths()
    known = (*_TEXTS, *_NUMBERS, *paths)
    names: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    for name, text in named_values(option, texts, known):
        if name in paths:
            settings[paths[name]] = _value(option, name, text)
        else:
            names[name] = text if name in _TEXTS else number(option, name, text)
    if not texts:
        return file
    try:
        settings = Candidate.from_settings(settings).settings()
    except ValidationError as error:
        raise VerifyError(f"{option} {problems_of(error)[0]}") from None
    points = tuple(point.with_settings(settings, **names) for point in file.points)
    return replace(file, points=points, notes=(*file.notes, f"you say: {', '.join(texts)}"))


def named_values(option: str, texts: Sequence[str], known: Sequence[str]) -> list[tuple[str, str]]:
    """`NAME=VALUE` texts in two parts.

    Raises:
        VerifyError: a text without a value, or a name that is not among `known`.
    """
    found = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not value:
            raise VerifyError(f"{option} {text!r} says no value", remedy="write NAME=VALUE")
        if name not in known:
            raise VerifyError(f"{option} {name!r}: {nearest(name, list(known))}")
        found.append((name, value))
    return found


def number(option: str, name: str, text: str) -> float:
    """The number that an option's text is.

    Raises:
        VerifyError: it is none that the field can have.
    """
    try:
        return _NUMBERS.get(name, figure)(name, text)
    except ValueError as error:
        raise VerifyError(f"{option} {error}") from None


def _value(option: str, name: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise VerifyError(f"{option} {name}={text}: the value is no YAML") from None
