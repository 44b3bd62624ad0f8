"""`autotuner predict`: what to expect of every candidate, before anything is launched."""

from __future__ import annotations

import json
import time
import typing
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich.markup import escape

from autotuner.cli import exit_codes
from autotuner.cli.commands.plan import known_observations, prepare_file
from autotuner.cli.home import state_folder
from autotuner.cli.output import duration_text, err, out, print_json, refuse_unwritable
from autotuner.config import PredictionMode, nearest
from autotuner.config.extensions import PREDICTORS
from autotuner.errors import AutotunerError
from autotuner.predict.aiconfigurator.installation import require_installed
from autotuner.predict.aisimulate import installation as aisimulate
from autotuner.predict.aisimulate.predictor import AISimulatePredictor
from autotuner.report.html import write_aside
from autotuner.report.plan_document import estimate_csv, estimate_document
from autotuner.report.plan_terminal import print_estimate
from autotuner.tuning.estimate import estimate_plan
from autotuner.tuning.forecast import PREDICTION_CACHE, forecast_of
from autotuner.tuning.prepare import Prepared
from autotuner.tuning.simulation import with_simulation

_SHOWN_POINTS = 12
_MODES: Sequence[PredictionMode] = typing.get_args(PredictionMode)


def predict(
    path: Path,
    *,
    home: Path | None,
    as_json: bool,
    options: Mapping[str, str | None],
    every: bool,
    short: bool,
    csv: Path | None,
    save: Path | None,
) -> int:
    """Predicts the task at `path`; returns the exit code.

    Args:
        said: `predictor` and `mode` where the command line says them: they win over the task.
    """
    folder = state_folder(home)
    prepared = _with_options(prepare_file(path, folder), options)
    began = time.monotonic()
    asked = forecast_of(prepared, folder)
    found = estimate_plan(prepared, asked, known_observations(folder, asked))
    simulator = AISimulatePredictor(
        mode=prepared.task.prediction.mode, cache=folder / PREDICTION_CACHE
    )
    found = with_simulation(found, prepared, asked, simulator)
    seconds = time.monotonic() - began
    document = estimate_document(prepared, found)
    for target, text in ((csv, estimate_csv), (save, _json_text)):
        if target is not None:
            with refuse_unwritable(target):
                write_aside(target, text(document))
    for warning in asked.warnings:
        err().print(f"[yellow]warning[/yellow] {escape(warning)}", soft_wrap=True)
    if as_json:
        print_json(document)
    else:
        most = None if every else _SHOWN_POINTS
        print_estimate(prepared, found, out(), most=most, plot=not short, short=short)
        levels = len(prepared.task.benchmark.levels)
        count = f"{len(found.expected)} candidates x {levels} load levels"
        out().print(f"asked for {count} in {duration_text(seconds)}")
    return 0 if found.points else exit_codes.NOTHING


def _with_options(prepared: Prepared, options: Mapping[str, str | None]) -> Prepared:
    given = {name: value for name, value in options.items() if value is not None}
    require_mode(given.get("mode"))
    if (predictor := given.get("predictor")) is not None:
        require_predictor(predictor)
    prediction = prepared.task.prediction.model_copy(update=given)
    return replace(prepared, task=prepared.task.model_copy(update={"prediction": prediction}))


def require_mode(name: str | None) -> PredictionMode | None:
    """The mode of aiconfigurator of that name; None for none.

    Raises:
        AutotunerError: there is none; names the nearest.
    """
    found = next((mode for mode in _MODES if mode == name), None)
    if name is not None and found is None:
        raise AutotunerError(f"--mode: {name!r} is unknown; {nearest(name, list(_MODES))}")
    return found


def require_predictor(name: str) -> None:
    """Refuses a predictor that is unknown, or needs what is not installed.

    Raises:
        AutotunerError: names the nearest, or what to install.
    """
    if name not in PREDICTORS:
        raise AutotunerError(f"--predictor: {name!r} is unknown; {nearest(name, list(PREDICTORS))}")
    if name == "aiconfigurator":
        require_installed()
    if name == "aisimulate":
        aisimulate.usable(aisimulate.installed())


def _json_text(document: Mapping[str, object]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
