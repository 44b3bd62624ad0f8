"""`autotuner recommend`: the point to expect most of, before anything is launched or written."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.markup import escape

from autotuner.cli import exit_codes
from autotuner.cli.commands.init import Wishes, asked_of, limits_of
from autotuner.cli.commands.plan import known_observations
from autotuner.cli.commands.predict import require_mode, require_predictor
from autotuner.cli.commands.prices import price_above_0
from autotuner.cli.home import state_folder
from autotuner.cli.output import duration_text, err, out, print_json
from autotuner.config import LoadLevel
from autotuner.engines import engine_named
from autotuner.errors import AutotunerError
from autotuner.profiles import USERS, registry_with
from autotuner.report.recommendation import Recommendation, recommendation_document
from autotuner.report.recommendation_terminal import print_recommendation
from autotuner.tuning.first_task_asked import Asked, for_engines
from autotuner.tuning.predicted_tasks import PredictionWishes, predicted_tasks, require_some
from autotuner.tuning.resources import gpus_of_home


@dataclass(frozen=True)
class LoadWishes:
    """The load of one deployment: requests in flight, or a second; a ladder where neither is."""

    users: int | None = None
    rate: float | None = None

    def level(self) -> LoadLevel | None:
        """The load level.

        Raises:
            AutotunerError: both are given, or a rate that is none.
        """
        if self.users is not None and self.rate is not None:
            raise AutotunerError(
                f"--users {self.users} and --rate {self.rate:g}: a load is one of the two",
                remedy="leave one out",
            )
        if self.users is not None:
            return LoadLevel.concurrency(self.users)
        if self.rate is None:
            return None
        try:
            return LoadLevel.rate(self.rate)
        except ValueError as error:
            raise AutotunerError(f"--{error}") from None


def recommend(
    wishes: Wishes,
    engines: Sequence[str],
    load: LoadWishes,
    *,
    limits: tuple[float | None, float | None],
    prediction: tuple[str, str | None],
    usd_per_gpu_hour: float | None,
    home: Path | None,
    as_json: bool,
) -> int:
    """Prints the recommended point of predictions alone; returns the exit code.

    Args:
        engines: those to compare; all that can serve the model where none is given.
        limits: of TTFT and TPOT, in ms.
        prediction: the predictor, and the mode of aiconfigurator.
    """
    began = time.monotonic()
    predictor, mode = prediction[0], require_mode(prediction[1])
    require_predictor(predictor)
    folder = state_folder(home)
    level = load.level()
    price = price_above_0(usd_per_gpu_hour)
    asked = _asked(replace(wishes, slo=_limits(wishes.slo, limits)), engines, folder)
    tasks = predicted_tasks(
        asked,
        PredictionWishes(predictor, mode, level, price),
        base=Path.cwd(),
        home=folder,
        registry=registry_with(folder / USERS),
        known=lambda forecast: known_observations(folder, forecast),
    )
    require_some(tasks, engine_named=bool(engines))
    found = Recommendation.of(asked[0], tasks)
    document = recommendation_document(found, seconds=round(time.monotonic() - began, 3))
    if as_json:
        print_json(document)
    else:
        for warning in tasks.warnings:
            err().print(f"[yellow]warning[/yellow] {escape(warning)}", soft_wrap=True)
        print_recommendation(document, out())
        out().print(f"predicted in {duration_text(time.monotonic() - began)}")
    return 0 if found.fits else exit_codes.NOTHING


def _asked(wishes: Wishes, engines: Sequence[str], folder: Path) -> list[Asked]:
    """The question for each engine."""
    for name in engines:
        engine_named(name, field="--engine")
    first = asked_of(
        replace(wishes, engine=engines[0] if engines else None), Path.cwd(), gpus_of_home(folder)
    )
    return for_engines(first, engines)


def _limits(texts: Sequence[str], limits: tuple[float | None, float | None]) -> Sequence[str]:
    """The limits of `--slo`, and those of `--ttft` and `--tpot`.

    Raises:
        AutotunerError: a limit that is given twice, or is none.
    """
    given = limits_of(texts)
    found = list(texts)
    for option, value in zip(("ttft", "tpot"), limits, strict=True):
        name = f"{option}_ms"
        if value is None:
            continue
        if not 0 < value < math.inf:
            raise AutotunerError(
                f"--{option}: {value:g} is no limit in ms above 0",
                remedy=f"write --{option} 500, or leave it out",
            )
        if name in given:
            raise AutotunerError(
                f"--{option} {value:g}: --slo limits {name} too, to {given[name]:g}",
                remedy="keep one of the two",
            )
        found.append(f"{name}={value!r}")
    return found
