"""Ends, gaps, trends: the search that needs no predictor."""

from __future__ import annotations

import statistics
from dataclasses import replace

import pytest
from synthetic import LEVELS, SETTINGS, THREE, TRUTH, TWO, completed, launches, share_found

from autotuner.search import (
    Budget,
    Knowledge,
    Outcome,
    Proposal,
    SearchState,
    Stop,
    strategy_named,
)
from autotuner.search.progressive.failures import failure_model_of
from autotuner.search.progressive.gaps import gaps

IDS = tuple(SETTINGS)
FRESH = SearchState(IDS, (), TWO, levels=LEVELS, settings=SETTINGS)
TP, SLOTS, GEMM = list(next(iter(SETTINGS.values())))[:3]


def after(state: SearchState, *outcomes: Outcome) -> SearchState:
    return replace(state, history=outcomes, spent_experiments=len(outcomes))


def propose(state: SearchState) -> Proposal:
    choice = strategy_named("progressive").propose(state)
    assert isinstance(choice, Proposal), choice
    return choice


@pytest.mark.parametrize("objectives", [TWO, THREE])
def test_it_finds_more_of_the_frontier_than_random_search(objectives: tuple[str, ...]) -> None:
    state = replace(FRESH, objectives=objectives, budget=Budget(experiments=12))
    random = [
        share_found(launches("random", replace(state, seed=seed)), objectives) for seed in range(9)
    ]
    assert share_found(launches("progressive", state), objectives) > statistics.median(random) + 0.1


def test_without_a_budget_it_takes_12_to_17_launches_in_three_phases() -> None:
    made = launches("progressive", FRESH)
    phases = [choice.phase for choice in made]
    assert 12 <= len(made) <= 17
    assert phases[:4] == ["extremes"] * 4
    assert phases.index("refinement") - 4 in range(5, 9)
    assert set(phases) == {"extremes", "gaps", "refinement"}
    last = strategy_named("progressive").propose(
        after(FRESH, *(completed(choice.candidate_id) for choice in made))
    )
    assert isinstance(last, Stop)


@pytest.mark.parametrize(("experiments", "ends"), [(1, 1), (4, 2), (6, 3), (8, 4), (30, 4)])
def test_a_budget_shortens_the_phases(experiments: int, ends: int) -> None:
    made = launches("progressive", replace(FRESH, budget=Budget(experiments=experiments)))
    assert len(made) == experiments
    assert [choice.phase for choice in made[:ends]] == ["extremes"] * ends
    assert all(choice.phase != "extremes" for choice in made[ends:])


def test_the_extremes_are_what_the_rules_of_thumb_say() -> None:
    latency, throughput, ttft, tpot = (
        SETTINGS[choice.candidate_id] for choice in launches("progressive", FRESH)[:4]
    )
    chunk = "attention.chunked_prefill_size"
    assert (latency[TP], latency[SLOTS], latency[GEMM]) == (8, 8, "bfloat16")
    assert (throughput[TP], throughput[SLOTS], throughput[GEMM]) == (1, 512, "fp8")
    assert (ttft[TP], ttft[chunk]) == (8, 8192)
    assert (tpot[SLOTS], tpot[GEMM]) == (8, "fp8")


def test_extremes_that_coincide_are_launched_once() -> None:
    few = ("c000", "c191")
    settings = {c: {TP: SETTINGS[c][TP]} for c in few}
    made = launches("progressive", replace(FRESH, candidates=few, settings=settings))
    assert [choice.candidate_id for choice in made] == ["c191", "c000"]


def test_launches_in_flight_count_in_their_phase() -> None:
    flying: tuple[str, ...] = ()
    phases = []
    for _ in range(7):
        choice = propose(replace(FRESH, in_flight=flying))
        flying += (choice.candidate_id,)
        phases.append(choice.phase)
    assert phases == ["extremes"] * 4 + ["gaps"] * 3
    assert len(set(flying)) == 7


