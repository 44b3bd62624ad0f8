"""How a run searched, in words: what each launch brought, for the terminal and the page."""

from __future__ import annotations

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from autotuner.report.points import AXES
from autotuner.search import OBJECTIVES
from autotuner.search.points import figure
from autotuner.search.wording import told_settings
from autotuner.tuning.summary import LaunchView, RunSummary, SearchView

_MOST_ROWS = 20
"""Of longer searches the terminal leaves launches in vain out; the page has all."""


def reached_name(search: SearchView) -> str:
    """What is reached step by step: `hypervolume`, or the objective with its unit."""
    return f"best {AXES[search.measure]}" if search.measure in AXES else search.measure


def value_text(launch: LaunchView, search: SearchView) -> str:
    """What was reached after the launch: `97.1 %`, `4,200`; `-` while nothing was."""
    return "-" if launch.value is None else _figure(launch.value, search)


def added_text(launch: LaunchView, search: SearchView) -> str:
    """What the launch added: `+3.1 %`, `-12` of what is to be small, `first`, `nothing`."""
    if launch.failed:
        return "failed"
    if launch.added is None:
        return "first"
    if launch.added == 0:
        return "nothing"
    objective = OBJECTIVES.get(search.measure)
    sign = "+" if objective is None or objective.maximise else "-"
    return f"{sign}{_figure(launch.added, search)}"


def differing_settings(summary: RunSummary) -> dict[str, str]:
    """Experiment -> the settings in which the launches differ, short: `TP 4, sequences 64`."""
    values: dict[str, set[str]] = {}
    for experiment in summary.experiments:
        for path in summary.run.axes.keys() | experiment.settings.keys():
            values.setdefault(path, set()).add(repr(experiment.settings.get(path)))
    differ = {path for path, found in values.items() if len(found) > 1}
    return {
        e.id: told_settings({p: v for p, v in e.settings.items() if p in differ}) or "the only one"
        for e in summary.experiments
    }


def search_table(summary: RunSummary) -> Table:
    """A row for each launch: in vain marked with `x` and dim; a reason is cropped to one line."""
    search, settings = summary.search, differing_settings(summary)
    name = "of final" if search.measure not in OBJECTIVES else "best"
    title = f"Search: {reached_name(search)} after each launch; x in vain"
    shown = search.launches
    if len(shown) > _MOST_ROWS:
        shown = [launch for launch in shown if not launch.in_vain]
        left_out = len(search.launches) - len(shown)
        title = f"Search: {reached_name(search)}; {left_out} launches in vain are left out"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for head in ("#", "", name, "added"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("phase", no_wrap=True)
    table.add_column("settings, and why it was chosen")
    for launch in shown:
        table.add_row(
            str(launch.index),
            "x" if launch.in_vain else "",
            value_text(launch, search),
            added_text(launch, search),
            escape(launch.phase),
            Group(
                Text(settings[launch.experiment], overflow="fold"),
                Text(launch.reason, overflow="ellipsis", no_wrap=True),
            ),
            style="dim" if launch.in_vain else None,
        )
    return table


def _figure(value: float, search: SearchView) -> str:
    return figure(value) if search.measure in OBJECTIVES else f"{100 * value:.1f} %"
