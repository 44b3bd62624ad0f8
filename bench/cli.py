"""Time of `autotuner --help` over that of a bare Typer program: the ratio should be 1.1 or less.

Both are run in turns, after one run each to warm the caches; the medians are compared.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 21
LIMIT = 1.1
BARE = """
import typer

app = typer.Typer()


@app.command()
def greet(name: str = "you") -> None:
    "Greet."
    typer.echo(f"Hello {name}")


@app.command()
def leave() -> None:
    "Leave."


app()
"""


def seconds(argv: list[str]) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> int:
    """Prints the ratio; 1 where it is above the limit."""
    ours = [sys.executable, "-m", "autotuner", "--help"]
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "bare.py"
        program.write_text(BARE, encoding="utf-8")
        bare = [sys.executable, str(program), "--help"]
        times = [(seconds(ours), seconds(bare)) for _ in range(ROUNDS + 1)][1:]
    ours_s, bare_s = (statistics.median(column) for column in zip(*times, strict=True))
    ratio = ours_s / bare_s
    print(
        f"cli: autotuner --help takes {ratio:.2f} times a bare Typer program's time "
        f"({1000 * ours_s:.0f} ms against {1000 * bare_s:.0f} ms, medians of {ROUNDS}; "
        f"at most {LIMIT:g})"
    )
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
