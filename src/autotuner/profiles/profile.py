"""Profiles as documents: layers of settings, each with its condition and its reasons."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from autotuner.config import GROUP_NAMES, GROUPS, axes_model, nearest, problems_of
from autotuner.errors import Problem, ProfileError
from autotuner.profiles.condition import check_condition
from autotuner.profiles.rules import RULES

_KEYS = {"name", "description", "extends", "layers"}
_LAYER_KEYS = {"name", "when", "set"}
_SETTING_KEYS = {"value", "rule", "why", "source"}


@dataclass(frozen=True)
class LayerValue:
    """One value that a layer sets: a value, a list of values (an axis), or a rule's name."""

    path: str
    value: Any = None
    rule: str | None = None
    why: str = ""
    source: str = ""


@dataclass(frozen=True)
class ConfigLayer:
    """Settings that hold together under one condition.

    Attributes:
        origin: `engine`, `base`, `profile` or `user`.
        profile: the profile it belongs to; empty for the others.
    """

    name: str
    origin: str
    settings: tuple[LayerValue, ...]
    when: tuple[tuple[str, Any], ...] = ()
    profile: str = ""

    @functools.cached_property
    def content(self) -> str:
        """All that it says, as a key of caches."""
        return repr((self.name, self.origin, self.profile, self.when, self.settings))

    @property
    def title(self) -> str:
        """Its name for people."""
        return f"{self.profile}/{self.name}" if self.profile else self.name


@dataclass(frozen=True)
class Profile:
    """A named, ordered set of layers; those of the profile it extends come first."""

    name: str
    description: str
    layers: tuple[ConfigLayer, ...]
    extends: str | None = None
    source: str = ""


def profile_from(document: Any, *, source: str) -> Profile:
    """A profile from its YAML document.

    Raises:
        ProfileError: anything unknown in it, with its place and the nearest known word.
    """
    if not isinstance(document, dict):
        raise ProfileError(f"{source}: a profile is a mapping with name, description and layers")
    _known(document, _KEYS, source)
    name = document.get("name")
    if not isinstance(name, str) or not name:
        raise ProfileError(f"{source}: name is missing")
    layers = document.get("layers", [])
    if not isinstance(layers, list):
        raise ProfileError(f"{source}: layers: expected a list")
    extends = document.get("extends")
    if extends is not None and not isinstance(extends, str):
        raise ProfileError(f"{source}: extends: expected the name of one profile")
    return Profile(
        name=name,
        description=str(document.get("description", "")),
        layers=tuple(_layer(row, name, f"{source}: layers[{n}]") for n, row in enumerate(layers)),
        extends=extends,
        source=source,
    )


def faults_of(layers: Sequence[Mapping[str, Any]]) -> tuple[Problem, ...]:
    """Every fault in the layers of a document, each at its condition or its field; `profile_from`
    stops at the first."""
    found = []
    for number, layer in enumerate(layers):
        place = f"layers[{number}]"
        own = [
            fault
            for path, part in _parts(layer)
            if (fault := _fault(part, place, f"{place}.{path}")) is not None
        ]
        # What is wrong with a part is wrong with the whole; only then can there be more.
        whole = None if own else _fault(layer, place, None)
        found += own if whole is None else [whole]
    return tuple(dict.fromkeys(found))


def _fault(layer: Mapping[str, Any], place: str, path: str | None) -> Problem | None:
    """The first fault of a layer, at `path` where that is given."""
    try:
        _layer(layer, "profile", place)
    except ProfileError as error:
        source, _, message = error.message.partition(": ")
        text = f"{message}; {error.remedy}" if error.remedy else message
        return Problem(path or source, text)
    return None


