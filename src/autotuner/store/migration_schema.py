"""Tables of what was moved here from a database of version 1."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from autotuner.store.schema import Base


class MigrationRow(Base):
    """One call that moved rows here; `ended_at` is None of one that was killed.

    `source` is the file's path as it was given, `source_sha256` of its bytes at the beginning.
    """

    __tablename__ = "migrations"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    source_sha256: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    report: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class MigratedRow(Base):
    """A unit that was moved: a task with its experiments, a preset, or a row without a place.

    `identity` is the same for the same row of the same database, `digest` for the same content.
    `account` holds the notes, and verbatim what no table of ours has a column for.
    """

    __tablename__ = "migrated_rows"
    __table_args__ = (
        Index("ix_migrated_rows_kind_v1_id", "kind", "v1_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    migration_id: Mapped[int] = mapped_column(ForeignKey("migrations.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    identity: Mapped[str] = mapped_column(String(64), unique=True)
    digest: Mapped[str] = mapped_column(String(64))
    source_table: Mapped[str]
    source_id: Mapped[int] = mapped_column(BigInteger)
    v1_id: Mapped[int | None]
    v2_task_id: Mapped[int | None] = mapped_column(index=True)
    profile: Mapped[str | None] = mapped_column(String(200))
    account: Mapped[dict[str, Any]]
