"""Measured operating points beside what a base predictor said of them: what calibration learns.

A file of observations is JSON Lines: one a line, every field by its name.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from autotuner.config import PERCENTILES, LoadKind, LoadLevel, content_id, nearest, with_former_load
from autotuner.errors import ConfigError, Problem
from autotuner.predict.closed_loop import e2e_ms, requests_in_flight

_POSITIVE = (
    *("devices", "isl", "osl"),
    *("ttft_ms", "tpot_ms", "tok_s", "base_ttft_ms", "base_tpot_ms"),
)
_TPOT = ("tpot_ms", "base_tpot_ms")
OWN = "own"
"""The word for observations without an origin: those that were measured here."""
SHARED = "shared"
"""The origin of what a user shares: it names nobody."""
_ORIGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_LONGEST_LICENCE = 200


def measurement_mark(load: LoadLevel, ttft_ms: float, tok_s: float) -> str:
    """A word by which the same measured level is known again, in whatever file it stands."""
    level = load.value if load.kind is LoadKind.CONCURRENCY else str(load)
    return content_id([level, f"{ttft_ms:.6g}", f"{tok_s:.6g}"], 12)


@dataclass(frozen=True)
class Observation:
    """A measured operating point. Units as everywhere: ms, output tokens/s of the deployment.

    Attributes:
        family: the model's architecture (`LlamaForCausalLM`), where it is known.
        device: as `Scenario.device`; `devices`: how many of them.
        settings: `group.field` -> value of the candidate.
        launch: observations of one engine start share it.
        tpot_ms, base_tpot_ms: None where every answer has one token.
        base, base_ttft_ms, base_tpot_ms: the base predictor's name and what it predicted.
        members: predictor -> TTFT and TPOT in ms, of those that the base is a blend of, but the
            first.
        tool: the load generator. source: where it comes from (`run 3`, a file's name).
        origin: who measured it and published it; "" where it was measured here.
        licence: under which it was published; "" where that is not known.
        percentiles: those of `config.PERCENTILES` that enough requests tell, in ms.
    """

    model: str
    family: str | None
    engine: str
    engine_version: str | None
    device: str
    devices: int
    settings: Mapping[str, Any]
    isl: float
    osl: float
    load: LoadLevel
    ttft_ms: float
    tpot_ms: float | None
    tok_s: float
    base: str
    base_ttft_ms: float
    base_tpot_ms: float | None
    launch: str
    tool: str = "autotuner"
    source: str = ""
    at: datetime | None = None
    origin: str = ""
    licence: str = ""
    members: Mapping[str, tuple[float, float | None]] = field(default_factory=dict)
    percentiles: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_foreign(self) -> bool:
        """Whether others measured it."""
        return bool(self.origin)

    @property
    def mark(self) -> str:
        """See `measurement_mark`."""
        return measurement_mark(self.load, self.ttft_ms, self.tok_s)

    @property
    def in_flight(self) -> float:
        """Mean requests in flight, by Little's law in an open loop."""
        return requests_in_flight(self.load, e2e_ms(self.ttft_ms, self.tpot_ms, self.osl))

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            value = getattr(self, name)
            if value is None and name in _TPOT:
                continue
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name}: expected a positive number, got {value!r}")
        for name, means in self.members.items():
            if not all(math.isfinite(ms) and ms > 0 for ms in means if ms is not None):
                raise ValueError(f"members.{name}: expected positive numbers, got {means!r}")
        if self.origin:
            check_origin(self.origin)
        check_licence(self.licence)
        for name, value in self.percentiles.items():
            if name not in PERCENTILES:
                raise ValueError(f"percentiles: {name!r}: {nearest(name, list(PERCENTILES))}")
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"percentiles: {name}: expected a positive number, got {value!r}")


def check_origin(word: str) -> None:
    """Raises ValueError where `word` names no origin."""
    if not _ORIGIN.fullmatch(word) or word == OWN:
        raise ValueError(
            f"origin: expected a word of letters, digits, '.', '_' and '-', and not {OWN!r}, "
            f"got {word!r}"
        )


def check_licence(text: str) -> None:
    """Raises ValueError where `text` names no licence; "" is none."""
    if not text.isprintable() or len(text) > _LONGEST_LICENCE:
        raise ValueError(
            f"licence: expected a name of at most {_LONGEST_LICENCE} characters on one line, "
            f"got {text[:40]!r}"
        )


_KNOWN = [field.name for field in fields(Observation)]
_SHOWN_PROBLEMS = 10
_NOT_SEEN = ("source", "at", "origin", "licence", "members", "percentiles")
"""Fields that say where it comes from and what else was predicted, or that came later: an
observation is known without them."""


def observation_id(observation: Observation) -> str:
    """A hash of what was seen: the same observation from two files has one id.

    The load stands in it as `concurrency: 8`, as it did before there were other loads.
    """
    seen = plain(observation) | observation.load.to_task()
    return content_id({k: v for k, v in seen.items() if k not in (*_NOT_SEEN, "load")}, 16)


def written_lines(observations: Iterable[Observation]) -> str:
    """One JSON object a line."""
    lines = [json.dumps(plain(found), ensure_ascii=False) for found in observations]
    return "".join(f"{line}\n" for line in lines)


def read_lines(text: str, *, source: str) -> tuple[Observation, ...]:
    """The inverse of `written_lines`; blank lines are passed over.

    Args:
        source: the file's name, for errors and for observations that do not say theirs.

    Raises:
        ConfigError: with line and field of every fault; then nothing is read.
    """
    found: list[Observation] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        observation, faults = _parsed_line(line, source)
        problems.extend(Problem(f"line {number}", fault) for fault in faults)
        if observation is not None:
            found.append(observation)
    if problems:
        shown, hidden = problems[:_SHOWN_PROBLEMS], problems[_SHOWN_PROBLEMS:]
        more = f"; {len(hidden)} more faults" if hidden else ""
        raise ConfigError(source, tuple(shown), remedy=f"nothing was imported{more}")
    return tuple(found)


def _parsed_line(line: str, source: str) -> tuple[Observation | None, list[str]]:
    try:
        document = json.loads(line)
    except ValueError as error:
        return None, [f"no JSON: {error}"]
    if not isinstance(document, dict):
        return None, [f"expected an object, got {type(document).__name__}"]
    document = with_former_load(document)
    unknown = [key for key in document if key not in _KNOWN]
    if unknown:
        return None, [f"{key}: unknown field, {nearest(key, _KNOWN)}" for key in unknown]
    try:
        return _ADAPTER.validate_python({"source": source} | document), []
    except ValidationError as error:
        return None, [_fault(detail) for detail in error.errors()]


def _fault(detail: Any) -> str:
    place = ".".join(map(str, detail["loc"]))
    message = str(detail["msg"]).removeprefix("Value error, ")
    got = "" if detail["type"] in ("missing", "value_error") else f", got {detail['input']!r}"
    return f"{place}: {message.lower()}{got}" if place else message


def plain(observation: Observation) -> dict[str, Any]:
    """Every field by its name, in JSON values."""
    at = observation.at
    return {
        **{name: getattr(observation, name) for name in _KNOWN},
        "settings": dict(observation.settings),
        "members": {name: list(means) for name, means in observation.members.items()},
        "percentiles": dict(observation.percentiles),
        "load": observation.load.to_json(),
        "at": None if at is None else at.isoformat(),
    }


_ADAPTER = TypeAdapter(Observation)
