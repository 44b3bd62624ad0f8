"""The ledger of a task: what was tried and why, the failures too, and what is left."""

from __future__ import annotations

import json
import re

import pytest
from run_summaries import HOSTILE, summary

from autotuner.report.ledger import Spent, ledger_document, ledger_markdown
from autotuner.tuning.confirmation_views import ConfirmationView

SPENT = Spent(experiments=2, minutes=3.0, usd=None)


def test_each_launch_has_its_reason_its_result_and_what_it_showed() -> None:
    found = ledger_document(summary("a reason"), SPENT)
    good, bad = found["launches"]
    assert (good["launch"], good["changed"], good["reason"]) == (1, None, "a reason")
    assert (good["result"]["tok_s"], good["added_text"]) == (123.4, "+100.0 %")
    assert "1 point of the final frontier" in good["learnt"]
    assert bad["changed"] == {}
    assert bad["failure"] == {"kind": "out_of_memory", "message": "a reason"}
    assert (bad["result"], bad["added_text"]) == ({}, "failed")
    assert any("out_of_memory" in text for text in bad["learnt"])
    assert found["totals"]["launches"] == {"completed": 1, "failed": 1}
    json.dumps(found, allow_nan=False)


def test_what_is_left_of_a_budget_is_what_its_limits_leave() -> None:
    given = summary()
    config = {"optimization": {"budget": {"experiments": 2, "minutes": 10}}}
    task = given.task.model_copy(update={"config": config})
    totals = ledger_document(given.model_copy(update={"task": task}), SPENT)["totals"]
    assert totals["budget"]["left"] == {"experiments": 0, "minutes": 7.0, "usd": None}
    assert any("--again" in step["command"] for step in totals["next"])


@pytest.mark.parametrize("text", ["a | b\n| c", *HOSTILE])
@pytest.mark.parametrize("points", [True, False])
def test_markdown_keeps_its_table_whatever_texts_say(text: str, points: bool) -> None:
    document = ledger_document(summary(text, points=points), SPENT)
    rows = [line for line in ledger_markdown(document).splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + len(document["launches"])
    for row in rows:
        assert len(re.findall(r"(?<!\\)\|", row)) == 7


def test_it_says_why_a_further_launch_failed() -> None:
    again = {"index": 1, "candidate": "good1", "launch": 2, "status": "failed", "reason": "again"}
    failed = again | {"failure": "no | memory", "startup_s": 1.0, "measure_s": None}
    counts = {"planned": 3, "made": 1, "recommended_launches": 1}
    shown = {"status": "failed", "headline": "not | confirmed", "launches": [failed]}
    view = ConfirmationView.model_validate(shown | counts)
    given = summary().model_copy(update={"confirmation": view})
    found = ledger_document(given, Spent(experiments=3, minutes=1.0))
    assert found["confirmation"]["launches"][0]["failure"] == "no | memory"
    assert found["totals"]["further_launches"] == {"failed": 1}
    text = ledger_markdown(found)
    assert "## Confirmation\n\nnot \\| confirmed\n" in text
    assert "| 1 | 2. time | again | failed: no \\| memory |" in text
