"""Landscapes as they are read: what a table says, and what of it is refused, with its line."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from autotuner.config import LoadLevel
from autotuner.errors import LandscapeError
from autotuner.landscapes import Landscape, read_landscape, table_file

ROW = {
    "launch": "a",
    "tp": "2",
    "pp": "1",
    "dp": "1",
    "gpus": "2",
    "concurrency": "4",
    "true_status": "ok",
    "true_ttft_ms": "100",
    "true_tpot_ms": "10",
    "true_tok_s": "400",
    "pred_status": "ok",
    "pred_ttft_ms": "80",
    "pred_tpot_ms": "8",
    "pred_tok_s": "500",
    "noise_cv": "0.03",
}
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a table with one row for each change of the good row."""

    def write_rows(*changes: Mapping[str, str], name: str = "llama-3.1-8b_h100_vllm.csv") -> Path:
        rows = [{**ROW, **change} for change in changes]
        return write_text(rows, tmp_path / name)

    return write_rows


def write_text(rows: Sequence[Mapping[str, str]], path: Path) -> Path:
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def reported(path: Path) -> str:
    """What the reader says is wrong."""
    with pytest.raises(LandscapeError) as caught:
        read_landscape(path)
    assert str(path) in caught.value.message
    return str(caught.value)


def launches(landscape: Landscape) -> dict[str, list[int]]:
    return {one.id: [level.load.value for level in one.levels] for one in landscape.launches}


def test_rows_of_a_launch_are_its_load_levels_rising(write: Write) -> None:
    found = read_landscape(
        write({"concurrency": "8"}, {"concurrency": "4"}, {"launch": "b", "tp": "1", "gpus": "1"})
    )
    assert launches(found) == {"a": [4, 8], "b": [4]}
    assert found.levels == (LoadLevel.concurrency(4), LoadLevel.concurrency(8))
    assert found.launch("b").settings["parallel.tensor_parallel"] == 1
    assert found.launch("a").levels[0].noise_cv == 0.03


def test_the_name_names_model_device_and_engine(write: Write) -> None:
    found = read_landscape(write({}, name="dev_llama-3.1-8b_h100_vllm.csv"))
    assert (found.name, found.model, found.device) == (
        "dev_llama-3.1-8b_h100_vllm",
        "llama-3.1-8b",
        "h100_sxm",
    )
    assert found.launch("a").engine == found.launch("a").settings["system.backend"] == "vllm"


def test_the_name_may_name_the_lengths_and_rows_the_engine(write: Write) -> None:
    named = "my_qwen3-32b_b200_4096x512.csv"
    found = read_landscape(write({"backend": "sglang"}, name=named))
    assert (found.isl, found.osl, found.launch("a").engine) == (4096, 512, "sglang")


def test_columns_go_before_the_name(write: Write) -> None:
    stated = {"model": "Qwen/Qwen3-32B", "system": "h200", "isl": "100", "osl": "50"}
    found = read_landscape(write(stated))
    assert (found.model, found.device, found.isl, found.osl) == (
        "Qwen/Qwen3-32B",
        "h200_sxm",
        100,
        50,
    )


def test_where_no_one_names_the_output_length_latency_does(write: Write) -> None:
    assert read_landscape(write({"true_request_latency_ms": "1090"})).osl == pytest.approx(100)


def test_where_no_one_names_the_latency_it_follows_from_the_output_length(write: Write) -> None:
    """100 ms to the first token and 10 ms for each of 49 others."""
    found = read_landscape(write({"osl": "50"})).launch("a").levels[0]
    assert found.true is not None
    assert found.true.latency_ms == pytest.approx(590)
    assert found.predicted is not None
    assert found.predicted.latency_ms == pytest.approx(80 + 49 * 8)


def test_where_no_one_names_length_nor_latency_throughput_does(write: Write) -> None:
    """50 tokens take 590 ms, so four users get 4 x 50 / 0.59 s."""
    found = read_landscape(write({"true_tok_s": "338.983"}))
    assert found.osl == pytest.approx(50, rel=1e-3)
    assert found.launch("a").levels[0].true.latency_ms == pytest.approx(590, rel=1e-3)  # type: ignore[union-attr]
    assert "osl" in found.assumed


