"""Predictions against measurements: verify compare, verify translate."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from rich.markup import escape

from autotuner.cli import exit_codes
from autotuner.cli.commands.bench_accuracy import chosen_by
from autotuner.cli.home import state_folder
from autotuner.cli.output import err, out, print_json, refuse_unwritable
from autotuner.config import TaskConfig, load_task, nearest
from autotuner.errors import AutotunerError, VerifyError
from autotuner.predict import (
    AiconfiguratorPredictor,
    AISimulatePredictor,
    Predictor,
    RooflinePredictor,
)
from autotuner.predict.combined import best_of_both
from autotuner.report import print_comparison, write_aside, write_comparison
from autotuner.report.comparison import comparison_document, pairs_csv
from autotuner.tuning.forecast import PREDICTION_CACHE
from autotuner.verify import (
    Comparison,
    compare_files,
    judge,
    parse_requirements,
    read_points,
)
from autotuner.verify.aiconfigurator_fields import Left
from autotuner.verify.aiconfigurator_reader import ReadTask, read_tasks
from autotuner.verify.aiconfigurator_writer import WrittenTasks, write_task
from autotuner.verify.aisimulate_writer import WrittenSearch, write_search
from autotuner.verify.csv_reader import named_values, number, stated
from autotuner.verify.predicted_rows import compare_rows
from autotuner.verify.silicon import silicon_rows

_SLO = ("ttft_ms", "tpot_ms")
_File = tuple[Path, str | None, Sequence[str]]
_DATASETS = ("silicon",)
_PROGRAMS: Mapping[str, Callable[[TaskConfig], WrittenTasks | WrittenSearch]] = {
    "aiconfigurator": write_task,
    "aisimulate": write_search,
}
_PREDICTORS: Mapping[str, Callable[[Path], Predictor]] = {
    "auto": lambda cache: best_of_both(cache=cache),
    "aiconfigurator": lambda cache: AiconfiguratorPredictor(cache=cache),
    "aisimulate": lambda cache: AISimulatePredictor(cache=cache),
    "roofline": lambda cache: RooflinePredictor(),
}


@dataclass(frozen=True)
class Outputs:
    """How a comparison is judged and where it goes, as the options say it."""

    within: str
    require: Sequence[str]
    slo: Sequence[str]
    as_json: bool
    csv: Path | None
    html: Path | None

    def limits(self) -> tuple[float, ...]:
        """`--within` as numbers, rising.

        Raises:
            VerifyError: not positive numbers with commas between them.
        """
        try:
            found = sorted({float(word) for word in self.within.split(",")})
        except ValueError:
            found = []
        if not found or not all(0 < limit < math.inf for limit in found):
            raise VerifyError(f"--within {self.within!r}", remedy="write percents: 10,15,20")
        return tuple(found)

    def slo_limits(self) -> dict[str, float]:
        """`--slo` as numbers in ms.

        Raises:
            VerifyError: another name, or no positive number.
        """
        values = named_values("--slo", self.slo, _SLO)
        return {name: number("--slo", name, text) for name, text in values}


def compare_command(predicted: _File, actual: _File, outputs: Outputs) -> int:
    """`autotuner verify compare`; 1 where a requirement is missed."""
    within, slo = outputs.limits(), outputs.slo_limits()
    parse_requirements(outputs.require, within)
    sides = [
        stated(read_points(path, format_name), option, settings)
        for option, (path, format_name, settings) in (
            ("--predicted-set", predicted),
            ("--actual-set", actual),
        )
    ]
    return present(compare_files(*sides, within=within, slo=slo), outputs)


def dataset_command(
    name: str, outputs: Outputs, *, predictor: str, only: str | None, home: Path | None
) -> int:
    """`autotuner verify dataset`; 1 where a requirement is missed.

    Raises:
        AutotunerError: an unknown data set or predictor.
    """
    within, slo, rows = outputs.limits(), outputs.slo_limits(), chosen_by(only)
    parse_requirements(outputs.require, within)
    if name not in _DATASETS:
        raise VerifyError(f"{name!r} is no data set; {nearest(name, list(_DATASETS))}")
    if predictor not in _PREDICTORS:
        raise VerifyError(f"--predictor {predictor!r}: {nearest(predictor, list(_PREDICTORS))}")
    asked = _PREDICTORS[predictor](state_folder(home) / PREDICTION_CACHE)
    found = compare_rows(silicon_rows(), asked, only=rows, within=within, slo=slo)
    return present(found, outputs)


def present(comparison: Comparison, outputs: Outputs) -> int:
    """Prints and writes a comparison; 1 where a requirement is missed.

    Raises:
        AutotunerError: a file cannot be written.
    """
    verdicts = judge(comparison, parse_requirements(outputs.require, comparison.within))
    if outputs.csv is not None:
        with refuse_unwritable(outputs.csv):
            write_aside(outputs.csv, "".join(pairs_csv(comparison.pairs)))
    if outputs.html is not None:
        with refuse_unwritable(outputs.html):
            write_comparison(comparison, outputs.html, verdicts)
    if outputs.as_json:
        print_json(comparison_document(comparison, verdicts))
    else:
        print_comparison(comparison, out(), verdicts)
        for path in filter(None, (outputs.csv, outputs.html)):
            out().print(f"written: {escape(str(path))}", soft_wrap=True)
    return 0 if all(verdict.met for verdict in verdicts) else exit_codes.NOTHING


def translate_command(
    file: Path, *, output: Path | None, as_json: bool, to: str = "aiconfigurator"
) -> None:
    """`autotuner verify translate`."""
    if to not in _PROGRAMS:
        raise AutotunerError(f"--to: {nearest(to, list(_PROGRAMS))}")
    is_ours = file.is_file() and "version" in _keys(file)
    documents, left, filled = _to_theirs(file, to) if is_ours else _to_ours(file)
    if as_json:
        print_json(
            {
                "to": to if is_ours else "autotuner",
                "documents": documents,
                "left": [{"field": one.field, "value": one.value, "why": one.why} for one in left],
                "filled": filled,
            }
        )
        return
    text = "---\n".join(yaml.safe_dump(one, sort_keys=False) for one in documents)
    if output is None:
        print(text, end="")
    else:
        try:
            write_aside(output, text)
        except OSError as error:
            raise AutotunerError(f"{output} cannot be written: {error.strerror}") from None
    for path, value in filled.items():
        err().print(escape(f"taken as aiconfigurator does: {path} = {value}"), soft_wrap=True)
    for one in left:
        err().print(escape(f"no counterpart: {one.field} = {one.value}: {one.why}"), soft_wrap=True)


def _to_theirs(
    file: Path, program: str
) -> tuple[list[dict[str, Any]], tuple[Left, ...], dict[str, Any]]:
    written = _PROGRAMS[program](load_task(file))
    return [yaml.safe_load(written.text())], written.left, {}


def _to_ours(file: Path) -> tuple[list[dict[str, Any]], tuple[Left, ...], dict[str, Any]]:
    found: Sequence[ReadTask] = read_tasks(file)
    left = {(one.field, str(one.value)): one for read in found for one in read.left}
    filled = {path: value for read in found for path, value in read.filled.items()}
    return [read.task.written() for read in found], tuple(left.values()), filled


def _keys(file: Path) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise VerifyError(f"{file} cannot be read: {error}") from None
    return document if isinstance(document, dict) else {}
