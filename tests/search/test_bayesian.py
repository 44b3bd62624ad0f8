"""Optuna's sampler, asked for candidates."""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
from dataclasses import replace

import numpy as np
import optuna
import pytest
from synthetic import LEVELS, SETTINGS, TWO, completed, launches, share_found

from autotuner.search import Budget, Knowledge, Outcome, SearchState, strategy_named

IDS = tuple(SETTINGS)
FRESH = SearchState(IDS, (), TWO, Budget(experiments=12), levels=LEVELS, settings=SETTINGS, seed=3)


@pytest.mark.slow
def test_it_finds_more_of_the_frontier_than_random_search() -> None:
    def median(strategy: str, seeds: int) -> float:
        runs = (launches(strategy, replace(FRESH, seed=seed)) for seed in range(seeds))
        return statistics.median(share_found(made, TWO) for made in runs)

    assert median("bayesian", 5) > median("random", 25)


def test_the_first_launches_are_drawn_and_then_the_sampler_is_taught() -> None:
    made = launches("bayesian", FRESH)
    assert [choice.phase for choice in made] == ["start"] * 4 + ["sampling"] * 8
    assert "TPE, taught by 4 launches, asks for TP" in made[4].reason
    assert made != launches("bayesian", replace(FRESH, seed=4))


def test_what_is_predicted_not_to_fit_comes_last() -> None:
    few = IDS[:6]
    unfit = dict.fromkeys(few[:3], "too large")
    state = replace(
        FRESH, candidates=few, budget=Budget(), knowledge=Knowledge(out_of_memory=unfit)
    )
    order = [choice.candidate_id for choice in launches("bayesian", state)]
    assert set(order[3:]) == set(few[:3])


@pytest.mark.parametrize(("kind", "taught"), [("machine_lost", 1), ("load_errors", 2)])
def test_a_launch_that_failed_by_no_fault_of_its_own_teaches_the_sampler_nothing(
    kind: str, taught: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = list[optuna.trial.FrozenTrial]()
    monkeypatch.setattr(
        optuna.Study, "add_trials", lambda study, added: trials.extend(added), raising=True
    )
    history = (completed(IDS[0]), Outcome(IDS[1], "failed", failure_kind=kind))
    strategy_named("bayesian").propose(replace(FRESH, history=history, spent_experiments=2))
    assert len(trials) == taught * len(LEVELS)


def test_nothing_of_the_process_is_changed() -> None:
    def shared() -> tuple[object, ...]:
        numpy_place = np.random.get_state(legacy=False)["state"]["pos"]
        return optuna.logging.get_verbosity(), numpy_place, random.getstate()

    before = shared()
    history = tuple(completed(candidate) for candidate in IDS[:6])
    strategy_named("bayesian").propose(replace(FRESH, history=history, spent_experiments=6))
    assert shared() == before


def test_it_prints_nothing_and_is_loaded_only_when_asked() -> None:
    program = (
        "import sys\n"
        "from autotuner.search import SearchState, strategy_named\n"
        "strategy = strategy_named('bayesian')\n"
        "assert 'optuna' not in sys.modules and 'numpy' not in sys.modules\n"
        "strategy.propose(SearchState(('a', 'b'), (), ('tok_s',)))\n"
        "assert 'optuna' in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
