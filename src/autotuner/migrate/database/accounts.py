"""Accounts of what is not where one would look for it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from autotuner.migrate.draft import Done, Note


def account_of(notes: Iterable[Note], verbatim: Mapping[str, Any]) -> dict[str, Any]:
    """An account as it is stored: notes by dotted path, and cells verbatim."""
    written = [[note.path, note.done.value, note.text] for note in notes]
    return {"notes": written} | ({"verbatim": dict(verbatim)} if verbatim else {})


def notes_of(account: Mapping[str, Any]) -> tuple[Note, ...]:
    """The notes of an account."""
    return tuple(Note(path, Done(done), text) for path, done, text in account.get("notes", ()))
