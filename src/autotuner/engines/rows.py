"""One row of a flag table: how the value of a field becomes words, keys or variables. Pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from autotuner.catalog import ModelFacts, known_gpu
from autotuner.config import REPLICA_WIDTHS, flag_of, whole_replicas
from autotuner.errors import EngineError

GPU = "system.gpu_type"
Render = Literal["value", "switch", "words", "above_one", "implied"]


@dataclass(frozen=True)
class LaunchFragment:
    """The contribution of one field to a launch.

    Attributes:
        words: of the command line.
        variables: environment variables.
        keys: (flag of a JSON value, or "" for the options file; dotted key; value).
    """

    words: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    keys: tuple[tuple[str, str, Any], ...] = ()

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        """The flags, keys and variables that are set."""
        flags = (word for word in self.words if word.startswith("--"))
        keys = (f"{flag} {key}".strip() for flag, key, _ in self.keys)
        return (*flags, *keys, *(name for name, _ in self.variables))


NOTHING = LaunchFragment()
_VERSION = re.compile(r"[vb]?\d[\w.+-]*")


@dataclass(frozen=True)
class FlagRow:
    """How one field is expressed, for a range of versions and a kind of model.

    Attributes:
        flags: flags that each carry the value.
        key: dotted key that carries it, in the JSON value of `json_flag`, else in the options file.
        variable: environment variable that carries it.
        values: field value -> what is written; empty: the value itself. None: nothing (null, where
            a key says it).
        negated: the flag of a switch that is false.
        also: words beside the flag (with `above_one`: where the value is above 1).
        times, over: fields whose values multiply and divide this one (1 where not set).
        over_default: the divisor where the field of `over` is not set.
        same_as: field that says this one too; the two have to agree.
        successor: a flag that carries the value and one more.
        repeats, repeated: where that field is above 0 it says these values of this one already; its
            own, and `repeated_plus` more, where none are listed.
        own: `gemm` or `moe`: the checkpoint's own format needs no flag, and only 16-bit weights
            can be turned into another.
        one_or: fields; the value has to be 1 or the product of theirs.
        needs: field -> the value it must have where this one is above 1.
        vendors: of the GPUs on which a value can be expressed.
        when: `{model_is_moe: bool, whole_replicas: bool}`; the latter as the candidate says it.
        since, until: engine versions, both inclusive.
        skip: values that need no word.
        scale: the value is multiplied by it (GiB written in bytes).
        whole: the engine takes whole numbers only.
        also_keys: keys beside `key`, with their values.
        fact_keys: keys beside `key` -> the model's fact that they carry.
        product: keys beside `key` -> the field whose value times this one they carry.
        note: for people.
    """

    path: str
    render: Render = "value"
    flags: tuple[str, ...] = ()
    key: str | None = None
    json_flag: str = ""
    variable: str | None = None
    values: tuple[tuple[str, Any], ...] = ()
    negated: str | None = None
    also: tuple[str, ...] = ()
    times: str | None = None
    over: str | None = None
    over_default: int = 1
    same_as: str | None = None
    successor: str | None = None
    repeats: str | None = None
    repeated: tuple[Any, ...] = ()
    repeated_plus: int = 0
    own: str | None = None
    one_or: tuple[str, ...] = ()
    needs: tuple[tuple[str, Any], ...] = ()
    when: tuple[tuple[str, Any], ...] = ()
    vendors: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    skip: tuple[Any, ...] = ()
    scale: int = 1
    whole: bool = False
    also_keys: tuple[tuple[str, Any], ...] = ()
    fact_keys: tuple[tuple[str, str], ...] = ()
    product: tuple[tuple[str, str], ...] = ()
    note: str = ""
    known: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def how(self) -> str:
        """`flag`, `key`, `variable` or `implied`."""
        if self.key is not None:
            return "key"
        if self.variable is not None:
            return "variable"
        is_written = self.flags or self.negated or self.render == "words"
        return "flag" if is_written or any(word for _, word in self.values) else "implied"

    @property
    def reads(self) -> tuple[str, ...]:
        """All fields that decide what this row says."""
        other = (self.times, self.over, self.same_as, self.repeats, *self.one_or)
        other += tuple(path for _, path in self.product)
        gpu = (GPU,) if self.vendors else ()
        if any(fact == "whole_replicas" for fact, _ in self.when):
            other += REPLICA_WIDTHS
        return (self.path, *(p for p in other if p), *(p for p, _ in self.needs), *gpu)

    @functools.cached_property
    def claims(self) -> frozenset[str]:
        """Every flag by which the row says its field, whatever the value."""
        from_values = [word for _, value in self.values for word in str(value).split()]
        words = (
            *self.flags,
            self.negated or "",
            self.json_flag,
            self.successor or "",
            *self.also,
            *from_values,
        )
        return frozenset(word for word in words if flag_of(word))

    def holds(self, version: str, facts: ModelFacts, settings: Mapping[str, Any]) -> bool:
        """Whether the row is meant for this version, model and layout."""
        known = {
            "model_is_moe": bool(facts.is_moe),
            "whole_replicas": whole_replicas(settings.get),
        }
        return in_range(version, self.since, self.until) and all(
            known[fact] == wanted for fact, wanted in self.when
        )

    def fragment(
        self, settings: Mapping[str, Any], facts: ModelFacts, engine: str
    ) -> LaunchFragment:
        """The row's contribution for `settings`, in which its field is set.

        Raises:
            EngineError: the engine cannot express the value.
        """
        value = settings[self.path]
        self._check_widths(value, settings, engine)
        if self.render == "words":
            return LaunchFragment(tuple(value))
        if value in self.skip or self._is_repeated(value, settings):
            return NOTHING
        if self.render == "implied":
            self._translated(value, settings, engine)
            return NOTHING
        if self.own is not None and self._is_own(value, facts, engine):
            return NOTHING
        if self.render == "above_one":
            return self._fragment(True) if value > 1 else NOTHING
        if self.render == "switch" and not self.values:
            return self._switched(bool(value))
        written = self._translated(value, settings, engine)
        if written is None and self.key is None:
            return NOTHING
        self._check_vendor(value, settings, engine)
        fragment = self._fragment(written)
        beside = self._beside(value, settings, facts, engine)
        if beside:
            fragment = replace(fragment, keys=(*fragment.keys, *beside))
        if self.successor is None:
            return fragment
        return replace(fragment, words=(*fragment.words, self.successor, str(value + 1)))

    def _beside(
        self, value: Any, settings: Mapping[str, Any], facts: ModelFacts, engine: str
    ) -> list[tuple[str, str, Any]]:
        """Keys beside the row's own that the model or another field decides."""
        found = []
        for key, fact in self.fact_keys:
            if getattr(facts, fact) is None:
                raise EngineError(
                    f"{self.path}: {engine} needs the model's {fact} beside {value!r}, and it is "
                    "not known",
                    remedy="give the model's folder with its config.json (model.path)",
                )
            found.append((self.json_flag, key, getattr(facts, fact)))
        for key, path in self.product:
            found.append((self.json_flag, key, int(value * settings.get(path, 1))))
        return found

    def _is_repeated(self, value: Any, settings: Mapping[str, Any]) -> bool:
        """Whether another field says this value already."""
        other = settings.get(self.repeats, 0) if self.repeats else 0
        return bool(other) and value in (self.repeated or (other + self.repeated_plus,))

    def _fragment(self, written: Any) -> LaunchFragment:
        if self.key is not None:
            keys = ((self.key, written), *self.also_keys)
            return LaunchFragment(self.also, keys=tuple((self.json_flag, *pair) for pair in keys))
        if self.variable is not None:
            return LaunchFragment(variables=((self.variable, str(written)),))
        if self.render == "above_one":
            return LaunchFragment((*self.flags, *self.also))
        if self.render == "switch":
            return LaunchFragment((*str(written).split(), *self.also))
        return LaunchFragment(
            (*(word for flag in self.flags for word in (flag, str(written))), *self.also)
        )

    def _switched(self, value: bool) -> LaunchFragment:
        if self.key is not None:
            return LaunchFragment(keys=((self.json_flag, self.key, value),))
        if value:
            return LaunchFragment((*self.flags, *self.also))
        return LaunchFragment((self.negated,)) if self.negated else NOTHING

    def _translated(self, value: Any, settings: Mapping[str, Any], engine: str) -> Any:
        if not self.values:
            if self.times is not None:
                value = value * settings.get(self.times, 1)
            if self.over is not None:
                value = value // settings.get(self.over, self.over_default)
            if self.whole and value != int(value):
                raise EngineError(
                    f"{self.path}: {engine} cannot express {value!r}: it takes whole numbers",
                    remedy=f"use {int(value)} or {int(value) + 1}",
                )
            return int(value * self.scale) if self.whole or self.scale != 1 else value
        name = str(value).lower() if isinstance(value, bool) else str(value)
        if name not in self.known:
            raise EngineError(
                f"{self.path}: {engine} cannot express {value!r}",
                remedy=f"use one of: {', '.join(self.known)}",
            )
        return self.known[name]

    def _is_own(self, value: Any, facts: ModelFacts, engine: str) -> bool:
        own = facts.gemm_format if self.own == "gemm" else facts.moe_format
        if own is None and facts.quantization is not None:
            raise EngineError(
                f"{self.path}: {value!r} does not fit a checkpoint quantised in an unknown way "
                f"({facts.quantization.method}): {engine} quantises 16-bit checkpoints only",
                remedy="leave the field out",
            )
        if value == (own or "bfloat16"):
            return True
        if own not in (None, "bfloat16"):
            raise EngineError(
                f"{self.path}: {value!r} does not fit a checkpoint whose weights are {own}: "
                f"{engine} quantises 16-bit checkpoints only",
                remedy=f"use {own!r}, or a checkpoint in 16 bits",
            )
        return False

    def _check_vendor(self, value: Any, settings: Mapping[str, Any], engine: str) -> None:
        name = settings.get(GPU)
        gpu = None if name is None or not self.vendors else known_gpu(name)
        if gpu is None or gpu.vendor in self.vendors:
            return
        raise EngineError(
            f"{self.path}: {engine} cannot express {value!r} on {gpu.name}: {self.note}",
            remedy="leave the field out",
        )

    def _check_widths(self, value: Any, settings: Mapping[str, Any], engine: str) -> None:
        if self.one_or:
            product = 1
            for path in self.one_or:
                product *= settings.get(path, 1)
            if value not in (1, product):
                raise EngineError(
                    f"{self.path}: {engine} cannot express {value!r}: it is 1 or "
                    f"{' x '.join(self.one_or)} ({product})",
                    remedy=f"use 1 or {product}",
                )
        for path, wanted in self.needs:
            if value > 1 and settings.get(path, wanted) != wanted:
                raise EngineError(
                    f"{self.path}: {engine} cannot express {value!r} with {path} "
                    f"{settings[path]!r}",
                    remedy=f"{path} has to be {wanted!r}",
                )


