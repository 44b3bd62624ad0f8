"""What earlier tasks teach of this one's rows before anything is launched.

How an engine on a device, a number format or a layout is mispredicted is alike from model to model,
though only in part: residuals of another model count with `ACROSS_MODELS`. The same Gaussian
process as in `residuals`, on features that mean the same for every model; its mean becomes part of
the prediction, and its doubt is left to the search's own.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autotuner.predict import Observation
from autotuner.predict.calibration import clipped
from autotuner.predict.likeness import matern, squared_distances
from autotuner.search.hybrid.rows import QUANTITIES, Bools, Floats, Rows, pace_ms
from autotuner.search.strategy import SearchState

ACROSS_MODELS = 0.3
"""Covariance between models, as a share of that within one."""
MOST_OBSERVATIONS = 800
"""More cost seconds; those of the same device and engines are taken first."""

_COMMON, _ENGINE, _FORMAT, _SMOOTH, _LAUNCH, _NOISE = 0.02, 0.06, 0.02, 0.15, 0.01, 0.005
"""Variances of ln(measured / predicted): of all, of an engine, of an engine's format, of a smooth
function of the features, of a launch, of one measurement."""
_OTHER_ENGINE = 0.3
"""How much of the smooth part engines share."""
_LENGTHS = {
    "ttft": (4.0, 5.0, 3.0, 4.0, 2.0, 2.0, 6.0, 6.0),
    "tpot": (3.0, 5.0, 3.0, 3.0, 2.0, 2.0, 6.0, 4.0),
}
"""Over which logarithms of TP, DP, EP, load of a rank, isl, osl, TTFT and TPOT stay alike."""


@dataclass(frozen=True)
class _Sides:
    """What is compared: features, and what two rows may share."""

    features: Floats
    engines: Sequence[Hashable]
    formats: Sequence[Hashable]


def recall(state: SearchState, rows: Rows) -> Floats:
    """Residuals to expect by earlier observations: `n x 3`; zeros where there are none."""
    found = np.zeros((len(rows.of), len(QUANTITIES)))
    circumstances = state.knowledge.circumstances
    if not all(candidate in circumstances for candidate in rows.candidates):
        return found
    earlier = _most_alike(state)
    if not earlier:
        return found
    seen, asked = _seen(earlier), _asked(state, rows)
    models = _equal([o.model for o in earlier], [o.model for o in earlier])
    launches = _equal([o.launch for o in earlier], [o.launch for o in earlier])
    near = np.array([[circumstances[c].model == o.model for o in earlier] for c in rows.candidates])
    for column, quantity in enumerate(_LENGTHS):
        values = clipped([_residual(o, quantity) for o in earlier])
        among = _covariance(seen, seen, quantity) * np.where(models, 1.0, ACROSS_MODELS)
        among += _LAUNCH * launches + _NOISE * np.eye(len(earlier))
        share = np.where(near[rows.of], 1.0, ACROSS_MODELS).T
        towards = _covariance(seen, asked, quantity) * share
        found[:, column] = towards.T @ np.linalg.solve(among, values)
    return found


def _most_alike(state: SearchState) -> Sequence[Observation]:
    """Observations of the base predictor that the search has; the most alike, where too many."""
    places = state.knowledge.circumstances.values()
    devices, engines = {p.device for p in places}, {p.engine for p in places}
    ranked = sorted(
        state.knowledge.earlier, key=lambda o: -(2 * (o.device in devices) + (o.engine in engines))
    )
    return ranked[:MOST_OBSERVATIONS]


def _seen(earlier: Sequence[Observation]) -> _Sides:
    features = [
        (
            *_widths(o.settings, o.concurrency),
            *map(math.log, (o.isl, o.osl, o.base_ttft_ms, pace_ms(o.base_ttft_ms, o.base_tpot_ms))),
        )
        for o in earlier
    ]
    formats = [(o.engine, o.settings.get("quantization.gemm_mode")) for o in earlier]
    return _Sides(np.array(features), [o.engine for o in earlier], formats)


def _asked(state: SearchState, rows: Rows) -> _Sides:
    features, engines, formats = [], [], []
    for place, concurrency, base in zip(rows.of, rows.concurrency, rows.base, strict=True):
        candidate = rows.candidates[place]
        known = state.knowledge.circumstances[candidate]
        settings = state.settings.get(candidate, {})
        lengths = math.log(max(known.isl, 1.0)), math.log(max(known.osl, 1.0))
        features.append((*_widths(settings, concurrency), *lengths, base[0], base[1]))
        engines.append(known.engine)
        formats.append((known.engine, settings.get("quantization.gemm_mode")))
    return _Sides(np.array(features), engines, formats)


def _widths(settings: Mapping[str, Any], concurrency: float) -> tuple[float, float, float, float]:
    """Logarithms of TP, DP, EP and the load of a rank."""
    tensor, data, pipeline, expert = (
        float(settings.get(f"parallel.{name}_parallel") or 1)
        for name in ("tensor", "data", "pipeline", "moe_expert")
    )
    load = max(concurrency / (data * pipeline), 1.0)
    return math.log(tensor), math.log(data), math.log(expert), math.log(load)


def _residual(seen: Observation, quantity: str) -> float:
    if quantity == "ttft":
        return math.log(seen.ttft_ms / seen.base_ttft_ms)
    said = pace_ms(seen.base_ttft_ms, seen.base_tpot_ms)
    return math.log(pace_ms(seen.ttft_ms, seen.tpot_ms) / said)


def _covariance(one: _Sides, other: _Sides, quantity: str) -> Floats:
    lengths = np.array(_LENGTHS[quantity])
    squared = squared_distances(one.features / lengths, other.features / lengths)
    engines = _equal(one.engines, other.engines)
    shared = np.where(engines, 1.0, _OTHER_ENGINE)
    covariance: Floats = (
        _COMMON
        + _ENGINE * engines
        + _FORMAT * _equal(one.formats, other.formats)
        + _SMOOTH * matern(squared) * shared
    )
    return covariance


def _equal(one: Sequence[Hashable], other: Sequence[Hashable]) -> Bools:
    codes: dict[Hashable, int] = {}
    left, right = (
        np.array([codes.setdefault(value, len(codes)) for value in side]) for side in (one, other)
    )
    return np.asarray(left[:, None] == right[None])
