"""Fits `calibration.yaml`: how far one measured point teaches another.

    pip install "jax[cpu]"
    python scripts/fit_calibration.py > src/autotuner/predict/calibration.yaml

The hyperparameters are those of `calibration_kernel`, for TTFT and TPOT, on the measured rows that
aiconfigurator publishes beside our base prediction: by marginal likelihood and the likelihood of
each model's rows given the other models' (Rasmussen and Williams, 2006, equations 5.8 and 5.10
with a model left out), with a prior around the values written below. Three sets: on the models of
FIRST_HALF, on the others, and on all. Whoever judges calibration on rows of a model takes the set
that never saw it. What Little's law leaves over is not in those rows: its
hyperparameters are judgement.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import yaml

from autotuner.predict.calibration_kernel import (
    BY_WORKLOAD,
    FEATURES,
    LEVELS,
    WORKLOAD,
    differences,
)
from autotuner.predict.combined import best_of_both
from autotuner.predict.residual_process import clipped
from autotuner.verify.predicted_rows import Judged, judged_rows
from autotuner.verify.silicon import silicon_rows

FIRST_HALF = ("DeepSeek-", "Qwen3-32B", "Llama-3.1-8B", "gpt-oss")
"""Parts of the names of the models whose rows were looked at while this was developed."""

ROWS_OF_A_LAUNCH, ROWS_OF_A_GROUP = 4, 60
STEPS, RATE, PRIOR_WEIGHT, SEED = 50, 0.1, 0.3, 0
SURPRISE = 2.0
"""Standard deviations beyond which a left-out row counts by its distance, not by its square."""
NAMES = (*FEATURES, "formats")
OFFSET = {
    "engine": 0.05,
    "engine_device": 0.02,
    "family_engine": 0.03,
    "model": 0.02,
    "model_engine": 0.03,
    "task": 0.05,
    "task_workload": 0.001,
    "launch": 0.003,
}
SMOOTH = {
    "engine": 0.06,
    "engine_device": 0.04,
    "family_engine": 0.03,
    "model": 0.03,
    "model_engine": 0.03,
    "task": 0.08,
    "task_workload": 0.08,
    "launch": 0.002,
}
WORKLOAD_LENGTHS = {"load": 1.5, "isl": 1.5, "osl": 2.0, "prefill_share": 2.0}
LENGTHS = {
    "load": 1.5,
    "isl": 1.5,
    "osl": 2.0,
    "prefill_share": 2.0,
    "tensor_parallel": 1.5,
    "data_parallel": 2.0,
    "expert_parallel": 2.0,
    "base_ttft": 2.0,
    "base_tpot": 1.5,
    "formats": 2.0,
}
NOISE = 0.008
CAUTION = {
    "ttft": {"engine": 0.2, "engine_device": 0.2, "family_engine": 0.3},
    "tpot": {"engine": 0.1, "engine_device": 0.1, "family_engine": 0.1},
}
"""What is kept of the fitted variances of levels that several models share; the rest becomes the
task's own. A handful of models says little of the next one, and the likelihood of a few hundred
rows does not know that: with these, left-out models of the same half are predicted better, or no
worse (TPOT of the first half 20 -> 15 %, of the second 14 -> 14 %), as surely as before; TTFT
before the first launch, models of both halves left out, 34 -> 30 %. What a level took that compares
workloads only goes to the task's own of that kind."""
OTHER_LENGTH = 1.5
"""Of settings that the rows do not vary (slots, threads, chunks …): a factor of 4.5 is far."""
MEMBERS = {"engine": 0.1, "task": 0.3}
"""Variances of what is added to the weight of a blend's member, chosen beside the fitted ones: TPOT
of left-out models after 5 launches falls from 4.8 to 4.5 % with them, TTFT after 1 from 25 to 24 %,
both halves of the models together; 0.3 and 1 for tasks alone do much the same."""
REST = {"offset": {"engine": 0.002, "task": 0.002, "launch": 0.0005}, "noise": 0.0005}
"""Of what Little's law leaves over: a few percent, mostly the load generator's and the engine's."""


