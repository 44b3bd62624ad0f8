"""What a point is to limits, and which one is recommended: a table that the UI is held to too.

`web/src/explorer/slo.test.ts` reads the same file, since limits are dragged in the browser.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from autotuner.config import LoadLevel
from autotuner.search import OperatingPoint, has
from autotuner.search.slo import verdict
from autotuner.tuning.representative import frontier, recommended

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("slo_cases.json").read_text())


def point(index: int, given: dict[str, Any]) -> OperatingPoint:
    tpot = given["tpot_ms"]
    return OperatingPoint(
        candidate_id=str(index),
        load=LoadLevel.concurrency(8),
        tok_s=given["tok_s_per_gpu"],
        tok_s_per_gpu=given["tok_s_per_gpu"],
        tok_s_per_user=None if tpot is None else 1000 / tpot,
        ttft_ms=given["ttft_ms"],
        tpot_ms=tpot,
        e2e_p90_ms=given["e2e_p90_ms"],
        intervals95=tuple(
            (name, low, math.inf if high is None else high)
            for name, (low, high) in given["intervals"].items()
        ),
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_table_of_cases_is_what_the_service_decides(case: dict[str, Any]) -> None:
    objectives, limits = case["objectives"], case["limits"]
    points = [point(index, given) for index, given in enumerate(case["points"])]
    assert [verdict(each, limits) for each in points] == case["verdicts"]
    usable = [each for each in points if has(each, (*objectives, *limits))]
    chosen = recommended(usable, frontier(usable, objectives, limits), objectives, limits)
    found = (None, None) if chosen is None else (int(chosen[0].candidate_id), chosen[2])
    assert found == (case["recommended"], case["meets_slo"])
