"""The same task on other GPUs and with other formats of the weights, by prediction alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self, TypeVar

from autotuner.catalog import Gpu, gpus
from autotuner.config import Combination, TaskConfig
from autotuner.errors import AutotunerError
from autotuner.profiles import ProfileRegistry
from autotuner.search import as_point, is_usable
from autotuner.search.why_not import WhyNot, why_not
from autotuner.space import NoCandidateError, Region, Space
from autotuner.space.exclusions import exclusions
from autotuner.tuning.estimate import estimate_plan
from autotuner.tuning.forecast import forecast_of
from autotuner.tuning.prepare import Prepared, prepare
from autotuner.tuning.why_views import ElsewhereView

_Part = TypeVar("_Part", TaskConfig, Combination)
_GPU, _GEMM, _MOE = "system.gpu_type", "quantization.gemm_mode", "quantization.moe_mode"
_APPLE = "apple"
_OF_ONE_GPU = ("system.memory_per_gpu", "system.nvlink_bandwidth", "system.price_per_gpu_hour")
"""Fields that describe the GPU that a task names, and no other."""
_FORMATS = {
    "FP8 weights": {_GEMM: "fp8", _MOE: "fp8"},
    "INT8 weights": {_GEMM: "int8_wo"},
    "INT4 weights": {_GEMM: "int4_wo", _MOE: "int4_wo"},
}
LONGEST_S = 10.0
"""Seconds after which no other place is asked about any more."""
_MOST_CANDIDATES = 48
"""Of each other place, spread over its candidates: enough to tell whether anything is near."""
_MOST_COMBINATIONS = 600
"""Of each other place; of more, axes that decide least of its speed are thinned."""
_KEPT_WHOLE = ("parallel.", "quantization.", "system.")
_BY_ROOFLINE = (
    "other GPUs and formats are predicted by the roofline alone, each with up to "
    f"{_MOST_CANDIDATES} candidates, so that they compare; none of them was measured"
)


class _TimeLeft:
    """Whether there is time left, counted from when it is first asked."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: float | None = None

    def __call__(self) -> bool:
        now = time.monotonic()
        self._until = now + self._seconds if self._until is None else self._until
        return now < self._until


@dataclass(frozen=True)
class Elsewhere:
    """Asks what other hardware and formats would do.

    Attributes:
        task: at its load levels, where it has been prepared.
        region: one part of its space: model, engine and device.
        base: folder from which relative paths in the task count.
        has_time: whether there is time to ask for one more place.
    """

    task: TaskConfig
    region: Region
    base: Path
    home: Path
    registry: ProfileRegistry
    has_time: Callable[[], bool]

    @classmethod
    def of(
        cls, task: TaskConfig, space: Space, *, base: Path, home: Path, registry: ProfileRegistry
    ) -> Self:
        """Asks for as long as a reader waits."""
        region = space.regions[0] if space.regions else space.by_region()[0][0]
        return cls(task, region, base, home, registry, _TimeLeft(LONGEST_S))

    def asked(self, slo: Mapping[str, float]) -> tuple[list[ElsewhereView], list[str]]:
        """The task as it is, then on other GPUs and with other formats, and notes on that.

        Args:
            slo: the limits to hold them against.
        """
        if self.task.replay is not None:
            return [], ["a replay has what was recorded: other hardware is not asked about"]
        places = list(self._places())
        if not places:
            return [], []
        rows = [self._predicted("as it is", {}, slo, now=True)]
        left = len(places)
        for what, changes in places:
            if not self.has_time():
                break
            rows.append(self._predicted(what, changes, slo))
            left -= 1
        notes = [_BY_ROOFLINE]
        if left:
            notes.append(f"{left} other GPUs or formats are not asked about: it takes too long")
        return rows, notes

    def _places(self) -> Iterator[tuple[str, dict[str, Any]]]:
        context = self.region.context
        here, count = context.gpu, max(context.gpus or 1, 1)
        used = self.region.axes.get(_GEMM, [self.region.fixed.get(_GEMM)])
        facts = self.region.model.facts
        for what, modes in _FORMATS.items():
            if modes[_GEMM] not in (*used, facts.gemm_format):
                yield what, {p: mode for p, mode in modes.items() if p == _GEMM or facts.is_moe}
        if here is None or here.is_cpu:
            return
        for gpu in gpus().values():
            if gpu.name != here.name and _could_be(gpu, here, count):
                yield f"{count} x {gpu.name}", {_GPU: gpu.name, **dict.fromkeys(_OF_ONE_GPU)}

    def _predicted(
        self, what: str, changes: Mapping[str, Any], slo: Mapping[str, float], *, now: bool = False
    ) -> ElsewhereView:
        shown = {path: value for path, value in changes.items() if value is not None}
        try:
            found = self._why_not(self._changed(changes), slo)
        except NoCandidateError as error:
            return _row(what, shown, None, unanswered=_excluded_text(error.space), now=now)
        except AutotunerError as error:
            return _row(what, shown, None, unanswered=error.message, now=now)
        if isinstance(found, str):
            return _row(what, shown, None, unanswered=found, now=now)
        return _row(what, shown, found, now=now)

    def _changed(self, changes: Mapping[str, Any]) -> Prepared:
        task = with_settings(self.task, {**_thinned(self.region), **changes})
        return prepare(task, base=self.base, registry=self.registry)

    def _why_not(self, prepared: Prepared, slo: Mapping[str, float]) -> WhyNot | str:
        """Effects of the SLO on the points that are predicted there, or why there are none."""
        wanted = {"predictor": "roofline", "calibrate": False}
        prediction = prepared.task.prediction.model_copy(update=wanted)
        task = prepared.task.model_copy(update={"prediction": prediction})
        asked = forecast_of(replace(prepared, task=task), self.home, measure=False)
        found = estimate_plan(prepared, asked, (), most=_MOST_CANDIDATES)
        price = prepared.usd_per_gpu_hour
        points = [as_point(one, price) for one in found.points if is_usable(one, price)]
        if not points:
            absent = [one.absent for one in found.expected.values() if one.absent is not None]
            return absent[0] if absent else "; ".join(asked.warnings) or "nothing is predicted"
        return why_not(points, slo, prepared.task.objectives)


