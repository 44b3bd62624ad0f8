"""`autotuner why`: what keeps points from the SLO, what is excluded, and what would change it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from autotuner.cli import exit_codes
from autotuner.cli.commands.init import limits_of
from autotuner.cli.commands.plan import kept_store, prepare_file
from autotuner.cli.commands.show import chosen_task, open_existing
from autotuner.cli.home import state_folder
from autotuner.cli.output import out, print_json
from autotuner.config import TaskConfig, load_task
from autotuner.errors import AutotunerError
from autotuner.profiles import USERS, registry_with
from autotuner.report.why_terminal import print_why
from autotuner.space import NoCandidateError, Region, Space
from autotuner.store import TaskRecord
from autotuner.tuning.elsewhere import Elsewhere
from autotuner.tuning.history import at_stored_levels
from autotuner.tuning.prepare import Prepared
from autotuner.tuning.stored_task import prepared_again
from autotuner.tuning.why import why_of_file, why_of_task, why_without_candidates
from autotuner.tuning.why_views import WhyView

_ELSEWHERE_S = 10.0
"""Seconds after which no other hardware is asked about any more."""


def why(
    task: str | None,
    *,
    slo: Sequence[str],
    elsewhere: bool,
    home: Path | None,
    as_json: bool,
) -> int:
    """Answers for a task file or a stored task; returns the exit code.

    Args:
        slo: limits in place of the task's, as `NAME=MS`.
        elsewhere: whether other hardware and formats are asked about.

    Raises:
        AutotunerError: no such task, or a limit of what has none.
    """
    folder = state_folder(home)
    limits = limits_of(slo)
    if task is not None and not task.isdecimal():
        found = _of_file(Path(task), folder, limits, elsewhere=elsewhere)
    else:
        found = _of_stored(task, home, folder, limits, elsewhere=elsewhere)
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        print_why(found, out())
    excluded = found.exclusions is not None and found.exclusions.candidates == 0
    answered = excluded or found.measured is not None or found.predicted is not None
    return 0 if answered else exit_codes.NOTHING


def _of_file(path: Path, folder: Path, limits: Mapping[str, float], *, elsewhere: bool) -> WhyView:
    base = path.resolve().parent
    try:
        prepared = prepare_file(path, folder)
    except NoCandidateError as error:
        config, space = load_task(path), error.space
        other = _elsewhere(config, space, base, folder) if elsewhere else None
        return why_without_candidates(config, space, changed=limits, elsewhere=other)
    with kept_store(folder) as store:
        prepared = at_stored_levels(prepared, store)
        other = _elsewhere(prepared.task, prepared.space, base, folder) if elsewhere else None
        return why_of_file(prepared, folder, store, changed=limits, elsewhere=other)


def _of_stored(
    number: str | None,
    home: Path | None,
    folder: Path,
    limits: Mapping[str, float],
    *,
    elsewhere: bool,
) -> WhyView:
    with open_existing(home) as store:
        record = chosen_task(store, None if number is None else int(number))
        prepared, notes = _again(record, folder)
        other = None
        if elsewhere and prepared is not None:
            other = _elsewhere(prepared.task, prepared.space, prepared.base or folder, folder)
        return why_of_task(
            record, prepared, folder, store, changed=limits, elsewhere=other, notes=notes
        )


def _again(record: TaskRecord, folder: Path) -> tuple[Prepared | None, tuple[str, ...]]:
    try:
        return prepared_again(record, folder, registry_with(folder / USERS)), ()
    except AutotunerError as error:
        return None, (f"the task cannot be resolved any more: {error.message}",)


class _TimeLeft:
    """Whether there is time left, counted from when it is first asked."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: float | None = None

    def __call__(self) -> bool:
        now = time.monotonic()
        self._until = now + self._seconds if self._until is None else self._until
        return now < self._until


def _elsewhere(task: TaskConfig, space: Space, base: Path, folder: Path) -> Elsewhere:
    registry = registry_with(folder / USERS)
    return Elsewhere(task, _a_region(space), base, folder, registry, _TimeLeft(_ELSEWHERE_S))


def _a_region(space: Space) -> Region:
    return space.regions[0] if space.regions else space.by_region()[0][0]
