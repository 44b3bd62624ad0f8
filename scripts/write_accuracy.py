"""Writes the generated parts of docs/accuracy.md: what two commands print. It takes minutes.

python scripts/write_accuracy.py

The commands ask aiconfigurator about every measured row; AUTOTUNER_HOME keeps its answers.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

DOCUMENT = Path(__file__).parents[1] / "docs" / "accuracy.md"
COLUMNS = "100"


def accuracy() -> str:
    """Coverage and the calibration curves, as Markdown."""
    return printed("bench", "accuracy", "--markdown")


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


PARTS = {"accuracy": accuracy, "silicon": silicon}


def main() -> None:
    """Puts every part between its marks; what is edited there meanwhile is kept."""
    made = {part: make() for part, make in PARTS.items()}
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