def test_a_gzipped_file_with_a_byte_order_mark_reads_the_same(write: Write, tmp_path: Path) -> None:
    plain = write({})
    packed = tmp_path / f"{plain.name}.gz"
    packed.write_bytes(gzip.compress(b"\xef\xbb\xbf" + plain.read_bytes()))
    assert read_landscape(packed) == read_landscape(plain)


def test_one_launch_of_one_level_is_a_landscape(write: Write) -> None:
    assert launches(read_landscape(write({}))) == {"a": [4]}


def test_cells_of_settings_are_what_they_say(write: Write) -> None:
    found = read_landscape(
        write({"kvcache_quant": "fp8", "gemm_quant": "auto", "moe_quant": "", "ctx_tokens": "2048"})
    )
    assert found.launch("a").settings == {
        "parallel.tensor_parallel": 2,
        "parallel.pipeline_parallel": 1,
        "parallel.data_parallel": 1,
        "quantization.kvcache_mode": "fp8",
        "scheduling.max_num_batched_tokens": 2048,
        "system.backend": "vllm",
    }


@pytest.mark.parametrize("status", ["oom", "failed"])
def test_a_level_that_fails_needs_no_figures(write: Write, status: str) -> None:
    nothing = dict.fromkeys(("true_ttft_ms", "true_tpot_ms", "true_tok_s"), "")
    found = read_landscape(write({}, {"concurrency": "8", "true_status": status, **nothing}))
    assert [level.true is None for level in found.launch("a").levels] == [False, True]


@pytest.mark.parametrize("figure", ["nan", "-5", "0", "inf", "", "fast", "1e300"])
@pytest.mark.parametrize("column", ["pred_ttft_ms", "pred_tpot_ms", "pred_tok_s"])
def test_a_prediction_that_nothing_can_measure_is_left_out_and_counted(
    write: Write, column: str, figure: str
) -> None:
    found = read_landscape(write({}, {"concurrency": "8", column: figure}))
    assert [level.predicted is None for level in found.launch("a").levels] == [False, True]
    assert found.dropped_predictions == 1


def test_nothing_may_be_predicted_at_all(write: Write) -> None:
    found = read_landscape(write({"pred_status": "na"}))
    assert found.launch("a").levels[0].predicted is None
    assert found.dropped_predictions == 0


def test_every_missing_column_is_named(tmp_path: Path) -> None:
    short = {name: cell for name, cell in ROW.items() if name not in ("tp", "true_tok_s")}
    assert "the column tp, true_tok_s is missing" in reported(
        write_text([short], tmp_path / "x.csv")
    )


def test_a_column_that_is_there_twice_is_named(tmp_path: Path) -> None:
    path = write_text([ROW], tmp_path / "x.csv")
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text(f"{lines[0]},tp\n{lines[1]},4\n", encoding="utf-8")
    assert "the column tp is there twice" in reported(path)


