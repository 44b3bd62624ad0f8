"""v1's `parallel_config`: numbers of GPUs -> the parallel group."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from autotuner.config import GROUPS
from autotuner.engines import engine_table
from autotuner.migrate.draft import Draft
from autotuner.migrate.flags import other_meaning
from autotuner.migrate.notes import Done
from autotuner.migrate.parameters import EXPERTS, add_words
from autotuner.migrate.values import UnfitError, as_bool, listed, setting

PARALLEL = "parallel_config"
_TP, _DP = "parallel.tensor_parallel", "parallel.data_parallel"
_SWITCH = "enable_expert_parallel"
_OTHER_WIDTHS = ("cp", "dcp", "moe_dense_tp")
"""Widths that v2 has no field for; an engine's file may say its flag (`v1.widths`)."""
PRESETS = {"single-gpu": {"tp": 1, "pp": 1, "dp": 1}}
"""What a preset's name itself says. The widths of v1's other presets are not known."""


def add_layout(draft: Draft, config: Mapping[str, Any]) -> tuple[bool, ...]:
    """Adds widths; returns the values of the switch that spreads experts over all GPUs."""
    experts: tuple[bool, ...] = ()
    for key, written in config.items():
        path = (PARALLEL, key)
        try:
            if key in ("preset", "presets"):
                _add_presets(draft, path, written)
            elif key == _SWITCH:
                experts = _switch(draft, path, written)
            elif key in _OTHER_WIDTHS:
                _add_other(draft, path, key, listed(written))
            else:
                _add_width(draft, path, key, written)
        except UnfitError as unfit:
            draft.keep(path, written, Done.LOST, str(unfit))
    return experts


def spread_experts(draft: Draft, switch: Sequence[bool]) -> None:
    """Experts over all GPUs of a candidate, or over none: v2 counts the GPUs.

    The number depends on the widths, so each pair of widths is written out with its own.
    """
    if True not in switch or EXPERTS in draft.said:
        return
    rows = engine_table(draft.engine).rows.get(EXPERTS, ())
    replicas_too = any(row.one_or for row in rows)
    pairs = itertools.product(draft.settings.pop(_TP, [1]), draft.settings.pop(_DP, [None]))
    found: list[dict[str, Any]] = []
    for tensor, data in pairs:
        widths = {_TP: tensor} | ({} if data is None else {_DP: data})
        spread = tensor * (data or 1) if replicas_too else tensor
        found += [widths | {EXPERTS: spread if wanted else 1} for wanted in switch]
    draft.alternative(found)


def _add_presets(draft: Draft, path: tuple[str, ...], written: Any) -> None:
    names = written if isinstance(written, list) else [written]
    if not names:
        draft.note(path, Done.SILENT, "no preset is named")
        return
    unknown = [str(name) for name in names if str(name) not in PRESETS]
    if unknown:
        raise UnfitError(
            f"the widths of the preset {unknown[0]!r} are not known; write tp, pp and dp"
        )
    fields = GROUPS["parallel"].ALIASES
    widths = {f"parallel.{fields[key]}": n for key, n in PRESETS[str(names[0])].items()}
    for field, width in widths.items():
        if field not in draft.said:
            draft.setting(field, [width])
    draft.note(path, Done.TRANSLATED, ", ".join(widths))


def _add_width(draft: Draft, path: tuple[str, ...], key: str, written: Any) -> None:
    group = GROUPS["parallel"]
    field = group.ALIASES.get(key, key)
    if field not in group.model_fields:
        draft.keep(path, written, Done.KEPT, "not a key of v1's parallel_config")
        return
    if written is None or written == []:
        draft.note(path, Done.SILENT, "says nothing")
        return
    ours = f"parallel.{field}"
    values = listed(written)
    found = [setting(ours, value) for value in values]
    otherwise = other_meaning(draft.engine, ours, found, draft.facts)
    if otherwise is not None:
        raise UnfitError(otherwise)
    if ours in draft.said:
        if draft.settings.get(ours) == found:
            draft.note(path, Done.TRANSLATED, f"{ours}, as parameters say it too")
        else:
            draft.keep(path, written, Done.OVERRULED, f"parameters say {ours} themselves")
        return
    draft.setting(ours, found)
    for value, width in zip(values, found, strict=True):
        draft.point(key, value, {ours: width})
    draft.note(path, Done.TRANSLATED, ours)


def _add_other(draft: Draft, path: tuple[str, ...], key: str, values: list[Any]) -> None:
    widths = [setting(_TP, value) for value in values if value is not None]
    if set(widths) <= {1}:
        draft.note(path, Done.SILENT, "1 is what engines do anyway")
        return
    v1 = engine_table(draft.engine).file.v1
    flag = v1.widths.get(key) if v1 else None
    if flag is None:
        raise UnfitError(f"{draft.engine} has no flag for it, and v2 no field")
    add_words(draft, path, key, flag, widths, why="v2 has no field for it")


def _switch(draft: Draft, path: tuple[str, ...], written: Any) -> tuple[bool, ...]:
    truths = [as_bool(value) for value in listed(written) if value is not None]
    if None in truths:
        raise UnfitError("it is true or false")
    draft.note(path, Done.TRANSLATED, f"{EXPERTS}: 1, or as many GPUs as each candidate has")
    return tuple(dict.fromkeys(bool(truth) for truth in truths))
