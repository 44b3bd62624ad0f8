"""The baseline of a task: it is launched first, for every result to be compared with.

The engine's defaults are the engine as it starts where nothing is set: of the task only what says
where it runs, what it runs and what it is asked for, and of the layout the least that holds the
model. It is measured like any candidate, and is none: search neither proposes nor counts it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autotuner.config import Optimization
from autotuner.config.candidate import Candidate
from autotuner.engines import parse_command
from autotuner.errors import ConfigError, EngineError, Problem
from autotuner.search import Proposal
from autotuner.space import Region, build_space
from autotuner.store import ExperimentRecord

PHASE = "baseline"
"""Phase of its experiment."""
_BY_HAND = "misc.extra_args"
_TENSOR, _LENGTH = "parallel.tensor_parallel", "memory.max_model_len"
_WIDEST = 64


@dataclass(frozen=True)
class Baseline:
    """A configuration to compare with.

    Attributes:
        kind: `defaults` or `mine`.
        region: of the task's space, on whose engine it is launched.
        note: settings that are no defaults, without which the model would not start; empty where
            there are none.
    """

    kind: str
    candidate: Candidate
    region: Region
    note: str = ""

    @property
    def reason(self) -> str:
        """Why it is launched, in words."""
        names = {"defaults": "the engine's defaults", "mine": "the settings that you run today"}
        note = f"; {self.note}" if self.note else ""
        return f"{names[self.kind]}, with which all results are compared{note}"


def first_launch(
    baseline: Baseline | None, history: Sequence[ExperimentRecord], under_way: Collection[str]
) -> Proposal | None:
    """The launch of the baseline; None where there is none, or where any launch has finished.

    A task that an earlier version began goes on without a baseline.
    """
    if baseline is None or history or baseline.candidate.id in under_way:
        return None
    return Proposal(baseline.candidate.id, baseline.reason, PHASE)


def baseline_of(
    optimization: Optimization, regions: Sequence[Region], source: str = "task"
) -> tuple[Baseline | None, str]:
    """The baseline of a task, on the engine of its first region; or None and why there is none.

    Raises:
        ConfigError: the settings of `mine` cannot be launched.
    """
    kind, region = optimization.baseline_kind(), regions[0]
    if kind == "none":
        return None, "the task wants none"
    if optimization.mine is not None:
        try:
            own = _candidate(region, _needed(region) | _of_today(optimization, region))
        except (ConfigError, EngineError) as error:
            problem = Problem("optimization.mine", error.message)
            remedy = "give the settings that you run today, or baseline: defaults"
            raise ConfigError(source, (problem,), remedy=remedy) from error
        return Baseline(kind, own, region), ""
    why = ""
    for settings, note in _defaults(region):
        try:
            return Baseline(kind, _candidate(region, settings), region, note), ""
        except (ConfigError, EngineError) as error:
            why = why or error.message
    return None, f"the engine's defaults do not start here: {why}"


def _of_today(optimization: Optimization, region: Region) -> dict[str, Any]:
    """Settings of `mine`.

    Raises:
        ConfigError: its command line cannot be read, or is another engine's.
    """
    if not isinstance(optimization.mine, str):
        # A list would be an axis.
        own = optimization.mine_settings()
        return {p: tuple(value) if isinstance(value, list) else value for p, value in own.items()}
    parsed = parse_command(optimization.mine, facts=region.model.facts)
    if parsed.engine != region.engine.name:
        text = f"is a command of {parsed.engine}; the task tunes {region.engine.name}"
        raise ConfigError("mine", (Problem("", text),))
    extra = {_BY_HAND: parsed.extra} if parsed.extra else {}
    return {**parsed.settings, **extra}


def _defaults(region: Region) -> Iterator[tuple[dict[str, Any], str]]:
    """Settings to try in order, each with what is set in it beside defaults."""
    needed = {**region.engine.table.defaults, **_needed(region)}
    yield needed, ""
    gpus = region.context.gpus or 0
    widths = [2**power for power in range(1, _WIDEST.bit_length()) if 2**power <= gpus]
    lengths = {_LENGTH: region.context.largest_request_tokens}
    if widths:
        note = "the least GPUs that hold the model"
        yield needed | {_TENSOR: widths}, note
        yield needed | lengths, "as long as its requests need"
        yield needed | {_TENSOR: widths} | lengths, f"{note}, as long as its requests need"
    else:
        yield needed | lengths, "as long as its requests need"


def _needed(region: Region) -> dict[str, Any]:
    """Settings that say where it runs and what it is asked for, and arguments given by hand."""
    return {
        path: value
        for path, value in region.fixed.items()
        if path in region.engine.table.described or path == _BY_HAND
    }


def _candidate(region: Region, settings: Mapping[str, Any]) -> Candidate:
    """The first candidate of these settings that can work."""
    alone = replace(region, settings=dict(settings), user=frozenset())
    return build_space([alone]).candidates[0]