def _parts(layer: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each condition and each setting of a layer, with its path, as a layer of its own."""
    for fact, wanted in layer.get("when", {}).items():
        yield f"when.{fact}", {"when": {fact: wanted}}
    for key, value in layer.get("set", {}).items():
        if key in GROUPS and isinstance(value, dict):
            for field, item in value.items():
                yield f"set.{key}.{field}", {"set": {key: {field: item}}}
        else:
            yield f"set.{key}", {"set": {key: value}}


def settings_from(settings: dict[str, Any], *, source: str) -> tuple[LayerValue, ...]:
    """Settings as `{group: {field: value}}` or `{"group.field": value}`; aliases are resolved.

    Raises:
        ProfileError: an unknown group or field, one that is given twice, or a value that the field
            does not take.
    """
    found: dict[str, LayerValue] = {}
    for key, value in settings.items():
        grouped = key in GROUPS and isinstance(value, dict)
        flat = (
            {f"{key}.{field}": item for field, item in value.items()} if grouped else {key: value}
        )
        for path, item in flat.items():
            setting = _setting(str(path), item, source)
            if setting.path in found:
                raise ProfileError(f"{source}: {setting.path} is given twice; keep one")
            found[setting.path] = setting
    return tuple(found.values())


def _layer(row: Any, profile: str, source: str) -> ConfigLayer:
    if not isinstance(row, dict):
        raise ProfileError(f"{source}: a layer is a mapping with set, and when")
    _known(row, _LAYER_KEYS, source)
    when, values = row.get("when", {}), row.get("set") or {}
    if not isinstance(values, dict):
        raise ProfileError(f"{source}.set: expected a mapping of fields")
    wrong = check_condition(when) if isinstance(when, dict) else "expected a mapping"
    if wrong:
        raise ProfileError(f"{source}.when: {wrong}")
    return ConfigLayer(
        name=str(row.get("name", "settings")),
        origin="profile",
        settings=_own_fields_only(settings_from(values, source=f"{source}.set"), source),
        when=tuple(when.items()),
        profile=profile,
    )


def _own_fields_only(settings: tuple[LayerValue, ...], source: str) -> tuple[LayerValue, ...]:
    for setting in settings:
        if setting.path.startswith("system.") or setting.path in ("runtime.isl", "runtime.osl"):
            raise ProfileError(
                f"{source}.set: {setting.path} is the task's to say, not a profile's",
                remedy="leave it out; `when` can ask for it",
            )
    return settings


def _setting(path: str, raw: Any, source: str) -> LayerValue:
    path = _resolved(path, source)
    row = raw if isinstance(raw, dict) else {"value": raw}
    _known(row, _SETTING_KEYS, f"{source}.{path}")
    why, origin = str(row.get("why", "")), str(row.get("source", ""))
    if row.get("value", "") is None:
        raise ProfileError(
            f"{source}.{path}: null is no value", remedy="leave the field out, or give a value"
        )
    if ("rule" in row) == ("value" in row):
        raise ProfileError(f"{source}.{path}: give a value, or the name of a rule")
    if "rule" in row:
        rule = str(row["rule"])
        if rule not in RULES:
            raise ProfileError(
                f"{source}.{path}: unknown rule {rule!r}, {nearest(rule, list(RULES))}"
            )
        if path not in RULES[rule].sets:
            fit = [name for name, row in RULES.items() if path in row.sets]
            raise ProfileError(
                f"{source}.{path}: {rule} is a rule for {', '.join(RULES[rule].sets)}",
                remedy=f"give a value, or {' or '.join(fit)}" if fit else "give a value",
            )
        return LayerValue(path, rule=rule, why=why or RULES[rule].meaning, source=origin)
    return LayerValue(path, _checked(path, row["value"], source), why=why, source=origin)


def _checked(path: str, value: Any, source: str) -> Any:
    """The value as its group takes it."""
    group, _, name = path.partition(".")
    try:
        return getattr(axes_model(group).model_validate({name: value}), name)
    except ValidationError as error:
        first = problems_of(error)[0].message
        raise ProfileError(f"{source}.{path}: {first}, got {value!r}") from None


def _resolved(path: str, source: str) -> str:
    group, dot, name = path.partition(".")
    if not dot or group not in GROUPS:
        raise ProfileError(
            f"{source}: unknown field {path!r}, {nearest(group, list(GROUP_NAMES))}",
            remedy="a field is written as group.field",
        )
    model = GROUPS[group]
    name = model.ALIASES.get(name, name)
    if name not in model.model_fields:
        known = [*model.model_fields, *model.ALIASES]
        raise ProfileError(f"{source}: unknown field {path!r}, {nearest(name, known)}")
    return f"{group}.{name}"


def _known(document: dict[str, Any], known: set[str], source: str) -> None:
    for key in document:
        if key not in known:
            raise ProfileError(f"{source}: unknown key {key!r}, {nearest(str(key), list(known))}")
