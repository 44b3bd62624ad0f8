"""Others' observations in a search: they count as far as they agree, and never as one's own."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from synthetic import LEVELS, SETTINGS, TWO, sweep

from autotuner.predict import Observation
from autotuner.search import Circumstances, Knowledge, SearchState
from autotuner.search.hybrid import transfer
from autotuner.search.hybrid.rows import rows_of
from autotuner.search.hybrid.transfer import transferred_residuals

IDS = tuple(SETTINGS)[:4]
PLACES = {c: Circumstances("model", None, "vllm", "h100", 1024, 200, 1) for c in IDS}


def observed(factor: float, *, origin: str = "", launches: int = 1) -> list[Observation]:
    """Whole launches of candidates, where the truth is the prediction times `factor`."""
    return [
        Observation(
            model="model",
            family=None,
            engine="vllm",
            engine_version=None,
            device="h100",
            devices=stated.devices,
            settings=SETTINGS[IDS[number % len(IDS)]],
            isl=1024,
            osl=200,
            load=stated.load,
            ttft_ms=stated.ttft_ms * factor,
            tpot_ms=(stated.tpot_ms or 0) * factor,
            tok_s=stated.tok_s / factor,
            base="recorded",
            base_ttft_ms=stated.ttft_ms,
            base_tpot_ms=stated.tpot_ms,
            launch=f"{origin}{number}",
            origin=origin,
        )
        for number in range(launches)
        for stated in sweep(IDS[number % len(IDS)])
    ]


def tpot_ratio(earlier: Sequence[Observation]) -> float:
    """Expected TPOT over the prediction's; the geometric mean over all levels."""
    knowledge = Knowledge({c: sweep(c) for c in IDS}, circumstances=PLACES, earlier=tuple(earlier))
    settings = {c: SETTINGS[c] for c in IDS}
    state = SearchState(IDS, (), TWO, levels=LEVELS, settings=settings, knowledge=knowledge)
    return math.exp(float(transferred_residuals(state, rows_of(state))[:, 1].mean()))


def test_many_points_of_others_do_not_outweigh_a_level_of_ones_own() -> None:
    mine, theirs = observed(1.0)[2:3], observed(1.12, origin="acme", launches=20)
    assert tpot_ratio(observed(1.12, launches=20)) == pytest.approx(1.12, abs=0.005)
    assert 1.0 < tpot_ratio([*theirs, *mine]) < 1.08
    assert tpot_ratio([*theirs, *observed(1.0, launches=4)]) < 1.03
    assert tpot_ratio(mine) == pytest.approx(1.0)


def test_what_contradicts_ones_own_is_left_out() -> None:
    mine, forged = observed(1.0, launches=4), observed(10.0, origin="crook", launches=4)
    assert tpot_ratio([*forged, *mine]) == tpot_ratio(mine)


def test_ones_own_come_before_others_where_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transfer, "MOST_OBSERVATIONS", len(LEVELS))
    mine, theirs = observed(1.5), observed(1.12, origin="acme", launches=2)
    assert tpot_ratio([*theirs, *mine]) == tpot_ratio(mine)
