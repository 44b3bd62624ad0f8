"""What a public benchmark set besides what its rows say, and that it changes no launch."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from autotuner.config import GROUPS
from autotuner.config.tables import packaged_table
from autotuner.verify.recipes import BenchmarkRun, recipe
from autotuner.verify.silicon import MeasuredTable, silicon_rows

RUN = BenchmarkRun(
    engine="sglang",
    model="deepseek-ai/DeepSeek-V3",
    system="b200_sxm",
    precision="fp4",
    isl=1024,
    concurrency=8,
    tensor_parallel=8,
    day=date(2026, 3, 25),
)
PUBLISHED = "source_file=2026-04-06.csv; model=DeepSeek-V3; measured=2026-03-25T00:00:00.000Z"
ROW = {
    "id": "a row",
    "silicon_data_source": PUBLISHED,
    "precision": "fp4",
    "backend": "sglang",
    "backend_version": "0.5.9",
    "model_path": "deepseek-ai/DeepSeek-V3",
    "system": "b200_sxm",
    "mode": "agg",
    "isl": "1024",
    "osl": "1024",
    "gemm_quant_mode": "nvfp4",
    "moe_quant_mode": "nvfp4",
    "batch_size": "8",
    "tp_size": "8",
    "attention_dp_size": "1",
    "moe_tp_size": "8",
    "moe_ep_size": "1",
    "silicon_ttft_ms": "210.8",
    "silicon_tpot_ms": "9.8",
}


def table(folder: Path, *changes: dict[str, str]) -> MeasuredTable:
    """Rows like `ROW`, each with a TTFT of its own."""
    path = folder / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, tuple(ROW))
        writer.writeheader()
        for number, changed in enumerate(changes):
            writer.writerow(ROW | {"silicon_ttft_ms": f"{200 + number}"} | changed)
    return silicon_rows(path)


def settings(**changes: Any) -> dict[str, Any]:
    return recipe(replace(RUN, **changes))


def test_rules_are_laid_over_each_other() -> None:
    common = {
        "quantization.kvcache_mode": "fp8",
        "attention.chunked_prefill_size": 16384,
        "memory.mem_fraction_static": 0.85,
    }
    assert settings() == common | {"scheduling.receive_interval": 10}
    assert settings(concurrency=16) == common | {"scheduling.receive_interval": 30}
    assert settings(model="a model of nobody") == {}


@pytest.mark.parametrize(
    ("day", "tokens"),
    [
        (date(2026, 1, 14), 1152),
        (date(2026, 1, 15), None),
        (date(2026, 1, 27), None),
        (date(2026, 1, 28), 8192),
    ],
)
def test_days_are_inclusive(day: date, tokens: int | None) -> None:
    found = settings(engine="trtllm", system="h200_sxm", precision="fp8", day=day)
    assert found.get("scheduling.max_num_batched_tokens") == tokens


def test_every_rule_asks_what_a_row_says_and_sets_fields_of_a_task() -> None:
    asked = {*vars(RUN), "since", "until"}
    for rule in packaged_table("autotuner.verify", "recipes")["rules"]:
        assert set(rule["when"]) <= asked - {"day"}, rule
        for path in rule["set"]:
            group, _, name = path.partition(".")
            assert name in GROUPS[group].model_fields, rule


def test_a_row_of_the_benchmark_has_what_its_engine_was_started_with(tmp_path: Path) -> None:
    found = table(tmp_path, {}, {"batch_size": "16"})
    assert [row.candidate.scheduling.receive_interval for row in found.rows] == [10, 30]
    assert found.rows[0].candidate.quantization.kvcache_mode == "fp8"
    assert found.with_recipe == 2


def test_loads_of_one_layout_stay_one_launch(tmp_path: Path) -> None:
    one, two, other = table(
        tmp_path, {}, {"batch_size": "16"}, {"tp_size": "4", "moe_tp_size": "4"}
    ).rows
    assert one.candidate.id != two.candidate.id
    assert one.launch == two.launch != other.launch


@pytest.mark.parametrize(
    "source",
    [
        "",
        "source_file=own-measurements.csv; measured=2026-03-25; image=of others",
        "source_file=2026-04-06.csv; model=DeepSeek-V3",
        "source_file=2026-04-06.csv; model=DeepSeek-V3; measured=2026-02-30T00:00:00.000Z",
    ],
)
def test_rows_of_others_and_without_a_day_are_read_as_they_stand(
    source: str, tmp_path: Path
) -> None:
    found = table(tmp_path, {"silicon_data_source": source})
    (row,) = found.rows
    assert row.candidate.scheduling.receive_interval is None
    assert row.candidate.quantization.kvcache_mode is None
    assert found.with_recipe == 0
