"""`autotuner db`: status, backup, upgrade and downgrade of the database."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape

from autotuner.cli.home import state_folder
from autotuner.cli.output import out, print_json, refuse_unwritable
from autotuner.config import nearest
from autotuner.errors import AutotunerError, InUseError
from autotuner.store.backups import backup_place
from autotuner.store.database import known_revisions
from autotuner.store.maintenance import Database, HeldTask
from autotuner.workers.watcher import has_ended_here

NEWEST = "head"


def db_status(*, home: Path | None, database: str | None, as_json: bool) -> None:
    """`autotuner db status`."""
    found = Database.found(state_folder(home), database)
    current, newest = found.revisions()
    held = _held(found)
    if as_json:
        print_json(
            {
                "database": found.name,
                "revision": current,
                "newest": newest,
                "size_bytes": found.file.stat().st_size if found.file else None,
                "running": [{"id": task.id, "name": task.name} for task in held],
            }
        )
        return
    state = "the newest" if current == newest else f"the newest is {newest}: `autotuner db upgrade`"
    if current is not None and current not in known_revisions():
        state = "of a newer version of autotuner"
    out().print(escape(f"{found.name}: revision {current or 'none'} ({state})"), soft_wrap=True)
    for task in held:
        out().print(escape(f"task {task.id} '{task.name}' is running"), soft_wrap=True)


def db_backup(
    target: Path | None, *, force: bool, home: Path | None, database: str | None, as_json: bool
) -> None:
    """`autotuner db backup`.

    Raises:
        AutotunerError: the file is there already or cannot be written, or there is no database.
    """
    folder = state_folder(home)
    found = Database.found(folder, database)
    path = backed_up(found, target or backup_place(found, folder), force=force)
    if as_json:
        print_json({"database": found.name, "file": str(path), "size_bytes": path.stat().st_size})
    else:
        out().print(escape(f"{found.name} is backed up to {path}"), soft_wrap=True)


def db_move(
    revision: str,
    *,
    down: bool,
    force: bool,
    home: Path | None,
    database: str | None,
    as_json: bool,
) -> None:
    """`autotuner db upgrade` and `downgrade`; SQLite is backed up first.

    Args:
        revision: a revision, or `head` for the newest.
        force: although a task seems to be running.

    Raises:
        InUseError: a task is running.
        AutotunerError: an unknown revision, or one that lies in the other direction.
    """
    folder = state_folder(home)
    found = Database.found(folder, database)
    current, newest = found.revisions()
    wanted = newest if revision == NEWEST else revision
    _check_direction(current, wanted, down=down)
    if wanted == current:
        _print_moved(found, current, wanted, None, as_json=as_json)
        return
    held = _held(found)
    if held and not force:
        raise InUseError(
            f"task {held[0].id} '{held[0].name}' is running in {found.name}",
            remedy="stop it and the workers first; --force where its worker is known to be gone",
        )
    backup = None
    if found.file is not None and current is not None:
        backup = backed_up(found, backup_place(found, folder), force=False)
    found.migrate(wanted)
    _print_moved(found, current, wanted, backup, as_json=as_json)


def _check_direction(current: str | None, wanted: str, *, down: bool) -> None:
    known = list(known_revisions())
    if wanted not in known:
        raise AutotunerError(f"revision {wanted!r} is unknown; {nearest(wanted, known)}")
    if current is not None and current not in known:
        raise AutotunerError(
            f"the database has revision {current}, which this version does not know",
            remedy="use the version of autotuner that wrote it",
        )
    order = -1 if current is None else known.index(current)
    if (down and known.index(wanted) > order) or (not down and known.index(wanted) < order):
        other = "upgrade" if down else "downgrade"
        raise AutotunerError(
            f"the database has revision {current or 'none'}, and {wanted} lies in the other "
            "direction",
            remedy=f"`autotuner db {other} {wanted}`",
        )


def _print_moved(
    found: Database, before: str | None, after: str, backup: Path | None, *, as_json: bool
) -> None:
    if as_json:
        moved = {"database": found.name, "from": before, "to": after}
        print_json(moved | {"backup": None if backup is None else str(backup)})
        return
    if before == after:
        out().print(escape(f"{found.name} has revision {after} already"), soft_wrap=True)
        return
    kept = f"; as it was: {backup}" if backup is not None else ""
    text = f"{found.name}: revision {before or 'none'} -> {after}{kept}"
    out().print(escape(text), soft_wrap=True)


def _held(found: Database) -> list[HeldTask]:
    """Running tasks whose worker may be alive; of a process of this machine that is certain."""
    return [
        task
        for task in found.held_tasks()
        if task.worker is not None and not has_ended_here(task.worker)
    ]


def backed_up(found: Database, target: Path, *, force: bool) -> Path:
    """Copies a database to `target`, which is checked.

    Raises:
        AutotunerError: it is there already, or cannot be written.
    """
    if target.exists() and not force:
        raise AutotunerError(f"{target} is there already", remedy="give another place, or --force")
    with refuse_unwritable(target):
        found.backup(target)
    return target
