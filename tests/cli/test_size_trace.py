"""`autotuner size --trace`: replicas for the peak of recorded traffic."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from running import Run
from test_bad_input import is_shown
from test_json import document
from test_size import TASK

from autotuner.report.size_views import SizeView


@pytest.fixture
def service(tmp_path: Path) -> Path:
    path = tmp_path / "service.yaml"
    path.write_text(yaml.safe_dump(TASK), encoding="utf-8")
    return path


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """Ten minutes: 60 requests in each, and 2,400 in one of them."""
    path = tmp_path / "trace.csv"
    counts = [60] * 9 + [2400]
    times = [60 * n + 60 * k / count for n, count in enumerate(counts) for k in range(count)]
    rows = [f"{time_s},2000,200" for time_s in [*times, 600.0]]
    path.write_text("\n".join(["timestamp_s,input_tokens,output_tokens", *rows]), encoding="utf-8")
    return path


def test_the_quantile_over_windows_is_the_traffic(run: Run, service: Path, trace: Path) -> None:
    peak = document(run("size", service, "--trace", trace, "--json"))
    usual = document(run("size", service, "--trace", trace, "--quantile", "90%", "--json"))
    assert SizeView.model_validate(peak).model_dump(mode="json") == peak
    assert (peak["traffic"]["requests_per_s"], usual["traffic"]["requests_per_s"]) == (40.0, 1.0)
    assert peak["deployments"][0]["replicas"] > usual["deployments"][0]["replicas"]
    assert (peak["trace"]["windows"], peak["trace"]["most_per_s"]) == (10, 40.0)
    given = document(run("size", service, "--rate", "40", "--json"))
    assert given["deployments"] == peak["deployments"]
    assert given["trace"] is None
    assert any("2,000 input tokens" in note for note in peak["notes"])
    assert not any("output tokens a request" in note for note in peak["notes"])


def test_one_with_decimals_is_the_fullest_window(run: Run, service: Path, trace: Path) -> None:
    whole, same = (
        document(run("size", service, "--trace", trace, "--quantile", text, "--json"))
        for text in ("1", "1.00")
    )
    assert whole["traffic"] == same["traffic"]


def test_people_are_shown_what_the_trace_holds(run: Run, service: Path, trace: Path) -> None:
    growing = ("--growth-per-month", "10%", "--months", "2")
    answer = run("size", service, "--trace", trace, "--window-s", "30", *growing)
    assert answer.returncode == 0, answer.stderr
    for words in ("2,941 requests in 10 minutes", "windows of 30 s", "in the fullest", "month 2"):
        assert words in answer.stdout


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (("--rate", "4"), "--rate and --trace are given"),
        (("--users", "4"), "--users and --trace are given"),
        (("--think-s", "4"), "it is of users, and --trace is given"),
        (("--window-s", "6000"), "--window-s: a window of 6000 s is longer than"),
        (("--quantile", "0"), "--quantile: '0' is none"),
        (("--quantile", "101%"), "--quantile: '101%' is no share"),
        (("--trace-unit", "h"), "--trace-unit h: it is no unit"),
        (("--trace-unit", "ms"), "is longer than"),
    ],
)
def test_options_that_say_nothing_are_errors(
    options: tuple[str, ...], shown: str, run: Run, service: Path, trace: Path
) -> None:
    answer = run("size", service, "--trace", trace, *options)
    is_shown(answer, shown)


def test_options_of_a_trace_need_one(run: Run, service: Path) -> None:
    for option in (("--window-s", "60"), ("--quantile", "99%"), ("--trace-unit", "s")):
        answer = run("size", service, "--rate", "4", *option)
        is_shown(answer, option[0], "--trace is not given")
