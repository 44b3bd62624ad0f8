"""`autotuner why` through the command: a file, a stored task, nothing that fits, mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from running import Run
from test_bad_input import is_shown
from test_explain_performance import ON_PAPER, REPLAY, written
from test_json import document

from autotuner.landscapes import landscape_csv
from autotuner.testing.made_up_landscape import made_up_landscape
from autotuner.tuning.why_views import WhyView

TOO_STRICT: dict[str, Any] = {**ON_PAPER, "slo": {"ttft_ms": 20, "tpot_ms": 5}}
NONE_FITS: dict[str, Any] = {
    **ON_PAPER,
    "system": {"backend": "vllm", "gpu_type": "l4", "total_gpus": 2},
    "parallel": {"tensor_parallel": [1, 2]},
}


def test_a_file_of_which_nothing_meets_the_slo(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, TOO_STRICT)
    found = WhyView.model_validate(document(run("why", path, "--json")))
    limits = found.predicted
    assert limits is not None
    assert found.measured is None
    assert limits.admitted.points == 0
    assert limits.nearest is not None
    assert limits.nearest.limits[0].excess > 0
    assert any(one.relaxed for one in limits.limits) or limits.factor is not None
    assert found.lead.startswith(f"None of {limits.points} predicted points meets the SLO")
    done = run("why", path, "--no-elsewhere")
    assert done.returncode == 0, done.stderr
    for words in (found.lead[:60], "points miss it", "nearest:"):
        assert words in done.stdout
    assert "On other hardware" not in done.stdout
    planned = run("plan", path)
    assert "why not: none of" in planned.stdout
    assert "1 points" not in planned.stdout
    assert f"`autotuner why {path}`" in planned.stdout


def test_other_limits_are_asked_about_in_place_of_the_files(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, TOO_STRICT)
    words = ("--slo", "ttft_ms=60000", "--slo", "tpot_ms=900", "--no-elsewhere", "--json")
    found = WhyView.model_validate(document(run("why", path, *words)))
    assert found.slo == {"ttft_ms": 60000, "tpot_ms": 900}
    assert found.predicted is not None
    assert found.predicted.admitted.points == found.predicted.points
    assert found.predicted.factor is not None
    assert found.predicted.factor < 1
    assert all(one.tightest is not None for one in found.predicted.limits)


def test_other_hardware_is_predicted_and_marked_as_such(run: Run, tmp_path: Path) -> None:
    found = WhyView.model_validate(document(run("why", written(tmp_path, TOO_STRICT), "--json")))
    names = [one.what for one in found.elsewhere]
    assert names[0] == "as it is"
    assert "FP8 weights" in names
    assert "8 x h200_sxm" in names
    assert "8 x h100_sxm" not in names
    assert any("none of them was measured" in note for note in found.notes)
    assert all(one.points > 0 or one.unanswered for one in found.elsewhere)


def test_a_task_of_which_everything_is_excluded(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, NONE_FITS)
    is_shown(run("plan", path), f"autotuner why {path}")
    done = run("why", path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("All 2 combinations are excluded")
    assert "GiB short" in done.stdout
    assert "8 x l4" in done.stdout
    assert "2 x b200_sxm" in done.stdout


def test_a_stored_task_keeps_measured_and_predicted_apart(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, {**REPLAY, "slo": {"ttft_ms": 1, "tpot_ms": 1}})
    text = landscape_csv(made_up_landscape((1, 4, 16)))
    (tmp_path / "table.csv").write_text(text, encoding="utf-8")
    tuned = run("tune", path)
    assert tuned.returncode == 0, tuned.stderr
    assert "why not: none of" in tuned.stdout
    assert "`autotuner why 1`" in tuned.stdout
    (report,) = (tmp_path / "home" / "reports").glob("*.html")
    assert "<b>Why not:</b> none of" in report.read_text(encoding="utf-8")
    found = WhyView.model_validate(document(run("why", "1", "--json")))
    assert found.task == 1
    assert found.measured is not None
    assert found.measured.points > 0
    assert found.lead.startswith(f"None of {found.measured.points} measured points")
    assert found.measured.nearest is not None
    assert found.measured.nearest.id.startswith(f"{found.measured.nearest.experiment_index}:")
    assert any("a replay has what was recorded" in note for note in found.notes)
    assert document(run("why", "--json")) == document(run("why", "1", "--json"))


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("7",), ("there are no tasks",)),
        (("none.yaml",), ("there is no file",)),
    ],
)
def test_mistakes_are_shown(run: Run, words: tuple[str, ...], shown: tuple[str, ...]) -> None:
    is_shown(run("why", *words), *shown)


def test_a_limit_of_what_has_none_is_refused(run: Run, tmp_path: Path) -> None:
    is_shown(run("why", written(tmp_path, ON_PAPER), "--slo", "speed=3"), "--slo", "speed")
