"""Observations of others, taken in with the base prediction that is made here.

What somebody else's base predictor said is not taken over: it may be another version's, or made up.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import ValidationError

from autotuner.catalog import Gpu, ModelFacts
from autotuner.config import Candidate, DescribedGpu, LoadKind
from autotuner.config.fault_words import problems_of
from autotuner.engines import engine_named
from autotuner.errors import EngineError
from autotuner.predict import Observation, Predictor, Scenario
from autotuner.verify.measured_rows import device_called, model_called
from autotuner.verify.points import Excluded
from autotuner.verify.predicted_rows import judged_rows
from autotuner.verify.silicon import MeasuredRow


@dataclass(frozen=True)
class Taken:
    """Observations that can be used here, and the others with the reason."""

    observations: tuple[Observation, ...]
    left_out: tuple[Excluded, ...]


def taken_over(
    observations: Sequence[Observation],
    predictor: Predictor,
    *,
    described: Mapping[str, DescribedGpu],
    cpus: Mapping[str, Gpu],
) -> Taken:
    """The observations beside what `predictor` says of the same candidates and loads.

    Args:
        described: GPUs that the user describes, by name.
        cpus: the CPU of this machine by the name that observations carry, where its speed is known.
    """
    model = functools.cache(model_called)
    rows: list[MeasuredRow] = []
    left: list[Excluded] = []
    for place, seen in enumerate(observations):
        try:
            gpu = cpus.get(seen.device) or device_called(seen.device, described)
            rows.append(_row(str(place), seen, model(seen.model), gpu))
        except ValueError as error:
            left.append(Excluded(_source(place, seen), str(error)))
    judged, refused = judged_rows(rows, predictor)
    found: dict[int, Observation] = {}
    for one in judged:
        place, scenario = int(one.row.id), one.row.scenario
        seen = observations[place]
        if seen.devices != one.base.devices:
            why = f"its layout takes {one.base.devices} devices, and devices is {seen.devices}"
            left.append(Excluded(_source(place, seen), why))
            continue
        found[place] = replace(
            seen,
            model=one.row.model,
            family=scenario.facts.architecture,
            device=scenario.device,
            base=one.predictor,
            base_ttft_ms=one.base.ttft_ms,
            base_tpot_ms=one.base.tpot_ms,
            members=one.base.other_members,
        )
    left += [Excluded(_source(int(k), observations[int(k)]), why) for k, why in refused.items()]
    return Taken(tuple(found[place] for place in sorted(found)), tuple(left))


def _source(place: int, seen: Observation) -> str:
    return f"{seen.source or 'shared'}, observation {place + 1}"


def _row(key: str, seen: Observation, model: tuple[str, ModelFacts], gpu: Gpu) -> MeasuredRow:
    """Raises ValueError where the observation cannot be predicted, or contradicts itself."""
    name, facts = model
    if seen.load.kind is not LoadKind.CONCURRENCY:
        raise ValueError(f"an open loop, {seen.load.named}, and not users who wait for answers")
    if seen.tpot_ms is None:
        raise ValueError("every answer has one token, which has no TPOT")
    try:
        defaults = engine_named(seen.engine).table.defaults
    except EngineError as error:
        raise ValueError(error.message) from None
    try:
        candidate = Candidate.from_settings(dict(seen.settings))
    except ValidationError as error:
        raise ValueError(str(problems_of(error)[0])) from None
    return MeasuredRow(
        id=key,
        model=name,
        scenario=Scenario(
            model=name,
            facts=facts,
            engine=seen.engine,
            engine_version=seen.engine_version,
            gpu=gpu,
            device=seen.device if gpu.is_cpu else gpu.name,
            isl=seen.isl,
            osl=seen.osl,
            defaults=defaults,
        ),
        candidate=candidate,
        concurrency=seen.load.at_once,
        ttft_ms=seen.ttft_ms,
        tpot_ms=seen.tpot_ms,
        tok_s=seen.tok_s,
        tool=seen.tool,
    )
