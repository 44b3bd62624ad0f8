"""The candidate that an experiment of version 1 launched, and the GPUs that it ran on. Pure."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from autotuner.catalog import Gpu, known_gpu
from autotuner.config import GROUPS
from autotuner.migrate.draft import Translation, TriedValue

_EXTRA = "misc.extra_args"
_OF_GROUPS = ("__quant__", "__parallel__")
"""Begin names of an experiment's parameters that came from `quant_config` and `parallel_config`."""
_MODEL_KEYS = ("model", "gpu_model", "name", "gpu_name", "gpu_type", "type", "device")
_COUNT_KEYS = ("count", "gpu_count", "num_gpus", "world_size")
_MAKERS = ("nvidia", "amd", "intel")


class TriedIn(NamedTuple):
    """Settings of an experiment's candidate, and its parameters that no setting says."""

    settings: dict[str, Any]
    unsettled: tuple[str, ...]


class TriedCandidates:
    """Finds what the experiments of one task launched.

    Args:
        translation: the task's.
    """

    def __init__(self, translation: Translation) -> None:
        self._fixed = _fixed(translation.task)
        self._points: dict[str, list[TriedValue]] = {}
        for point in translation.points:
            self._points.setdefault(_plain(point.name), []).append(point)

    def tried(self, parameters: Mapping[str, Any], gpu: Gpu | None) -> TriedIn:
        """The candidate with these values in version 1's names."""
        settings = dict(self._fixed)
        words: list[str] = []
        unsettled = []
        given = {_plain(str(name)): value for name, value in parameters.items()}
        for name, value in parameters.items():
            known = self._points.get(_plain(str(name)), ())
            point = _matching([one for one in known if _stands_beside(one, given)], value)
            if point is None:
                unsettled.append(str(name))
                continue
            settings |= point.settings
            words += point.words
        if words:
            settings[_EXTRA] = [*settings.get(_EXTRA, ()), *words]
        if gpu is not None:
            settings.setdefault("system.gpu_type", gpu.name)
        return TriedIn(settings, tuple(unsettled))


def gpu_of(info: Any) -> tuple[Gpu | None, str, int]:
    """The GPU that `gpu_info` names, its own words for it, and how many there were.

    None where it names none that the catalog knows; 0 where it counts none.
    """
    devices = info if isinstance(info, list) else [info]
    first = devices[0] if devices and isinstance(devices[0], Mapping) else None
    if first is None:
        return None, "", 0
    listed = first.get("gpus")
    if isinstance(listed, list) and listed and isinstance(listed[0], Mapping):
        first, devices = {**listed[0], **first}, listed
    words = next((first[k] for k in _MODEL_KEYS if isinstance(first.get(k), str)), "")
    counts = (first.get(key) for key in _COUNT_KEYS)
    count = next((n for n in counts if isinstance(n, int) and not isinstance(n, bool)), 0)
    return known_by(words), words, count or (len(devices) if words else 0)


@functools.lru_cache(maxsize=256)
def known_by(words: str) -> Gpu | None:
    """The GPU of the catalog that a driver's name means."""
    found = known_gpu(words)
    if found is None:
        parts = words.split()
        found = known_gpu(" ".join(parts[1:])) if parts and parts[0].lower() in _MAKERS else None
    return None if found is None or found.is_cpu else found


def _fixed(task: Mapping[str, Any]) -> dict[str, Any]:
    """`group.field` -> value of what every candidate of a task has."""
    found: dict[str, Any] = {}
    for group in GROUPS:
        for field, value in (task.get(group) or {}).items():
            path = f"{group}.{field}"
            one = not isinstance(value, list)
            if path == _EXTRA:
                one = isinstance(value, list) and not any(isinstance(word, list) for word in value)
            if one:
                found[path] = value
    return found


def _plain(name: str) -> str:
    for prefix in _OF_GROUPS:
        name = name.removeprefix(prefix)
    return name.lstrip("-").replace("-", "_")


def _stands_beside(point: TriedValue, given: Mapping[str, Any]) -> bool:
    """Whether an experiment has, of what a value depends on, one of the values that it needs."""
    needed: dict[str, list[str]] = {}
    for name, value in point.beside:
        needed.setdefault(_plain(name), []).append(str(value).lower())
    return all(
        str(given[name]).lower() in values for name, values in needed.items() if name in given
    )


def _matching(points: Sequence[TriedValue], value: Any) -> TriedValue | None:
    """The value of a task that an experiment tried; they may be written differently."""
    same = (p for p in points if type(p.value) is type(value) and p.value == value)
    alike = (p for p in points if str(p.value).lower() == str(value).lower())
    return next(same, None) or next(alike, None)
