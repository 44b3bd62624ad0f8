"""`autotuner why`: what keeps points from the SLO, what is excluded, and what would change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from autotuner.cli import exit_codes
from autotuner.cli.commands.init import limits_of
from autotuner.cli.commands.plan import kept_store, prepare_file
from autotuner.cli.commands.show import chosen_task, open_existing
from autotuner.cli.home import state_folder
from autotuner.cli.output import out, print_json
from autotuner.config import TaskConfig, load_task
from autotuner.profiles import USERS, registry_with
from autotuner.report.why_terminal import print_why
from autotuner.space import NoCandidateError, Space
from autotuner.tuning.elsewhere import Elsewhere
from autotuner.tuning.history import at_stored_levels
from autotuner.tuning.stored_task import prepared_again
from autotuner.tuning.why import why_of_file, why_of_task, why_without_candidates
from autotuner.tuning.why_views import WhyView


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
    registry = registry_with(folder / USERS)
    with open_existing(home) as store:
        record = chosen_task(store, None if number is None else int(number))
        return why_of_task(
            record,
            lambda: prepared_again(record, folder, registry),
            folder,
            store,
            changed=limits,
            registry=registry if elsewhere else None,
        )


def _elsewhere(task: TaskConfig, space: Space, base: Path, folder: Path) -> Elsewhere:
    return Elsewhere.of(task, space, base=base, home=folder, registry=registry_with(folder / USERS))
