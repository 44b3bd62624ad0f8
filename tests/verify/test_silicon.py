"""The measured rows of others: each measurement once, read as it was run, the rest counted."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from importlib import util
from pathlib import Path

import pytest

from autotuner.config import closed_loops
from autotuner.errors import AutotunerError
from autotuner.predict import RooflinePredictor
from autotuner.predict.calibration import CalibratedPredictor
from autotuner.verify.predicted_rows import judged_rows, row_observations
from autotuner.verify.silicon import MeasuredRow, MeasuredTable, silicon_file, silicon_rows

ROW = {
    "id": "a row",
    "backend": "vllm",
    "backend_version": "0.19.0",
    "model_path": "deepseek-ai/DeepSeek-R1",
    "system": "h200_sxm",
    "mode": "agg",
    "isl": "1024",
    "osl": "512",
    "gemm_quant_mode": "fp8_block",
    "moe_quant_mode": "fp8_block",
    "batch_size": "16",
    "tp_size": "8",
    "attention_dp_size": "1",
    "moe_tp_size": "8",
    "moe_ep_size": "1",
    "silicon_ttft_ms": "100.5",
    "silicon_tpot_ms": "10.25",
}
DENSE = {"model_path": "Qwen/Qwen3-32B", "moe_tp_size": "", "moe_ep_size": ""}
needs_the_package = pytest.mark.skipif(
    util.find_spec("aiconfigurator_core") is None, reason="aiconfigurator is not installed"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a test writes its rows."""
    return tmp_path / "rows.csv"


def write(file: Path, *changes: Mapping[str, str], columns: tuple[str, ...] = tuple(ROW)) -> None:
    """Rows that differ from `ROW` by `changes`, and in their figures where nothing is said."""
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, columns, extrasaction="ignore")
        writer.writeheader()
        for number, changed in enumerate(changes):
            own = {"id": f"row {number}", "silicon_ttft_ms": f"{100 + number}"}
            writer.writerow(ROW | own | dict(changed))


def table(file: Path, *changes: Mapping[str, str]) -> MeasuredTable:
    write(file, *changes)
    return silicon_rows(file)


def only_row(file: Path, changes: Mapping[str, str]) -> MeasuredRow:
    (row,) = table(file, changes).rows
    return row


def widths(row: MeasuredRow) -> tuple[int | None, ...]:
    """Tensor, data, expert tensor and expert parallel."""
    message = row.candidate.parallel
    return (
        *(message.tensor_parallel, message.data_parallel),
        *(message.moe_tensor_parallel, message.moe_expert_parallel),
    )


def layout(tensor: int, data: int, moe_tensor: int, experts: int) -> dict[str, str]:
    names = ("tp_size", "attention_dp_size", "moe_tp_size", "moe_ep_size")
    return dict(zip(names, map(str, (tensor, data, moe_tensor, experts)), strict=True))


def test_a_row_is_a_scenario_a_candidate_a_load_and_two_figures(file: Path) -> None:
    row = only_row(file, {"silicon_ttft_ms": "100.5"})
    assert (row.ttft_ms, row.tpot_ms, row.concurrency) == (100.5, 10.25, 16)
    assert row.group == ("deepseek-ai/DeepSeek-R1", "h200_sxm", "vllm")
    assert (row.scenario.isl, row.scenario.osl, row.scenario.engine_version) == (
        1024,
        512,
        "0.19.0",
    )
    assert row.candidate.quantization.gemm_mode == "fp8_block"
    assert row.scenario.devices(row.candidate) == 8
    assert not row.relabelled


def test_the_same_figures_of_the_same_gpus_count_once(file: Path) -> None:
    figures = {"silicon_ttft_ms": "321.5"}
    found = table(file, figures, figures, {"silicon_ttft_ms": "321.6"})
    assert [row.id for row in found.rows] == ["row 0", "row 2"]
    assert found.excluded == {"a copy of another row": 1}


def test_a_copy_under_another_name_of_the_model_or_another_layout_counts_once(file: Path) -> None:
    figures = {"silicon_ttft_ms": "321.5"}
    others = (
        figures | {"model_path": "nvidia/DeepSeek-R1-NVFP4", "gemm_quant_mode": "nvfp4"},
        figures | layout(64, 1, 8, 8),
    )
    found = table(file, figures, *others)
    assert [row.id for row in found.rows] == ["row 0"]
    assert found.excluded == {"a copy of another row": 2}


@pytest.mark.parametrize("name", ["system", "backend", "isl", "osl"])
def test_the_same_figures_elsewhere_are_no_copy(name: str, file: Path) -> None:
    other = {"system": "b200_sxm", "backend": "sglang", "isl": "8192", "osl": "1024"}[name]
    figures = {"silicon_ttft_ms": "321.5"}
    assert len(table(file, figures, figures | {name: other}).rows) == 2


@pytest.mark.parametrize(
    ("message", "meant"),
    [
        (layout(16, 1, 4, 4), (4, None, 1, 4)),
        (layout(64, 1, 8, 8), (8, None, 1, 8)),
        (layout(4, 1, 2, 2), (2, None, 1, 2)),
        (layout(1, 16, 4, 4), (1, 4, 1, 4)),
        (layout(4, 4, 1, 16), (1, 4, 1, 4)),
    ],
)
def test_a_row_that_counts_its_gpus_twice_is_read_as_its_id_says(
    message: dict[str, str], meant: tuple[int | None, ...], file: Path
) -> None:
    row = only_row(file, message)
    assert widths(row) == meant
    assert row.relabelled
    assert row.scenario.devices(row.candidate) == max(meant[0] or 1, meant[1] or 1)


