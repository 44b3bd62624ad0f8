"""Reports: nothing a run contains can break them, and a command can be copied as it stands."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from autotuner.measure import Distribution, Measurement
from autotuner.report import print_summary, write_html
from autotuner.report.html import render_html
from autotuner.tuning.summary import RunSummary

COMMAND = "llama-server --model '/models/a b.gguf' " + " ".join(
    f"--flag-{n} {n}" for n in range(40)
)
HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    "<img src=x onerror=alert(3)>",
    "[bold]loud[/bold] [/] [link=http://x.test]y[/link]",
    "\"quoted\" 'twice' & {{ 7 * 7 }} {% raw %}",
]


def shown(mean: float) -> dict[str, Any]:
    values = dict.fromkeys(["mean", "min", "p50", "p90", "p95", "p99", "max"], mean)
    return Distribution(count=8, std=0.0, **values).model_dump()


def summary(text: str = "plain", *, points: bool = True) -> RunSummary:
    """A run whose every free text is `text`."""
    measurement = Measurement(
        concurrency=2,
        duration_s=1,
        requests_completed=8,
        requests_failed=0,
        requests_short=0,
        ended_by="requests",
        valid=True,
        tok_s=123.4,
        requests_s=1,
        input_tokens=8,
        output_tokens=8,
        ttft_ms=Distribution.model_validate(shown(20.0)),
        tpot_ms=Distribution.model_validate(shown(8.0)),
        e2e_ms=Distribution.model_validate(shown(90.0)),
        errors={text: 1},
        note=text,
    )
    settings = {"misc.threads": 2, "misc.extra_args": [text], "misc.load_format": text}
    point = {
        "experiment": "good1",
        "concurrency": 2,
        "tok_s": 123.4,
        "tok_s_per_gpu": 123.4,
        "tok_s_per_user": 125.0,
        "ttft_ms": 20.0,
        "tpot_ms": 8.0,
        "e2e_p90_ms": 90.0,
        "settings": settings,
        "command": COMMAND,
    }
    good = {
        "id": "good1",
        "index": 1,
        "status": "completed",
        "selection_reason": text,
        "phase": "grid",
        "settings": settings,
        "command": COMMAND,
        "log_path": f"logs/{text}",
        "measurements": [measurement.model_dump()],
    }
    bad = good | {
        "id": "bad1",
        "index": 2,
        "status": "failed",
        "failure": {"kind": "out_of_memory", "message": text, "log_tail": f"tail {text}"},
        "measurements": [],
    }
    return RunSummary.model_validate(
        {
            "run": {
                "id": 1,
                "name": text,
                "status": "completed",
                "stop_reason": text,
                "started_at": "2026-01-02T03:04:05+00:00",
                "ended_at": None,
                "wall_s": 12.0,
                "candidates": 2,
                "excluded": {text: 3},
                "axes": {"misc.extra_args": [[text]]},
                "engine": "llamacpp",
                "engine_version": text,
                "model": text,
                "device": text,
                "objectives": ["tok_s_per_gpu", "tok_s_per_user"],
                "task": {"name": text},
            },
            "experiments": [good, bad] if points else [bad],
            "frontier": [point] if points else [],
            "recommended": point | {"reason": text, "meets_slo": True} if points else None,
            "report": f"reports/{text}",
        }
    )


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


def printed(found: RunSummary, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    print_summary(found, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_recommended_command_is_one_line_at_any_width(width: int) -> None:
    assert COMMAND in printed(summary(), width).splitlines()


@pytest.mark.parametrize("text", HOSTILE)
def test_the_terminal_prints_what_a_run_says_as_it_is(text: str) -> None:
    told = printed(summary(text), width=400)
    assert f"run 1 '{text}'" in told
    assert f"out_of_memory: {text}" in told


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


def test_a_page_tells_every_experiment_failure_and_command() -> None:
    page = Page(render_html(summary()))
    assert {f"e-{name}" for name in ("good1", "bad1")} <= {
        found.get("id") for _, found in page.tags
    }
    assert "tail plain" in page.text
    assert page.text.count(COMMAND) >= 2


def test_a_run_without_a_point_is_told_too() -> None:
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
