"""Profiles that users keep in the service, and all profiles that its tasks may name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from autotuner.errors import NameTakenError, NotFoundError, StaleRevisionError
from autotuner.profiles import USERS, ProfileRegistry, registry_of, registry_with
from autotuner.store.schema import ProfileRow
from autotuner.store.sessions import Sessions
from autotuner.store.store import Store


@dataclass(frozen=True)
class StoredProfile:
    """A profile's document as it is kept; `revision` grows with every change."""

    name: str
    document: dict[str, Any]
    revision: int
    created_at: datetime
    updated_at: datetime

    @property
    def version(self) -> tuple[int, int]:
        """Mark that no other document of its name has, nor will one of a later profile."""
        return self.revision, round(self.created_at.timestamp() * 1_000_000)


class StoredProfiles:
    """The profiles in a database."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def all(self) -> tuple[StoredProfile, ...]:
        """Every one, by name."""
        with self._sessions.reading() as session:
            rows = session.scalars(select(ProfileRow).order_by(ProfileRow.name))
            return tuple(map(_kept, rows))

    def get(self, name: str) -> StoredProfile | None:
        """The one of that name."""
        with self._sessions.reading() as session:
            row = session.get(ProfileRow, name)
            return None if row is None else _kept(row)

    def create(self, name: str, document: dict[str, Any]) -> StoredProfile:
        """Keeps a new one.

        Raises:
            NameTakenError: there is one of that name.
        """
        now = datetime.now(UTC)
        row = ProfileRow(name=name, document=document, revision=1, created_at=now, updated_at=now)
        with self._sessions.writing() as session:
            session.add(row)
            try:
                session.flush()
            except IntegrityError:
                raise NameTakenError(
                    f"the profile {name!r} already exists",
                    remedy="give another name, or change that one",
                ) from None
            return _kept(row)

    def change(
        self, name: str, document: dict[str, Any], *, version: tuple[int, ...] | None = None
    ) -> StoredProfile:
        """Puts another document in its place.

        Args:
            version: as it was when the caller read it; None asks for no check.

        Raises:
            StaleRevisionError: it was changed since.
            NotFoundError: there is none of that name.
        """
        with self._sessions.writing() as session:
            row = _locked(session, name, version)
            row.document = document
            row.revision += 1
            row.updated_at = datetime.now(UTC)
            session.flush()
            return _kept(row)

    def delete(self, name: str, *, version: tuple[int, ...] | None = None) -> None:
        """Forgets one; raises as `change` does."""
        with self._sessions.writing() as session:
            session.delete(_locked(session, name, version))


def service_registry(store: Store, folder: Path) -> ProfileRegistry:
    """All profiles that a task of the service may name: the built-in ones, those in `folder`'s
    profiles/, and those in the database.

    Raises:
        ProfileError: one that is no profile, or a name that two have.
    """
    return registry_beside(
        {k.name: k.document for k in StoredProfiles(store.sessions).all()}, folder
    )


def registry_beside(documents: Mapping[str, Any], folder: Path) -> ProfileRegistry:
    """The same, where these documents are in the database."""
    return registry_of(registry_with(folder / USERS), documents)


def _locked(session: Session, name: str, version: tuple[int, ...] | None) -> ProfileRow:
    row = session.scalar(select(ProfileRow).where(ProfileRow.name == name).with_for_update())
    if row is None:
        raise NotFoundError(f"there is no profile {name!r}")
    if version is not None and _kept(row).version != version:
        raise StaleRevisionError(
            f"the profile {name!r} has changed: it has revision {row.revision}",
            remedy="read it again, and decide anew",
        )
    return row


def _kept(row: ProfileRow) -> StoredProfile:
    return StoredProfile(row.name, row.document, row.revision, row.created_at, row.updated_at)
