"""A landscape that is written reads back as it was."""

from __future__ import annotations

import gzip
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autotuner.config import GROUPS, Candidate, LoadLevel
from autotuner.landscapes import (
    Landscape,
    PointMetrics,
    RecordedLaunch,
    RecordedLevel,
    landscape_csv,
    read_landscape,
)
from autotuner.landscapes.landscape import read_cell, written_cell
from autotuner.testing.made_up_landscape import made_up_landscape

EXAMPLE = Path(__file__).parents[2] / "examples/landscapes/dev_qwen235b_b200_trtllm.csv.gz"
WIDTHS = [f"parallel.{name}_parallel" for name in ("tensor", "pipeline", "data")]

positive = st.floats(min_value=1e-3, max_value=1e9)
words = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1)
counts = st.integers(min_value=1, max_value=4096)
figures = st.builds(PointMetrics, positive, positive, positive, positive)
SETTINGS: dict[str, st.SearchStrategy[Any]] = {
    "quantization.gemm_mode": st.sampled_from(["bfloat16", "fp8", "nvfp4"]),
    "memory.mem_fraction_static": st.floats(min_value=0.01, max_value=1),
    "memory.page_size": counts,
    "attention.backend": st.sampled_from(["auto", "flash", "1", "1e3", "True", "[x]"]),
    "attention.enable_chunked_prefill": st.booleans(),
    "system.backend_version": st.sampled_from(["0.24.0", "0.24", "2", "1.3.0rc20"]),
    "misc.dtype": st.sampled_from(["auto", "bfloat16"]),
    "misc.extra_args": st.lists(st.text('ab ,"[é', min_size=1)).map(lambda w: ["--flag", *w]),
    "misc.threads": counts,
}


@st.composite
def levels(draw: st.DrawFn, concurrency: int, *, succeeds: bool) -> RecordedLevel:
    true = draw(figures) if succeeds else None
    status = draw(st.sampled_from(["ok", "oom", "na", "failed"]))
    return RecordedLevel(
        load=LoadLevel.concurrency(concurrency),
        true=true,
        true_status="ok" if true else draw(st.sampled_from(["oom", "failed", "na"])),
        predicted=draw(st.none() | figures) if status == "ok" else None,
        predicted_status=status,
        predicted_memory_gib=draw(st.none() | positive),
        noise_cv=draw(st.floats(min_value=0, max_value=0.5)),
    )


@st.composite
def launches(draw: st.DrawFn, name: str, engine: str, *, succeeds: bool) -> RecordedLaunch:
    reported = draw(st.fixed_dictionaries({}, optional=SETTINGS))
    widths = draw(st.fixed_dictionaries({}, optional=dict.fromkeys(WIDTHS, counts)))
    loads = draw(st.sets(counts, min_size=1, max_size=4))
    return RecordedLaunch(
        id=name,
        engine=engine,
        gpus=math.prod(widths.values()),
        settings={**widths, **reported, "system.backend": engine},
        levels=tuple(draw(levels(load, succeeds=succeeds)) for load in sorted(loads)),
        startup_s=draw(st.none() | positive),
        measure_s=draw(st.none() | positive),
    )


@st.composite
def landscapes(draw: st.DrawFn) -> Landscape:
    engine = draw(st.sampled_from(["vllm", "sglang", "trtllm", "llamacpp"]))
    names = draw(st.lists(words, min_size=1, max_size=4, unique=True))
    found = tuple(
        draw(launches(name, engine, succeeds=place == 0)) for place, name in enumerate(names)
    )
    silent = [level for launch in found for level in launch.levels if level.predicted is None]
    assumed = draw(st.sampled_from([(), ("isl",)]))
    return Landscape(
        name="written",
        model=draw(st.sampled_from(["", "Qwen/Qwen3-32B", 'a model, "quoted"\nand more'])),
        device=draw(st.sampled_from(["", "h100_sxm", "AMD EPYC, 2 cores"])),
        isl=1024.0 if assumed else draw(st.floats(min_value=1, max_value=1e6)),
        osl=draw(st.floats(min_value=1, max_value=1e6)),
        launches=found,
        dropped_predictions=sum(level.predicted_status == "ok" for level in silent),
        assumed=assumed,
        source=draw(st.sampled_from(["", "run 3 'a', replayed from b.csv"])),
    )


@given(landscapes())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_reads_back(tmp_path: Path, landscape: Landscape) -> None:
    path = tmp_path / "written.csv"
    path.write_bytes(landscape_csv(landscape).encode())
    assert read_landscape(path) == landscape


@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
def test_a_recorded_table_is_the_same_after_it_is_written(ending: str, tmp_path: Path) -> None:
    landscape = read_landscape(EXAMPLE)
    path = tmp_path / f"{landscape.name}{ending}"
    text = landscape_csv(landscape).encode()
    path.write_bytes(gzip.compress(text) if ending.endswith(".gz") else text)
    assert read_landscape(path) == landscape


@given(st.sampled_from(sorted(SETTINGS)).flatmap(lambda p: st.tuples(st.just(p), SETTINGS[p])))
def test_a_cell_reads_back_as_a_value_that_its_field_takes(cell: tuple[str, Any]) -> None:
    path, value = cell
    found = read_cell(path, written_cell(value))
    assert (found, type(found)) == (value, type(value)) or found == pytest.approx(value)
    group, _, field = path.partition(".")
    assert GROUPS[group].model_validate({field: found})


def test_a_field_that_no_group_has_takes_what_its_cell_looks_like() -> None:
    looks = {"7": 7, "0.5": 0.5, "True": True, "fast": "fast", "nan": "nan"}
    assert {text: read_cell("own.field", text) for text in looks} == looks


def test_the_settings_of_a_table_make_candidates() -> None:
    for launch in read_landscape(EXAMPLE).launches:
        assert Candidate.from_settings(dict(launch.settings)).parallel.tensor_parallel


def test_auto_is_a_value_only_where_its_own_field_is_named(tmp_path: Path) -> None:
    text = landscape_csv(made_up_landscape()).splitlines()
    head, rows = f"{text[0]},gemm_quant,misc.dtype", [f"{row},auto,auto" for row in text[1:]]
    path = tmp_path / "table.csv"
    path.write_text("\n".join([head, *rows]), encoding="utf-8")
    settings_ = read_landscape(path).launches[0].settings
    assert settings_["misc.dtype"] == "auto"
    assert "quantization.gemm_mode" not in settings_