def test_a_gap_is_filled_from_between_the_settings_of_its_ends() -> None:
    made = launches("progressive", FRESH)[:4]
    state = after(FRESH, *(completed(choice.candidate_id) for choice in made))
    points = [point for outcome in state.history for point in outcome.points]
    ends = {end for gap in gaps(points) for end in gap.ends}
    choice = propose(state)
    widths = sorted(float(str(SETTINGS[end][TP])) for end in ends)
    assert choice.phase == "gaps"
    assert widths[0] <= float(str(SETTINGS[choice.candidate_id][TP])) <= widths[-1]
    assert "of the frontier between" in choice.reason
    second = propose(replace(state, in_flight=(choice.candidate_id,)))
    assert second.reason.split(":")[0] != choice.reason.split(":")[0], "one gap is being filled"


def test_refinement_follows_a_trend_and_names_its_strength() -> None:
    made = launches("progressive", FRESH)
    refined = [choice for choice in made if choice.phase == "refinement"]
    assert refined
    assert all("promise" in c.reason and "compared with" in c.reason for c in refined)
    assert any("cuts TPOT by" in c.reason or "raises throughput" in c.reason for c in refined)


def test_it_stops_where_the_trends_promise_less_than_the_threshold() -> None:
    state = replace(FRESH, budget=Budget(experiments=60), threshold=0.05)
    made = launches("progressive", state)
    assert len(made) < 60
    finished = tuple(completed(choice.candidate_id) for choice in made)
    stop = strategy_named("progressive").propose(after(state, *finished))
    assert isinstance(stop, Stop)
    assert "less than the threshold of 5.0 %" in stop.reason


def test_one_objective_is_sought_within_the_slo() -> None:
    slo = {"tpot_ms": 8.0}
    state = replace(FRESH, objectives=("tok_s_per_gpu",), slo=slo, budget=Budget(experiments=12))
    made = launches("progressive", state)

    def best(candidates: set[str]) -> float:
        points = (point for c in candidates for point in TRUTH[c])
        return max(p.tok_s_per_gpu for p in points if p.tpot_ms <= slo["tpot_ms"])

    assert best({choice.candidate_id for choice in made}) > 0.9 * best(set(IDS))


def test_behind_a_memory_wall_nothing_is_launched() -> None:
    """Half-precision weights on one device run out of memory, and on two with many sequences."""

    def too_large(candidate: str) -> bool:
        own = SETTINGS[candidate]
        return own[GEMM] == "bfloat16" and own[TP] == 1

    wall = {c: Outcome(c, "failed", failure_kind="out_of_memory") for c in SETTINGS if too_large(c)}
    tried = next(iter(wall))
    state = after(FRESH, wall[tried], completed("c191"))
    made = launches("progressive", replace(state, budget=Budget(experiments=14)), wall)
    assert not {choice.candidate_id for choice in made} & set(wall)


def test_what_a_failure_teaches_is_reported() -> None:
    crashed = Outcome("c000", "failed", failure_kind="died_while_loading")
    failures = failure_model_of(after(FRESH, crashed, completed("c191")))
    assert "resembles c000 (died while loading) more than any" in str(failures.against("c001"))
    assert failures.against("c190") is None
    choice, passed = failures.choose(["c001", "c190"])
    assert choice == "c190"
    assert "passed over c001" in passed
    least, reported = failures.choose(["c001", "c003", "c000"])
    assert least == "c003"
    assert "every candidate left is warned of" in reported


@pytest.mark.parametrize("kind", ["port_taken", "machine_lost"])
def test_what_is_not_its_own_fault_teaches_nothing(kind: str) -> None:
    taken = Outcome("c000", "failed", failure_kind=kind)
    failures = failure_model_of(after(FRESH, taken, completed("c191")))
    assert [c for c in IDS if failures.against(c)] == []


def test_a_candidate_that_is_predicted_not_to_fit_is_passed_over() -> None:
    first = propose(FRESH).candidate_id
    unfit = Knowledge(out_of_memory={first: "needs 90 of 80 GiB"})
    assert propose(replace(FRESH, knowledge=unfit)).candidate_id != first


def test_where_every_launch_fails_it_goes_on_elsewhere_and_ends() -> None:
    failing = {c: Outcome(c, "failed", failure_kind="died_while_loading") for c in IDS}
    made = launches("progressive", FRESH, failing)
    assert 12 <= len(made) <= 19
    widths = {SETTINGS[choice.candidate_id][TP] for choice in made}
    assert widths == {1, 2, 4, 8}
