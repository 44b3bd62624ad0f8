"""How often equal configurations are declared different, and different ones found.

python bench/certainty.py [--tasks N]

Two configurations are launched in turns (a b, b a, a b, …), as one confirms what is recommended,
and looked at after every pair, until the difference is settled or each was launched twelve times.
Launches of one configuration scatter; with drift the machine walks as far, at random, during the
whole task. What one launch of each chose as the best of twelve equal configurations is compared
once with that launch and once without.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from autotuner.certainty import LaunchFigure, LaunchPosterior, settled

NOISES = (0.02, 0.05, 0.15)
MOST_LAUNCHES = 12
WITHIN = 0.005
"""Standard error of a figure within its launch: some hundred requests."""
CHOSEN_OF = 12


@dataclass(frozen=True)
class Found:
    """The end of a simulated task: what was declared, after how many launches of each."""

    declared: str
    launches: int


def figures(
    random: np.random.Generator, noise: float, drift: float, difference: float
) -> list[LaunchFigure]:
    """Launches of `a` and `b` in turns; the logarithm of `a` is higher by `difference`."""
    count = 2 * MOST_LAUNCHES
    walked = np.cumsum(random.standard_normal(count)) * drift / np.sqrt(count)
    made = []
    for place in range(count):
        is_a = place % 4 in (0, 3)
        scatter = noise * random.standard_normal() + WITHIN * random.standard_normal()
        log = difference * is_a + walked[place] + scatter
        made.append(LaunchFigure("a" if is_a else "b", 60.0 * place, float(log), WITHIN))
    return made


def compared(made: Sequence[LaunchFigure], before: Sequence[LaunchFigure] = ()) -> Found:
    """Looks after every pair of launches, until it is settled."""
    for launches in range(1, len(made) // 2 + 1):
        posterior = LaunchPosterior([*before, *made[: 2 * launches]])
        if (declared := settled(posterior.ratio("a", "b"))) != "unclear":
            return Found(declared, launches)
    return Found("unclear", len(made) // 2)


def by_intervals(made: Sequence[LaunchFigure]) -> bool:
    """The rule of before: one launch of each, different where 95 % intervals do not overlap."""
    first, second = made[:2]
    return abs(first.log - second.log) > 1.96 * (first.log_std + second.log_std)


def simulated(
    noise: float, drift: float, difference: float, tasks: int, seed: int
) -> Iterator[tuple[Found, bool]]:
    """Each task's end, and what the rule of before says of it."""
    random = np.random.default_rng(seed)
    for _ in range(tasks):
        made = figures(random, noise, drift, difference)
        yield compared(made), by_intervals(made)


def chosen(noise: float, tasks: int, seed: int, *, with_choice: bool) -> float:
    """Share of tasks in which the best of equal ones, as measured, is declared different."""
    random = np.random.default_rng(seed)
    wrong = 0
    for _ in range(tasks):
        seen = noise * random.standard_normal(CHOSEN_OF)
        before = [
            LaunchFigure("b", -120.0, float(noise * random.standard_normal()), WITHIN),
            LaunchFigure("a", -60.0, float(seen.max()), WITHIN),
        ]
        made = figures(random, noise, 0.0, 0.0)[:6]
        wrong += compared(made, before if with_choice else before[:1]).declared != "unclear"
    return wrong / tasks


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=200, help="simulated tasks for each row")
    tasks: int = parser.parse_args().tasks
    print(f"{tasks} simulated tasks each, up to {MOST_LAUNCHES} launches of each configuration\n")
    print("| launch to launch | drift | equal: declared different | by intervals of one launch |")
    print("|---|---|---|---|")
    for noise in NOISES:
        for drift in (0.0, noise):
            ends = list(simulated(noise, drift, 0.0, tasks, seed=1))
            wrong = sum(end.declared != "unclear" for end, _ in ends) / tasks
            former = sum(before for _, before in ends) / tasks
            print(f"| {noise:.0%} | {drift:.0%} | {wrong:.1%} | {former:.1%} |", flush=True)
    print(
        "\n| launch to launch | drift | twice that better: found | wrong way | launches of each |"
    )
    print("|---|---|---|---|---|")
    for noise in NOISES:
        for drift in (0.0, noise):
            ends = list(simulated(noise, drift, 2 * noise, tasks, seed=2))
            right = [end.launches for end, _ in ends if end.declared == "better"]
            wrong = sum(end.declared == "worse" for end, _ in ends) / tasks
            took = f"{statistics.fmean(right):.1f} ({int(np.quantile(right, 0.9))} in nine of ten)"
            share = f"{len(right) / tasks:.1%} | {wrong:.1%}"
            print(f"| {noise:.0%} | {drift:.0%} | {share} | {took} |", flush=True)
    print(
        f"\n| launch to launch | best of {CHOSEN_OF} equal: with the launch that chose | without |"
    )
    print("|---|---|---|")
    for noise in NOISES:
        shares = [chosen(noise, tasks, 3, with_choice=one) for one in (True, False)]
        print(f"| {noise:.0%} | " + " | ".join(f"{share:.1%}" for share in shares) + " |")


if __name__ == "__main__":
    main()
