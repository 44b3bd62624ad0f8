"""Fits `search/hybrid/hyperparameters.yaml`: hyperparameters of a search's residuals.

    python scripts/fit_search_hyperparameters.py LANDSCAPE... [--seconds 240] [--output FILE]

On each landscape a handful of launches are learnt and the others predicted, over and over: launches
drawn at random, and launches drawn from a corner of the space (alike in half of their settings), as
a search has them. The hyperparameters are those under which what was not launched is least
surprising, by the log density of a Student distribution with 4 degrees of freedom (one that a few
wild rows do not rule), found by a random search from the values that the file has. Common and
smooth variances are then doubled: under the fitted ones the errors were 1.13 to 1.26 times as large
as stated. The landscapes have no percentiles, so those of `tail` are judgement: the 90th percentile
of E2E latency is mostly 1 to 1.4 times its mean, by the workload and by the load.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from autotuner.landscapes import Landscape, knowledge, read_landscape
from autotuner.predict.residual_process import clipped
from autotuner.search import SearchState
from autotuner.search.hybrid.residuals import VARIANCES, Measured, MeasuredResiduals, priors
from autotuner.search.hybrid.rows import QUANTITIES, Rows, rows_of

FILE = Path(__file__).parents[1] / "src/autotuner/search/hybrid/hyperparameters.yaml"
LAUNCHES = (2, 6)
DRAWS = 4
ASKED = 40
NOISE_SHARE = {"ttft": 1.0, "tpot": 1.0, "littles_law_residual": 0.3}
"""Share of a row's noise that a quantity has; in the residual throughput's and TPOT's cancel."""
LAUNCH_ROLES = {"level", "load", "gpus", "base_ttft", "base_tpot"}
DEGREES = 4
HEDGE = {"common": 2.0, "smooth": 2.0}


@dataclass(frozen=True)
class Case:
    """Some launches of a landscape, and others to be predicted from them."""

    rows: Rows
    seen: Measured
    asked: np.ndarray
    residuals: np.ndarray


def cases(landscape: Landscape, quantity: str) -> Iterator[Case]:
    """Launches that are learnt and launches that are asked for, of one quantity."""
    state = SearchState(
        candidates=tuple(launch.id for launch in landscape.launches),
        history=(),
        objectives=("tok_s_per_gpu", "tok_s_per_user"),
        levels=landscape.levels,
        settings={launch.id: launch.settings for launch in landscape.launches},
        knowledge=knowledge(landscape),
    )
    rows = rows_of(state)
    residuals, noise = _true(landscape, rows)
    ran = ~np.isnan(residuals[:, 0])
    kinds = [column for column, role in enumerate(rows.roles) if role not in LAUNCH_ROLES]
    for draw in range(DRAWS):
        for count in LAUNCHES:
            random = np.random.default_rng([draw, count])
            order = random.permutation(np.unique(rows.of[ran]))
            firsts = np.array([np.flatnonzero(rows.of == place)[0] for place in order])
            settings = rows.features[firsts][:, kinds]
            corner = random.random(len(kinds)) < 0.5 if draw % 2 else np.zeros(len(kinds), bool)
            alike = (np.abs(settings[:, corner] - settings[0, corner]) < 1e-9).all(1)
            launched = order[alike][:count]
            others = random.permutation(np.setdiff1d(order, launched))[:ASKED]
            at = np.flatnonzero(ran & np.isin(rows.of, launched))
            asked = np.flatnonzero(ran & np.isin(rows.of, others))
            drawn = (
                NOISE_SHARE[quantity]
                * noise[at, None]
                * random.standard_normal((len(at), len(QUANTITIES)))
            )
            yield Case(rows, Measured(at, residuals[at] + drawn), asked, residuals[asked])


