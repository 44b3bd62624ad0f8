"""Reports: nothing a run contains can break them, and a command can be copied as it stands."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console
from run_summaries import COMMAND, HOSTILE, launch, summary

from autotuner.config import PERCENTILES
from autotuner.landscapes import REPLAYED
from autotuner.report import print_summary, write_html
from autotuner.report.html import render_html
from autotuner.report.points import plane, plot_points
from autotuner.report.search import search_plots
from autotuner.tuning.summary import LaunchView, TaskSummary


class Page(HTMLParser):
    """What a browser would make of a report."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def printed(found: TaskSummary, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    print_summary(found, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_recommended_command_is_one_line_at_any_width(width: int) -> None:
    assert COMMAND in printed(summary(), width).splitlines()


def test_the_recommended_point_has_its_costs_where_a_price_is_known() -> None:
    found = summary()
    assert "USD per million" not in printed(found) + render_html(found)
    assert found.recommended is not None
    names = ("usd_per_million_tokens", "usd_per_million_input_tokens")
    costs = dict(zip(names, (3.0, 0.75), strict=True)) | {"usd_per_million_total_tokens": 0.6}
    found = found.model_copy(update={"recommended": found.recommended.model_copy(update=costs)})
    line = "USD per million tokens: 3 (output), 0.75 (input), 0.6 (both together)"
    assert line in printed(found)
    assert line in Page(render_html(found)).text


@pytest.mark.parametrize(
    ("joules", "note", "line"),
    [
        (0.3123, "NVML: GPU 0", "energy per output token: 0.312 J (NVML: GPU 0)"),
        (None, "not measured: no driver answers", "energy not measured: no driver answers"),
    ],
)
def test_the_recommended_point_has_its_energy_or_why_it_has_none(
    joules: float | None, note: str, line: str
) -> None:
    found = summary()
    assert "energy" not in printed(found) + render_html(found)
    assert found.recommended is not None
    energy = {"joules_per_output_token": joules, "energy_note": note}
    found = found.model_copy(update={"recommended": found.recommended.model_copy(update=energy)})
    assert line in printed(found)
    assert line in Page(render_html(found)).text


def test_a_command_that_does_not_serve_what_was_measured_has_a_warning_above_it() -> None:
    warning, lacks = "This does not serve what was measured", "trtllm cannot express a.b=[x]"
    found = summary()
    assert warning not in printed(found) + render_html(found)
    assert found.recommended is not None
    line = f"{COMMAND}  # {REPLAYED}; {lacks}"
    changes = {"command": line, "unserved": lacks}
    found = found.model_copy(update={"recommended": found.recommended.model_copy(update=changes)})
    lines = printed(found, 40).splitlines()
    assert lines[lines.index(line) - 1] == f"{warning}: {lacks}"
    assert f'{warning}:</b> {lacks}</p>\n<pre id="command">' in render_html(found)


@pytest.mark.parametrize("text", HOSTILE)
def test_the_terminal_prints_what_a_run_says_as_it_is(text: str) -> None:
    shown = printed(summary(text), width=400)
    assert f"task 1 '{text}'" in shown
    assert f"out_of_memory: {text}" in shown


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_a_run_becomes_markup(text: str) -> None:
    plain, page = Page(render_html(summary())), Page(render_html(summary(text)))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert not any(name.startswith("on") for _, found in page.tags for name in found)
    assert f"tail {text}" in page.text


def test_a_page_needs_no_network() -> None:
    document = render_html(summary())
    linked = [
        value
        for _, found in Page(document).tags
        for name, value in found.items()
        if name in ("src", "href", "action", "data", "poster")
    ]
    assert all(value is not None and value.startswith("#") for value in linked)
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|https?://", document)


def test_a_page_shows_every_experiment_failure_and_command() -> None:
    page = Page(render_html(summary()))
    assert {f"e-{name}" for name in ("good1", "bad1")} <= {
        found.get("id") for _, found in page.tags
    }
    assert "tail plain" in page.text
    assert page.text.count(COMMAND) >= 2


def test_what_was_chosen_why_and_what_was_left_out_is_shown() -> None:
    page, terminal = Page(render_html(summary("for a reason"))), printed(summary("for a reason"))
    for shown in (page.text, terminal):
        assert "strategy auto: for a reason" in shown
    assert "grid: for a reason" in page.text
    assert page.text.count("cut short after 2 levels: for a reason") == 1
    assert "1 completed, 1 failed; 1 of them cut short" in terminal


