"""The curve of foreign observations: forged ones are found, and what is believed blindly harms."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from test_calibration_curve import Constant, group, table

from autotuner.evaluate.foreign_curve import ForeignPoint, foreign_curve, foreign_markdown
from autotuner.verify.predicted_rows import judged_rows


@pytest.fixture(scope="module")
def curve() -> tuple[ForeignPoint, ...]:
    rows = table(
        group("Qwen/Qwen3-32B", (1.5, 1.2)),
        *(
            group(model, (1.5, 1.2), launches=4)
            for model in (
                "meta-llama/Meta-Llama-3.1-8B",
                "meta-llama/Meta-Llama-3.1-70B",
                "deepseek-ai/DeepSeek-V3",
            )
        ),
    )
    judged, _ = judged_rows(rows.rows, Constant())
    return foreign_curve(judged, foreign=(0, 20), own=(0, 2), seeds=1)


def at(points: Iterator[ForeignPoint] | tuple[ForeignPoint, ...], **wanted: object) -> ForeignPoint:
    (found,) = (p for p in points if all(getattr(p, k) == v for k, v in wanted.items()))
    return found


def test_it_has_a_point_for_every_number_and_kind(curve: tuple[ForeignPoint, ...]) -> None:
    kinds = [(p.foreign, p.forged, p.weighed, p.own) for p in curve]
    assert len(kinds) == len(set(kinds)) == 2 + 4 * 2
    assert at(curve, foreign=0, own=0).tpot_median_ape == pytest.approx(1 - 1 / 1.2)


def test_others_help_and_forged_ones_are_left_out(curve: tuple[ForeignPoint, ...]) -> None:
    nothing = at(curve, foreign=0, own=0).tpot_median_ape
    helped = at(curve, foreign=20, own=0, forged=False, weighed=True)
    assert helped.tpot_median_ape < nothing
    assert helped.excluded == 0
    forged = {p.weighed: p for p in curve if p.forged and p.own == 0}
    assert forged[True].excluded_forged == 1.0
    assert forged[True].tpot_median_ape < forged[False].tpot_median_ape


def test_the_table_has_a_row_for_each_kind(curve: tuple[ForeignPoint, ...]) -> None:
    lines = foreign_markdown(curve).splitlines()
    assert len(lines) == 2 + 1 + 4
    assert "100 %" in lines[-1]
