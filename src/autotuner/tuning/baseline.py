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
from autotuner.search.axes import differing
from autotuner.space import Region, build_space
from autotuner.store import ExperimentRecord

PHASE = "baseline"
"""Phase of its experiment."""
NAMES = {"defaults": "the engine's defaults", "mine": "your current settings"}
_DESCRIBED = ("system.", "runtime.")
"""Groups that describe the device and the workload, and set nothing of the engine."""
_DRAFTING = "runtime.nextn"
_WIDTHS = "parallel."
_BY_HAND = "misc.extra_args"
_TENSOR, _LENGTH = "parallel.tensor_parallel", "memory.max_model_len"
_GPUS = "system.total_gpus"
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
        note = f"; {self.note}" if self.note else ""
        return f"{NAMES[self.kind]}, with which all results are compared{note}"


PLANNED = "baseline"
"""Key in a task's plan."""


def baseline_record(baseline: Baseline | None) -> dict[str, Any] | None:
    """The baseline as a task's plan keeps it: a task goes on with the one that it began with."""
    if baseline is None:
        return None
    return {
        "kind": baseline.kind,
        "candidate": baseline.candidate.id,
        "settings": baseline.candidate.settings(),
        "note": baseline.note,
    }


def begun_with(plan: Mapping[str, Any], region: Region) -> Baseline | None:
    """The baseline that a task began with; None where it began without, as in earlier versions.

    Args:
        plan: of the task.
        region: on whose engine it is launched.
    """
    kept = plan.get(PLANNED)
    if kept is None:
        return None
    return Baseline(kept["kind"], Candidate.from_settings(kept["settings"]), region, kept["note"])


def baseline_beside(plan: Mapping[str, Any]) -> str | None:
    """Id of a task's baseline where it is no candidate of the space, and so costs no experiment of
    the budget; else None."""
    kept = plan.get(PLANNED)
    return kept["candidate"] if kept and plan.get("baseline_launches") else None


def changed_settings(
    baseline: Mapping[str, Any], other: Mapping[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    """Field, value in the baseline, value in another configuration: of those that are set by
    hand. A width that is not set is 1."""
    for path, before, after in differing(baseline, other):
        if path.startswith(_WIDTHS) and {before, after} == {None, 1}:
            continue
        if path == _DRAFTING or not path.startswith(_DESCRIBED):
            yield path, before, after


def first_launch(
    baseline: Baseline | None, history: Sequence[ExperimentRecord], under_way: Collection[str]
) -> Proposal | None:
    """The launch of the baseline; None where there is none, or where it was launched."""
    if baseline is None:
        return None
    key = baseline.candidate.id
    if key in under_way or any(done.candidate_id == key for done in history):
        return None
    return Proposal(key, baseline.reason, PHASE)


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
            today, note = _of_today(optimization, region)
            _refuse_elsewhere(today, region)
            own = _candidate(region, _needed(region) | today)
        except (ConfigError, EngineError) as error:
            problem = Problem("optimization.mine", error.message)
            remedy = "give the settings that you run today, or baseline: defaults"
            raise ConfigError(source, (problem,), remedy=remedy) from error
        return Baseline(kind, own, region, note), ""
    why = ""
    for settings, note in _defaults(region):
        try:
            return Baseline(kind, _candidate(region, settings), region, note), ""
        except (ConfigError, EngineError) as error:
            why = why or error.message
    return None, f"the engine's defaults do not start here: {why}"


def _of_today(optimization: Optimization, region: Region) -> tuple[dict[str, Any], str]:
    """Settings of `mine`, and what is left out of them.

    Raises:
        ConfigError: its command line cannot be read, or is another engine's.
    """
    if not isinstance(optimization.mine, str):
        # A list would be an axis.
        own = optimization.mine_settings()
        fixed = {p: tuple(value) if isinstance(value, list) else value for p, value in own.items()}
        return fixed, ""
    parsed = parse_command(optimization.mine, facts=region.model.facts)
    if parsed.engine != region.engine.name:
        text = f"is a command of {parsed.engine}; the task tunes {region.engine.name}"
        raise ConfigError("mine", (Problem("", text),))
    extra = {_BY_HAND: parsed.extra} if parsed.extra else {}
    note = f"without the variables {', '.join(parsed.env)}" if parsed.env else ""
    return {**parsed.settings, **extra}, note


def _refuse_elsewhere(settings: Mapping[str, Any], region: Region) -> None:
    """Refuses settings that say where it runs and for what, unless the task says the same.

    Raises:
        ConfigError: names the field.
    """
    described = region.engine.table.described
    for path, value in settings.items():
        own = region.engine.name if path == "system.backend" else region.fixed.get(path)
        if path in described and value != own and not (own is None and path == _GPUS):
            text = f"{path} is {value!r}, and the task has {own!r}; both run on the same devices"
            raise ConfigError("mine", (Problem("", text),))


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
    single = {path: values[0] for path, values in region.axes.items() if len(values) == 1}
    by_hand = {_BY_HAND} & region.user
    return {
        path: value
        for path, value in (region.fixed | single).items()
        if path in region.engine.table.described or path in by_hand
    }


def _candidate(region: Region, settings: Mapping[str, Any]) -> Candidate:
    """The first candidate of these settings that can work."""
    alone = replace(region, settings=dict(settings), user=frozenset())
    return build_space([alone]).candidates[0]
