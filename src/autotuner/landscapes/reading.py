"""Reads a landscape's CSV file, plain or gzipped."""

from __future__ import annotations

import csv
import io
import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autotuner.catalog import gpu_named
from autotuner.config import LoadKind, LoadLevel
from autotuner.errors import CatalogError, LandscapeError
from autotuner.landscapes.landscape import (
    Landscape,
    Named,
    PointMetrics,
    RecordedLaunch,
    RecordedLevel,
    read_cell,
    read_name,
)
from autotuner.landscapes.table_file import TableFile, read_table_file
from autotuner.predict import e2e_ms

Row = Mapping[str, str]

COLUMNS = (
    *("launch", "tp", "pp", "dp", "gpus"),
    *("true_status", "true_ttft_ms", "true_tpot_ms", "true_tok_s"),
    *("pred_status", "pred_ttft_ms", "pred_tpot_ms", "pred_tok_s"),
)
"""Columns that a landscape has to have beside the one of its load levels, named after their kind
(`concurrency` or `rate`); the others are read where they are there."""

SETTINGS: dict[str, tuple[str, type]] = {
    "tp": ("parallel.tensor_parallel", int),
    "pp": ("parallel.pipeline_parallel", int),
    "dp": ("parallel.data_parallel", int),
    "moe_tp": ("parallel.moe_tensor_parallel", int),
    "moe_ep": ("parallel.moe_expert_parallel", int),
    "gemm_quant": ("quantization.gemm_mode", str),
    "moe_quant": ("quantization.moe_mode", str),
    "kvcache_quant": ("quantization.kvcache_mode", str),
    "ctx_tokens": ("scheduling.max_num_batched_tokens", int),
}
"""Column -> the setting it holds; a column named `group.field` holds that one."""
UNSET = "auto"
"""In a column of `SETTINGS`: the engine's or the checkpoint's own value, as an empty cell."""

_OF_THE_TASK = ("model", "system", "isl", "osl")
_STATUSES = ("ok", "oom", "na", "failed")
_ENDINGS = (".csv.gz", ".csv")
_ASSUMED_TOKENS = 1024.0
_FEWEST_WITH_TPOT = 2.0
_LEAST, _MOST = 1e-6, 1e12
"""Figures outside are none that can be measured, and their products may not be finite."""


def read_landscape(path: Path) -> Landscape:
    """The landscape in the file at a path.

    Raises:
        LandscapeError: as `read_table_file` and `parsed_landscape` do.
    """
    return parsed_landscape(read_table_file(path))


def parsed_landscape(file: TableFile) -> Landscape:
    """The landscape in a file that was read.

    Raises:
        LandscapeError: it is no CSV, lacks a column, says a row twice, contradicts itself, has a
            figure that nothing can measure, or no row that succeeds.
    """
    path, rows = file.path, _rows(file)
    if not rows:
        raise LandscapeError(f"{path}: there is no row", remedy="export it again")
    missing = [name for name in COLUMNS if name not in rows[0]]
    if missing:
        raise LandscapeError(
            f"{path}: the column {', '.join(missing)} is missing",
            remedy=f"a landscape has the columns {', '.join(COLUMNS)}",
        )
    kind = _load_kind(path, rows[0])
    stem = next((path.name.removesuffix(e) for e in _ENDINGS if path.name.endswith(e)), path.name)
    named = read_name(stem)
    _check_one_task(path, rows)
    grouped: dict[str, list[tuple[int, Row]]] = {}
    for line, row in enumerate(rows, start=2):
        if not row["launch"]:
            raise LandscapeError(f"{path}: line {line}: launch: expected an id, got nothing")
        grouped.setdefault(row["launch"], []).append((line, row))
    first = rows[0]
    isl = _length(path, first, "isl") or named.isl
    osl = _length(path, first, "osl") or named.osl
    tokens = osl or _osl_by_latency(rows, kind)
    launches = tuple(
        _launch(path, key, found, named, tokens, kind) for key, found in grouped.items()
    )
    if not any(level.true for launch in launches for level in launch.levels):
        raise LandscapeError(
            f"{path}: no row has true_status ok",
            remedy="a landscape needs at least one launch that succeeds",
        )
    levels = [level for launch in launches for level in launch.levels]
    return Landscape(
        name=stem,
        model=first.get("model") or named.model,
        device=_device(first.get("system") or named.device),
        isl=isl or _ASSUMED_TOKENS,
        osl=tokens,
        launches=launches,
        source=first.get("source") or "",
        assumed=tuple(name for name, given in (("isl", isl), ("osl", osl)) if given is None),
        dropped_predictions=sum(
            level.predicted is None and level.predicted_status == "ok" for level in levels
        ),
    )


