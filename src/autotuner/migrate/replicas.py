"""Ranks and replicas of a mixture of experts as v1 counted them -> as version 2 does. Pure.

SGLang has two kinds of replicas. By itself each is a whole server of `tp-size` ranks, with all
experts. With its switch for attention, `tp-size` counts the ranks of all replicas, which share the
experts. Version 2 counts the ranks of one replica in both; the experts' own widths tell them apart.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from autotuner.config import REPLICA_WIDTHS
from autotuner.migrate.draft import (
    MAX_ALTERNATIVES,
    PARAMETERS,
    Done,
    Draft,
    GridPoint,
    Settings,
    TriedValue,
    merged,
)
from autotuner.migrate.flags import attention_switch
from autotuner.migrate.values import distinct

_TENSOR, _DATA, _EITHER, _SLICED, _SPREAD = REPLICA_WIDTHS
ATTENTION = "attention switch"
"""Stands among a draft's settings for the switch, until `settle_replicas` has read it."""
_UNKNOWN = (
    f"{_DATA}: as of a dense model, since it is not known here; replicas of a mixture of experts "
    f"share these, unless {_SLICED} is the tensor width and {_SPREAD} 1"
)
_READ = (*REPLICA_WIDTHS, ATTENTION)


def settle_replicas(draft: Draft) -> None:
    """Writes the widths of replicas as version 2 counts them, where there are any.

    What each parameter of v1 tried then depends on the others, so its points say which values these
    have beside it. Replicas of a model that is not known are taken for those of a dense one, unless
    its experts or the switch are spoken of.
    """
    if attention_switch(draft.engine) is None or draft.facts.is_moe is False:
        return
    choices = _choices(draft)
    if draft.facts.is_moe is None and not any(map(_speaks_of_experts, choices)):
        _note(draft, _DATA, _UNKNOWN)
        return
    points = [merged(chosen) for chosen in itertools.product(*choices)][:MAX_ALTERNATIVES]
    if all((point.settings.get(_DATA) or 1) == 1 for point in points):
        _take_out(draft, ATTENTION)
        return
    kept = _kept(points, of_one=bool(draft.facts.is_moe))
    fields = _as_fields(kept)
    if fields is None:
        kept = _kept(points, of_one=False)
    if not kept:
        _take_out(draft, ATTENTION)
        _note(draft, _DATA, "v1's engine did not start with these widths; version 2 may")
        return
    for path in _READ:
        draft.settings.pop(path, None)
    draft.alternatives = [one for one in draft.alternatives if not _decides(one)]
    for path, values in (fields or {}).items():
        draft.setting(path, values)
    if fields is None:
        draft.alternative([replace(point, settings=settings) for point, settings in kept])
    _join(draft, kept)


def _kept(points: list[GridPoint], *, of_one: bool) -> list[tuple[GridPoint, Settings]]:
    """The points that v1's engine started with, each with its settings as version 2 counts.

    Args:
        of_one: a single replica too has the widths of its experts.
    """
    settled = [(point, _settled(point.settings, of_one=of_one)) for point in points]
    return [(point, found) for point, found in settled if found is not None]


def _choices(draft: Draft) -> list[list[GridPoint]]:
    """All that decides widths, each as the points of which one is taken."""
    fields = [
        [GridPoint({path: value}) for value in draft.settings[path]]
        for path in _READ
        if path in draft.settings
    ]
    return [*fields, *filter(_decides, draft.alternatives)]


def _speaks_of_experts(points: list[GridPoint]) -> bool:
    above = (one.settings.get(path) or 1 for one in points for path in (_EITHER, _SLICED, _SPREAD))
    return any(ATTENTION in point.settings for point in points) or max(above) > 1


def _decides(points: list[GridPoint]) -> bool:
    return any(path in point.settings for point in points for path in _READ)


def _settled(given: Mapping[str, Any], *, of_one: bool) -> Settings | None:
    """One combination as version 2 counts; None where SGLang does not start with it."""
    settings = {path: value for path, value in given.items() if path != ATTENTION}
    tensor, data = settings.get(_TENSOR) or 1, settings.get(_DATA) or 1
    if data == 1 and not of_one:
        return settings
    if given.get(ATTENTION) and data > 1:
        return None if tensor % data else settings | {_TENSOR: tensor // data}
    spread = settings.get(_SPREAD) or settings.get(_EITHER)
    if tensor % (spread or 1):
        return None
    own = {} if spread else {_SPREAD: 1}
    return settings | own | {_SLICED: tensor // (spread or 1)}


def _as_fields(kept: list[tuple[GridPoint, Settings]]) -> dict[str, list[Any]] | None:
    """Fields with values, all of whose combinations are the points; None where some are not."""
    found = [settings for _, settings in kept]
    if not found or any(point.words or s.keys() != found[0].keys() for point, s in kept):
        return None
    fields = {path: distinct([settings[path] for settings in found]) for path in found[0]}
    combined = (
        dict(zip(fields, values, strict=True)) for values in itertools.product(*fields.values())
    )
    return fields if all(one in found for one in combined) else None


def _join(draft: Draft, kept: list[tuple[GridPoint, Settings]]) -> None:
    """Replaces the points of parameters that decide widths by those of their combinations."""
    deciding = [one for one in draft.points if one.settings.keys() & set(_READ)]
    joined: list[TriedValue] = []
    for point, settings in kept:
        fitting = [one for one in deciding if one.settings.items() <= point.settings.items()]
        widths = {path: value for path, value in settings.items() if path in REPLICA_WIDTHS}
        for one in fitting:
            others = {path: v for path, v in one.settings.items() if path not in _READ}
            beside = tuple((o.name, o.value) for o in fitting if o.name != one.name)
            joined.append(replace(one, settings=others | widths, beside=beside))
    for one in deciding:
        if not any((one.name, one.value) == (other.name, other.value) for other in joined):
            text = f"{one.value!r} is left out: v1's engine did not start with it beside the others"
            draft.note(_place(draft, one.name), Done.CHANGED, text)
    rest = [one for one in draft.points if one not in deciding]
    draft.points = [*rest, *joined]


def _take_out(draft: Draft, path: str) -> None:
    """Takes a setting out of all that the draft tries."""
    draft.settings.pop(path, None)
    draft.points = [
        replace(one, settings={p: value for p, value in one.settings.items() if p != path})
        for one in draft.points
    ]


def _note(draft: Draft, path: str, text: str) -> None:
    """Notes on each parameter that says a width above 1."""
    above = (one for one in draft.points if (one.settings.get(path) or 1) > 1)
    for name in dict.fromkeys(one.name for one in above):
        draft.note(_place(draft, name), Done.CHANGED, text)


def _place(draft: Draft, name: str) -> tuple[str, ...]:
    """The key of the v1 task that has a parameter, or the section of presets that has its name."""
    sections = (PARAMETERS, "parallel_config")
    if name in sections:
        return (name,)
    written = ((one, draft.source.get(one)) for one in sections)
    inside = (one for one, keys in written if isinstance(keys, Mapping) and name in keys)
    return (next(inside, PARAMETERS), name)
