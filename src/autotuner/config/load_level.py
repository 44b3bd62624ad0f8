"""Load level: how much load an operating point is measured or predicted at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema

from autotuner.config.document import LARGEST


class LoadKind(StrEnum):
    """The quantity that the value of a load level counts."""

    CONCURRENCY = "concurrency"
    """Closed loop: requests in flight; each user sends the next when the last is answered."""
    RATE = "rate"
    """Open loop: requests per second, whether or not earlier ones are answered."""


class _Words(NamedTuple):
    """Formats of a value of one kind, and the remedy of a wrong one."""

    text: str
    short: str
    long: str
    named: str
    remedy: str


_EXACT = 1e6
"""Values from here on are written with every digit: `%g` has six."""
_WORDS = {
    LoadKind.CONCURRENCY: _Words(
        *("{}", "{} concurrent", "{} concurrent requests", "concurrency {}"),
        "give a whole number of 1 or more",
    ),
    LoadKind.RATE: _Words(
        *("{} req/s", "{} req/s", "{} requests/s", "rate {} req/s"),
        "give requests per second above 0, like 2.5",
    ),
}


@dataclass(frozen=True, order=True, slots=True)
class LoadLevel:
    """Load of one operating point: so many requests in flight, or so many sent per second.

    Levels of one kind are ordered by value; levels of different kinds are never compared in one
    frontier, and sort by kind.

    Attributes:
        value: requests in flight (a whole number), or requests per second.

    Raises:
        ValueError: not above 0, not finite, or a concurrency that is not whole.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    kind: LoadKind
    value: float

    def __post_init__(self) -> None:
        value, is_number = self.value, isinstance(self.value, int | float)
        if not is_number or isinstance(value, bool) or not 0 < value <= LARGEST:
            raise ValueError(self._refusal())
        if self.kind is LoadKind.CONCURRENCY:
            if value != int(value):
                raise ValueError(self._refusal())
            value = int(value)
        else:
            value = float(value)
        object.__setattr__(self, "value", value)

    def _refusal(self) -> str:
        return f"{self.kind.value}: {self.value!r} is no load; {_WORDS[self.kind].remedy}"

    @classmethod
    def concurrency(cls, value: float) -> LoadLevel:
        """Closed loop of `value` requests in flight."""
        return cls(LoadKind.CONCURRENCY, value)

    @classmethod
    def rate(cls, value: float) -> LoadLevel:
        """Open loop of `value` requests per second."""
        return cls(LoadKind.RATE, value)

    @classmethod
    def from_task(cls, form: Any) -> LoadLevel:
        """Level in a task file's form: `{"rate": 2.5}`.

        Raises:
            ValueError: not one pair of a kind and its value.
        """
        known = "{concurrency: 8} or {rate: 2.5}"
        if not isinstance(form, Mapping) or len(form) != 1:
            raise ValueError(f"{form!r} is no load level; give {known}")
        [(kind, value)] = form.items()
        if kind not in list(LoadKind):
            raise ValueError(f"{kind!r} is no kind of load; give {known}")
        return cls(LoadKind(kind), value)

    def to_task(self) -> dict[str, float]:
        """The form of a task file: `{"rate": 2.5}`."""
        return {self.kind.value: self.value}

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> LoadLevel:
        """Level in the form of stored and exported JSON: `{"kind": "rate", "value": 2.5}`.

        Raises:
            ValueError: another form, an unknown kind, or a wrong value.
        """
        if set(form) != {"kind", "value"}:
            raise ValueError(f"{dict(form)!r} is no load level; give kind and value")
        return cls(LoadKind(form["kind"]), form["value"])

    def to_json(self) -> dict[str, str | float]:
        """The form of stored and exported JSON: `{"kind": "rate", "value": 2.5}`."""
        return {"kind": self.kind.value, "value": self.value}

    def __str__(self) -> str:
        """The value with its unit: `8`, `2.5 req/s`."""
        return self._format(_WORDS[self.kind].text)

    @property
    def short(self) -> str:
        """A few words for a line of progress: `8 concurrent`, `2.5 req/s`."""
        return self._format(_WORDS[self.kind].short)

    @property
    def long(self) -> str:
        """Words for a sentence: `8 concurrent requests`, `2.5 requests/s`."""
        return self._format(_WORDS[self.kind].long)

    @property
    def named(self) -> str:
        """Words that name the kind: `concurrency 8`, `rate 2.5 req/s`."""
        return self._format(_WORDS[self.kind].named)

    @property
    def at_once(self) -> int:
        """Requests that begin together: all in flight in a closed loop, one in an open loop."""
        return int(self.value) if self.kind is LoadKind.CONCURRENCY else 1

    def _format(self, template: str) -> str:
        return template.format(_number(self.value))

    def __hash__(self) -> int:
        return hash(self.value)


def closed_loops(*values: int) -> tuple[LoadLevel, ...]:
    """Levels of so many requests in flight each."""
    return tuple(map(LoadLevel.concurrency, values))


def _number(value: float) -> str:
    return f"{value:g}" if value < _EXACT else str(value)


def format_levels(levels: Iterable[LoadLevel], *, in_full: bool = False) -> str:
    """Levels of one kind with their unit once: `1, 8 concurrent`, `1, 2.5 req/s`.

    Args:
        in_full: `1, 8 concurrent requests`, `1, 2.5 requests/s`.
    """
    given = list(levels)
    kind = kind_of_levels(given)
    if kind is None:
        return ""
    words = _WORDS[kind]
    template = words.long if in_full else words.short
    return template.format(", ".join(_number(level.value) for level in given))


def kind_of_levels(levels: Iterable[LoadLevel]) -> LoadKind | None:
    """The one kind of some load levels; None where there are none.

    Raises:
        ValueError: levels of several kinds, whose figures cannot be compared.
    """
    found: dict[LoadKind, LoadLevel] = {}
    for level in levels:
        found.setdefault(level.kind, level)
    if len(found) > 1:
        named = " and ".join(f"{{{kind.value}: {x.value:g}}}" for kind, x in found.items())
        raise ValueError(
            f"{named} are loads of two kinds, which share no frontier; keep one kind, and make a "
            "second task for the other"
        )
    return next(iter(found), None)


TaskLoadLevel = Annotated[
    LoadLevel,
    BeforeValidator(
        lambda form: form if isinstance(form, LoadLevel) else LoadLevel.from_task(form)
    ),
    PlainSerializer(LoadLevel.to_task, return_type=dict[str, float]),
    WithJsonSchema(
        {
            "anyOf": [
                {
                    "type": "object",
                    "properties": {"concurrency": {"type": "integer", "minimum": 1}},
                    "required": ["concurrency"],
                    "additionalProperties": False,
                },
                {
                    "type": "object",
                    "properties": {"rate": {"type": "number", "exclusiveMinimum": 0}},
                    "required": ["rate"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
"""A load level as a task file has it: `{concurrency: 8}` or `{rate: 2.5}`."""


def with_former_load(document: Any) -> Any:
    """A document of before there were load levels: its `concurrency` becomes its `load`."""
    if not isinstance(document, Mapping) or "load" in document or "concurrency" not in document:
        return document
    load = {"kind": LoadKind.CONCURRENCY.value, "value": document["concurrency"]}
    return {key: item for key, item in document.items() if key != "concurrency"} | {"load": load}
