"""Common parts of queries about traffic and limits: limits by name, faults by parameter."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from autotuner.config.slo import LATENCIES
from autotuner.errors import Problem
from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.v2.form_requests import FormBody

Amount = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class LimitsQuery(FormBody):
    """Limits in ms."""

    ttft_ms: Amount | None = None
    ttft_p90_ms: Amount | None = None
    ttft_p99_ms: Amount | None = None
    tpot_ms: Amount | None = None
    tpot_p90_ms: Amount | None = None
    tpot_p99_ms: Amount | None = None
    e2e_p90_ms: Amount | None = None
    e2e_p99_ms: Amount | None = None

    def limits(self) -> dict[str, float]:
        """The limits that are given."""
        given = {name: getattr(self, name) for name in LATENCIES}
        return {name: limit for name, limit in given.items() if limit is not None}


def refused_parameter(name: str, why: str) -> ProblemError:
    """Refusal of a parameter of the query."""
    fault = Problem(f"query.{name}", why)
    return ProblemError(ProblemKind.INVALID_PARAMETER, str(fault), errors=(fault,))
