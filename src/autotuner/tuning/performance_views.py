"""Shape of an explained operating point: behind `--json`, the terminal, the report and the API."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from autotuner.config import LoadLevel
from autotuner.predict.roofline.part_rates import Limit
from autotuner.tuning.summary import Scalar


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class LearntRateView(_View):
    """Rate that a part reaches as far as launches say, or the time that it takes.

    `value`, `low` and `high` (80 %) are in `unit`; `peak` and the shares of it are null where there
    is no peak, as of times. `beyond_peak`: the launches ask for more than the peak, which is shown.
    """

    value: float
    low: float
    high: float
    unit: str
    peak: float | None
    share: float | None
    share_low: float | None
    share_high: float | None
    beyond_peak: bool


class PartView(_View):
    """Part of the time of the operating point."""

    part: str
    """`dense_read:fp8`: what is done, and the number format that its speed depends on."""
    what: str
    """The same in words."""
    limit: Limit
    """Resource that the part's time is spent on."""
    ttft_ms: float
    """With the learnt error; `ttft_share` of TTFT. The same of TPOT."""
    ttft_share: float
    tpot_ms: float
    tpot_share: float
    assumed: str
    """Rate that the roofline assumes."""
    factor: float
    """Learnt time over the assumed one, with the 80 % interval."""
    factor_low: float
    factor_high: float
    learnt: bool
    """Whether launches made it surer than it was before any."""
    confused_with: list[str]
    """Parts, in words, of which only the sum with this one is known."""
    rate: LearntRateView | None
    """The rate reached; null where the part has none, as links."""


class LatencyView(_View):
    """A latency of the operating point: means, in ms."""

    quantity: Literal["ttft_ms", "tpot_ms"]
    value_ms: float
    """Measured, or as the task's predictor has it."""
    roofline_ms: float
    """Sum of the parts as assumed."""
    learnt_ms: float
    """Sum of the parts with their learnt errors, with the 80 % interval of a measurement."""
    learnt_low_ms: float
    learnt_high_ms: float
    limits: dict[str, float]
    """Limit -> share of the time, the largest first."""


class FigureChangeView(_View):
    """A figure before and after a change, with the 80 % interval after it."""

    before: float
    after: float
    low: float
    high: float


class ChangeView(_View):
    """Configuration that differs in one respect, and what is expected of it."""

    changes: dict[str, Scalar]
    """`group.field` -> value; `now` has the values that they replace."""
    now: dict[str, Scalar]
    parts: list[str]
    """Parts that it changes, in words."""
    candidate: str
    gpus: int
    """Devices that it occupies, in place of `gpus_now`; a CPU counts as one."""
    gpus_now: int
    clear: bool
    """Whether throughput grows even at the low end of its interval."""
    in_task: bool
    """Whether it is a candidate of the task."""
    ttft_ms: FigureChangeView
    tpot_ms: FigureChangeView | None
    tok_s: FigureChangeView
    tok_s_per_gpu: FigureChangeView
    measured_tok_s: float | None
    """Measured already, at the same load level."""
    note: str


class LearntPartView(_View):
    """Statement of the launches on a part, in words, whichever of them had it."""

    part: str
    text: str
    surprising: bool
    """Whether what was assumed lies outside the 80 % interval."""
    doubtful: bool
    """Whether launches ask for more than the peak."""


class PerformanceView(_View):
    """Where the time of a configuration goes at a load level, what limits it, what would help."""

    task: int | None
    name: str
    candidate: str
    settings: dict[str, Scalar]
    load: LoadLevel
    chosen: str
    """Why this point: `recommended`, what the caller asked for."""
    model: str
    engine: str
    device: str
    on_cpu: bool
    """Peaks are then those that `calibrate-device` measured, else the data sheet's."""
    isl: float
    osl: float
    measured: bool
    launches: int
    """Launches that the errors are learnt from; `earlier_launches` of them are other tasks'."""
    earlier_launches: int
    points: int
    latencies: list[LatencyView]
    parts: list[PartView]
    """The longest first."""
    helps: list[ChangeView]
    """Changes that improve a latency or throughput, the most gain first."""
    did_not_help: list[ChangeView]
    """Changes that are expected to help, and did not where the task measured them."""
    no_setting: list[str]
    """Parts with a tenth of the time or more that no setting left changes, in words."""
    machine: list[LearntPartView]
    """Errors learnt of this machine, the surest first."""
    notes: list[str]
