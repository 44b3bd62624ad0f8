"""How each candidate of a task is measured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import Field, model_validator

from autotuner.config.document import (
    Bool,
    Document,
    NonNegativeInt,
    PositiveInt,
    PositiveReal,
    field_faults,
)
from autotuner.config.extensions import LoadGeneratorName
from autotuner.config.lengths import LengthDistribution
from autotuner.config.load_level import LoadKind, LoadLevel, TaskLoadLevel, kind_of_levels


class Benchmark(Document):
    """How each candidate is measured."""

    tool: LoadGeneratorName = "autotuner"
    """The load generator: ours, genai-bench as a process of its own, or what a package adds."""
    tool_path: str | None = None
    """genai-bench's program; what is on PATH or in .venv/tools where left out."""
    tokenizer: str | None = None
    """Tokenizer folder for genai-bench, relative to the task; the model's own where left out."""
    workload: LengthDistribution | None = None
    """Request lengths; D(isl,osl) of the runtime group where left out."""
    concurrency: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] | None = None
    """Load levels: requests in flight, all measured in one launch. Left out, they follow the task:
    from 1 to as many as its candidates serve at a time, in geometric steps; `plan` says why."""
    load: Annotated[tuple[TaskLoadLevel, ...], Field(min_length=1)] | None = None
    """Load levels in the long form, all of one kind: `{concurrency: 8}` keeps so many requests in
    flight, `{rate: 2.5}` sends so many a second. In place of `concurrency`."""
    requests_per_level: PositiveInt = 32
    """Completed requests after which a level ends."""
    duration_per_level_s: PositiveReal = 60.0
    """Seconds after which a level ends, however many requests are completed."""
    ci_width: PositiveReal | None = None
    """Share of the mean: a level ends early once the 95 % intervals of mean TTFT and mean E2E
    latency are narrower on either side, and no SLO lies inside its interval. Never, where left
    out."""
    warmup_requests: NonNegativeInt = 2
    """Requests before the clock starts, at each level."""
    repeats: PositiveInt = 1
    """Times each level is measured in a launch; their median counts."""
    cut_short: Bool = True
    """Whether a launch ends when, by its predictions and what it has shown, no level that is left
    can improve the frontier; never in the first launch, nor where nothing is predicted."""
    learn_when_busy: Bool = False
    """Whether levels that were measured while others loaded the machine, or the load generator was
    late, correct predictions."""
    request_timeout_s: PositiveReal = 120.0
    """Seconds after which a request has failed."""
    ready_timeout_s: PositiveReal = 300.0
    """Seconds after which an engine that is not ready has failed."""

    @model_validator(mode="before")
    @classmethod
    def _in_short(cls, value: Any) -> Any:
        """Concurrencies in the long form become the short one: the same task, the same id."""
        if not isinstance(value, dict) or not isinstance(given := value.get("load"), list):
            return value
        counts = [form["concurrency"] for form in given if _is_concurrency(form)]
        if not counts or len(counts) < len(given) or value.get("concurrency") is not None:
            return value
        return {key: item for key, item in value.items() if key != "load"} | {"concurrency": counts}

    @model_validator(mode="after")
    def _distinct(self) -> Benchmark:
        if self.concurrency is not None and self.load is not None:
            message = "concurrency and load both give the load levels; keep one of them"
            raise field_faults([(("load",), message)])
        kind = kind_of_levels(self.levels)
        if len(set(self.levels)) != len(self.levels):
            field = "load" if self.concurrency is None else "concurrency"
            raise field_faults([((field,), f"a {kind} is given twice")])
        return self

    @property
    def levels(self) -> tuple[LoadLevel, ...]:
        """The load levels that are given; none where they follow the task."""
        return self.load or tuple(map(LoadLevel.concurrency, self.concurrency or ()))

    def at_levels(self, levels: Iterable[LoadLevel]) -> Benchmark:
        """The same at these load levels, in the short form where it can say them."""
        given = tuple(levels)
        form: dict[str, Any] = {"concurrency": None, "load": given}
        if kind_of_levels(given) is LoadKind.CONCURRENCY:
            form = {"concurrency": tuple(int(level.value) for level in given), "load": None}
        return self.model_copy(update=form)


def _is_concurrency(form: Any) -> bool:
    return isinstance(form, dict) and list(form) == [LoadKind.CONCURRENCY.value]