@pytest.mark.parametrize(
    ("message", "meant"),
    [
        (layout(8, 1, 8, 1), (8, None, 8, 1)),
        (layout(8, 1, 1, 8), (8, None, 1, 8)),
        (layout(8, 1, 4, 2), (8, None, 4, 2)),
        (layout(1, 8, 1, 8), (1, 8, 1, 8)),
        (layout(2, 4, 1, 8), (2, 4, 1, 8)),
        (layout(8, 1, 1, 1), (8, None, 8, 1)),
        (layout(1, 1, 1, 1), (1, None, 1, 1)),
        (DENSE | {"tp_size": "16"}, (16, None, None, None)),
        (DENSE | {"tp_size": "4", "attention_dp_size": "4"}, (4, 4, None, None)),
        (DENSE | {"tp_size": "4", "attention_dp_size": ""}, (4, None, None, None)),
    ],
)
def test_every_other_layout_is_taken_as_it_stands(
    message: dict[str, str], meant: tuple[int | None, ...], file: Path
) -> None:
    row = only_row(file, message)
    assert widths(row) == meant
    assert not row.relabelled


@pytest.mark.parametrize(
    ("data", "batch", "concurrency"), [("8", "16", 128), ("1", "16", 16), ("", "3", 3)]
)
def test_concurrency_is_the_batch_of_all_attention_ranks(
    data: str, batch: str, concurrency: int, file: Path
) -> None:
    changes = layout(1, 1, 1, 8) | {"attention_dp_size": data, "batch_size": batch}
    assert only_row(file, changes).concurrency == concurrency


def test_what_cannot_be_used_is_counted_by_its_reason(file: Path) -> None:
    bad = [
        {name: value}
        for name in ("silicon_ttft_ms", "silicon_tpot_ms", "batch_size", "isl", "osl")
        for value in ("0", "-3", "nan", "inf", "", "fast")
    ]
    unknown = ({"model_path": "nobody/knows-this"}, {"system": "abacus"})
    found = table(file, {}, {"mode": "disagg"}, {"mode": "disagg"}, *bad, *unknown)
    assert [row.id for row in found.rows] == ["row 0"]
    by_reason = sorted(found.excluded.items(), key=lambda item: -item[1])
    assert [count for _, count in by_reason] == [len(bad), 2, 1, 1]
    assert "no positive" in by_reason[0][0]
    assert "disagg" in by_reason[1][0]
    assert {reason.split()[-1] for reason, _ in by_reason[2:]} == {"nobody/knows-this", "abacus"}


def test_a_row_that_was_left_out_does_not_make_the_next_a_copy(file: Path) -> None:
    figures = {"silicon_ttft_ms": "321.5"}
    found = table(file, figures | {"mode": "disagg"}, figures)
    assert [row.id for row in found.rows] == ["row 1"]


def test_a_line_that_was_cut_off_is_left_out(file: Path) -> None:
    write(file, {}, {})
    text = file.read_text(encoding="utf-8")
    file.write_text(text[: text.rindex(",101")], encoding="utf-8")
    found = silicon_rows(file)
    assert [row.id for row in found.rows] == ["row 0"]
    assert sum(found.excluded.values()) == 1


def test_missing_columns_are_all_named(file: Path) -> None:
    without = tuple(name for name in ROW if name not in ("isl", "silicon_tpot_ms"))
    write(file, {}, columns=without)
    with pytest.raises(AutotunerError, match=r"rows\.csv.*missing: isl, silicon_tpot_ms"):
        silicon_rows(file)


def test_a_file_that_is_not_there_or_no_text_is_named(file: Path, tmp_path: Path) -> None:
    with pytest.raises(AutotunerError, match=r"rows\.csv cannot be read: No such file"):
        silicon_rows(file)
    with pytest.raises(AutotunerError, match="cannot be read"):
        silicon_rows(tmp_path)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AutotunerError, match=r"rows\.csv cannot be read"):
        silicon_rows(file)


def test_without_the_package_the_remedy_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(util, "find_spec", lambda name: None)
    with pytest.raises(
        AutotunerError, match=r"pip install 'inference-autotuner\[aiconfigurator\]'"
    ):
        silicon_file()


@needs_the_package
def test_the_published_rows_are_3024_of_which_305_count_their_gpus_twice() -> None:
    found = silicon_rows()
    assert (len(found.rows), found.relabelled) == (3024, 305)
    assert len(found.rows) + sum(found.excluded.values()) == 5221
    figures = Counter(
        (row.group[1:], row.scenario.isl, row.scenario.osl, row.ttft_ms, row.tpot_ms)
        for row in found.rows
    )
    assert max(figures.values()) == 1


def test_measured_rows_are_observations_that_calibration_takes(file: Path) -> None:
    shown = table(file, {}, {"batch_size": "64", "silicon_ttft_ms": "300"})
    judged, refused = judged_rows(shown.rows, RooflinePredictor())
    seen = row_observations(judged, source=shown.source)
    assert not refused
    assert [one.ttft_ms for one in seen] == [row.ttft_ms for row in shown.rows]
    assert {one.base for one in seen} == {RooflinePredictor().name}
    assert {one.tool for one in seen} == {"published"}
    assert len({one.launch for one in seen}) == 1
    row = shown.rows[0]
    answer = CalibratedPredictor(RooflinePredictor(), seen).predict(
        row.scenario, [row.candidate], closed_loops(row.concurrency)
    )
    assert "2 of 2 observations" in answer.points[0].source
