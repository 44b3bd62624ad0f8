"""The measured rows that aiconfigurator publishes with its package: TTFT and TPOT on real GPUs.

`silicon_sample.csv` holds one row an operating point: engine, model, GPUs, layout, isl, osl, load,
mean TTFT and TPOT. Four things have to be known to read it, and the table counts each:

- `batch_size` is the load of one attention-data-parallel rank: the concurrency is `batch_size` x
  `attention_dp_size`, as the rows that state both show.
- Some rows count their GPUs twice. An id that says `tp4_ep4` stands over `tp_size` 16,
  `moe_tp_size` 4 and `moe_ep_size` 4, or over `tp_size` 4 and `attention_dp_size` 4: 4 GPUs whose
  experts are spread over all of them. The same figures stand elsewhere in the file under the
  layout that the id says, so those rows are read as the id says; so are rows of the same pattern
  without such an id.
- Rows of the public benchmark InferenceX say layout and formats of the weights; how it started the
  engine besides (the KV cache's format, tokens of a step) its launch scripts say: `recipes`.
- Many rows are copies: the same figures of the same GPUs, from another dump or under the model's
  other name. Each measurement counts once.
"""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib import util
from pathlib import Path
from typing import Any

from autotuner.catalog import ModelFacts, gpu_named, known_model
from autotuner.config import Candidate
from autotuner.errors import AutotunerError, CatalogError
from autotuner.predict import Scenario
from autotuner.predict.aiconfigurator.installation import INSTALL
from autotuner.verify.recipes import BenchmarkRun, recipe

_COLUMNS = (
    *("id", "backend", "backend_version", "model_path", "system", "mode", "isl", "osl"),
    *("gemm_quant_mode", "moe_quant_mode", "batch_size", "tp_size", "attention_dp_size"),
    *("moe_tp_size", "moe_ep_size", "silicon_ttft_ms", "silicon_tpot_ms"),
)
_SAME_FIGURES = ("system", "backend", "isl", "osl", "silicon_ttft_ms", "silicon_tpot_ms")
ORIGIN, LICENCE = "aiconfigurator", "Apache-2.0"
"""Of the rows: who publishes them, and under which licence."""
_SPREAD_OF_08_TO_1 = 0.2 / math.sqrt(12) / 0.9
"""Standard deviation over mean of lengths drawn evenly from 80 to 100 % of isl and osl, as the
public benchmark draws them that most rows come from (InferenceMAX, `--random-range-ratio 0.8`)."""


@dataclass(frozen=True)
class MeasuredRow:
    """One measured operating point.

    Attributes:
        model: id of the catalog.
        without_recipe: the candidate as the row itself says it, where a recipe says more.
        relabelled: its layout is read otherwise than its fields say.
        tok_s: output tokens per second; None where Little's law has to say it.
        tool: what measured it.
    """

    id: str
    model: str
    scenario: Scenario
    candidate: Candidate
    concurrency: int
    ttft_ms: float
    tpot_ms: float
    relabelled: bool = False
    tok_s: float | None = None
    tool: str = "published"
    without_recipe: Candidate | None = None

    @property
    def group(self) -> tuple[str, str, str]:
        """Model, device and engine."""
        return self.model, self.scenario.device, self.scenario.engine

    @property
    def identity(self) -> tuple[Any, ...]:
        """Equal for one model under several names or in several number formats."""
        facts = self.scenario.facts
        return facts.architecture, facts.layers, facts.hidden_size, facts.experts

    @property
    def layout(self) -> Candidate:
        """Layout and formats as the row itself says them."""
        return self.without_recipe or self.candidate

    @property
    def launch(self) -> tuple[Any, ...]:
        """The rows that one engine start would have measured together."""
        return (*self.group, self.layout.id, self.scenario.isl, self.scenario.osl)


@dataclass(frozen=True)
class MeasuredTable:
    """Rows that can be used, and the others: reason -> number."""

    rows: tuple[MeasuredRow, ...]
    excluded: Mapping[str, int]
    source: str

    @property
    def relabelled(self) -> int:
        """Rows whose layout is read otherwise than their fields say."""
        return sum(row.relabelled for row in self.rows)

    @property
    def with_recipe(self) -> int:
        """Rows with settings that the benchmark's launch scripts say."""
        return sum(row.without_recipe is not None for row in self.rows)


def silicon_file() -> Path:
    """Where the installed package keeps the rows.

    Raises:
        AutotunerError: aiconfigurator is not installed.
    """
    found = util.find_spec("aiconfigurator_core")
    if found is None or found.origin is None:
        raise AutotunerError(
            "the measured rows come with aiconfigurator, which is not installed",
            remedy=INSTALL,
        )
    return Path(found.origin).parent / "systems" / "silicon_sample.csv"


def silicon_rows(path: Path | None = None) -> MeasuredTable:
    """All aggregated rows with positive figures, in the file's order.

    Raises:
        AutotunerError: no such file, or columns are missing (names them).
    """
    path = path or silicon_file()
    excluded: Counter[str] = Counter()
    rows, seen = [], set()
    for raw in _read(path):
        row, why = _row(raw)
        figures = tuple(raw[name] for name in _SAME_FIGURES)
        if row is None:
            excluded[why] += 1
        elif figures in seen:
            excluded["a copy of another row"] += 1
        else:
            seen.add(figures)
            rows.append(row)
    return MeasuredTable(tuple(rows), dict(excluded), path.name)


