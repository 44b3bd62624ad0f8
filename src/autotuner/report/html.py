"""HTML pages: what all share (templates, one style, whole files), and the page of a task."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autotuner.predict.predictor import METRICS, interval80
from autotuner.report import performance_words
from autotuner.report.points import (
    AXES,
    cost_text,
    costs_of,
    disturbed_note,
    energy_text,
    figure_text,
    limits_by_quantity,
    plane,
    plot_points,
    point_text,
    probability_text,
    short_level_notes,
    varied_settings,
    verdict_text,
)
from autotuner.report.prediction_errors import scatters
from autotuner.report.search import (
    added_text,
    differing_settings,
    measure_name,
    search_plots,
    value_text,
)
from autotuner.report.terminal import replay_notice
from autotuner.search.axes import format_value
from autotuner.search.points import figure, percent
from autotuner.tuning.performance_views import PerformanceView
from autotuner.tuning.summary import TaskSummary


def render_page(template: str, **values: Any) -> str:
    """A page of this room; nothing in `values` becomes markup."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("autotuner.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(template).render(**values)


def write_aside(path: Path, content: str | bytes) -> None:
    """Writes a file aside and renames it, so that `path` is never half a file.

    Raises:
        OSError: the folder cannot be written.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    aside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        aside.chmod(0o644)
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def write_html(
    summary: TaskSummary, path: Path, performance: PerformanceView | None = None
) -> None:
    """Writes the report; `path` is never half a file.

    Raises:
        OSError: the folder cannot be written.
    """
    write_aside(path, render_html(summary, performance))


def render_html(summary: TaskSummary, performance: PerformanceView | None = None) -> str:
    """The whole document.

    Args:
        performance: where the time of the recommended point goes, where that is known.
    """
    data = {
        "axes": AXES,
        "plane": plane(summary.task.objectives),
        "limits": limits_by_quantity(summary.task.slo),
        "points": [asdict(point) | {"text": point_text(point)} for point in plot_points(summary)],
    }
    labels = {e.id: varied_settings(e, summary) for e in summary.experiments}
    settings = differing_settings(summary)
    return render_page(
        "template.html.j2",
        task=summary.task,
        replay=replay_notice(summary),
        experiments=summary.experiments,
        frontier=summary.frontier,
        recommended=summary.recommended,
        why_not=summary.why_not,
        baseline=summary.baseline,
        confirmation=summary.confirmation,
        format_value=format_value,
        cost=None if summary.recommended is None else cost_text(costs_of(summary.recommended)),
        energy=None if summary.recommended is None else energy_text(summary.recommended),
        disturbed=disturbed_note(summary),
        short_levels=short_level_notes(summary),
        labels=labels,
        error=summary.prediction_error,
        scatters=scatters(summary, labels),
        metrics=list(METRICS.items()),
        interval=interval80,
        search=summary.search,
        search_plots=search_plots(summary, settings),
        settings=settings,
        measure_name=measure_name(summary.search),
        value_text=value_text,
        figure_text=figure_text,
        probability_text=probability_text,
        verdict_text=verdict_text,
        added_text=added_text,
        performance=performance,
        words=performance_words,
        figure=figure,
        percent=percent,
        task_json=json.dumps(summary.task.config, indent=2, ensure_ascii=False),
        data_json=_script_safe_json(data),
    )


def _script_safe_json(document: Any) -> str:
    """JSON that can stand inside a script element: nothing in it can end the element."""
    text = json.dumps(document)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
