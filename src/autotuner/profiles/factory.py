"""Layers -> a configuration with its provenance. Immutable; resolution is cached by content."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from autotuner.profiles.condition import unmet
from autotuner.profiles.context import TaskContext
from autotuner.profiles.profile import ConfigLayer, LayerValue, settings_from
from autotuner.profiles.registry import BASE, ProfileRegistry, builtin_registry
from autotuner.profiles.rules import RULES

Condition = Callable[[TaskContext], bool]
Refuses = Callable[[Mapping[str, Any], str], str | None]
"""`refuses(settings, path)`: why the engine cannot express a field of `settings`, or None."""

MACHINE = "this machine"
"""Layer of the values that follow from the machine an engine starts on."""
_CACHE_SIZE = 512
_ENGINE_WHY = "set at every launch, so that the command line is explicit about it"


@dataclass(frozen=True)
class Origin:
    """One layer's word on a field.

    Attributes:
        status: `set`; `replaced` by a later layer; `dropped`, since the engine cannot express it;
            `unknown`, since the rule knew too little.
    """

    layer: str
    origin: str
    value: Any
    status: str
    why: str = ""
    source: str = ""


@dataclass(frozen=True)
class Skipped:
    """A layer whose condition does not hold, with the reason."""

    layer: str
    reason: str


@dataclass(frozen=True)
class ResolvedConfig:
    """The configuration that a factory built.

    Attributes:
        settings: `group.field` -> value; a list is an axis.
        provenance: `group.field` -> every layer's word on it, in order; the last `set` one counts.
        skipped: layers that do not apply here.
    """

    settings: Mapping[str, Any]
    provenance: Mapping[str, tuple[Origin, ...]]
    skipped: tuple[Skipped, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Values that a profile wants and the engine cannot express."""
        return tuple(
            f"{path}: {origin.layer} wants {origin.value!r}, which is left out: {origin.why}"
            for path, origins in self.provenance.items()
            for origin in origins
            if origin.status == "dropped"
        )


@dataclass(frozen=True)
class _Step:
    layer: ConfigLayer
    condition: Condition | None = None


@dataclass(frozen=True)
class TaskConfigFactory:
    """Collects layers; every call returns a new factory. Later layers win.

    Example:
        config = (
            TaskConfigFactory()
            .apply_base_defaults()
            .apply_profile("high_throughput")
            .apply_profile("fp8_quantized", condition=lambda ctx: ctx.gpu_supports_fp8)
            .apply_user_overrides({"parallel": {"tp": 4}})
            .build(TaskContext(model="llama-3.1-70b", runtime="sglang", gpu_type="h100"))
        )
    """

    steps: tuple[_Step, ...] = ()
    registry: ProfileRegistry | None = None

    def apply_engine_defaults(self, defaults: Mapping[str, Any]) -> TaskConfigFactory:
        """The engine's own values of fields that nobody sets."""
        rows = {path: {"value": value, "why": _ENGINE_WHY} for path, value in defaults.items()}
        settings = settings_from(rows, source="engine's defaults")
        return self._with(ConfigLayer("engine's defaults", "engine", settings))

    def apply_machine(self, known: Mapping[str, tuple[Any, str]]) -> TaskConfigFactory:
        """Values that follow from the machine the engine starts on: field -> value, and why."""
        if not known:
            return self
        rows = {path: {"value": value, "why": why} for path, (value, why) in known.items()}
        settings = settings_from(rows, source=MACHINE)
        return self._with(ConfigLayer(MACHINE, "engine", settings))

    def apply_base_defaults(self) -> TaskConfigFactory:
        """The defaults of every task."""
        layers = self._profiles.layers_of(BASE)
        return replace(
            self, steps=(*self.steps, *(_Step(replace(row, origin="base")) for row in layers))
        )

    def apply_profile(self, name: str, condition: Condition | None = None) -> TaskConfigFactory:
        """A profile, with those it extends.

        Raises:
            ProfileError: no such profile, or a cycle.
        """
        layers = self._profiles.layers_of(name)
        return replace(self, steps=(*self.steps, *(_Step(row, condition) for row in layers)))

    def apply_user_overrides(self, settings: Mapping[str, Any]) -> TaskConfigFactory:
        """The user's own values, as groups or dotted paths; they always win.

        Raises:
            ProfileError: an unknown field, or a value that it does not take.
        """
        if not settings:
            return self
        written = settings_from(dict(settings), source="user")
        return self._with(ConfigLayer("task", "user", written))

    def build(self, context: TaskContext, refuses: Refuses | None = None) -> ResolvedConfig:
        """The configuration for one context.

        Args:
            refuses: what the engine cannot express; such a value of a profile is dropped, with a
                warning in the provenance, and the layer before it counts.
        """
        layers = tuple((step.layer.content, step.condition) for step in self.steps)
        key = (layers, context, refuses)
        found = _CACHE.get(key)
        if found is None:
            found = _CACHE[key] = _resolve(self.steps, context, refuses)
            if len(_CACHE) > _CACHE_SIZE:
                _CACHE.popitem(last=False)
        return found

    @property
    def _profiles(self) -> ProfileRegistry:
        return self.registry or builtin_registry()

    def _with(self, layer: ConfigLayer) -> TaskConfigFactory:
        return replace(self, steps=(*self.steps, _Step(layer)))


