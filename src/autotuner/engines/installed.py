"""Which version of an engine is installed: its package says it, or its program."""

from __future__ import annotations

import functools
import importlib.metadata
import re
import shutil
import subprocess
from pathlib import Path

from autotuner.errors import EngineError

_TIMEOUT_S = 60
_SAYS_A_VERSION = re.compile(r"(?:[\w.-]+[ :/]+){0,2}v?\d[\w.+-]*(?: \(.*\))?")
"""`0.24.0`, `vllm 0.24.0`, `version: 4567 (abcdef)`: a whole line, with at most two words first."""
_ENV = "env"


def version_of_program(program: str, packages: tuple[str, ...]) -> str:
    """The version of an engine's program; "unknown" where neither of its sources says one.

    A script is asked through its interpreter for the package that it belongs to: where there is a
    GPU an engine's own answer takes the time of all its imports, and log lines stand around it.

    Raises:
        EngineError: the program does not answer.
    """
    interpreter = _interpreter(program)
    found = installed_in(interpreter, packages) if interpreter else None
    return found[1] if found else _answered_version(program)


def installed_here(packages: tuple[str, ...]) -> tuple[str, str] | None:
    """The first of `packages` in this environment, with its version."""
    for package in packages:
        try:
            return package, importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


@functools.cache
def installed_in(python: str, packages: tuple[str, ...]) -> tuple[str, str] | None:
    """The first of `packages` in another environment, with its version; nothing is imported.

    Raises:
        EngineError: that Python does not answer.
    """
    code = (
        "import sys, importlib.metadata as m\n"
        "have = {d.metadata['Name'].lower(): d.version for d in m.distributions()}\n"
        "print(next((f'{p} {have[p]}' for p in sys.argv[1:] if p in have), ''))"
    )
    name, _, version = _run(python, "-c", code, *packages).strip().partition(" ")
    return (name, version) if version else None


def _interpreter(program: str) -> str | None:
    """The Python that a script names in its first line; None for any other program."""
    try:
        with Path(program).open("rb") as file:
            first = file.readline(512).decode()
    except (OSError, UnicodeDecodeError):
        return None
    words = first[2:].split() if first.startswith("#!") else []
    if words and Path(words[0]).name == _ENV:
        words = words[1:]
    named = words[0] if len(words) == 1 else ""
    return shutil.which(named) if Path(named).name.startswith("python") else None


@functools.cache
def _answered_version(program: str) -> str:
    """The line of `--version` that is a version, else the first with a digit.

    What a program says of GPUs that it finds, and what it logs, stands before it.
    """
    lines = [line.strip() for line in _run(program, "--version").splitlines()]
    whole = next((line for line in lines if _SAYS_A_VERSION.fullmatch(line)), None)
    return whole or next((line for line in lines if any(c.isdigit() for c in line)), "unknown")


def _run(*argv: str) -> str:
    try:
        shown = subprocess.run(
            argv, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError(
            f"{argv[0]} {argv[1]} does not answer: {error}", remedy="check that it runs by hand"
        ) from None
    return shown.stdout + shown.stderr
