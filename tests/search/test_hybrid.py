"""Hybrid: predictions corrected as the search goes, and the gain of whole sweeps."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from synthetic import EXACT, LEVELS, SETTINGS, THREE, TRUTH, TWO, launches, share_found, sweep

from autotuner.predict import Observation, Prediction
from autotuner.search import (
    Budget,
    Circumstances,
    Knowledge,
    Outcome,
    Proposal,
    SearchState,
    Stop,
    strategy_named,
)
from autotuner.search.auto import pick
from autotuner.search.axes import label
from autotuner.search.hybrid.feasibility import probability_of_feasibility, standardised_margin
from autotuner.search.hybrid.rows import rows_of

IDS = tuple(SETTINGS)
FRESH = SearchState(
    IDS, (), TWO, Budget(experiments=8), levels=LEVELS, settings=SETTINGS, knowledge=EXACT
)
GEMM, TP = "quantization.gemm_mode", "parallel.tensor_parallel"


def changed(
    candidate: str, *, slower: float = 1.0, memory_gib: float | None = None
) -> tuple[Prediction, ...]:
    """The exact predictions, made `slower` and given a memory."""
    return tuple(
        replace(
            level,
            tpot_ms=level.tpot_ms * slower,
            ttft_ms=level.ttft_ms * slower,
            tok_s=level.tok_s / slower,
            memory_gib=memory_gib,
        )
        for level in sweep(candidate)
    )


def proposal(state: SearchState) -> Proposal:
    choice = strategy_named("hybrid").propose(state)
    assert isinstance(choice, Proposal), choice
    return choice


@pytest.mark.parametrize("objectives", [TWO, THREE])
def test_exact_predictions_lead_to_the_frontier(objectives: tuple[str, ...]) -> None:
    made = launches("hybrid", replace(FRESH, objectives=objectives))
    assert share_found(made, objectives) > 0.95


def test_a_format_that_is_mispredicted_is_found_out() -> None:
    """fp8 is said to be three times as slow as it is: the best half looks worst."""
    wrong = {c: changed(c, slower=3.0 if s[GEMM] == "fp8" else 1.0) for c, s in SETTINGS.items()}
    state = replace(FRESH, knowledge=Knowledge(wrong), budget=Budget(experiments=12))
    followed = share_found(launches("two_stage", state), TWO)
    corrected = share_found(launches("hybrid", state), TWO)
    assert corrected > 0.95 > followed


def test_what_is_silent_is_judged_by_the_most_alike() -> None:
    spoken = {c: sweep(c) for c, s in SETTINGS.items() if s[TP] in (1, 2)}
    silent = {c: "not known" for c in SETTINGS if c not in spoken}
    state = replace(FRESH, knowledge=Knowledge(spoken, refused=silent))
    made = launches("hybrid", state)
    assert any(choice.candidate_id in silent for choice in made)
    assert any("nothing is predicted; by the most similar" in choice.reason for choice in made)
    assert share_found(made, TWO) > 0.9


def test_a_failure_lowers_the_odds_of_what_needs_as_much_memory() -> None:
    need = {1: 70.0, 2: 40.0, 4: 25.0, 8: 17.0}
    stated = {c: changed(c, memory_gib=need[int(str(s[TP]))]) for c, s in SETTINGS.items()}
    state = replace(FRESH, knowledge=Knowledge(stated))
    first = next(c for c, s in SETTINGS.items() if s[TP] == 1)
    failed = Outcome(first, "failed", failure_kind="out_of_memory", failed_levels=LEVELS)
    rows = rows_of(state)
    tried = np.flatnonzero(rows.of == 0)
    before = probability_of_feasibility(standardised_margin(rows, tried[:0], np.array([], bool)))
    after = probability_of_feasibility(standardised_margin(rows, tried, np.zeros(len(tried), bool)))
    needs = {c: np.flatnonzero(rows.of == place) for place, c in enumerate(IDS)}
    large = np.concatenate([needs[c] for c, s in SETTINGS.items() if s[TP] == 1])
    small = np.concatenate([needs[c] for c, s in SETTINGS.items() if s[TP] == 8])
    assert after[large].max() < 0.5 < before[large].min()
    assert after[small].min() > 0.8
    next_one = proposal(replace(state, history=(failed,), spent_experiments=1))
    assert SETTINGS[next_one.candidate_id][TP] != 1


def test_the_less_uncertainty_counts_the_nearer_are_odds_to_certain() -> None:
    beyond, at, before = np.array([-1.5, 0.0, 0.5])
    assert (
        probability_of_feasibility(beyond, std_share=0.5) < probability_of_feasibility(beyond) < 0.5
    )
    assert (
        probability_of_feasibility(before, std_share=0.5) > probability_of_feasibility(before) > 0.5
    )
    assert probability_of_feasibility(at, std_share=0.5) == pytest.approx(0.5)


def test_a_reason_names_improvement_figures_uncertainty_and_what_is_new() -> None:
    history = (Outcome("c000", "completed", TRUTH["c000"]),)
    reason = proposal(replace(FRESH, history=history, spent_experiments=1)).reason
    assert re.search(r"expected to add [\d.]+ % hypervolume", reason), reason
    assert re.search(r"predicted [\d,.]+ tok/s/GPU, [\d,.]+ tok/s/user \(concurrency \d+\)", reason)
    assert "±" in reason
    assert f"corrected by {len(LEVELS)} levels measured here" in reason
    assert re.search(r"every launch so far differs|the most similar launch differs", reason)


def test_a_candidate_that_is_expected_to_add_nothing_is_launched_with_that_reason() -> None:
    best, worse = "best", "worse"
    known = {
        best: sweep("c005"),
        worse: tuple(
            replace(p, ttft_ms=9 * p.ttft_ms, tpot_ms=9 * p.tpot_ms, tok_s=p.tok_s / 9)
            for p in sweep("c005")
        ),
    }
    known = {name: tuple(replace(p, candidate_id=name) for p in ps) for name, ps in known.items()}
    history = (Outcome(best, "completed", known[best]),)
    state = SearchState((best, worse), history, TWO, levels=LEVELS, knowledge=Knowledge(known))
    reason = proposal(replace(state, spent_experiments=1)).reason
    assert reason.startswith("not expected to add hypervolume, but the likeliest to if")
    assert "no candidate left is" in reason


@pytest.mark.parametrize("objectives", [TWO, ("tok_s_per_gpu",)])
def test_figures_far_behind_all_expectations_are_not_called_unmeasured(
    objectives: tuple[str, ...],
) -> None:
    """A busy machine measures a tenth of what is predicted of every other candidate."""
    slow = tuple(
        replace(p, ttft_ms=10 * p.ttft_ms, tpot_ms=10 * p.tpot_ms, tok_s=p.tok_s / 10)
        for p in TRUTH["c000"]
    )
    history = (Outcome("c000", "completed", slow),)
    state = replace(FRESH, history=history, spent_experiments=1, objectives=objectives)
    assert "is measured yet" not in proposal(state).reason
    limited = replace(state, slo={"tpot_ms": min(p.tpot_ms for p in slow) / 2})
    reason = proposal(limited).reason
    assert "nothing within the SLO is measured yet" in reason or "nearest to the SLO" in reason


def test_what_a_reason_says_of_the_most_alike_launch_is_true() -> None:
    made = launches("hybrid", replace(FRESH, budget=Budget(experiments=10)))
    reported = 0
    for place, choice in enumerate(made):
        mine = SETTINGS[choice.candidate_id]
        apart = [
            {label(path) for path in mine if SETTINGS[other.candidate_id][path] != mine[path]}
            for other in made[:place]
        ]
        stated = re.search(r"the most similar launch differs in (.+)", choice.reason)
        if stated:
            named = set(stated[1].split("; ")[0].split(" and "))
            assert named in apart
            assert len(named) == min(map(len, apart))
            reported += 1
    assert reported


def test_one_objective_within_an_slo_finds_the_best_point() -> None:
    slo = {"ttft_ms": 200.0, "tpot_ms": 12.0}
    state = replace(FRESH, objectives=("tok_s_per_gpu",), slo=slo)
    good = [
        p
        for points in TRUTH.values()
        for p in points
        if p.ttft_ms <= slo["ttft_ms"] and p.tpot_ms <= slo["tpot_ms"]
    ]
    best = max(point.tok_s_per_gpu for point in good)
    ids = {choice.candidate_id for choice in launches("hybrid", state)}
    assert max(p.tok_s_per_gpu for p in good if p.candidate_id in ids) > 0.97 * best


def test_what_is_reached_within_an_slo_is_improved_on_however_far_below_the_best_of_all() -> None:
    slo = {"tpot_ms": 10.0}
    state = replace(FRESH, objectives=("tok_s_per_gpu",), slo=slo)
    good = {c: [p.tok_s_per_gpu for p in ps if p.tpot_ms <= 10] for c, ps in TRUTH.items()}
    best = max((c for c in good if good[c]), key=lambda c: max(good[c]))
    worst = min((c for c in good if good[c]), key=lambda c: max(good[c]))
    anywhere = max(p.tok_s_per_gpu for points in TRUTH.values() for p in points)
    assert max(good[best]) < 0.8 * anywhere
    history = (Outcome(worst, "completed", TRUTH[worst]),)
    choice = proposal(replace(state, history=history, spent_experiments=1))
    assert max(good[choice.candidate_id], default=0.0) > 0.97 * max(good[best])
    assert re.search(r"expected to add [\d.]+ % of the best so far", choice.reason)


def test_an_slo_that_nothing_meets_is_approached_and_stated() -> None:
    state = replace(FRESH, objectives=("tok_s_per_gpu",), slo={"tpot_ms": 0.001})
    choice = proposal(state)
    fastest = min((p for points in TRUTH.values() for p in points), key=lambda p: p.tpot_ms)
    assert SETTINGS[choice.candidate_id][TP] == SETTINGS[fastest.candidate_id][TP]
    assert "nearest" in choice.reason


def test_it_ends_when_no_launch_is_worth_it() -> None:
    state = replace(FRESH, budget=Budget(), threshold=0.05)
    choice, history = strategy_named("hybrid").propose(state), ()
    while isinstance(choice, Proposal):
        done = Outcome(choice.candidate_id, "completed", TRUTH[choice.candidate_id])
        history = (*history, done)
        state = replace(state, history=history, spent_experiments=len(history))
        choice = strategy_named("hybrid").propose(state)
    assert isinstance(choice, Stop)
    assert "less than the threshold of 5.0" in choice.reason.replace("\n", " ")
    assert 1 <= len(history) < len(IDS) / 4


def test_a_quick_launch_that_adds_nothing_does_not_end_a_search_that_another_improves() -> None:
    shares = {"measured": 1.0, "slow": 1.3, "quick": 0.97}
    known = {
        name: tuple(replace(p, candidate_id=name, tok_s=share * p.tok_s) for p in sweep("c005"))
        for name, share in shares.items()
    }
    state = SearchState(
        tuple(shares),
        (Outcome("measured", "completed", known["measured"]),),
        ("tok_s_per_gpu",),
        levels=LEVELS,
        spent_experiments=1,
        threshold=0.1,
        knowledge=Knowledge(known, minutes={"measured": 1.0, "slow": 5000.0, "quick": 0.01}),
    )
    assert proposal(state).candidate_id == "quick"
    dull = {**known, "slow": known["quick"]}
    slow = tuple(replace(p, candidate_id="slow") for p in dull["slow"])
    nothing = replace(state, knowledge=Knowledge({**dull, "slow": slow}))
    assert isinstance(strategy_named("hybrid").propose(nothing), Stop)


def test_of_equal_candidates_the_quicker_launch_is_taken() -> None:
    twins = {"slow": sweep("c005"), "quick": sweep("c005")}
    known = Knowledge(
        {
            name: tuple(replace(p, candidate_id=name) for p in points)
            for name, points in twins.items()
        },
        minutes={"slow": 20.0, "quick": 5.0},
    )
    for order in (("slow", "quick"), ("quick", "slow")):
        state = SearchState(order, (), TWO, levels=LEVELS, knowledge=known)
        assert proposal(state).candidate_id == "quick"


def test_a_launch_in_flight_is_counted_on() -> None:
    first = proposal(FRESH).candidate_id
    second = proposal(replace(FRESH, in_flight=(first,))).candidate_id
    assert second != first
    assert share_found([proposal(FRESH), Proposal(second, "", "")], TWO) > 1.02 * share_found(
        [proposal(FRESH)], TWO
    )


def test_other_models_teach_the_first_launch() -> None:
    """Another model ran fp8 1.6 times as fast as was predicted, and bfloat16 as predicted."""
    wrong = {c: changed(c, slower=1.6 if s[GEMM] == "fp8" else 1.0) for c, s in SETTINGS.items()}
    places = {
        c: Circumstances("model", None, "vllm", "h100", 1024, 200, int(str(s[TP])))
        for c, s in SETTINGS.items()
    }
    earlier = tuple(
        Observation(
            model="another",
            family=None,
            engine="vllm",
            engine_version=None,
            device="h100",
            devices=stated.devices,
            settings=SETTINGS[c],
            isl=1024,
            osl=200,
            load=stated.load,
            ttft_ms=was.ttft_ms,
            tpot_ms=was.tpot_ms,
            tok_s=was.tok_s,
            base="recorded",
            base_ttft_ms=stated.ttft_ms,
            base_tpot_ms=stated.tpot_ms,
            launch=c,
        )
        for c in list(SETTINGS)[::7]
        for was, stated in zip(sweep(c), wrong[c], strict=True)
    )
    knowing = replace(FRESH, knowledge=Knowledge(wrong, circumstances=places, earlier=earlier))
    assert f"{len(earlier)} of earlier tasks" in proposal(knowing).reason
    assert SETTINGS[proposal(knowing).candidate_id][GEMM] == "fp8"


def test_auto_picks_by_predictions_budget_and_size_and_says_why() -> None:
    unknown = replace(FRESH, knowledge=Knowledge())
    many = replace(FRESH, budget=Budget(experiments=len(IDS)))
    assert pick(FRESH)[0].name == "hybrid"
    assert pick(unknown)[0].name == "progressive"
    assert pick(many)[0].name == "grid"
    for state in (FRESH, unknown, many):
        strategy, why = pick(state)
        assert re.search(r"\d|none", why)
        described = strategy_named("auto").describe(state)  # type: ignore[attr-defined]
        assert described == f"{strategy.name}, because {why}"
