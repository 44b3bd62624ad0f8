"""`autotuner migrate db`, `verify` and `undo`."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.progress import Progress
from sqlalchemy import make_url

from autotuner.cli import exit_codes
from autotuner.cli.commands.db import backed_up
from autotuner.cli.home import state_folder
from autotuner.cli.output import err, out, print_json
from autotuner.errors import AutotunerError, MigrationError
from autotuner.migrate.database import (
    Observer,
    Report,
    UnitChoice,
    V1Source,
    engine_named,
    move,
    opened,
    preview,
    require_chosen,
    sha256_of,
)
from autotuner.migrate.database.comparison import MovedComparison
from autotuner.migrate.database.verify import verify
from autotuner.migrate.draft import Done
from autotuner.store import Store
from autotuner.store.backups import backup_place
from autotuner.store.database import address_of
from autotuner.store.maintenance import Database
from autotuner.store.v1.migrations import MigrationRecord, UndoPreview
from autotuner.store.v1.moved import MoveOutcome
from autotuner.tuning.forecast import PREDICTION_CACHE

_SHOWN = 10
Step = Callable[[int, int], None]


@dataclass(frozen=True)
class MigrationRequest:
    """The source, the target, and what of the source is meant."""

    source: Path
    to: str | None
    home: Path | None
    only: tuple[str, ...]
    skip_running: bool
    engine: str | None = None

    @property
    def choice(self) -> UnitChoice:
        """The units that are meant."""
        return UnitChoice(self.only, self.skip_running)

    @property
    def folder(self) -> Path:
        """The home."""
        return state_folder(self.home)

    def words(self, *first: object) -> str:
        """Words of a command for the same target, without a password."""
        there = [] if self.to is None else ["--to", make_url(self.to).render_as_string()]
        home = [] if self.home is None else ["--home", str(self.home)]
        return shlex.join([*map(str, first), *there, *home])


def migrate_db(
    wanted: MigrationRequest, *, preview: bool, apply: bool, backup: bool, as_json: bool
) -> None:
    """`autotuner migrate db`.

    Raises:
        ConfigError: there is no such engine.
        AutotunerError: neither or both of `--preview` and `--apply`; no database of version 1; the
            target is the source, or cannot be written.
    """
    if preview == apply:
        raise AutotunerError(
            "say what to do with the database of version 1",
            remedy="--preview shows what would be moved, --apply moves it",
        )
    _refuse_itself(wanted)
    if wanted.engine is not None:
        engine_named(wanted.engine)
    with opened(wanted.source) as source:
        require_chosen(source, wanted.choice)
        if preview:
            _print_preview(_previewed(wanted, source), as_json=as_json)
            return
        kept = _backup(wanted) if backup else None
        with Store.open(wanted.folder, wanted.to) as store, _progress("moving") as step:
            observer = Observer(wanted.folder / PREDICTION_CACHE)
            number, report = move(
                source, store, wanted.choice, observer, step, engine=wanted.engine
            )
    unchanged = sha256_of(wanted.source) == report.sha256
    document = {
        "migration": number,
        "backup": None if kept is None else str(kept),
        "source_unchanged": unchanged,
        **report.to_json(),
    }
    if as_json:
        print_json(document)
        return
    _print_report(report, "moved")
    if kept is not None:
        _say(f"the target as it was before: {kept}")
    if not unchanged:
        _say("the source has changed meanwhile: move it again for what is new in it")
    _say(f"compare with `autotuner migrate verify {wanted.words(wanted.source)}`")
    if report.total(MoveOutcome.MOVED) or report.total(MoveOutcome.CHANGED):
        _say(f"take back with `autotuner migrate undo {wanted.words(number)}`")


def _previewed(wanted: MigrationRequest, source: V1Source) -> Report:
    with _progress("reading") as step:
        observer = Observer(wanted.folder / PREDICTION_CACHE)
        return preview(source, wanted.choice, observer, step, engine=wanted.engine)


def _print_preview(report: Report, *, as_json: bool) -> None:
    if as_json:
        print_json(report.to_json())
        return
    _print_report(report, "would be moved")
    _say("nothing was written; --apply moves it")


def migrate_verify(wanted: MigrationRequest, *, as_json: bool) -> int:
    """`autotuner migrate verify`; 1 where anything differs."""
    with (
        opened(wanted.source) as source,
        Store.open(wanted.folder, wanted.to) as store,
        _progress("comparing") as step,
    ):
        require_chosen(source, wanted.choice)
        found = verify(source, store, wanted.choice, step)
        document = {"source": source.name, "source_sha256": source.sha256, **found.to_json()}
    if as_json:
        print_json(document)
    else:
        _print_comparison(found)
    return exit_codes.NOTHING if found.differing else 0


def _print_comparison(found: MovedComparison) -> None:
    leaves = found.to_json()["leaves"]
    _say(
        f"{found.units:,} tasks, presets and other rows: {leaves['carried']:,} values are in "
        f"version 1's tables as they were, {leaves['verbatim']:,} verbatim beside, "
        f"{leaves['converted']:,} in measurements too, {leaves['translated']:,} in tasks of "
        f"version 2 or in a note of theirs, and {leaves['observed']:,} results in observations"
    )
    if found.worked_on:
        _say(f"{found.worked_on:,} tasks were worked on here since, and are not compared")
    if found.skipped:
        _say(f"{found.skipped:,} tasks were not asked for")
    for line in found.differences[:_SHOWN]:
        _say(f"differs: {line}")
    hidden = found.differing - min(len(found.differences), _SHOWN)
    if hidden > 0:
        _say(f"and {hidden:,} more; --json lists them")
    if not found.differing:
        _say("nothing differs")


def migrate_undo(
    number: int | None,
    *,
    to: str | None,
    force: bool,
    preview: bool,
    home: Path | None,
    as_json: bool,
) -> None:
    """`autotuner migrate undo`.

    Raises:
        MigrationError: nothing of such a migration is here.
        WrongTransitionError: one of its tasks runs.
    """
    with Store.open(state_folder(home), to) as store:
        known = store.migrations.all()
        found = next((one for one in known if number in (None, one.id)), None)
        if found is None:
            there = ", ".join(str(one.id) for one in known) or "none"
            what = "no migration" if number is None else f"nothing of migration {number}"
            raise MigrationError(f"{what} is here", remedy=f"those that are here: {there}")
        foreseen = store.migrations.undo_preview(found.id, force=force)
        if preview:
            _print_undo_preview(found, foreseen, as_json=as_json)
            return
        removed, left = 0, list[int]()
        for step in store.migrations.undo(found.id, force=force):
            removed += step.removed
            left += step.left
    if as_json:
        print_json(
            {"migration": found.id, "source": found.source, "removed": removed, "left": left}
            | {"counts": dict(foreseen.counts)}
        )
        return
    _say(f"migration {found.id} of {found.source}: {removed:,} tasks, presets and rows removed")
    if left:
        numbers = ", ".join(map(str, left[:_SHOWN]))
        _say(f"{len(left):,} tasks were worked on here since and stay: {numbers}; --force removes")


def _print_undo_preview(found: MigrationRecord, foreseen: UndoPreview, *, as_json: bool) -> None:
    if as_json:
        document = {**vars(foreseen), "counts": dict(foreseen.counts)}
        print_json({"migration": found.id, "source": found.source, **document})
        return
    counts = ", ".join(
        f"{name.replace('_', ' ')}: {count:,}" for name, count in foreseen.counts.items()
    )
    _say(f"migration {found.id} of {found.source}: would go: {counts or 'nothing'}")
    if foreseen.left:
        numbers = ", ".join(map(str, foreseen.left[:_SHOWN]))
        _say(f"{len(foreseen.left):,} tasks were worked on here since and would stay: {numbers}")
    if foreseen.running:
        _say(f"cancel these first, they are running: {', '.join(map(str, foreseen.running))}")
    _say("nothing was removed")


def _refuse_itself(wanted: MigrationRequest) -> None:
    address = address_of(wanted.folder, wanted.to)
    if address.get_backend_name() != "sqlite":
        return
    target = Path(str(address.database))
    if target.exists() and wanted.source.exists() and target.samefile(wanted.source):
        raise MigrationError(
            f"{wanted.source} is where version 2 keeps its own database",
            remedy="rename it, such as to v1.db, and name that file",
        )


def _backup(wanted: MigrationRequest) -> Path | None:
    """A checked copy of the target as it is; None where it is new."""
    try:
        target = Database.found(wanted.folder, wanted.to)
    except AutotunerError:
        return None  # there is none yet
    current, _ = target.revisions()
    if current is None:
        return None
    try:
        return backed_up(target, backup_place(target, wanted.folder), force=False)
    except AutotunerError as error:
        raise MigrationError(
            f"no backup of the target could be taken: {error.message}",
            remedy=f"{error.remedy}; then go on with --no-backup: `autotuner migrate undo` takes "
            "back what was moved, and nothing else",
        ) from None


def _print_report(report: Report, verb: str) -> None:
    for kind, counts in report.units.items():
        parts = ", ".join(
            f"{count:,} {_OUTCOMES.get(name, verb)}" for name, count in counts.items()
        )
        _say(f"{kind}: {parts}")
    if report.rows:
        _say("rows: " + ", ".join(f"{name} {count:,}" for name, count in report.rows.items()))
    notes = ", ".join(f"{report.notes[done.value]:,} {done.value}" for done in Done)
    _say(f"keys of tasks and presets: {notes}")
    _list("in version 1's tables alone", report.untranslated, len(report.untranslated))
    for reason, count in report.unmeasured.most_common(_SHOWN):
        title = "experiments that succeeded with metrics that become no measurement"
        _say(f"{title}: {count:,} ({reason})")
    _list("a draft, to be filled in", report.drafts, len(report.drafts))
    _name("system presets that version 1 had not, and that are not here", report.deleted_presets)
    _name("system presets that version 1 had not, and that stay here", report.other_presets)
    _list("kept verbatim beside its row", report.kept, report.kept_cells)
    _say(f"source: SHA-256 {report.sha256}")


_OUTCOMES = {
    "same": "here already",
    "changed": "changed in the source and moved anew",
    "worked_on": "changed in the source, worked on here, and left",
    "skipped": "not asked for",
}


def _name(title: str, names: list[str]) -> None:
    if names:
        _say(f"{title}: {', '.join(names)}")


def _list(title: str, lines: list[str], total: int) -> None:
    for line in lines[:_SHOWN]:
        _say(f"{title}: {line}")
    if total > _SHOWN:
        _say(f"{title}: {total - _SHOWN:,} more; --json lists them")


def _say(text: str) -> None:
    out().print(escape(text), soft_wrap=True)


@contextmanager
def _progress(what: str) -> Iterator[Step]:
    with Progress(console=err(), transient=True) as progress:
        task: Any = progress.add_task(what, total=None)

        def step(done: int, of: int) -> None:
            progress.update(task, completed=done, total=of)

        yield step