def test_a_page_draws_predicted_against_actual_with_whiskers() -> None:
    page = Page(render_html(summary()))
    assert "Predicted against actual" in page.text
    whiskers = [found for tag, found in page.tags if tag == "line" and found.get("class")]
    drawn = [found for found in whiskers if str(found["class"]).startswith("whisker")]
    assert [found["class"] for found in drawn] == ["whisker base", "whisker calibrated"] * 3
    for found in drawn:
        assert float(found["y1"] or 0) > float(found["y2"] or 0), "low is below high"
    dots = {found.get("class"): found for tag, found in page.tags if tag == "circle"}
    exact = next(found for found in whiskers if found["class"] == "exact")
    (left, right), (bottom, top) = (
        [float(exact[f"{side}{end}"] or 0) for end in (1, 2)] for side in "xy"
    )
    off = {
        kind: abs(
            (float(dots[kind]["cx"] or 0) - left) / (right - left)
            - (float(dots[kind]["cy"] or 0) - bottom) / (top - bottom)
        )
        for kind in ("base", "calibrated")
    }
    assert off["calibrated"] < off["base"], "the better prediction is nearer to the diagonal"
    assert "predicted 22 (14.98 to 32.31), actual 20" in page.text
    assert "not predicted: plain" in page.text


def test_a_page_explains_the_search() -> None:
    page = Page(render_html(summary("for a reason")))
    assert "strategy auto: for a reason" in page.text
    assert "stopped: for a reason" in page.text
    plots = [found["aria-label"] for tag, found in page.tags if tag == "svg" and "role" in found]
    assert "hypervolume after each launch" in plots
    assert "predicted and measured frontier" in plots
    rows = [found.get("class") for tag, found in page.tags if tag == "tr"]
    assert rows.count("vain") == 1
    circles = [found.get("class") for tag, found in page.tags if tag == "circle"]
    assert (circles.count("failed"), circles.count("expected")) == (1, 1)
    lines = [found.get("class") for tag, found in page.tags if tag == "polyline"]
    assert lines == ["incumbent", "expected", "front"]
    assert "grid" in page.text
    assert "good1 at 2" not in page.text


def test_a_better_step_is_drawn_higher_and_within_the_frame() -> None:
    found = summary()
    steps = [
        LaunchView.model_validate(launch("why", name, index, value=value))
        for name, index, value in (("good1", 1, 0.4), ("bad1", 2, 1.0))
    ]
    search = found.search.model_copy(update={"launches": steps})
    plot, _ = search_plots(
        found.model_copy(update={"search": search}), {"good1": "first", "bad1": "second"}
    )
    first, second = plot.marks
    assert first.x < second.x
    assert first.y > second.y
    assert all(plot.frame.y.end <= mark.y <= plot.frame.y.start for mark in plot.marks)
    assert [text for _, text in plot.frame.x.ticks()] == ["1", "2"], "launches are whole"


def test_one_objective_is_shown_in_its_unit_and_has_no_plane() -> None:
    found = summary()
    task = found.task.model_copy(update={"objectives": ["ttft_ms"]})
    steps = [
        LaunchView.model_validate(launch("why", "good1", 1, value=250.0, added=None)),
        LaunchView.model_validate(launch("why", "bad1", 2, value=200.0, added=50.0)),
    ]
    search = found.search.model_copy(update={"measure": "ttft_ms", "launches": steps})
    one = found.model_copy(update={"task": task, "search": search})
    page = Page(render_html(one))
    plots = [found["aria-label"] for tag, found in page.tags if tag == "svg" and "role" in found]
    assert "best time to first token, mean (ms) after each launch" in plots
    assert "predicted and measured frontier" not in plots
    shown = printed(one, width=120)
    assert re.search(r"1 +250 +first +0", shown)
    assert re.search(r"2 +200 +-50 +0", shown)


@pytest.mark.parametrize(
    ("objectives", "expected"),
    [
        (["tok_s_per_gpu", "tok_s_per_user"], ("tok_s_per_user", "tok_s_per_gpu")),
        (["tok_s_per_user", "tok_s_per_gpu"], ("tok_s_per_user", "tok_s_per_gpu")),
        (["ttft_ms", "tok_s", "tpot_ms"], ("ttft_ms", "tok_s")),
        (["ttft_ms", "tpot_ms"], ("ttft_ms", "tpot_ms")),
        (["tok_s", "tok_s_per_gpu"], ("tok_s", "tok_s_per_gpu")),
        (["ttft_ms"], ("ttft_ms", "tok_s_per_gpu")),
        (["tok_s_per_gpu"], ("tok_s_per_user", "tok_s_per_gpu")),
    ],
)
def test_throughput_stands_upright_on_every_plot(
    objectives: list[str], expected: tuple[str, str]
) -> None:
    assert plane(objectives) == expected


