"""Writes the generated parts of docs/accuracy.md: what two commands print, and the curve of foreign
observations. It takes minutes; parts that are named (accuracy, foreign, silicon) are written alone.

python scripts/write_accuracy.py [PART...]

The commands ask aiconfigurator about every measured row; AUTOTUNER_HOME keeps its answers.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from autotuner.cli.home import state_folder
from autotuner.evaluate.foreign_curve import foreign_curve, foreign_markdown
from autotuner.predict.combined import best_of_both
from autotuner.tuning.forecast import PREDICTION_CACHE
from autotuner.verify.predicted_rows import judged_rows
from autotuner.verify.silicon import silicon_rows

DOCUMENT = Path(__file__).parents[1] / "docs" / "accuracy.md"
COLUMNS = "100"


def accuracy() -> str:
    """Coverage and the calibration curves, as Markdown."""
    return printed("bench", "accuracy", "--markdown")


def foreign() -> str:
    """How far measurements of others help, as Markdown."""
    predictor = best_of_both(cache=state_folder(None) / PREDICTION_CACHE)
    judged, _ = judged_rows(silicon_rows().rows, predictor)
    return foreign_markdown(foreign_curve(judged))


def silicon() -> str:
    """The base predictor against every measured row, as the terminal shows it."""
    return f"```text\n{printed('verify', 'dataset', 'silicon')}\n```"


def printed(*arguments: str) -> str:
    """Output of one of our commands, without trailing blanks."""
    done = subprocess.run(
        [sys.executable, "-m", "autotuner", *arguments],
        env=os.environ | {"COLUMNS": COLUMNS, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())


PARTS = {"accuracy": accuracy, "foreign": foreign, "silicon": silicon}


def main() -> None:
    """Puts every part between its marks; what is edited there meanwhile is kept."""
    chosen = sys.argv[1:] or list(PARTS)
    made = {part: PARTS[part]() for part in chosen}
    text = DOCUMENT.read_text(encoding="utf-8")
    for part, block in made.items():
        begin, end = f"<!-- generated: {part} -->", f"<!-- end: {part} -->"
        before, begun, rest = text.partition(begin)
        _, ended, after = rest.partition(end)
        if not (begun and ended):
            raise SystemExit(f"{DOCUMENT.name} has no marks for {part}")
        text = f"{before}{begin}\n{block}\n{end}{after}"
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
