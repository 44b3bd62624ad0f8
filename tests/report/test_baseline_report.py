"""The recommended point beside the baseline, on the terminal and in the HTML report."""

from __future__ import annotations

import io

from rich.console import Console
from run_summaries import summary

from autotuner.config import LoadLevel
from autotuner.report import print_summary
from autotuner.report.html import render_html
from autotuner.tuning.baseline_views import (
    BaselineView,
    ChangedSettingView,
    ComparedFigureView,
    ComparedPointsView,
)

FIGURE = ComparedFigureView(
    quantity="tok_s_per_gpu",
    name="tok/s/GPU",
    recommended=387.0,
    baseline=267.0,
    ratio=1.45,
    low=1.16,
    high=1.8,
    probability_better=0.992,
    settled="unclear",
    change="+45 %",
    interval="+16 % to +80 %",
    certainty="better with 99.2 %",
)
POINTS = ComparedPointsView(
    load=LoadLevel.concurrency(8),
    baseline_load=LoadLevel.concurrency(8),
    baseline_meets_slo=None,
    figures=[FIGURE],
    title="both at 8 concurrent requests",
)
THREADS = ChangedSettingView(field="misc.threads", name="threads", baseline=None, recommended=2)
BASELINE = BaselineView(
    kind="defaults",
    name="the engine's defaults",
    candidate="abc",
    index=1,
    status="completed",
    reason="the engine's defaults",
    headline="tok/s/GPU +45 % against the engine's defaults <script>alert(1)</script>",
    caveat="Each configuration was launched once.",
    same_load=POINTS,
    changes=[THREADS],
)
SHOWN = ("both at 8 concurrent requests", "387", "+16 % to +80 %", "better with 99.2 %", "once")


def test_the_terminal_has_change_interval_and_certainty() -> None:
    console = Console(file=io.StringIO(), width=100, highlight=False)
    print_summary(summary().model_copy(update={"baseline": BASELINE}), console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    for words in (*SHOWN, "threads default -> 2", "the engine's defaults"):
        assert words in text


def test_the_report_has_them_and_no_text_breaks_it() -> None:
    html = render_html(summary().model_copy(update={"baseline": BASELINE}))
    for words in (*SHOWN, "threads default &rarr; 2", "Against the engine&#39;s defaults"):
        assert words in html
    assert "<script>alert(1)" not in html


def test_without_a_baseline_neither_speaks_of_one() -> None:
    assert "Against" not in render_html(summary())
