"""The log of a launch, new with every launch, its files beside it, and why the engine failed."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from autotuner.engines import FailureKind, FailurePattern, LaunchSpec
from autotuner.errors import LaunchError
from autotuner.launch.log_reader import LogReader, end_of_log
from autotuner.launch.protocol import Failure

TAIL_LINES = 40
"""Size of the end of a log that is kept."""
JUDGED_LINES = 300
"""Size of the part that is judged: Python engines print several tracebacks after the cause."""
_TAIL_BYTES = 128 * 1024
_LINE_CHARS = 300
_STAMP = re.compile(
    r"^(?:[\d.:]+ [A-Z] +|(?:\(\w+ pid=\d+\) )?(?:[A-Z]+ [\d-]+ [\d:]+ \[[\w.]+:\d+\] )?)"
)
"""Time and level before a line of llama.cpp; process, level, time and place before one of vLLM."""


def open_log(path: Path) -> IO[str]:
    """Opens an empty log, its folder made where it is missing.

    Raises:
        LaunchError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise LaunchError(
            f"the log {path} cannot be written: {error.strerror}",
            remedy="free some space, or choose another --home",
        ) from None


def write_head(log: IO[str], command: str, caches: Mapping[str, str], *remarks: str) -> None:
    """Writes what is launched, before the engine itself writes."""
    log.write(f"$ {command}\n")
    log.writelines(f"# {remark}\n" for remark in remarks)
    log.writelines(f"# {variable}={value}\n" for variable, value in caches.items())
    log.flush()


def write_files(spec: LaunchSpec, log_path: Path) -> Path:
    """Writes the files that a command names; the folder of them, which is not made for none."""
    folder = log_path.with_suffix(".files")
    for name, text in spec.files:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def read_tail(path: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log; empty where there is none."""
    text = end_of_log(path, _TAIL_BYTES)
    return "\n".join(line[:_LINE_CHARS] for line in text.splitlines()[-lines:])


class LinesOfLog:
    """Looks for lines that are appended to a log from now on.

    Args:
        patterns: regular expressions; without any the log is not read.
    """

    def __init__(self, path: Path, patterns: Sequence[str]) -> None:
        self._patterns = tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)
        try:
            self._log = LogReader(path, path.stat().st_size if patterns else 0)
        except OSError:
            self._log = LogReader(path)

    def has_appeared(self) -> bool:
        """Whether one of the patterns is on a line that was appended since."""
        if not self._patterns:
            return False
        found = False
        while lines := self._log.more(to_the_end=True):
            found |= any(pattern.search(line) for line in lines for pattern in self._patterns)
        return found


def judged(log_path: Path, spec: LaunchSpec, *, exit_code: int | None, was_ready: bool) -> Failure:
    """Names the failure of an engine by its log; see `classify`."""
    tail = read_tail(log_path, JUDGED_LINES)
    return classify(tail, spec.failure_patterns, exit_code=exit_code, was_ready=was_ready)


def classify(
    log_tail: str, patterns: Sequence[FailurePattern], *, exit_code: int | None, was_ready: bool
) -> Failure:
    """Names the failure of an engine.

    The first pattern found in the log of a dead engine decides; where none is, how and when it
    ended. A live engine is never judged by its log: servers warn about much that does no harm.

    Args:
        exit_code: None while the engine lives; 128 + n where signal n ended it.
        was_ready: whether it had served before.
    """
    kept = "\n".join(log_tail.splitlines()[-TAIL_LINES:])
    if exit_code is None:
        if was_ready:
            return Failure(FailureKind.LOAD_ERRORS, "requests failed, the engine lives", kept)
        return Failure(FailureKind.NOT_READY, "the engine was not ready in time", kept)
    for row in patterns:
        line = _first_line(row.pattern, log_tail)
        if line is not None:
            return Failure(row.kind, f"{row.explanation}: {line}", kept)
    kind = FailureKind.DIED_UNDER_LOAD if was_ready else FailureKind.DIED_LOADING
    when = "under load" if was_ready else "while loading"
    return Failure(kind, f"the engine died {when}, {_ended(exit_code)}", kept)


def _first_line(pattern: str, log_tail: str) -> str | None:
    """The first line with `pattern`, without the time and level that it begins with."""
    compiled = re.compile(pattern, re.IGNORECASE)
    line = next((line for line in log_tail.splitlines() if compiled.search(line)), None)
    return None if line is None else _STAMP.sub("", line).strip()


def _ended(exit_code: int) -> str:
    if exit_code <= 128:
        return f"exit code {exit_code}"
    try:
        name = signal.Signals(exit_code - 128).name
    except ValueError:
        return f"exit code {exit_code}"
    hint = ", as the kernel does when memory runs out" if name == "SIGKILL" else ""
    return f"ended by {name}{hint}"