class Table:
    """Distances and shared levels of a list of rows."""

    def __init__(self, rows: Sequence[Judged]) -> None:
        places = [row.place for row in rows]
        features = np.array([place.features for place in places])
        squared = [(f[:, None] - f[None, :]) ** 2 for f in features.T]
        formats, other = differences(places, places)
        self.squared = jnp.array(np.stack([*squared, formats]))
        self.other = jnp.array(other)
        shared = []
        for tags in LEVELS.values():
            same = np.ones((len(places), len(places)))
            for tag in tags:
                values = [getattr(place, tag) for place in places]
                same *= (1 - _apart(values)) * np.array([v is not None for v in values])
            shared.append(same)
        self.shared = jnp.array(np.stack(shared))
        alone = [
            (place.family, row.row.scenario.facts.hidden_size)
            for place, row in zip(places, rows, strict=True)
        ]
        self.models = [
            np.array([i for i, other in enumerate(alone) if other == model])
            for model in dict.fromkeys(alone)
        ]

    def covariance(self, theta: jax.Array) -> jax.Array:
        """Of the rows' residuals, their noise included."""
        offset, smooth, workload, lengths, noise = _parts(theta)
        across = _decay(jnp.einsum("fij,f->ij", self.squared[: len(WORKLOAD)], workload**-2))
        apart = jnp.einsum("fij,f->ij", self.squared, lengths**-2)
        within = _decay(apart + self.other / OTHER_LENGTH**2)
        total = noise * jnp.eye(self.squared.shape[1])
        for place, level in enumerate(LEVELS):
            decay = across if level in BY_WORKLOAD else within
            total = total + self.shared[place] * (offset[place] + smooth[place] * decay)
        return total


def _decay(squared: jax.Array) -> jax.Array:
    scaled = jnp.sqrt(3 * squared + 1e-12)
    return (1 + scaled) * jnp.exp(-scaled)


def _left_out(
    inverse: jax.Array, weights: jax.Array, models: Sequence[np.ndarray[Any, Any]]
) -> jax.Array:
    """Negative log likelihood of each model's rows given the others', far ones by distance."""
    total = jnp.zeros(())
    for rows in models:
        covariance = jnp.linalg.inv(inverse[np.ix_(rows, rows)])
        std = jnp.sqrt(jnp.maximum(jnp.diagonal(covariance), 1e-8))
        far = jnp.abs(covariance @ weights[rows]) / std
        near = far**2 / 2
        cost = jnp.where(far < SURPRISE, near, SURPRISE * far - SURPRISE**2 / 2)
        total = total + (jnp.log(std) + cost).sum()
    return total


def fitted(rows: Sequence[Judged], quantity: str) -> dict[str, Any]:
    """The hyperparameters of one quantity, by Adam (D. P. Kingma, J. Ba, ICLR 2015)."""
    table = Table(rows)
    truth = jnp.array(clipped([row.residual(quantity) for row in rows]))
    start = jnp.log(
        jnp.array(
            [
                *(OFFSET[level] for level in LEVELS),
                *(SMOOTH[level] for level in LEVELS),
                *(WORKLOAD_LENGTHS[name] for name in WORKLOAD),
                *(LENGTHS[name] for name in NAMES),
                NOISE,
            ]
        )
    )

    def loss(theta: jax.Array) -> jax.Array:
        root = jnp.linalg.cholesky(table.covariance(theta))
        weights = jax.scipy.linalg.cho_solve((root, True), truth)
        inverse = jax.scipy.linalg.cho_solve((root, True), jnp.eye(len(truth)))
        likelihood = 0.5 * truth @ weights + jnp.log(jnp.diagonal(root)).sum()
        likelihood = likelihood + _left_out(inverse, weights, table.models)
        return likelihood + PRIOR_WEIGHT * ((theta - start) ** 2).sum()

    gradient = jax.jit(jax.value_and_grad(loss))
    theta, mean, square = start, jnp.zeros_like(start), jnp.zeros_like(start)
    for step in range(STEPS):
        value, slope = gradient(theta)
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        ahead = mean / (1 - 0.9 ** (step + 1))
        theta = theta - RATE * ahead / (jnp.sqrt(square / (1 - 0.999 ** (step + 1))) + 1e-8)
        if step % 20 == 0:
            print(quantity, len(rows), step, round(float(value) / len(rows), 3), file=sys.stderr)
    offset, smooth, workload, lengths, noise = (part.tolist() for part in _parts(theta))
    return {
        "offset": _cautious(_rounded(LEVELS, offset), quantity),
        "smooth": _cautious(_rounded(LEVELS, smooth), quantity),
        "workload_lengths": _rounded(WORKLOAD, workload),
        "lengths": _rounded(NAMES, lengths) | {"other": OTHER_LENGTH},
        "noise": float(f"{noise:.3g}"),
        "members": MEMBERS,
    }


