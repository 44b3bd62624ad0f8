"""The comparison's page and its terminal text: all of it, nothing from the network, no markup."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from autotuner.config import LoadLevel
from autotuner.report import print_comparison
from autotuner.report.axes import Span, frame, log_span
from autotuner.report.comparison import render_comparison
from autotuner.verify import Comparison, Excluded, Point, Side, compare_pairs, judge, pair_of
from autotuner.verify.requirements import parse_requirements

HOSTILE = ["plain", "<script>alert(1)</script>", '"><img src=x>', "[bold]x[/bold]", "{{ 7 * 7 }}"]


def comparison(text: str = "plain", *, full: bool = True) -> Comparison:
    pairs = []
    for level, factor in ((1, 1.1), (8, 0.5), (64, 1.0)):
        shown = {"gpus": 1, "model": text, "isl": 64.0, "osl": 16.0, "source": f"{text} {level}"}
        figures = {"ttft_ms": 10.0 * level, "tpot_ms": 5.0 + level, "tok_s": 100.0 * level}
        predicted = {name: value * factor for name, value in figures.items()}
        if not full:
            figures = predicted = {"ttft_ms": 10.0}
        pairs.append(
            pair_of(
                Point(LoadLevel.concurrency(level), **predicted, **shown),  # type: ignore[arg-type]  # figures and names
                Point(LoadLevel.concurrency(level), tool=text, **figures, **shown),  # type: ignore[arg-type]  # the same
            )
        )
    odd = (Excluded(text, text),)
    return compare_pairs(
        pairs,
        predicted=Side(text, "csv", 3, excluded=odd, not_used={text: text}, notes=(text,)),
        actual=Side(text, "csv", 3, unmatched=odd),
        slo={"ttft_ms": 100.0} if full else None,
    )


class Page(HTMLParser):
    """Tags and text, as a browser would see them."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def printed(found: Comparison, *texts: str) -> str:
    console = Console(file=io.StringIO(), width=100, highlight=False)
    verdicts = judge(found, parse_requirements(texts, found.within))
    print_comparison(found, console, verdicts)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_a_comparison_becomes_markup(text: str) -> None:
    plain, page = Page(render_comparison(comparison())), Page(render_comparison(comparison(text)))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert f"{text}: {text}" in page.text
    assert f"excluded {text}: {text}" in printed(comparison(text))


def test_a_page_needs_no_network_and_runs_no_script() -> None:
    document = render_comparison(comparison())
    page = Page(document)
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in page.tags}
    assert not any({"src", "href"} & set(found) for _, found in page.tags)
    assert not re.search(r"@import|url\(|https?://", document)


def test_every_pair_is_a_dot_in_both_plots_of_every_metric() -> None:
    page = Page(render_comparison(comparison()))
    circles = [found for tag, found in page.tags if tag == "circle"]
    assert len(circles) == 3 * 2 * 4
    assert {found["class"] for found in circles} == {"hollow"}, "another tool measured them"
    assert sum(tag == "svg" for tag, _ in page.tags) == 8


def test_requirements_stand_on_the_page_and_on_the_terminal() -> None:
    found = comparison()
    verdicts = judge(found, parse_requirements(["ttft_mape=1", "pairs=3"], found.within))
    page = Page(render_comparison(found, verdicts))
    assert "ttft_mape at most 1: 20, missed" in page.text
    assert "pairs at least 3: 3, met" in page.text
    shown = printed(found, "ttft_mape=1", "pairs=3")
    assert "missed ttft_mape: 20, at most 1" in shown
    assert "met pairs: 3, at least 3" in shown


def test_a_comparison_that_shows_little_is_shown_too() -> None:
    little = comparison(full=False)
    assert "No scenario has two points" in Page(render_comparison(little)).text
    assert "no scenario has two points" in printed(little)


VALUES = st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=20)


@given(VALUES, st.booleans())
def test_an_axis_holds_its_values_in_order_and_labels_them(
    values: list[float], logarithmic: bool
) -> None:
    span = log_span("name", values)
    if not logarithmic:
        span = Span("name", span.low, span.high)
    drawn = frame(span, span)
    for made, ascending in ((drawn.x, True), (drawn.y, False)):
        places = [made.place(value) for value in sorted(values)]
        assert places == sorted(places, reverse=not ascending)
        low, high = sorted((made.start, made.end))
        assert all(low <= place <= high for place in places)
        ticks = made.ticks()
        assert 1 <= len(ticks) <= 8
        assert len({label for _, label in ticks}) == len(ticks)
        assert [place for place, _ in ticks] == sorted(
            (place for place, _ in ticks), reverse=not ascending
        )
    assert 0 < drawn.x.start < drawn.x.end < drawn.width