def _true(landscape: Landscape, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    index = rows.index()
    residuals, noise = np.full((len(rows.of), len(QUANTITIES)), np.nan), np.zeros(len(rows.of))
    for launch in landscape.launches:
        for level in launch.levels:
            row = index.get((launch.id, level.load))
            true = level.true
            if true is not None and true.tpot_ms is not None and row is not None:
                littles_law = true.tok_s * true.tpot_ms / level.load.value
                logs = np.log([true.ttft_ms, true.tpot_ms, littles_law, 1.0])
                residuals[row] = logs - rows.base[row]
                noise[row] = level.noise_cv
    return residuals, noise


def surprise(theta: dict[str, np.ndarray], found: dict[str, list[Case]], column: int) -> float:
    """Mean negative log density of what was asked, landscape by landscape."""
    means = []
    for landscape in found.values():
        losses = []
        for case in landscape:
            lengths = [theta["lengths"][theta["roles"].tolist().index(r)] for r in case.rows.roles]
            one = np.concatenate([theta["variances"], lengths])
            values = clipped(case.seen.residuals[:, column])
            measured = MeasuredResiduals(case.rows, column, case.seen.rows, values)
            mean, variance = measured.predict(one, case.asked)
            error = case.residuals[:, column] - mean
            losses.append(
                (
                    0.5 * np.log(variance)
                    + (DEGREES + 1) / 2 * np.log1p(error**2 / (DEGREES * variance))
                ).mean()
            )
        means.append(np.mean(losses))
    return float(np.mean(means))


def fitted(quantity: str, landscapes: list[Landscape], seconds: float) -> dict[str, Any]:
    """Variances and lengths of one quantity."""
    prior, column = priors()[quantity], QUANTITIES.index(quantity)
    found = {one.name: list(cases(one, quantity)) for one in landscapes}
    roles = np.array(sorted(prior.lengths))
    undone = [prior.variances[name] / HEDGE.get(name, 1.0) for name in VARIANCES]
    start = np.log([*undone, *(prior.lengths[role] for role in roles)])

    def split(theta: np.ndarray) -> dict[str, np.ndarray]:
        size = len(VARIANCES)
        return {"variances": theta[:size], "lengths": theta[size:], "roles": roles}

    def loss(theta: np.ndarray) -> float:
        return surprise(split(theta), found, column) + 0.002 * float(((theta - start) ** 2).sum())

    random, best, least, stride = np.random.default_rng(0), start, loss(start), 0.4
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        moved = random.random(len(best)) < 0.35
        trial = best + stride * random.standard_normal(len(best)) * moved
        if (reached := loss(trial)) < least:
            best, least, stride = trial, reached, min(stride * 1.3, 0.8)
        else:
            stride = max(stride * 0.97, 0.08)
    print(f"{quantity}: {loss(start):.4f} -> {least:.4f}")
    variances = dict(zip(VARIANCES, np.exp(best), strict=False))
    return {
        "variances": {k: _rounded(v * HEDGE.get(k, 1.0)) for k, v in variances.items()},
        "lengths": {
            str(role): _rounded(length)
            for role, length in zip(roles, np.exp(best[len(VARIANCES) :]), strict=True)
        },
    }


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("landscapes", nargs="+", type=Path)
    parser.add_argument("--seconds", type=float, default=240, help="for each quantity")
    parser.add_argument("--output", type=Path, default=FILE)
    given = parser.parse_args()
    landscapes = [read_landscape(path) for path in given.landscapes]
    document = yaml.safe_load(FILE.read_text("utf-8"))
    document["fitted_on"] = [landscape.name for landscape in landscapes]
    document["quantities"] |= {q: fitted(q, landscapes, given.seconds) for q in NOISE_SHARE}
    head = "# Written by scripts/fit_search_hyperparameters.py, which says how.\n"
    text = head + yaml.safe_dump(document, sort_keys=False)
    aside = given.output.with_suffix(".new")
    aside.write_text(text, encoding="utf-8")
    aside.replace(given.output)


if __name__ == "__main__":
    main()