def chosen(rows: Sequence[Judged]) -> list[Judged]:
    """At most so many rows of a launch and of a group, drawn at random."""
    launches: Counter[Any] = Counter()
    groups: Counter[Any] = Counter()
    found = []
    for row in random.Random(SEED).sample(rows, len(rows)):  # noqa: S311 - reproducible
        launches[row.row.launch] += 1
        if launches[row.row.launch] > ROWS_OF_A_LAUNCH:
            continue
        groups[row.row.group] += 1
        if groups[row.row.group] <= ROWS_OF_A_GROUP:
            found.append(row)
    return found


def main() -> None:
    """Prints the file."""
    jax.config.update("jax_enable_x64", True)
    judged, _ = judged_rows(silicon_rows().rows, best_of_both())
    first = [j for j in judged if any(part in j.row.model for part in FIRST_HALF)]
    second = [j for j in judged if not any(part in j.row.model for part in FIRST_HALF)]
    sets = {}
    for name, rows in {"first_half": first, "second_half": second, "all": judged}.items():
        taken = chosen(rows)
        hyperparameters = {quantity: fitted(taken, quantity) for quantity in ("ttft", "tpot")}
        rest = {
            "offset": REST["offset"],
            "smooth": {},
            "workload_lengths": hyperparameters["tpot"]["workload_lengths"],
            "lengths": hyperparameters["tpot"]["lengths"],
            "noise": REST["noise"],
        }
        sets[name] = {
            "fitted_on": sorted({row.row.model for row in rows}),
            "hyperparameters": hyperparameters | {"tok_s": rest},
        }
    print("# Written by scripts/fit_calibration.py, which says how. Variances of the natural")
    print("# logarithm of measured over predicted, and length scales in natural logarithms.")
    print(yaml.safe_dump({"sets": sets}, sort_keys=False, width=100), end="")


def _parts(theta: jax.Array) -> tuple[jax.Array, ...]:
    ends = np.cumsum([len(LEVELS), len(LEVELS), len(WORKLOAD), len(NAMES)])
    *parts, noise = jnp.split(jnp.exp(theta), ends)
    return (*parts, noise[0])


def _apart(values: Sequence[Any]) -> Any:
    codes = {value: number for number, value in enumerate(dict.fromkeys(values))}
    numbers = np.array([codes[value] for value in values])
    return (numbers[:, None] != numbers[None, :]).astype(float)


def _cautious(variances: dict[str, float], quantity: str) -> dict[str, float]:
    shared = {level: CAUTION[quantity].get(level, 1.0) for level in variances}
    kept = {level: shared[level] * variance for level, variance in variances.items()}
    for level, variance in variances.items():
        own = "task_workload" if level in BY_WORKLOAD else "task"
        kept[own] += (1 - shared[level]) * variance
    return {level: float(f"{variance:.3g}") for level, variance in kept.items()}


def _rounded(names: Any, values: Sequence[float]) -> dict[str, float]:
    return {name: float(f"{value:.3g}") for name, value in zip(names, values, strict=True)}


if __name__ == "__main__":
    main()