_CACHE: OrderedDict[Any, ResolvedConfig] = OrderedDict()


def _resolve(
    steps: tuple[_Step, ...], context: TaskContext, refuses: Refuses | None
) -> ResolvedConfig:
    words: dict[str, list[tuple[ConfigLayer, LayerValue]]] = {}
    skipped: list[Skipped] = []
    for step in steps:
        reason = unmet(dict(step.layer.when), context)
        if reason is None and step.condition is not None and not step.condition(context):
            reason = "the condition given to apply_profile does not hold"
        if reason is not None:
            skipped.append(Skipped(step.layer.title, reason))
            continue
        for setting in step.layer.settings:
            words.setdefault(setting.path, []).append((step.layer, setting))
    settings: dict[str, Any] = {}
    provenance: dict[str, tuple[Origin, ...]] = {}
    beside_user = None if refuses is None else _beside(_set_by_user(words), refuses)
    for path in _in_order(words):
        provenance[path] = _settle(path, words[path], settings, context, beside_user)
    return ResolvedConfig(MappingProxyType(settings), MappingProxyType(provenance), tuple(skipped))


def _set_by_user(words: Mapping[str, list[tuple[ConfigLayer, LayerValue]]]) -> dict[str, Any]:
    """The user's fixed values, which no profile may contradict, whichever is settled first."""
    last = {path: of_path[-1] for path, of_path in words.items()}
    return {
        path: setting.value
        for path, (layer, setting) in last.items()
        if layer.origin == "user" and not setting.rule and not isinstance(setting.value, list)
    }


def _beside(user: dict[str, Any], refuses: Refuses) -> Refuses:
    return lambda settings, path: refuses({**user, **settings}, path)


def _settle(
    path: str,
    words: list[tuple[ConfigLayer, LayerValue]],
    settings: dict[str, Any],
    context: TaskContext,
    refuses: Refuses | None,
) -> tuple[Origin, ...]:
    """The origin of each layer's value of one field; sets the field by the last that can be had."""
    origins: list[Origin] = []
    done = False
    for layer, setting in reversed(words):
        value = _value(setting, context, settings) if setting.rule else setting.value
        why, status = setting.why, "replaced" if done else "set"
        if value is None:
            status, why = "unknown", f"{setting.rule} {RULES[setting.rule or ''].unknown_why}"
        elif not done and layer.origin in ("base", "profile") and refuses is not None:
            value, refused = _expressible(path, value, settings, refuses)
            if value is None:
                value, status, why = setting.value, "dropped", refused
        origins.append(Origin(layer.title, layer.origin, value, status, why, setting.source))
        if status == "set":
            settings[path] = value
            done = True
    return tuple(reversed(origins))


def _expressible(
    path: str, value: Any, settings: dict[str, Any], refuses: Refuses
) -> tuple[Any, str]:
    """The value, or those of an axis, that the engine can express; None and why where none is."""
    if not isinstance(value, list):
        reason = refuses({**settings, path: value}, path)
        return (value, "") if reason is None else (None, reason)
    reasons = [refuses({**settings, path: item}, path) for item in value]
    kept = [item for item, reason in zip(value, reasons, strict=True) if reason is None]
    return (kept or None), next((reason for reason in reasons if reason), "")


def _value(setting: LayerValue, context: TaskContext, settings: dict[str, Any]) -> Any:
    """A rule's value; the distinct values of all combinations where what it reads is searched."""
    rule = RULES[setting.rule or ""]
    read = {path: settings[path] for path in rule.reads if path in settings}
    axes = [value if isinstance(value, list) else [value] for value in read.values()]
    found: list[Any] = []
    for chosen in itertools.product(*axes):
        value = rule.apply(context, dict(zip(read, chosen, strict=True)))
        if value is not None and value not in found:
            found.append(value)
    if not found:
        return None
    return found[0] if len(found) == 1 else sorted(found)


def _in_order(words: dict[str, list[tuple[ConfigLayer, LayerValue]]]) -> Iterator[str]:
    """Fields so that each comes after those its rules read."""
    waiting = dict(words)
    while waiting:
        ready = [
            path
            for path, of_path in waiting.items()
            if not any(
                read in waiting
                for _, setting in of_path
                if setting.rule
                for read in RULES[setting.rule].reads
                if read != path
            )
        ]
        # Rules that read each other in a ring cannot be: the table of rules has none.
        for path in ready or list(waiting):
            del waiting[path]
            yield path
