"""The command starts light: what is heavy loads when a command needs it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from autotuner.cli.app import app, main

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


@pytest.mark.parametrize("words", [["--help"], []])
def test_the_list_of_commands_is_that_of_the_whole_command(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["autotuner", *words])

    def shown(run: Callable[[], None]) -> tuple[str, object]:
        with pytest.raises(SystemExit) as end:
            run()
        return capsys.readouterr().out, end.value.code

    listed = shown(main)
    assert listed == shown(app)
    assert all(name in listed[0] for name in ("calibrate-device", "bench", "tune"))
    assert "│ runs " not in listed[0]
