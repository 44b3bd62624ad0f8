"""The measured rows that aiconfigurator publishes with its package: TTFT and TPOT on real GPUs.

`silicon_sample.csv` holds one row an operating point: engine, model, GPUs, layout, isl, osl, load,
mean TTFT and TPOT. In a row `batch_size` is the load of one attention-data-parallel rank:
the concurrency is `batch_size` x `attention_dp_size`, as the rows that state both show.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import Any

from autotuner.catalog import gpu_named, known_model
from autotuner.config import Candidate
from autotuner.errors import AutotunerError, CatalogError
from autotuner.predict import Scenario

_COLUMNS = (
    *("id", "backend", "backend_version", "model_path", "system", "mode", "isl", "osl"),
    *("gemm_quant_mode", "moe_quant_mode", "batch_size", "tp_size", "attention_dp_size"),
    *("moe_tp_size", "moe_ep_size", "silicon_ttft_ms", "silicon_tpot_ms"),
)


@dataclass(frozen=True)
class MeasuredRow:
    """One measured operating point.

    Attributes:
        model: id of the catalog; `group` holds it with device and engine.
        launch: rows of one layout at one isl and osl share it.
        hardware_limit: why the row's layout cannot be what its fields say, or empty.
    """

    id: str
    model: str
    scenario: Scenario
    candidate: Candidate
    concurrency: int
    ttft_ms: float
    tpot_ms: float

    @property
    def group(self) -> tuple[str, str, str]:
        """Model, device and engine."""
        return self.model, self.scenario.device, self.scenario.engine

    @property
    def launch(self) -> tuple[Any, ...]:
        """What one engine start would have measured together."""
        return (*self.group, self.candidate.id, self.scenario.isl, self.scenario.osl)


@dataclass(frozen=True)
class MeasuredTable:
    """Rows that can be used, and the others: reason -> number."""

    rows: tuple[MeasuredRow, ...]
    excluded: Mapping[str, int]
    source: str


def silicon_file() -> Path:
    """Where the installed package keeps the rows.

    Raises:
        AutotunerError: aiconfigurator is not installed.
    """
    found = util.find_spec("aiconfigurator_core")
    if found is None or found.origin is None:
        raise AutotunerError(
            "the measured rows come with aiconfigurator, which is not installed",
            remedy="pip install 'inference-autotuner[aiconfigurator]'",
        )
    return Path(found.origin).parent / "systems" / "silicon_sample.csv"


def silicon_rows(path: Path | None = None) -> MeasuredTable:
    """All aggregated rows with positive figures, in the file's order.

    Raises:
        AutotunerError: no such file, or columns are missing (names them).
    """
    path = path or silicon_file()
    excluded: Counter[str] = Counter()
    rows = []
    for raw in _read(path):
        row, why = _row(raw)
        if row is None:
            excluded[why] += 1
        else:
            rows.append(row)
    return MeasuredTable(tuple(rows), dict(excluded), path.name)


def _read(path: Path) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise AutotunerError(
                    f"{path.name}: columns are missing: {', '.join(missing)}",
                    remedy="give the silicon_sample.csv of aiconfigurator 0.12",
                )
            yield from reader
    except OSError as error:
        raise AutotunerError(f"{path} cannot be read: {error.strerror}") from None


def _row(raw: Mapping[str, str]) -> tuple[MeasuredRow | None, str]:
    if raw["mode"] != "agg":
        return None, f"serving mode {raw['mode']}: prefill and decode on workers of their own"
    ttft_ms, tpot_ms = _number(raw["silicon_ttft_ms"]), _number(raw["silicon_tpot_ms"])
    batch = _number(raw["batch_size"])
    if not (ttft_ms > 0 and tpot_ms > 0 and batch >= 1):
        return None, "no positive TTFT, TPOT and load"
    known = known_model(raw["model_path"])
    if known is None:
        return None, f"the catalog does not know the model {raw['model_path']}"
    try:
        gpu = gpu_named(raw["system"])
    except CatalogError:
        return None, f"the catalog does not know the system {raw['system']}"
    data = _width(raw["attention_dp_size"]) or 1
    candidate = Candidate.from_settings(
        {path: value for path, value in _settings(raw, data).items() if value is not None}
    )
    scenario = Scenario(
        model=known.id,
        facts=known.facts,
        engine=raw["backend"],
        engine_version=raw["backend_version"] or None,
        gpu=gpu,
        device=gpu.name,
        isl=float(raw["isl"]),
        osl=float(raw["osl"]),
    )
    concurrency = round(batch) * data
    return MeasuredRow(raw["id"], known.id, scenario, candidate, concurrency, ttft_ms, tpot_ms), ""


def _settings(raw: Mapping[str, str], data: int) -> dict[str, Any]:
    return {
        "system.gpu_type": raw["system"],
        "system.backend": raw["backend"],
        "parallel.tensor_parallel": _width(raw["tp_size"]),
        "parallel.data_parallel": data if data > 1 else None,
        "parallel.moe_tensor_parallel": _width(raw["moe_tp_size"]),
        "parallel.moe_expert_parallel": _width(raw["moe_ep_size"]),
        "quantization.gemm_mode": raw["gemm_quant_mode"] or None,
        "quantization.moe_mode": raw["moe_quant_mode"] or None,
    }


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _width(text: str) -> int | None:
    """A width; None where the row does not say it (empty or 0)."""
    value = _number(text)
    return round(value) if value >= 1 else None