def test_a_landscape_in_which_nothing_succeeds_is_refused(write: Write) -> None:
    assert "no row has true_status ok" in reported(write({"true_status": "oom"}))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"concurrency": "0"}, "concurrency: expected a count, got '0'"),
        ({"concurrency": "2.5"}, "concurrency: expected a count, got '2.5'"),
        ({"concurrency": ""}, "concurrency: expected a number, got ''"),
        ({"gpus": "-1"}, "gpus: expected a count, got '-1'"),
        ({"tp": "1.5"}, "tp: expected a count, got '1.5'"),
        ({"tp": "two"}, "tp: expected a number, got 'two'"),
        ({"launch": ""}, "launch: expected an id"),
        ({"true_status": "fine"}, "true_status: expected ok, oom, na, failed, got 'fine'"),
        ({"pred_status": "OK"}, "pred_status: expected ok, oom, na, failed, got 'OK'"),
        ({"true_ttft_ms": "-1"}, "true_ttft_ms: expected 1e-06 to 1e+12, got '-1'"),
        ({"true_tpot_ms": "nan"}, "true_tpot_ms: expected a number, got 'nan'"),
        ({"true_tok_s": ""}, "true_tok_s: expected a number, got ''"),
        ({"true_tok_s": "1e308"}, "true_tok_s: expected 1e-06 to 1e+12, got '1e308'"),
        ({"noise_cv": "2"}, "noise_cv: expected 0 to 1, got 2.0"),
        ({"noise_cv": "some"}, "noise_cv: expected a number, got 'some'"),
        ({"isl": "0"}, "isl: expected 1 or more, got '0'"),
        ({"osl": "long"}, "osl: expected a number, got 'long'"),
    ],
)
def test_a_bad_cell_is_reported_with_its_line_and_value(
    write: Write, change: dict[str, str], words: str
) -> None:
    path = write(change)
    assert words in reported(path)
    assert "line 2" in reported(path)


def test_a_level_given_twice_is_refused(write: Write) -> None:
    assert "line 3: launch a has concurrency 4 twice" in reported(write({}, {}))


@pytest.mark.parametrize("change", [{"tp": "4"}, {"gpus": "4"}])
def test_rows_of_a_launch_that_contradict_each_other_are_refused(
    write: Write, change: dict[str, str]
) -> None:
    words = "line 3: launch a has other settings than in line 2"
    assert words in reported(write({}, {"concurrency": "8", **change}))


@pytest.mark.parametrize("name", ["model", "system", "isl", "osl"])
def test_a_file_of_two_tasks_is_refused(write: Write, name: str) -> None:
    rows = ({name: "16"}, {"concurrency": "8", name: "32"})
    assert f"line 3: {name}: '32' differs from line 2, '16'" in reported(write(*rows))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"\x1f\x8b and no more",
        gzip.compress(b"launch,tp\n" * 50, mtime=0)[:-20],
        gzip.compress(b"launch,tp\n" * 50, mtime=0)[:15] + b"\xff" * 30,
        b"\x89PNG\r\n\x1a\n\x00\x00",
        b'launch,tp\n"never closed,1\n',
        b'{"results": []}',
        "launch,tp\nä,1\n".encode("latin-1"),
        ",".join(ROW).encode(),
    ],
)
def test_what_is_no_table_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "some.csv"
    path.write_bytes(content)
    assert reported(path)


def test_a_file_that_is_not_there_and_a_folder_are_distinguished(tmp_path: Path) -> None:
    assert "there is no such file" in reported(tmp_path / "none.csv")
    assert "it is no CSV file" in reported(tmp_path)


def test_a_pipe_is_not_waited_for_and_a_link_is_followed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    assert "no plain file" in reported(tmp_path / "pipe.csv")
    table, link = write_text([ROW], tmp_path / "x.csv"), tmp_path / "link.csv"
    link.symlink_to(table)
    assert launches(read_landscape(link)) == {"a": [4]}


def test_a_file_is_read_and_unpacked_within_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, packed = write_text([ROW], tmp_path / "x.csv"), tmp_path / "y.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes() * 10))
    size = plain.stat().st_size
    monkeypatch.setattr(table_file, "MOST_BYTES", max(size, packed.stat().st_size))
    assert launches(read_landscape(plain)) == {"a": [4]}
    assert "it unpacks to more than" in reported(packed)
    monkeypatch.setattr(table_file, "MOST_BYTES", size - 1)
    assert "it is of more than" in reported(plain)


def test_rows_with_too_few_and_too_many_cells_do_not_crash(tmp_path: Path) -> None:
    path = write_text([ROW], tmp_path / "x.csv")
    good = path.read_text(encoding="utf-8")
    path.write_text(good + "b,2,1\n", encoding="utf-8")
    assert "line 3" in reported(path)
    path.write_text(good.rstrip("\n") + ",more,and more\n", encoding="utf-8")
    assert launches(read_landscape(path)) == {"a": [4]}