def _rows(file: TableFile) -> list[Row]:
    path, text = file.path, file.text()
    try:
        reader = csv.DictReader(io.StringIO(text), strict=True)
        twice = [name for name, count in Counter(reader.fieldnames or ()).items() if count > 1]
        rows: list[Row] = list(reader)
    except csv.Error as error:
        raise LandscapeError(f"{path}: it is no CSV file ({error})") from None
    if twice:
        raise LandscapeError(
            f"{path}: the column {', '.join(twice)} is there twice", remedy="keep one of them"
        )
    return rows


def _check_one_task(path: Path, rows: Sequence[Row]) -> None:
    for name in _OF_THE_TASK:
        for line, row in enumerate(rows, start=2):
            if row.get(name) != rows[0].get(name):
                raise LandscapeError(
                    f"{path}: line {line}: {name}: {row.get(name)!r} differs from line 2, "
                    f"{rows[0].get(name)!r}",
                    remedy="a landscape is of one task; write one file for each",
                )


def _launch(
    path: Path,
    key: str,
    rows: Sequence[tuple[int, Row]],
    named: Named,
    osl: float,
    kind: LoadKind,
) -> RecordedLaunch:
    line, first = rows[0]
    settings = _settings(path, line, first)
    engine = first.get("backend") or named.engine
    if engine:
        settings["system.backend"] = engine
    gpus = _count(path, line, first, "gpus")
    levels: dict[LoadLevel, RecordedLevel] = {}
    for at, row in rows:
        if _settings(path, at, row) | {"gpus": row["gpus"]} != _settings(path, line, first) | {
            "gpus": first["gpus"]
        }:
            raise LandscapeError(
                f"{path}: line {at}: launch {key} has other settings than in line {line}",
                remedy="all rows of a launch are measured by one engine start",
            )
        level = _level(path, at, row, osl, kind)
        if level.load in levels:
            raise LandscapeError(
                f"{path}: line {at}: launch {key} has {kind} {level.load.value:g} twice",
                remedy="keep one of them, or their median",
            )
        levels[level.load] = level
    return RecordedLaunch(
        id=key,
        engine=engine or "unknown",
        gpus=gpus,
        settings=settings,
        levels=tuple(levels[load] for load in sorted(levels)),
        startup_s=_optional(first, "startup_s"),
        measure_s=_optional(first, "measure_s"),
    )


def _settings(path: Path, line: int, row: Row) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column, text in row.items():
        if not column or not text:
            continue
        if column in SETTINGS:
            name, kind = SETTINGS[column]
            if text != UNSET:
                found[name] = _count(path, line, row, column) if kind is int else text
        elif "." in column:
            found[column] = read_cell(column, text)
    return found


def _count(path: Path, line: int, row: Row, column: str) -> int:
    number = _number(path, line, row, column)
    if not number.is_integer() or number < 1:
        raise LandscapeError(
            f"{path}: line {line}: {column}: expected a count, got {row[column]!r}"
        )
    return int(number)


def _load_kind(path: Path, row: Row) -> LoadKind:
    """The kind of load that a table has a column of."""
    kinds = [kind for kind in LoadKind if kind.value in row]
    if len(kinds) != 1:
        what = "there" if kinds else "missing"
        names = f"{LoadKind.CONCURRENCY} and {LoadKind.RATE}"
        raise LandscapeError(
            f"{path}: the columns {names} are both {what}",
            remedy="a landscape has one of them: its load levels are of one kind",
        )
    return kinds[0]


def _load(path: Path, line: int, row: Row, kind: LoadKind) -> LoadLevel:
    if kind is LoadKind.CONCURRENCY:
        return LoadLevel.concurrency(_count(path, line, row, kind.value))
    try:
        return LoadLevel(kind, _number(path, line, row, kind.value))
    except ValueError as error:
        raise LandscapeError(f"{path}: line {line}: {error}") from None


