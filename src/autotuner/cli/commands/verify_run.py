"""`autotuner verify run`: predict, launch, compare."""

from __future__ import annotations

from pathlib import Path

from autotuner.cli import exit_codes
from autotuner.cli.commands.tune import run_task
from autotuner.cli.commands.verify import Outputs, present
from autotuner.config import load_task
from autotuner.errors import VerifyError
from autotuner.verify import parse_requirements
from autotuner.verify.compare import compare_task
from autotuner.verify.stored_predictions import predicted_before


def run_command(
    path: Path, outputs: Outputs, *, home: Path | None, fresh: bool, uncalibrated: bool
) -> int:
    """Runs the task to its end and compares; 1 where a requirement is missed.

    A task that is finished is not measured again, unless `fresh`.

    Raises:
        VerifyError: the task asks nobody to predict, or nothing that was measured was predicted.
    """
    within = outputs.limits()
    parse_requirements(outputs.require, within)
    if load_task(path).prediction.predictor == "none":
        raise VerifyError(
            "prediction.predictor is none: there would be nothing to compare",
            remedy="write auto, aiconfigurator, aisimulate or roofline",
        )
    summary, interrupted, _ = run_task(
        path, home=home, quiet=outputs.as_json, fresh=fresh, again=False
    )
    if interrupted:
        return exit_codes.INTERRUPTED
    predicted = predicted_before(summary, calibrated=not uncalibrated)
    return present(compare_task(summary, predicted, within=within), outputs)
