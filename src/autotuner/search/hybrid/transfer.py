"""Transferred observations: residuals that earlier tasks measured, before anything is launched.

How an engine on a device, a number format or a layout is mispredicted is alike from model to model,
though only in part: residuals of another model count with `ACROSS_MODELS`. A Gaussian process like
that of `residuals`, on features that mean the same for every model; its posterior mean becomes part
of the prediction, and the uncertainty is left to the search's own process. What others measured
counts as in calibration: as far as it agrees, and with an error that all points of a group share.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autotuner.predict import Observation, e2e_ms, requests_in_flight
from autotuner.predict.agreement import weighed
from autotuner.predict.gaussian_process import (
    Component,
    conditioned,
    equal_tags,
    kernel_sum,
    matern32,
    squared_distances,
)
from autotuner.predict.residual_process import clipped, shared_error_covariance
from autotuner.search.hybrid.rows import Bools, Floats, Rows, pace_ms
from autotuner.search.strategy import SearchState

ACROSS_MODELS = 0.3
"""Covariance between models, as a share of that within one."""
MOST_OBSERVATIONS = 800
"""More cost seconds; those of the same device and engines are taken first."""

COMPONENTS = (
    Component(0.02, ("model",)),
    Component(0.06, ("model", "engine")),
    Component(0.02, ("model", "format")),
    Component(0.15, ("model", "features", "any_engine")),
    Component(0.01, ("launch",)),
)
"""Of ln(measured / predicted): what all share, an engine, an engine's format, a smooth function of
the features, and a launch. Similarities of models and of `any_engine` are never 0."""
NOISE = 0.005
"""Variance of one measurement."""
ACROSS_ENGINES = 0.3
"""How much of the smooth component engines share."""
_LENGTHS = {
    "ttft": (4.0, 5.0, 3.0, 4.0, 2.0, 2.0, 6.0, 6.0),
    "tpot": (3.0, 5.0, 3.0, 3.0, 2.0, 2.0, 6.0, 4.0),
}
"""Over which logarithms of TP, DP, EP, load of a rank, isl, osl, TTFT and TPOT stay alike."""


@dataclass(frozen=True)
class _Points:
    """Operating points as the kernel compares them: features `n x d`, and tags."""

    features: Floats
    models: Sequence[Hashable]
    engines: Sequence[Hashable]
    formats: Sequence[Hashable]
    launches: Sequence[Hashable]


def transferred_residuals(state: SearchState, rows: Rows) -> Floats:
    """Residuals to expect by earlier observations: `n x q`; zeros where there are none."""
    found = np.zeros_like(rows.base)
    circumstances = state.knowledge.circumstances
    if not all(candidate in circumstances for candidate in rows.candidates):
        return found
    weighing = weighed(_most_alike(state))
    earlier = weighing.kept
    if not earlier:
        return found
    seen, asked = _seen(earlier), _asked(state, rows)
    among, across = _tag_similarities(seen, seen), _tag_similarities(seen, asked)
    for column, quantity in enumerate(_LENGTHS):
        values = clipped([_residual(o, quantity) for o in earlier])
        shared = shared_error_covariance(weighing.shared_errors(quantity))
        process = conditioned(_kernel(seen, seen, among, quantity) + shared, NOISE, values)
        found[:, column] = process.mean(_kernel(seen, asked, across, quantity))
    return found


def _most_alike(state: SearchState) -> Sequence[Observation]:
    """Observations of the base predictor that the search has; the most similar, where too many.

    Of those that are as alike, what was measured here comes first.
    """
    places = state.knowledge.circumstances.values()
    devices, engines = {p.device for p in places}, {p.engine for p in places}
    ranked = sorted(
        state.knowledge.earlier,
        key=lambda o: (-(2 * (o.device in devices) + (o.engine in engines)), o.is_foreign),
    )
    return ranked[:MOST_OBSERVATIONS]


def _seen(earlier: Sequence[Observation]) -> _Points:
    features = [
        (
            *_widths(o.settings, o.in_flight),
            *map(math.log, (o.isl, o.osl, o.base_ttft_ms, pace_ms(o.base_ttft_ms, o.base_tpot_ms))),
        )
        for o in earlier
    ]
    return _Points(
        np.array(features),
        models=[o.model for o in earlier],
        engines=[o.engine for o in earlier],
        formats=[(o.engine, o.settings.get("quantization.gemm_mode")) for o in earlier],
        launches=[o.launch for o in earlier],
    )


def _asked(state: SearchState, rows: Rows) -> _Points:
    features = []
    known = [state.knowledge.circumstances[candidate] for candidate in rows.candidates]
    settings = [state.settings.get(candidate, {}) for candidate in rows.candidates]
    for place, level, base in zip(rows.of, rows.levels, rows.base, strict=True):
        lengths = (math.log(max(tokens, 1.0)) for tokens in (known[place].isl, known[place].osl))
        latency_ms = e2e_ms(math.exp(base[0]), math.exp(base[1]), known[place].osl)
        in_flight = requests_in_flight(level, latency_ms)
        features.append((*_widths(settings[place], in_flight), *lengths, base[0], base[1]))
    formats = [
        (one.engine, own.get("quantization.gemm_mode"))
        for one, own in zip(known, settings, strict=True)
    ]
    return _Points(
        np.array(features),
        models=[known[place].model for place in rows.of],
        engines=[known[place].engine for place in rows.of],
        formats=[formats[place] for place in rows.of],
        launches=[None] * len(rows.of),
    )


def _widths(settings: Mapping[str, Any], in_flight: float) -> tuple[float, float, float, float]:
    """Logarithms of TP, DP, EP and the load of a rank."""
    tensor, data, pipeline, expert = (
        float(settings.get(f"parallel.{name}_parallel") or 1)
        for name in ("tensor", "data", "pipeline", "moe_expert")
    )
    load = max(in_flight / (data * pipeline), 1.0)
    return math.log(tensor), math.log(data), math.log(expert), math.log(load)


def _residual(seen: Observation, quantity: str) -> float:
    if quantity == "ttft":
        return math.log(seen.ttft_ms / seen.base_ttft_ms)
    base = pace_ms(seen.base_ttft_ms, seen.base_tpot_ms)
    return math.log(pace_ms(seen.ttft_ms, seen.tpot_ms) / base)


def _tag_similarities(one: _Points, other: _Points) -> dict[str, Floats | Bools]:
    engines = equal_tags(one.engines, other.engines)
    return {
        "model": np.where(equal_tags(one.models, other.models), 1.0, ACROSS_MODELS),
        "engine": engines,
        "any_engine": np.where(engines, 1.0, ACROSS_ENGINES),
        "format": equal_tags(one.formats, other.formats),
        "launch": equal_tags(one.launches, other.launches),
    }


def _kernel(
    one: _Points, other: _Points, tags: Mapping[str, Floats | Bools], quantity: str
) -> Floats:
    lengths = np.array(_LENGTHS[quantity])
    squared = squared_distances(one.features / lengths, other.features / lengths)
    similarities = {**tags, "features": matern32(squared)}
    return kernel_sum(COMPONENTS, similarities, squared.shape)