def _level(path: Path, line: int, row: Row, osl: float, kind: LoadKind) -> RecordedLevel:
    for column in ("true_status", "pred_status"):
        if row[column] not in _STATUSES:
            raise LandscapeError(
                f"{path}: line {line}: {column}: expected {', '.join(_STATUSES)}, "
                f"got {row[column]!r}"
            )
    true = None
    if row["true_status"] == "ok":
        tpot = () if _has_no_tpot(row, "true") else ("tpot_ms",)
        for name in ("ttft_ms", *tpot, "tok_s"):
            if not _LEAST <= _number(path, line, row, f"true_{name}") <= _MOST:
                raise LandscapeError(
                    f"{path}: line {line}: true_{name}: expected {_LEAST:g} to {_MOST:g}, "
                    f"got {row[f'true_{name}']!r}"
                )
        true = _figures(row, "true", osl)
    noise = _number(path, line, row, "noise_cv") if row.get("noise_cv") else 0.0
    if not 0 <= noise < 1:
        raise LandscapeError(f"{path}: line {line}: noise_cv: expected 0 to 1, got {noise}")
    return RecordedLevel(
        load=_load(path, line, row, kind),
        true=true,
        true_status=row["true_status"],
        predicted=_figures(row, "pred", osl) if row["pred_status"] == "ok" else None,
        predicted_status=row["pred_status"],
        predicted_memory_gib=_optional(row, "pred_memory_gib"),
        noise_cv=noise,
    )


def _figures(row: Row, side: str, osl: float) -> PointMetrics | None:
    """None where a figure is none that can be measured. Latency follows, where it is not given."""
    ttft, tpot, tok_s = (_optional(row, f"{side}_{n}") for n in ("ttft_ms", "tpot_ms", "tok_s"))
    if ttft is None or tok_s is None or (tpot is None and not _has_no_tpot(row, side)):
        return None
    known = (ttft, tok_s) if tpot is None else (ttft, tpot, tok_s)
    if not all(_LEAST <= figure <= _MOST for figure in known):
        return None
    latency = _optional(row, f"{side}_request_latency_ms")
    return PointMetrics(ttft, tpot, tok_s, latency or e2e_ms(ttft, tpot, osl))


def _has_no_tpot(row: Row, side: str) -> bool:
    """Whether TPOT is left out because every answer has one token."""
    return not row.get(f"{side}_tpot_ms") and _optional(row, "osl") == 1


def _number(path: Path, line: int, row: Row, column: str) -> float:
    number = _optional(row, column)
    if number is None:
        raise LandscapeError(
            f"{path}: line {line}: {column}: expected a number, got {row.get(column)!r}"
        )
    return number


def _optional(row: Row, column: str) -> float | None:
    try:
        number = float(row.get(column) or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _length(path: Path, row: Row, column: str) -> float | None:
    if not row.get(column):
        return None
    length = _number(path, 2, row, column)
    if length < 1:
        raise LandscapeError(f"{path}: line 2: {column}: expected 1 or more, got {row[column]!r}")
    return length


def _osl_by_latency(rows: Sequence[Row], kind: LoadKind) -> float:
    """OSL, from latency = TTFT + (OSL - 1) x TPOT; latency by Little's law where none is given."""
    lengths = []
    for row in rows:
        ttft, tpot, tok_s, latency, load = (
            _optional(row, name)
            for name in (
                *("true_ttft_ms", "true_tpot_ms", "true_tok_s"),
                *("true_request_latency_ms", kind.value),
            )
        )
        if row["true_status"] != "ok" or not (ttft and tpot and tok_s and load):
            continue
        if latency:
            lengths.append((latency - ttft) / tpot + 1)
        elif kind is LoadKind.RATE:
            lengths.append(tok_s / load)
        elif (decoding := 1000 * load / tok_s - tpot) > 0:
            lengths.append((ttft - tpot) / decoding)
    return max(statistics.median(lengths), _FEWEST_WITH_TPOT) if lengths else _ASSUMED_TOKENS


def _device(word: str) -> str:
    try:
        return gpu_named(word).name if word else ""
    except CatalogError:
        return word