def row_from(path: str, raw: Mapping[str, Any]) -> FlagRow:
    """A row from its YAML."""
    flag = raw.get("flag", ())
    written = {word: word for word in raw.get("choices", ())} | raw.get("values", {})
    values = tuple((_name(key), value) for key, value in written.items())
    lists: dict[str, Any] = {
        "flags": (flag,) if isinstance(flag, str) else tuple(flag),
        "values": values,
        "also": tuple(raw.get("also", ())),
        "also_keys": tuple(raw.get("also_keys", {}).items()),
        "fact_keys": tuple(raw.get("fact_keys", {}).items()),
        "product": tuple(raw.get("product", {}).items()),
        "skip": tuple(raw.get("skip", ())),
        "one_or": tuple(raw.get("one_or", ())),
        "repeated": tuple(raw.get("repeated", ())),
        "needs": tuple(raw.get("needs", {}).items()),
        "when": tuple(raw.get("when", {}).items()),
        "vendors": tuple(raw.get("vendors", ())),
    }
    rest: dict[str, Any] = {
        key: value for key, value in raw.items() if key not in ("flag", "choices", *lists)
    }
    return FlagRow(path=path, **lists, **rest, known=dict(values))


def _name(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


def version_key(version: str) -> tuple[int, ...]:
    """The leading numbers of a version, for ordering (`0.5.14` -> (0, 5, 14))."""
    found = re.match(r"[^\d]*(\d+(?:\.\d+)*)", version)
    return tuple(int(part) for part in found.group(1).split(".")) if found else ()


def checked_version(version: str) -> str:
    """`version`, where it is one.

    Raises:
        EngineError: it is none (`0.32.0`, `v0.32`, `b4567` are).
    """
    if not _VERSION.fullmatch(version):
        raise EngineError(
            f"system.backend_version: {version!r} is no version",
            remedy="write one such as 0.32.0, or leave it out for what is installed",
        )
    return version


def in_range(version: str, since: str | None, until: str | None) -> bool:
    """Whether a version lies in a range; one without numbers lies in every range."""
    key = version_key(version)
    if not key:
        return True
    if since is not None and key < version_key(since):
        return False
    return until is None or key <= version_key(until)
