"""The base of everything a user writes: frozen, unknown keys refused, aliases understood."""

from __future__ import annotations

import difflib
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, Strict, model_validator
from pydantic_core import PydanticCustomError

LARGEST = 2**31 - 1
"""Of a count: what engines and databases hold, and floating point can reckon with."""
_LARGEST_SEED = 2**63 - 1
Int = Annotated[int, Strict(), Field(ge=-_LARGEST_SEED, le=_LARGEST_SEED)]
Bool = Annotated[bool, Strict()]
Real = Annotated[float, Strict(), Field(allow_inf_nan=False)]
PositiveInt = Annotated[int, Strict(), Field(ge=1, le=LARGEST)]
NonNegativeInt = Annotated[int, Strict(), Field(ge=0, le=LARGEST)]
PositiveReal = Annotated[float, Strict(), Field(gt=0, allow_inf_nan=False)]
NonNegativeReal = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Strict(), Field(gt=0, le=1)]


def nearest(word: str, known: list[str]) -> str:
    """A hint naming the known word nearest to `word`; all known ones where none is near."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(known))}"


class Document(BaseModel):
    """A frozen model that names the nearest known key when it meets an unknown one.

    `ALIASES` maps a short name accepted on input to the field's own; it is never written.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    ALIASES: ClassVar[dict[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _resolve_keys(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        resolved: dict[str, Any] = {}
        for key, item in value.items():
            name = cls.ALIASES.get(key, key) if isinstance(key, str) else str(key)
            if name in resolved:
                raise PydanticCustomError(
                    "given_twice",
                    "{name} is given twice ({key} is another name for it); keep one",
                    {"name": name, "key": key},
                )
            resolved[name] = item
        unknown = [key for key in resolved if key not in cls.model_fields]
        if unknown:
            known = [*cls.model_fields, *cls.ALIASES]
            hints = "; ".join(f"unknown key {key!r}, {nearest(key, known)}" for key in unknown)
            raise PydanticCustomError("unknown_key", "{hints}", {"hints": hints})
        return resolved
