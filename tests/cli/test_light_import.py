"""The command starts light: what is heavy loads when a command needs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "alembic",
    "jinja2",
    "matplotlib",
    "numpy",
    "optuna",
    "pandas",
    "psutil",
    "pydantic",
    "pynvml",
    "sqlalchemy",
    "xllamacpp",
)


@pytest.mark.parametrize(
    "program",
    [
        "import autotuner.cli",
        "from autotuner.cli import main; sys.argv = ['autotuner', '--help']; main()",
    ],
)
def test_nothing_heavy_is_loaded(program: str) -> None:
    shown = f"print('loaded', *(m for m in {HEAVY!r} if m in sys.modules))"
    code = f"import sys, atexit; atexit.register(lambda: {shown}); {program}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded"