def _could_be(gpu: Gpu, here: Gpu, count: int) -> bool:
    """Whether so many of a GPU are offered in place of those that there are: by the same vendor,
    or by another that sells them for servers too."""
    alike = gpu.vendor == here.vendor or _APPLE not in (gpu.vendor, here.vendor)
    return alike and not gpu.is_cpu and (count == 1 or gpu.linked_gpus > 1)


def _excluded_text(space: Space) -> str:
    """Why no combination is feasible: the rule that most break."""
    rules = exclusions(space.regions).rules
    if not rules:
        return f"no combination is feasible: {next(iter(space.excluded))}"
    first = max(rules, key=lambda rule: (rule.alone, rule.breaking))
    text = f"no combination meets this: {first.name}"
    return text if first.missing_gib is None else f"{text}; {first.missing_gib:.1f} GiB are missing"


def _thinned(region: Region) -> dict[str, Any]:
    """Axes cut to fewer values, the longest first, until few combinations are left."""
    axes = {
        path: values for path, values in region.axes.items() if not path.startswith(_KEPT_WHOLE)
    }
    left, cut = region.combinations(), {}
    while left > _MOST_COMBINATIONS and (
        longest := max(axes, key=lambda p: len(axes[p]), default="")
    ):
        values = axes.pop(longest)
        kept = [values[0], values[-1]] if len(values) > 2 else values[-1:]
        left = left // len(values) * len(kept)
        cut[longest] = kept if len(kept) > 1 else kept[0]
        if len(kept) > 1:
            axes[longest] = kept
    return cut


def with_settings(task: TaskConfig, changes: Mapping[str, Any]) -> TaskConfig:
    """The task with fields set to values, whatever it and its combinations had there."""
    changed = _with(task, changes)
    rest = dict.fromkeys(changes)
    combinations = tuple(_with(one, rest, only_set=True) for one in task.combinations)
    return changed.model_copy(update={"combinations": combinations})


def _with(part: _Part, changes: Mapping[str, Any], *, only_set: bool = False) -> _Part:
    groups: dict[str, dict[str, Any]] = {}
    for path, value in changes.items():
        group, _, name = path.partition(".")
        if not only_set or getattr(getattr(part, group), name) is not None:
            groups.setdefault(group, {})[name] = value
    update = {group: getattr(part, group).model_copy(update=v) for group, v in groups.items()}
    changed = part.model_copy(update=update)
    changed.__dict__.pop("content_id", None)  # a copy has what was cached of the original
    return changed


def _row(
    what: str,
    changes: Mapping[str, Any],
    found: WhyNot | None,
    *,
    unanswered: str = "",
    now: bool = False,
) -> ElsewhereView:
    best = None if found is None else found.admitted.best
    return ElsewhereView(
        what=what,
        changes=dict(changes),
        now=now,
        points=0 if found is None else found.points,
        meeting=0 if found is None else found.admitted.points,
        best=None if best is None or found is None else getattr(best, found.objective),
        usd_per_million_tokens=None if best is None else best.usd_per_million_tokens,
        factor=None if found is None else found.factor,
        unanswered=unanswered,
    )
