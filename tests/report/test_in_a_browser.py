"""Pages as a browser lays them out: text stays legible, whole and apart at any width."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from run_summaries import launch, summary
from test_comparison import comparison

from autotuner.measure import Measurement
from autotuner.report.comparison import render_comparison
from autotuner.report.html import render_html
from autotuner.tuning.summary import LaunchView, TaskSummary

pytestmark = pytest.mark.slow
WIDTHS_PX = (420, 900, 1300)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# The browser looks nothing up and asks for no screen.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=5000",
    "--window-size=1400,1000",
    "--dump-dom",
)
LOOK = """<script>
addEventListener("load", () => setTimeout(() => {
  const faults = [], seen = [];
  for (const frame of document.querySelectorAll("iframe")) {
    const page = frame.contentDocument, root = page.documentElement;
    if (root.scrollWidth > root.clientWidth) faults.push([frame.width, "the page is too wide"]);
    for (const svg of page.querySelectorAll("svg")) {
      const box = svg.getBoundingClientRect(), name = svg.getAttribute("aria-label");
      if (!box.width) continue;
      const scale = box.width / svg.viewBox.baseVal.width;
      const texts = [...svg.querySelectorAll("text")].map(
        text => [text.textContent, text.getBoundingClientRect()]);
      seen.push([frame.width, name, texts.length]);
      if (12 * scale < 10) faults.push([frame.width, name, "text of " + 12 * scale + " px"]);
      texts.forEach(([text, a], index) => {
        if (a.left < box.left - .5 || a.right > box.right + .5 || a.top < box.top - .5 ||
            a.bottom > box.bottom + .5) faults.push([frame.width, name, text, "is clipped"]);
        for (const [other, b] of texts.slice(index + 1))
          if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
            faults.push([frame.width, name, text, "lies over", other]);
      });
    }
  }
  const found = document.createElement("pre");
  found.id = "found"; found.textContent = JSON.stringify({faults, seen});
  document.body.append(found);
}, 500));
</script>"""


def looked_at(page: str, folder: Path) -> dict[str, list[list[object]]]:
    """What a browser says of a page at every width: its faults, and the plots that it saw."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("no Chromium here; `make browser` installs it")
    frames = "".join(
        f'<iframe width="{width}" height="900" srcdoc="{html.escape(page)}"></iframe>'
        for width in WIDTHS_PX
    )
    path = folder / "page.html"
    path.write_text(f'<!doctype html><meta charset="utf-8">{frames}{LOOK}', encoding="utf-8")
    command = [browser, *FLAGS, f"--user-data-dir={folder / 'profile'}", path.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = re.search(r'<pre id="found">(.*?)</pre>', shown.stdout, re.DOTALL)
    assert found, shown.stdout[-500:] + shown.stderr[-2000:]
    answer: dict[str, list[list[object]]] = json.loads(html.unescape(found.group(1)))
    return answer


def scaled(factor: float) -> TaskSummary:
    """A run of 40 launches within an SLO, its latencies and throughputs `factor` times ours."""
    found = summary()
    experiment, failed = found.experiments
    document = experiment.measurements[0].model_dump()
    for name in ("ttft_ms", "tpot_ms", "e2e_ms"):
        for key, value in document[name].items():
            if key not in ("count", "std") and not key.endswith("ci95"):
                document[name][key] = value * factor
        document[name]["ci95"] = document[name]["mean"] / 5
    document["tok_s"] *= factor
    levels = [
        Measurement.model_validate(document | {"load": {"kind": "concurrency", "value": n}})
        for n in (2, 1024)
    ]
    point = found.frontier[0].model_copy(
        update={
            "tok_s_per_gpu": 123.4 * factor,
            "tok_s_per_user": 125.0 / factor,
            "ttft_ms": 20.0 * factor,
            "tpot_ms": 8.0 * factor,
        }
    )
    steps = [
        LaunchView.model_validate(launch("why", "good1", index, value=1 - 0.01 / index))
        for index in range(1, 41)
    ]
    return found.model_copy(
        update={
            "task": found.task.model_copy(
                update={"slo": {"ttft_ms": 19.0 * factor, "tpot_ms": 9.0 * factor}}
            ),
            "experiments": [experiment.model_copy(update={"measurements": levels}), failed],
            "frontier": [point],
            "search": found.search.model_copy(update={"launches": steps}),
        }
    )


@pytest.mark.parametrize("factor", [1e-4, 1.0, 3.3e4])
def test_labels_of_a_report_are_whole_legible_and_apart(factor: float, tmp_path: Path) -> None:
    found = looked_at(render_html(scaled(factor)), tmp_path)
    assert found["faults"] == []
    assert len(found["seen"]) == 6 * len(WIDTHS_PX)


def test_labels_of_a_comparison_are_whole_legible_and_apart(tmp_path: Path) -> None:
    found = looked_at(render_comparison(comparison()), tmp_path)
    assert found["faults"] == []
    assert len(found["seen"]) == 8 * len(WIDTHS_PX)
