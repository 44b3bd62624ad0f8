"""Prefill-only: a run whose answers have one token each, from the search to every reader."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from test_replay_run import LEVELS, go, prepared, written

from autotuner.config import LoadLevel
from autotuner.landscapes import landscape_csv, read_landscape
from autotuner.measure import Measurement
from autotuner.measure.statistics import distribution
from autotuner.migrate.metrics import v1_metrics
from autotuner.report import print_summary
from autotuner.report.exports import points_csv
from autotuner.report.html import render_html
from autotuner.store import Store
from autotuner.testing.made_up_landscape import made_up_landscape
from autotuner.tuning.points import operating_points
from autotuner.tuning.recording import landscape_of
from autotuner.tuning.summarise import summarise
from autotuner.tuning.summary import TaskSummary
from autotuner.verify.autotuner_reader import read_run
from autotuner.verify.compare import compare_files

STRATEGIES = ("auto", "grid", "random", "bayesian", "progressive", "two_stage", "hybrid")


def run(folder: Path, **changes: Any) -> TaskSummary:
    written(folder, made_up_landscape(LEVELS, osl=1))
    found = go(prepared(folder, **changes), folder / "home")
    with Store.open(folder / "home") as store:
        return summarise(store, found)


def text(summary: TaskSummary) -> str:
    console = Console(file=io.StringIO(), width=160)
    print_summary(summary, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_finds_the_frontier_of_requests_and_first_tokens(
    strategy: str, tmp_path: Path
) -> None:
    summary = run(tmp_path, optimization={"strategy": strategy})
    assert summary.task.status == "completed"
    assert summary.task.objectives == ["requests_per_s_per_gpu", "ttft_ms"]
    assert summary.task.hypervolume
    for point in summary.frontier:
        assert point.tpot_ms is None
        assert point.tok_s_per_user is None
        assert point.requests_per_s == pytest.approx(point.tok_s)
        assert point.e2e_p90_ms == pytest.approx(point.ttft_ms)
    best = max(point.requests_per_s_per_gpu or 0 for point in summary.frontier)
    assert best == pytest.approx(
        max(m.requests_s / e.gpus for e in summary.experiments for m in e.measurements if m.valid)
    )
    assert summary.recommended is not None


@pytest.mark.parametrize("objectives", [["requests_per_s"], ["ttft_ms"], ["e2e_p90_ms"]])
def test_one_objective_within_a_limit(objectives: list[str], tmp_path: Path) -> None:
    summary = run(
        tmp_path,
        optimization={"strategy": "hybrid", "objectives": objectives},
        slo={"ttft_ms": 8.0},
    )
    assert summary.recommended is not None
    assert summary.recommended.meets_slo
    assert summary.recommended.ttft_ms <= 8


def test_every_reader_leaves_tpot_out(tmp_path: Path) -> None:
    summary = run(tmp_path)
    shown = text(summary)
    assert "req/s" in shown
    assert "None" not in shown
    page = render_html(summary)
    assert "requests/s" in page
    assert "None" not in page.split("<script")[0]
    header, *rows = points_csv(summary).splitlines()
    place = header.split(",").index("tpot_ms_mean")
    assert {row.split(",")[place] for row in rows} == {""}
    document = json.loads(json.dumps(summary.model_dump(mode="json")))
    assert TaskSummary.model_validate(document) == summary
    predictions = [answer for e in summary.experiments for answer in e.predictions]
    assert predictions
    assert all(answer.base.tpot_ms is None for answer in predictions)
    measured = [m for e in summary.experiments for m in e.measurements]
    metrics = v1_metrics(measured, scenario="D(16,1)", benchmark_name="b", elapsed_s=1.0)
    assert metrics["mean_tpot"] is None
    assert metrics["mean_ttft"] > 0


def test_it_becomes_a_table_that_can_be_replayed(tmp_path: Path) -> None:
    run(tmp_path)
    with Store.open(tmp_path / "home") as store:
        found = store.tasks.all()[0]
        table = landscape_of(store, found)
    assert all(x.true is None or x.true.tpot_ms is None for o in table.launches for x in o.levels)
    path = tmp_path / "again.csv"
    path.write_text(landscape_csv(table), encoding="utf-8")
    again = read_landscape(path)
    assert [x.true for o in again.launches for x in o.levels] == [
        x.true for o in table.launches for x in o.levels
    ]


def test_measurements_are_compared_without_tpot(tmp_path: Path) -> None:
    summary = run(tmp_path)
    points = read_run(summary.model_dump(mode="json"), tmp_path / "run.json")
    compared = compare_files(points, points)
    assert compared.errors["ttft"].pairs == len(compared.pairs) > 0
    assert compared.errors["tok_s"].pairs == len(compared.pairs)
    assert compared.errors["tpot"].pairs == 0
    assert compared.choices
    assert all(choice.same for choice in compared.choices)


def level(tokens: int, tpot_ms: float | None) -> Measurement:
    """Two completed answers of so many tokens together."""
    sample = distribution([5.0, 6.0])
    return Measurement(
        load=LoadLevel.concurrency(1),
        duration_s=1, requests_completed=2, requests_failed=0, requests_short=0,
        ended_by="requests", valid=True, tok_s=tokens, requests_s=2, input_tokens=8,
        output_tokens=tokens, ttft_ms=sample, e2e_ms=sample,
        tpot_ms=None if tpot_ms is None else distribution([tpot_ms, tpot_ms]),
    )  # fmt: skip


def test_a_level_that_drew_only_single_tokens_takes_part_where_tpot_is_not_asked_for() -> None:
    only_single, drawn, at_once = level(2, None), level(5, 3.0), level(5, None)
    for needs, found in (((), 1), (("ttft_ms",), 1), (("tok_s_per_user",), 0), (("tpot_ms",), 0)):
        assert len(operating_points("a", [only_single], gpus=1, needs=needs)) == found
        assert len(operating_points("a", [drawn], gpus=1, needs=needs)) == 1
    assert operating_points("a", [at_once], gpus=1) == ()