def test_limits_and_intervals_are_drawn() -> None:
    found = summary()
    experiment = found.experiments[0]
    level = experiment.measurements[0]
    assert level.tpot_ms is not None
    spread = level.model_copy(update={"tpot_ms": level.tpot_ms.model_copy(update={"ci95": 0.5})})
    good = experiment.model_copy(update={"measurements": [spread]})
    task = found.task.model_copy(update={"slo": {"ttft_ms": 21.0, "tpot_ms": 7.0}})
    within = found.model_copy(update={"task": task, "experiments": [good, found.experiments[1]]})
    (point,) = plot_points(within)
    assert point.intervals["tpot_ms"] == (7.5, 8.5)
    assert point.intervals["tok_s_per_user"] == pytest.approx((1000 / 8.5, 1000 / 7.5))
    page = Page(render_html(within))
    limits = [found for tag, found in page.tags if tag == "line" and found.get("class") == "limit"]
    upright = [found for found in limits if found["x1"] == found["x2"]]
    assert len(upright) == 3, "TTFT and TPOT against actual, and the speed that TPOT's limit asks"
    assert "Dashed red: limits of the SLO" in page.text


def test_a_search_of_failures_alone_has_no_plot() -> None:
    page = Page(render_html(summary(points=False)))
    assert "hypervolume after each launch" not in str(page.tags)
    assert "launches without a point on the final frontier" in page.text


def test_the_terminal_says_how_many_points_of_the_frontier_a_launch_has() -> None:
    shown = printed(summary("for a reason"), width=120)
    assert re.search(r"1 +100.0 % +\+100.0 % +1 +grid", shown)
    assert re.search(r"2 +100.0 % +failed +0 +grid", shown)
    assert "for a reason" in shown


def test_the_terminal_leaves_launches_without_a_point_out_of_a_long_search() -> None:
    found = summary()
    good, bad = found.search.launches
    many = [good, *(bad.model_copy(update={"index": index}) for index in range(2, 42))]
    long = found.search.model_copy(update={"launches": many})
    shown = printed(found.model_copy(update={"search": long}), width=120)
    assert "Search: hypervolume; 40 launches without a point left out" in shown
    assert re.search(r"1 +100.0 % +\+100.0 % +1 +grid", shown)
    assert not re.search(r"failed +0 +grid", shown)


def test_a_run_of_a_version_that_did_not_predict_is_shown_without_it() -> None:
    old = summary(predicted=False)
    assert "Predicted against actual" not in Page(render_html(old)).text
    assert "Predicted against actual" not in printed(old)


def test_the_terminal_shows_both_errors() -> None:
    found = summary()
    assert found.prediction_error is not None
    off = found.prediction_error.base.ttft_ms
    every = dict.fromkeys(PERCENTILES, off)
    both = {
        name: figures.model_copy(update={"percentiles": every})
        for name, figures in found.prediction_error
        if figures is not None
    }
    error = found.prediction_error.model_copy(update=both)
    shown = printed(found.model_copy(update={"prediction_error": error}), width=80)
    assert "Predicted against actual: median error over 1 levels" in shown
    rows = [" ".join(line.split()) for line in shown.splitlines()]
    assert "predictor in 80 % calibrated in 80 %" in rows
    for title in ("TTFT", "TPOT", "throughput", "TTFT p90", "TPOT p99", "E2E p99"):
        assert f"{title} 200 % 0 % 200 % 0 %" in rows


def test_throughput_per_device_counts_the_devices_of_the_candidate_itself() -> None:
    found = summary(points=False)
    (bad,) = found.experiments
    level = summary().experiments[0].measurements
    good = bad.model_copy(update={"status": "completed", "gpus": 2, "measurements": level})
    task = found.task.model_copy(update={"config": {"system": {"total_gpus": 8}}})
    (point,) = plot_points(found.model_copy(update={"task": task, "experiments": [good]}))
    assert point.values["tok_s_per_gpu"] == pytest.approx(123.4 / 2)


def test_a_run_without_a_point_is_shown_too() -> None:
    assert "there is no frontier" in printed(summary(points=False))
    assert "No operating point was measured." in Page(render_html(summary(points=False))).text


def test_a_report_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    write_html(summary(), path)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_html(summary("other"), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_levels_that_were_not_measured_in_peace_are_counted_beside_the_recommendation() -> None:
    calm = summary()
    assert "idle machine" not in printed(calm) + render_html(calm)
    levels = calm.experiments[0].measurements
    late = [level.model_copy(update={"client_bottleneck": True}) for level in levels]
    first = calm.experiments[0].model_copy(update={"measurements": late})
    busy = calm.model_copy(update={"experiments": [first, *calm.experiments[1:]]})
    total = sum(len(experiment.measurements) for experiment in calm.experiments)
    note = f"{len(late)} of {total} levels were measured while"
    assert note in printed(busy)
    assert note in render_html(busy)
