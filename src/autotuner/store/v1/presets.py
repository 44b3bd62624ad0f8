"""v1's presets of parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from autotuner.store.sessions import Sessions
from autotuner.store.v1.records import V1PresetRecord, now, preset_record, written
from autotuner.store.v1_schema import parameter_presets as presets


class V1Presets:
    """Reads and writes `parameter_presets`. Values are of v1's columns."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def create(self, values: Mapping[str, Any]) -> V1PresetRecord | None:
        """A new preset; None where the name is taken."""
        with self._sessions.writing() as session:
            if _name_taken(session, values["name"]):
                return None
            moment = _now()
            row = {"is_system": False, "created_at": moment, "updated_at": moment, **values}
            try:
                made = session.execute(insert(presets).values(written(row)).returning(presets.c.id))
            except IntegrityError:  # it was made this moment
                return None
            return _found(session, made.scalar_one())

    def get(self, preset_id: int) -> V1PresetRecord | None:
        """The preset of that number."""
        with self._sessions.reading() as session:
            return _found(session, preset_id)

    def all(self, category: str | None = None) -> tuple[V1PresetRecord, ...]:
        """Every preset, of one category or of all."""
        query = select(presets).order_by(presets.c.id)
        if category is not None:
            query = query.where(presets.c.category == category)
        with self._sessions.reading() as session:
            return tuple(map(preset_record, session.execute(query).mappings()))

    def some(self, ids: Sequence[int]) -> tuple[V1PresetRecord, ...]:
        """Those of these numbers that there are, by number."""
        query = select(presets).where(presets.c.id.in_(ids)).order_by(presets.c.id)
        with self._sessions.reading() as session:
            return tuple(map(preset_record, session.execute(query).mappings()))

    def change(self, preset_id: int, values: Mapping[str, Any]) -> bool:
        """Sets columns; False where the new name is taken."""
        with self._sessions.writing() as session:
            if "name" in values and _name_taken(session, values["name"], except_for=preset_id):
                return False
            change = update(presets).where(presets.c.id == preset_id)
            try:
                session.execute(change.values(written({**values, "updated_at": _now()})))
            except IntegrityError:
                return False
            return True

    def delete(self, preset_id: int) -> None:
        """Removes a preset."""
        with self._sessions.writing() as session:
            session.execute(delete(presets).where(presets.c.id == preset_id))


def _now() -> datetime:
    """Now, to the second: v1's database set these times, in whole seconds."""
    return now().replace(microsecond=0)


def _name_taken(session: Session, name: str, except_for: int | None = None) -> bool:
    same = presets.c.name == name
    if except_for is not None:
        same &= presets.c.id != except_for
    return bool(session.scalar(select(exists().where(same))))


def _found(session: Session, preset_id: int) -> V1PresetRecord | None:
    row = session.execute(select(presets).where(presets.c.id == preset_id)).mappings().first()
    return None if row is None else preset_record(row)
