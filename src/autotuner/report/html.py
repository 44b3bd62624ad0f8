"""A run as one HTML file that needs no network."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any

from autotuner.report.points import AXES, plot_points, varied_settings
from autotuner.tuning.summary import RunSummary


def write_html(summary: RunSummary, path: Path) -> None:
    """Writes the report aside and renames it, so that `path` is never half a file.

    Raises:
        OSError: the folder cannot be written.
    """
    text = render_html(summary)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    aside = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.chmod(0o644)
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def render_html(summary: RunSummary) -> str:
    """The whole document."""
    import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    source = resources.files("autotuner.report").joinpath("template.html.j2").read_text("utf-8")
    data = {"axes": AXES, "points": [asdict(point) for point in plot_points(summary)]}
    labels = {e.id: varied_settings(e, summary) for e in summary.experiments}
    return environment.from_string(source).render(
        run=summary.run,
        experiments=summary.experiments,
        frontier=summary.frontier,
        recommended=summary.recommended,
        labels=labels,
        task_json=json.dumps(summary.run.task, indent=2, ensure_ascii=False),
        data_json=_script_safe_json(data),
    )


def _script_safe_json(document: Any) -> str:
    """JSON that can stand inside a script element: nothing in it can end the element."""
    text = json.dumps(document)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
