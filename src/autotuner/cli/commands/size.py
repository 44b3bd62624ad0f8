"""`autotuner size`: replicas and GPUs that hold a traffic within the SLO, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autotuner.cli import exit_codes
from autotuner.cli.commands.init import limits_of
from autotuner.cli.commands.plan import known_observations
from autotuner.cli.commands.predict import require_mode, require_predictor
from autotuner.cli.commands.prices import prices_of
from autotuner.cli.commands.show import chosen_task, open_existing
from autotuner.cli.home import state_folder
from autotuner.cli.output import out, print_json
from autotuner.config import TaskConfig, load_task, parse_stored_task
from autotuner.errors import AutotunerError
from autotuner.profiles import USERS, registry_with
from autotuner.report.size_document import SizedTrace, SizeQuestion, size_document
from autotuner.report.size_terminal import print_size
from autotuner.sizing import ServiceLevel, Traffic, TrafficError, grown, traced_traffic
from autotuner.store import Store, TaskRecord
from autotuner.tuning.prepare import prepare
from autotuner.tuning.replicas import (
    KnownReplicas,
    ReplicaWishes,
    compared_gpus,
    predicted_replicas,
    stored_replicas,
)
from autotuner.tuning.resources import gpus_of_home, model_named, with_gpus_of_home
from autotuner.verify.trace_reader import TimeUnit, read_trace

_MONTHS, _MOST_MONTHS = 12, 120
_WINDOW_S, _QUANTILE = 60.0, "99%"
_UNITS: dict[str, TimeUnit] = {"s": "s", "ms": "ms"}


@dataclass(frozen=True)
class TrafficWishes:
    """Traffic as the command line gives it."""

    rate: float | None
    users: float | None
    think_s: float | None
    headroom: str
    growth_per_month: str | None
    months: int | None
    trace: Path | None = None
    trace_unit: str | None = None
    window_s: float | None = None
    quantile: str | None = None


@dataclass(frozen=True)
class SizeWishes:
    """Task, limits, GPUs and prices as the command line gives them."""

    task: str | None
    slo: Sequence[str]
    gpus: Sequence[str]
    prices: Sequence[str]
    predictor: str | None
    mode: str | None


def size(asked: SizeWishes, traffic: TrafficWishes, *, home: Path | None, as_json: bool) -> int:
    """Prints the deployments that hold the traffic; returns the exit code.

    Raises:
        AutotunerError: no such task, or an option that says nothing.
    """
    folder = state_folder(home)
    described = gpus_of_home(folder)
    slo = limits_of(asked.slo)
    if asked.predictor is not None:
        require_predictor(asked.predictor)
    trace = _trace(traffic)
    made, headroom = _traffic(traffic, trace), share("--headroom", traffic.headroom, below=1.0)
    growth = _growth(made, traffic)
    mode = require_mode(asked.mode)

    def wishes(task: TaskConfig, limits: Mapping[str, float]) -> ReplicaWishes:
        prices = prices_of(asked.prices, {**described, **task.gpus})
        words = [word.strip() for name in asked.gpus for word in name.split(",") if word.strip()]
        gpus = compared_gpus(words, task, field="--gpu")
        return ReplicaWishes(limits, gpus, prices, asked.predictor, mode)

    if asked.task is not None and not asked.task.isdecimal():
        path = Path(asked.task)
        task = with_gpus_of_home(load_task(path), folder)
        limits = {**task.slo_limits(), **slo}
        known = _predicted(task, wishes(task, limits), path.resolve().parent, asked.task, folder)
        question = SizeQuestion(
            asked.task,
            model_named(task),
            measured=False,
            requirement=ServiceLevel(made, limits, headroom),
            growth=growth,
            trace=trace,
        )
    else:
        with open_existing(home) as store:
            record = chosen_task(store, None if asked.task is None else int(asked.task))
            task = with_gpus_of_home(
                parse_stored_task(record.config, source=f"task {record.id}"), folder
            )
            limits = {**task.slo_limits(), **slo}
            wished = wishes(task, limits)
            # Where GPUs are named, the task is predicted on them; and where nothing is measured.
            is_measured = not wished.gpus and _has_measured(store, record)
            if not is_measured:
                base = Path(record.base) if record.base else folder
                known = _predicted(task, wished, base, f"task {record.id}", folder)
            else:
                _refuse_for_prediction(asked)
                known = stored_replicas(store, record, task, wished)
        question = SizeQuestion(
            str(record.id),
            record.model,
            measured=is_measured,
            requirement=ServiceLevel(made, limits, headroom),
            growth=growth,
            trace=trace,
        )
    document = size_document(question, known)
    if as_json:
        print_json(document)
    else:
        print_size(document, out())
    return 0 if document["deployments"] else exit_codes.NOTHING


def _has_measured(store: Store, record: TaskRecord) -> bool:
    return any(one.status == "completed" for one in store.experiments(record.id))


def _refuse_for_prediction(asked: SizeWishes) -> None:
    """Refuses options that say how to predict, where measurements answer.

    Raises:
        AutotunerError: names the option.
    """
    for option, value in (("--predictor", asked.predictor), ("--mode", asked.mode)):
        if value is not None:
            raise AutotunerError(
                f"{option} {value}: the task is measured, so nothing is predicted",
                remedy="leave it out, or name GPUs with --gpu, which are predicted",
            )


def _predicted(
    task: TaskConfig, wishes: ReplicaWishes, base: Path, source: str, home: Path
) -> KnownReplicas:
    registry = registry_with(home / USERS)
    return predicted_replicas(
        task,
        wishes,
        home=home,
        resolve=lambda made: prepare(made, base=base, source=source, registry=registry),
        known=lambda forecast: known_observations(home, forecast),
    )


def _traffic(asked: TrafficWishes, trace: SizedTrace | None) -> Traffic:
    options = {"--rate": asked.rate, "--users": asked.users, "--trace": trace}
    given = [name for name, value in options.items() if value is not None]
    if len(given) != 1:
        found = f"{' and '.join(given)} are given" if given else "none is given"
        raise AutotunerError(
            f"--rate, --users or --trace: {found}",
            remedy="give one: --rate 40 (requests/s), --users 200, --trace requests.csv",
        )
    if asked.think_s is not None and asked.users is None:
        raise AutotunerError(
            f"--think-s {asked.think_s:g}: it is of users, and {given[0]} is given",
            remedy="leave it out, or give --users",
        )
    try:
        if trace is not None:
            return Traffic(trace.traffic.requests_per_s)
        return Traffic(asked.rate, asked.users, asked.think_s or 0.0)
    except TrafficError as error:
        option = error.field.replace("_", "-")
        raise AutotunerError(f"--{option}: {error}") from None


def _trace(asked: TrafficWishes) -> SizedTrace | None:
    if asked.trace is None:
        of_traces = {
            "--trace-unit": asked.trace_unit,
            "--window-s": asked.window_s,
            "--quantile": asked.quantile,
        }
        for option, value in of_traces.items():
            if value is not None:
                raise AutotunerError(
                    f"{option} {value}: it is of a trace, and --trace is not given",
                    remedy="leave it out, or give --trace",
                )
        return None
    if asked.trace_unit is not None and asked.trace_unit not in _UNITS:
        raise AutotunerError(
            f"--trace-unit {asked.trace_unit}: it is no unit of times", remedy="give s or ms"
        )
    unit = None if asked.trace_unit is None else _UNITS[asked.trace_unit]
    found = read_trace(asked.trace, unit)
    window_s = _WINDOW_S if asked.window_s is None else asked.window_s
    quantile = _quantile(asked.quantile or _QUANTILE)
    try:
        traffic = traced_traffic(found.times_s, window_s=window_s, quantile=quantile)
    except TrafficError as error:
        option = "--window-s" if error.field == "window_s" else f"--trace {asked.trace}"
        raise AutotunerError(f"{option}: {error}") from None
    return SizedTrace(str(asked.trace), found.format, traffic, found.isl, found.osl)


def _quantile(text: str) -> float:
    """`99%`, `99` or `0.99` as 0.99; `100%` is the fullest window, as is 1."""
    try:
        if float(text) == 1:
            return 1.0
    except ValueError:
        pass  # With a percent sign, or no number: `share` says which.
    found = share("--quantile", text, below=math.nextafter(1, 2))
    if not found:
        raise AutotunerError(f"--quantile: {text!r} is none", remedy="give 50% to 100%")
    return found


def _growth(traffic: Traffic, asked: TrafficWishes) -> tuple[Traffic, ...]:
    if asked.growth_per_month is None:
        if asked.months is not None:
            raise AutotunerError(
                f"--months {asked.months}: it is of growth, and --growth-per-month is not given",
                remedy="leave it out, or give --growth-per-month",
            )
        return ()
    months = _MONTHS if asked.months is None else asked.months
    if not 1 <= months <= _MOST_MONTHS:
        raise AutotunerError(f"--months {months} is no span", remedy=f"give 1 to {_MOST_MONTHS}")
    growth = share("--growth-per-month", asked.growth_per_month)
    try:
        return tuple(grown(traffic, growth, months))
    except TrafficError as error:
        raise AutotunerError(
            f"--growth-per-month {asked.growth_per_month}: after {months} months {error}"
        ) from None


def share(option: str, text: str, *, below: float = 10.0) -> float:
    """`20%`, `20` or `0.2` as 0.2: a number below 1 without the sign is the share itself.

    Raises:
        AutotunerError: no share from 0 to below `below`.
    """
    number, sign, rest = text.strip().partition("%")
    try:
        value = math.nan if rest else float(number)
    except ValueError:
        value = math.nan
    if sign or not value < 1:
        value /= 100
    if not 0 <= value < below:
        raise AutotunerError(
            f"{option}: {text!r} is no share",
            remedy=f"give 0% to below {below:.0%}; 0.05 without the sign is 5%",
        )
    return value
