"""Observations of others, as `autotuner observations` takes them in and shows how they agree."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from autotuner.cli.home import has_store, open_store
from autotuner.cli.output import out
from autotuner.predict import Observation, Predictor
from autotuner.predict.observations import SHARED
from autotuner.store import ObservationRecord

if TYPE_CHECKING:
    from autotuner.predict.agreement import Agreement
    from autotuner.verify import Excluded

AGREES = 1.0
"""Standard deviations within which a group is not worth a line of its own."""


@dataclass(frozen=True)
class Given:
    """Origin and licence that a user states; "" where not."""

    origin: str
    licence: str

    def of(self, seen: Observation) -> Observation:
        """The observation with them, unless it says its own."""
        origin = self.origin if seen.origin in ("", SHARED) else ""
        return replace(seen, origin=origin or seen.origin, licence=seen.licence or self.licence)

    def all(self, found: Iterable[Observation]) -> tuple[Observation, ...]:
        """The same of several."""
        return tuple(map(self.of, found))


def foreign_beside_base(
    found: Sequence[Observation], folder: Path, predictor: Callable[[], Predictor]
) -> tuple[tuple[Observation, ...], tuple[Excluded, ...]]:
    """The user's own as they are, those of others with the base prediction that is made here."""
    foreign = [seen for seen in found if seen.is_foreign]
    if not foreign:
        return tuple(found), ()
    from autotuner.tuning.resources import gpus_of_home
    from autotuner.verify.foreign_lines import taken_over

    taken = taken_over(foreign, predictor(), described=gpus_of_home(folder), cpus=_this_cpu(folder))
    own = (seen for seen in found if not seen.is_foreign)
    return (*own, *taken.observations), taken.left_out


def _this_cpu(folder: Path) -> dict[str, Any]:
    """This machine's CPU, by the name that observations carry; empty until it was measured."""
    from autotuner.catalog import gpu_named, this_device
    from autotuner.predict.device_speed import cpu_with_speed, device_speed

    speed, here = device_speed(folder, measure=False), this_device()
    if speed is None:
        return {}
    cpu = replace(cpu_with_speed(gpu_named("cpu"), speed), memory_gib=here.memory_gib)
    return {f"{here.name}, {here.cores} cores": cpu}


def without_contradictions(
    found: Sequence[Observation],
) -> tuple[tuple[Observation, ...], tuple[Excluded, ...]]:
    """Those of others that can be what they say, and the rest with the reason."""
    from autotuner.predict.agreement import contradiction
    from autotuner.verify import Excluded

    whys = [contradiction(seen) if seen.is_foreign else None for seen in found]
    kept = tuple(seen for seen, why in zip(found, whys, strict=True) if why is None)
    return kept, tuple(
        Excluded(f"{seen.source or seen.origin}, {seen.load.named}", why)
        for seen, why in zip(found, whys, strict=True)
        if why is not None
    )


def not_there_yet(
    found: Sequence[Observation], kept: Collection[ObservationRecord]
) -> list[Observation]:
    """Those whose figures are not there yet under another name: one's own share come home."""
    there = {_measurement(record.observation) for record in kept}
    return [seen for seen in found if not seen.is_foreign or _measurement(seen) not in there]


def _measurement(seen: Observation) -> tuple[str, ...]:
    return seen.base, seen.model, seen.engine, seen.device, seen.mark


def known_agreements(folder: Path) -> tuple[Agreement, ...]:
    """How all that others measured stands to what is known here."""
    from autotuner.predict.agreement import weighed

    if not has_store(folder):
        return ()
    with open_store(folder) as store:
        every = [record.observation for record in store.observations()]
    return weighed(every).agreements if any(seen.is_foreign for seen in every) else ()


def agreement_row(found: Agreement) -> dict[str, Any]:
    """As JSON has it."""
    return {
        "origin": found.origin,
        "model": found.model,
        "engine": found.engine,
        "device": found.device,
        "base": found.base,
        "points": found.points,
        "outliers": found.outliers,
        "factor": dict(found.factor),
        "distance": found.distance,
        "shared_error_std": dict(found.offset_std),
        "excluded": found.excluded,
    }


def origin_words(seen: Observation) -> str:
    """Who measured it, and under which licence it was published."""
    if not seen.is_foreign:
        return "own"
    return f"{seen.origin} ({seen.licence})" if seen.licence else seen.origin


def print_agreements(agreements: Sequence[Agreement]) -> None:
    """A line for each group of others' observations that stands out; the rest are counted."""
    agreeing: dict[str, list[Agreement]] = {}
    for found in agreements:
        if found.excluded or found.outliers or found.distance > AGREES:
            out().print(escape(_line(found)), soft_wrap=True)
        else:
            agreeing.setdefault(found.origin, []).append(found)
    for origin, groups in agreeing.items():
        points = sum(found.points for found in groups)
        line = f"{origin}: {points} observations agree with what is known, of {len(groups)} groups"
        out().print(escape(line), soft_wrap=True)


def _line(found: Agreement) -> str:
    where = (
        f"{found.origin}: {found.model}, {found.engine}, {found.device}, "
        f"observations: {found.points}"
    )
    if found.excluded:
        return f"{where}: left out: {found.excluded}"
    factors = ", ".join(f"{name.upper()} {value:.2g}" for name, value in found.factor.items())
    line = f"{where}: {factors} times what is expected, {found.distance:.1f} standard deviations"
    if found.distance > AGREES:
        line += ": counts for less"
    if found.outliers:
        line += f"; {found.outliers} left out, which lie off the others"
    return line
