"""How a run searched, in words: what each launch brought, for the terminal and the page."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from autotuner.report.points import AXES
from autotuner.report.row_names import short_ids
from autotuner.search import OBJECTIVES
from autotuner.search.points import figure
from autotuner.search.wording import told_settings
from autotuner.tuning.summary import LaunchView, RunSummary, SearchView

_MOST_ROWS = 20
"""Of longer searches the terminal leaves out the launches that added no point; the page has all."""


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


def search_title(search: SearchView) -> str:
    """The line above `search_table`."""
    left_out = len(search.launches) - len(shown_launches(search))
    if left_out:
        return f"Search: {reached_name(search)}; {left_out} launches without a point left out"
    return f"Search: {reached_name(search)} after each launch; points: its own on the frontier"


def search_table(summary: RunSummary) -> Table:
    """A row for each launch; those without a point of the final frontier are dim."""
    search, settings = summary.search, differing_settings(summary)
    ids = short_ids([experiment.id for experiment in summary.experiments])
    name = "of final" if search.measure not in OBJECTIVES else "best"
    table = Table(box=None, padding=(0, 1, 0, 0))
    for head in ("#", name, "added", "points"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("phase", no_wrap=True)
    table.add_column("id", no_wrap=True)
    table.add_column("settings", overflow="fold")
    for launch in shown_launches(search):
        table.add_row(
            str(launch.index),
            value_text(launch, search),
            added_text(launch, search),
            str(launch.frontier_points),
            escape(launch.phase),
            escape(ids[launch.experiment]),
            escape(settings[launch.experiment]),
            style="dim" if launch.in_vain else None,
        )
    return table


def reasons_table(summary: RunSummary) -> Table:
    """Why each launch of `search_table` was chosen, in full."""
    table = Table(box=None, padding=(0, 1, 0, 0), show_header=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for launch in shown_launches(summary.search):
        table.add_row(str(launch.index), escape(launch.reason))
    return table


def shown_launches(search: SearchView) -> list[LaunchView]:
    """All launches, or of a long search those with points on the final frontier."""
    if len(search.launches) <= _MOST_ROWS:
        return search.launches
    return [launch for launch in search.launches if not launch.in_vain]


def _figure(value: float, search: SearchView) -> str:
    return figure(value) if search.measure in OBJECTIVES else f"{100 * value:.1f} %"
