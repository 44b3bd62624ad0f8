"""The base of everything a user writes: frozen, unknown keys refused, aliases understood."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    Strict,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

STORED = "stored"
"""Context of a document that was accepted once and is read again: requirements that only came later
do not hold for it, or results that are there could not be shown."""
_MOST_LISTED = 24
"""Words that a hint lists: a line or two, all of an enumeration, not all models of the catalog."""
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


LONGEST_SHOWN = 80
"""Characters of a value that a message repeats."""


def shortened(text: str) -> str:
    """A user's text in quotes, of which a message shows no more than the beginning."""
    if len(text) <= LONGEST_SHOWN:
        return repr(text)
    return f"{text[:LONGEST_SHOWN]!r}… ({len(text):,} characters)"


def nearest(word: str, known: list[str]) -> str:
    """A hint naming the known word nearest to `word`; known ones where none is near."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    others = len(known) - _MOST_LISTED
    more = f" and {others} more" if others > 0 else ""
    return f"known: {', '.join(sorted(known)[:_MOST_LISTED])}{more}"


class Document(BaseModel):
    """A frozen model that names the nearest known key when it meets an unknown one.

    `ALIASES` maps a short name accepted on input to the field's own; it is never written.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    ALIASES: ClassVar[dict[str, str]] = {}

    @model_validator(mode="wrap")
    @classmethod
    def _resolve_keys(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(value, dict) or value.keys() <= cls.model_fields.keys():
            return handler(value)
        resolved, faults = cls._resolved(value)
        if not faults:
            return handler(resolved)
        details = [InitErrorDetails(type=fault, loc=(key,), input=None) for key, fault in faults]
        try:
            handler({key: item for key, item in resolved.items() if key in cls.model_fields})
        except ValidationError as error:
            # What else is wrong is reported beside the keys, so that one try is enough.
            details += map(_as_details, error.errors(include_url=False))
        raise ValidationError.from_exception_data(cls.__name__, details)

    @classmethod
    def _resolved(
        cls, value: dict[Any, Any]
    ) -> tuple[dict[str, Any], list[tuple[str, PydanticCustomError]]]:
        """Items by the fields' own names, and what is wrong with which key."""
        resolved: dict[str, Any] = {}
        faults = []
        for key, item in value.items():
            name = cls.ALIASES.get(key, key) if isinstance(key, str) else str(key)
            if name in resolved:
                words: dict[str, Any] = {"name": name, "key": key}
                template = "{name} is given twice ({key} is another name for it); keep one"
                faults.append((name, PydanticCustomError("given_twice", template, words)))
            resolved[name] = item
        fields = cls.model_fields
        for key in resolved:
            if key not in fields:
                known = [*fields, *cls.ALIASES]
                hint = {"key": shortened(key), "hint": nearest(key, known)}
                template = "unknown key {key}, {hint}"
                faults.append((key, PydanticCustomError("unknown_key", template, hint)))
        return resolved, faults


def field_faults(faults: Iterable[tuple[tuple[str | int, ...], str]]) -> ValidationError:
    """An error for a validator of a whole part to raise: each fault with the place of its field."""
    details = [
        InitErrorDetails(
            type=PydanticCustomError("field_fault", "{message}", {"message": message}),
            loc=place,
            input=None,
        )
        for place, message in faults
    ]
    return ValidationError.from_exception_data("fields", details)


def _as_details(item: ErrorDetails) -> InitErrorDetails:
    """An error as Pydantic tells it, in the form that it can be raised again in."""
    words = {**item.get("ctx", {}), "message": item["msg"]}
    fault = PydanticCustomError(item["type"], "{message}", words)
    return InitErrorDetails(type=fault, loc=item["loc"], input=item["input"])