def _read(path: Path) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            # A line that was cut off says nothing in its last columns.
            reader = csv.DictReader(file, restval="")
            missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise AutotunerError(
                    f"{path.name}: columns are missing: {', '.join(missing)}",
                    remedy="give the silicon_sample.csv of aiconfigurator 0.12",
                )
            yield from reader
    except OSError as error:
        raise AutotunerError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise AutotunerError(f"{path} cannot be read: {error}") from None


def _row(raw: Mapping[str, str]) -> tuple[MeasuredRow | None, str]:
    if raw["mode"] != "agg":
        return None, f"serving mode {raw['mode']}: prefill and decode on workers of their own"
    ttft_ms, tpot_ms = _number(raw["silicon_ttft_ms"]), _number(raw["silicon_tpot_ms"])
    batch, isl, osl = (_number(raw[name]) for name in ("batch_size", "isl", "osl"))
    if not (ttft_ms > 0 and tpot_ms > 0 and batch >= 1 and isl >= 1 and osl >= 1):
        return None, "no positive TTFT, TPOT, load, isl and osl"
    known = known_model(raw["model_path"])
    if known is None:
        return None, f"the catalog does not know the model {raw['model_path']}"
    try:
        gpu = gpu_named(raw["system"])
    except CatalogError:
        return None, f"the catalog does not know the system {raw['system']}"
    layout, relabelled = _layout(raw)
    settings = {
        "system.gpu_type": raw["system"],
        "system.backend": raw["backend"],
        "quantization.gemm_mode": raw["gemm_quant_mode"],
        "quantization.moe_mode": raw["moe_quant_mode"],
        **{f"parallel.{name}": width for name, width in layout.items()},
    }
    # Rows of dense models repeat their widths and formats in the fields of experts.
    kept = {
        path: value for path, value in settings.items() if value and _applies(path, known.facts)
    }
    concurrency = round(batch * (_width(raw["attention_dp_size"]) or 1))
    started_with = _recipe(raw, known.id, concurrency, layout["tensor_parallel"] or 1)
    scenario = Scenario(
        model=known.id,
        facts=known.facts,
        engine=raw["backend"],
        engine_version=raw["backend_version"] or None,
        gpu=gpu,
        device=gpu.name,
        isl=isl,
        osl=osl,
        osl_spread=_SPREAD_OF_08_TO_1,
    )
    row = MeasuredRow(
        id=raw["id"],
        model=known.id,
        scenario=scenario,
        candidate=Candidate.from_settings(kept | started_with),
        concurrency=concurrency,
        ttft_ms=ttft_ms,
        tpot_ms=tpot_ms,
        relabelled=relabelled,
        without_recipe=Candidate.from_settings(kept) if started_with else None,
    )
    return row, ""


_BENCHMARK = re.compile(r"(db-dump/|source_file=\d{4}-).*; measured=(\d{4}-\d\d-\d\d)")
"""Where the row comes from: a dump of the public benchmark's results, and the day of the run."""


def _recipe(
    raw: Mapping[str, str], model: str, concurrency: int, tensor_parallel: int
) -> dict[str, Any]:
    dumped = _BENCHMARK.match(raw.get("silicon_data_source", ""))
    try:
        day = date.fromisoformat(dumped[2]) if dumped else None
    except ValueError:  # a day that no calendar has says nothing
        day = None
    if day is None:
        return {}
    run = BenchmarkRun(
        engine=raw["backend"],
        model=model,
        system=raw["system"],
        precision=raw.get("precision", ""),
        isl=round(_number(raw["isl"])),
        concurrency=concurrency,
        tensor_parallel=tensor_parallel,
        day=day,
    )
    return recipe(run)


def _applies(path: str, facts: ModelFacts) -> bool:
    return facts.is_moe is not False or ".moe_" not in path


def _layout(raw: Mapping[str, str]) -> tuple[dict[str, int | None], bool]:
    """The widths of a row, and whether they differ from its fields."""
    names = ("tp_size", "attention_dp_size", "moe_tp_size", "moe_ep_size")
    tensor, data, moe_tensor, experts = (_width(raw[name]) or 1 for name in names)
    gpus, is_moe = tensor * data, _width(raw["moe_ep_size"]) is not None
    squared = moe_tensor * experts == gpus and (
        moe_tensor == experts > 1 or (tensor == data > 1 and moe_tensor == 1)
    )
    if squared:
        gpus = max(moe_tensor, tensor if tensor == data else 1)
        tensor, data = (1, gpus) if data > 1 else (gpus, 1)
        experts = gpus
    # A width left out or 1 is what the other leaves.
    moe_tensor = gpus // experts if gpus % experts == 0 else moe_tensor
    widths = {
        "tensor_parallel": tensor,
        "data_parallel": data if data > 1 else None,
        "moe_tensor_parallel": moe_tensor if is_moe else None,
        "moe_expert_parallel": experts if is_moe else None,
    }
    return widths, squared


def _number(text: str) -> float:
    """NaN where the text is no finite number."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _width(text: str) -> int | None:
    """A width; None where the row does not say it (empty or 0)."""
    value = _number(text)
    return round(value) if value >= 1 else None
