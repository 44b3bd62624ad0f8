"""How to search, and for what: objectives, strategy, budget."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ValidationError, field_validator, model_validator

from autotuner.config.candidate import Candidate
from autotuner.config.document import (
    Document,
    Int,
    NonNegativeInt,
    NonNegativeReal,
    PositiveInt,
    PositiveReal,
    field_faults,
)
from autotuner.config.extensions import StrategyName

ObjectiveName = Literal[
    "tok_s_per_gpu",
    "tok_s",
    "tok_s_per_user",
    "requests_per_s_per_gpu",
    "requests_per_s",
    "ttft_ms",
    "ttft_p90_ms",
    "ttft_p99_ms",
    "tpot_ms",
    "tpot_p90_ms",
    "tpot_p99_ms",
    "e2e_p90_ms",
    "e2e_p99_ms",
    "usd_per_million_tokens",
]

LEAST_GAIN = 0.001
"""Share of the frontier's hypervolume under which a launch is not worth it where a task sets no
limit at all: without any, a search of hundreds of candidates would launch every one."""
_EXPECT_NOTHING = ("grid", "random")
_ALL_LEVELS = ("grid", "random", "two_stage", "progressive", "bayesian")
_MOST_OBJECTIVES = 3


class BudgetConfig(Document):
    """Limits of a run; whichever is reached first ends it."""

    experiments: PositiveInt | None = None
    """Engine starts."""
    minutes: PositiveReal | None = None
    """Wall time."""
    usd: PositiveReal | None = None
    """Money: GPUs x hours x price_per_gpu_hour."""

    @field_validator("*", mode="before")
    @classmethod
    def _launches_something(cls, value: Any) -> Any:
        if value == 0 and not isinstance(value, bool):
            raise ValueError(
                f"a budget of {value} launches nothing; give more, or leave it out for no limit"
            )
        return value

    def is_set(self) -> bool:
        """Whether there is any limit."""
        return any(limit is not None for limit in (self.experiments, self.minutes, self.usd))


class Optimization(Document):
    """How to search, and for what."""

    strategy: StrategyName = "auto"
    """`auto` picks one and says why; `two_stage` measures the predicted frontier, `hybrid` what
    calibrated predictions expect to gain most, `progressive` extremes, gaps and trends without
    predictions, `bayesian` learns from what is measured, `random` and `grid` know nothing."""
    objectives: tuple[ObjectiveName, ...] = ("tok_s_per_gpu", "tok_s_per_user")
    """Two or three span the frontier within the SLO; with one its best point within the SLO is
    the goal. Left out where every answer has one token: requests_per_s_per_gpu and ttft_ms."""
    budget: BudgetConfig = BudgetConfig()
    """Limits of the run; without any, the search ends by `min_gain`."""
    min_gain: NonNegativeReal | None = None
    """The search ends when no launch is expected to add this share of the hypervolume (with one
    objective: to its best value). 0 never ends it; left out, it is 0.001 where there is no budget
    and 0 where there is one."""
    levels: Literal["all", "as_needed"] | None = None
    """`all`: each launch measures every load level. `as_needed`: the level expected to add most for
    its time, until another launch is expected to add more (`hybrid`, or `auto` where it picks it).
    Left out: `as_needed` where the budget is minutes or USD, else `all`."""
    parallel_launches: PositiveInt | Literal["auto"] = 1
    """Engines at once at the most, each on GPUs of its own; `auto`: as many as GPUs allow."""
    seed: Int = 0
    """Makes random choices and prompts reproducible."""
    baseline: Literal["defaults", "mine", "none"] | None = None
    """Configuration that is launched first, for all results to be compared with: `defaults`, the
    engine as it starts where nothing is set; `mine`, the settings of `mine`; `none`. Left out:
    `mine` where these are given, else `defaults`. A replay has none."""
    confirm: NonNegativeInt = 3
    """Launches of the budget's experiments that are kept for the end: the recommended candidate,
    its rivals and the baseline are launched again, until it is sure which is better. A quarter of
    the budget at the most, none in a replay; 0: none."""
    mine: dict[str, dict[str, Any]] | str | None = None
    """Settings that you run today, for `baseline: mine`: by groups, or as the command line of the
    engine."""

    @field_validator("objectives")
    @classmethod
    def _distinct(cls, given: tuple[ObjectiveName, ...]) -> tuple[ObjectiveName, ...]:
        if len(set(given)) != len(given):
            raise ValueError("an objective is named twice")
        if not 1 <= len(given) <= _MOST_OBJECTIVES:
            raise ValueError(f"give 1, 2 or 3 objectives, not {len(given)}")
        return given

    @field_validator("parallel_launches", mode="before")
    @classmethod
    def _is_a_count(cls, given: Any) -> Any:
        is_count = isinstance(given, int) and not isinstance(given, bool) and given >= 1
        if given != "auto" and not is_count:
            raise ValueError("takes 1 or more, or auto")
        return given

    @field_validator("min_gain")
    @classmethod
    def _is_a_share(cls, given: float | None) -> float | None:
        if given is not None and given >= 1:
            raise ValueError("is a share of what is reached, less than 1: 0.01 is 1 %")
        return given

    @model_validator(mode="after")
    def _used(self) -> Optimization:
        if self.min_gain and self.strategy in _EXPECT_NOTHING:
            message = (
                f"the strategy {self.strategy!r} expects no gains; leave it out, or take auto, "
                "hybrid, two_stage, progressive or bayesian"
            )
            raise field_faults([(("min_gain",), message)])
        if self.levels == "as_needed" and self.strategy in _ALL_LEVELS:
            message = (
                f"the strategy {self.strategy!r} measures every load level; leave it out, or take "
                "auto or hybrid"
            )
            raise field_faults([(("levels",), message)])
        return self

    @model_validator(mode="after")
    def _mine_is_a_configuration(self) -> Optimization:
        if self.baseline == "mine" and self.mine is None:
            raise field_faults([(("mine",), "is missing; give the settings that you run today")])
        try:
            self.mine_settings()
        except ValidationError as error:
            faults = [(("mine", *fault["loc"]), fault["msg"]) for fault in error.errors()]
            raise field_faults(faults) from error
        if self.baseline not in (None, "mine") and self.mine is not None:
            message = f"is given beside baseline: {self.baseline}; keep one of the two"
            raise field_faults([(("mine",), message)])
        return self

    def baseline_kind(self) -> Literal["defaults", "mine", "none"]:
        """Kind of the configuration that is launched first."""
        return self.baseline or ("defaults" if self.mine is None else "mine")

    def confirm_launches(self) -> int:
        """Launches that are kept for the end, of a budget of experiments a quarter at the most."""
        experiments = self.budget.experiments
        return self.confirm if experiments is None else min(self.confirm, experiments // 4)

    def mine_settings(self) -> dict[str, Any]:
        """`group.field` -> value of the settings that are run today; none of a command line."""
        groups = self.mine if isinstance(self.mine, dict) else {}
        return Candidate.model_validate(groups).settings()

    def levels_as_needed(self) -> bool:
        """Whether launches measure only the load levels that the strategy asks for, if it asks."""
        if self.levels is None:
            return self.budget.minutes is not None or self.budget.usd is not None
        return self.levels == "as_needed"

    def threshold(self) -> float | None:
        """Expected gain, as a share, under which the search ends; None where none is too small."""
        if self.min_gain is None:
            return None if self.budget.is_set() else LEAST_GAIN
        return self.min_gain or None
