"""Failure model: risk of candidates that were not tried, learnt from failed launches.

A candidate that asks each GPU for about as much memory as one that ran out will run out too. Any
other failure is a matter of similarity: a candidate that resembles a failed one more than any that
ran is likely to fail as it did.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autotuner.engines import FailureKind
from autotuner.search.axes import Axis, Settings, axes_of, gower_distance
from autotuner.search.predictions import infeasible
from autotuner.search.strategy import SearchState

MEMORY_ASKED = {
    "parallel.tensor_parallel": -1.0,
    "parallel.pipeline_parallel": -1.0,
    "parallel.expert_parallel": -1.0,
    "parallel.moe_tensor_parallel": -1.0,
    "parallel.moe_expert_parallel": -1.0,
    "quantization.gemm_mode": 1.0,
    "quantization.moe_mode": 1.0,
    "quantization.kvcache_mode": 0.3,
    "memory.mem_fraction_static": 1.0,
    "memory.max_total_tokens": 0.3,
    "memory.max_model_len": 0.3,
    "misc.context_length": 0.3,
    "scheduling.max_running_requests": 0.3,
    "scheduling.max_num_batched_tokens": 0.1,
    "attention.chunked_prefill_size": 0.1,
}
"""Fields that decide how much memory a GPU is asked for, and about by what power: weights
shrink with the GPUs that share them and with their format; tokens are a part of the whole."""
_MARGIN = 0.75
"""A candidate that asks for at least this share of what ran out will run out too."""
_ENGINE = "system.backend"


@dataclass(frozen=True)
class FailureModel:
    """Failures that are known, as `failure_model_of` finds it.

    Attributes:
        settings: id -> `group.field` -> value.
        ran: ids that measured something.
        too_large: ids that ran out of memory.
        failed: id -> kind of any other failure.
        infeasible: id -> why it is predicted to fit at no load level.
    """

    settings: Mapping[str, Settings]
    axes: tuple[Axis, ...]
    ran: tuple[str, ...]
    too_large: tuple[str, ...]
    failed: Mapping[str, str]
    infeasible: Mapping[str, str]

    def against(self, candidate: str) -> str | None:
        """Why a candidate should be avoided; None where nothing says so."""
        if candidate in self.too_large or candidate in self.failed:
            return "it failed"
        if candidate in self.infeasible:
            return f"it is predicted to run out of memory: {self.infeasible[candidate]}"
        if not self.axes:
            return None
        for large in self.too_large:
            if self._asks_as_much(candidate, large):
                return f"it asks each GPU for about as much memory as {large}, which ran out"
        resembled = self._resembled_failure(candidate)
        if resembled is not None:
            kind = self.failed[resembled].replace("_", " ")
            return f"it resembles {resembled} ({kind}) more than any that ran"
        return None

    def choose(self, ranked: Sequence[str]) -> tuple[str, str]:
        """The first that nothing warns of, and in words what was passed over for it.

        Where everything is warned of: the one least like what failed, of those that are predicted
        to fit.
        """
        passed = ""
        for candidate in ranked:
            why = self.against(candidate)
            if why is None:
                return candidate, passed
            passed = passed or f"; passed over {candidate}: {why}"
        failed = (*self.too_large, *self.failed)

        def hope(candidate: str) -> tuple[bool, float]:
            distance = min((self.distance(candidate, one) for one in failed), default=0.0)
            return candidate not in self.infeasible, distance

        least = max(ranked, key=hope)
        return least, f"; every candidate left is warned of, this one least: {self.against(least)}"

    def distance(self, one: str, other: str) -> float:
        """Distance of two candidates, 0 to 1."""
        return gower_distance(self.of(one), self.of(other), self.axes)

    def of(self, candidate: str) -> Settings:
        """The settings of a candidate; none where they are not known."""
        return self.settings.get(candidate, {})

    def _asks_as_much(self, candidate: str, large: str) -> bool:
        """Whether it asks a GPU for about as much, on the same engine.

        A field that either leaves to the engine counts as equal.
        """
        own, other = self.of(candidate), self.of(large)
        ratio = math.prod(
            axis.ratio(own.get(axis.path), other.get(axis.path)) ** MEMORY_ASKED[axis.path]
            for axis in self.axes
            if axis.path in MEMORY_ASKED
        )
        return own.get(_ENGINE) == other.get(_ENGINE) and ratio >= _MARGIN

    def _resembled_failure(self, candidate: str) -> str | None:
        """The failed one that it resembles more than any that ran.

        Where none has run yet: one from which it differs in a single field.
        """
        if not self.failed:
            return None
        if not self.ran:
            return next((f for f in self.failed if self._differing(candidate, f) <= 1), None)
        nearest = min(self.failed, key=lambda failed: self.distance(candidate, failed))
        to_ran = min(self.distance(candidate, ran) for ran in self.ran)
        return nearest if self.distance(candidate, nearest) < to_ran else None

    def _differing(self, one: str, other: str) -> int:
        a, b = self.of(one), self.of(other)
        return sum(a.get(axis.path) != b.get(axis.path) for axis in self.axes)


def failure_model_of(state: SearchState) -> FailureModel:
    """The failure model of the state's history and predictions."""
    failed = {
        outcome.candidate_id: outcome.failure_kind or "nothing measured"
        for outcome in state.history
        if not outcome.points and not outcome.is_not_its_own
    }
    return FailureModel(
        settings=state.settings,
        axes=axes_of(state.settings),
        ran=tuple(outcome.candidate_id for outcome in state.history if outcome.points),
        too_large=tuple(c for c, kind in failed.items() if kind == FailureKind.OUT_OF_MEMORY),
        failed={c: kind for c, kind in failed.items() if kind != FailureKind.OUT_OF_MEMORY},
        infeasible=infeasible(state),
    )
