"""A landscape as the text of a CSV file, which reads back as the same landscape."""

from __future__ import annotations

import csv
import io

from autotuner.config import LoadKind
from autotuner.landscapes.landscape import (
    Landscape,
    PointMetrics,
    RecordedLaunch,
    RecordedLevel,
    written_cell,
)
from autotuner.landscapes.reading import SETTINGS

_SHORT = {column: SETTINGS[column][0] for column in ("tp", "pp", "dp")}
"""The settings that every landscape has a column of; any other is written as `group.field`."""
_BACKEND = "system.backend"
_FIGURES = ("ttft_ms", "tpot_ms", "tok_s", "request_latency_ms")


def landscape_csv(landscape: Landscape) -> str:
    """One row for each launch and load level, a header first."""
    paths = dict.fromkeys(path for one in landscape.launches for path in one.settings)
    others = [path for path in paths if path not in (*_SHORT.values(), _BACKEND)]
    file = io.StringIO()
    writer = csv.DictWriter(
        file, [*_columns(landscape.levels[0].kind), *others], lineterminator="\n"
    )
    writer.writeheader()
    writer.writerows(
        _task_cells(landscape) | _launch_cells(launch) | _level_cells(level)
        for launch in landscape.launches
        for level in launch.levels
    )
    return file.getvalue()


def _columns(kind: LoadKind) -> list[str]:
    sides = [
        *(f"{side}_{name}" for side in ("true", "pred") for name in ("status", *_FIGURES)),
        *("pred_memory_gib", "noise_cv", "startup_s", "measure_s"),
    ]
    return [
        *("model", "system", "backend", "isl", "osl", "launch"),
        *(*_SHORT, "gpus", kind.value),
        *sides,
        "source",
    ]


def _task_cells(landscape: Landscape) -> dict[str, str]:
    lengths = {"isl": landscape.isl, "osl": landscape.osl}
    return {
        "model": landscape.model,
        "system": landscape.device,
        "source": landscape.source,
        **{name: "" if name in landscape.assumed else repr(lengths[name]) for name in lengths},
    }


def _launch_cells(launch: RecordedLaunch) -> dict[str, str]:
    columns = {path: column for column, path in _SHORT.items()} | {_BACKEND: "backend"}
    return {
        **{columns.get(path, path): written_cell(v) for path, v in launch.settings.items()},
        "launch": launch.id,
        "gpus": str(launch.gpus),
        "startup_s": _number(launch.startup_s),
        "measure_s": _number(launch.measure_s),
    }


def _level_cells(level: RecordedLevel) -> dict[str, str]:
    return {
        level.load.kind.value: _number(level.load.value),
        "true_status": level.true_status,
        **_figure_cells("true", level.true),
        "pred_status": level.predicted_status,
        **_figure_cells("pred", level.predicted),
        "pred_memory_gib": _number(level.predicted_memory_gib),
        "noise_cv": _number(level.noise_cv),
    }


def _figure_cells(side: str, figures: PointMetrics | None) -> dict[str, str]:
    if figures is None:
        return {}
    values = (figures.ttft_ms, figures.tpot_ms, figures.tok_s, figures.latency_ms)
    return {f"{side}_{n}": _number(v) for n, v in zip(_FIGURES, values, strict=True)}


def _number(value: float | None) -> str:
    """The shortest text that reads back as the same number."""
    return "" if value is None else repr(value)
