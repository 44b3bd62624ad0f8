"""v1's `parallel_config` and `quant_config` -> the parallel and the quantization group."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from autotuner.config import GROUPS
from autotuner.engines import engine_table
from autotuner.migrate.draft import Done, Draft, Settings
from autotuner.migrate.flags import other_meaning, why_not
from autotuner.migrate.parameters import EXPERTS, add_words
from autotuner.migrate.values import UnfitError, as_bool, listed, setting

PARALLEL = "parallel_config"
_TP, _DP = "parallel.tensor_parallel", "parallel.data_parallel"
_SWITCH = "enable_expert_parallel"
_OTHER_WIDTHS = ("cp", "dcp", "moe_dense_tp")
"""Widths that v2 has no field for; an engine's file may say its flag (`v1.widths`)."""
PARALLEL_PRESETS = {"single-gpu": {"tp": 1, "pp": 1, "dp": 1}}
"""Presets whose names give their widths. The widths of v1's other presets are not known."""


def add_layout(draft: Draft, config: Mapping[str, Any]) -> tuple[bool, ...]:
    """Adds widths; returns the values of the switch that spreads experts over all GPUs."""
    experts: tuple[bool, ...] = ()
    for key, written in config.items():
        path = (PARALLEL, key)
        try:
            if key in ("preset", "presets"):
                _add_parallel_presets(draft, path, written)
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
    if True not in switch or EXPERTS in draft.fields_set:
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


def _add_parallel_presets(draft: Draft, path: tuple[str, ...], written: Any) -> None:
    names = written if isinstance(written, list) else [written]
    if not names:
        draft.note(path, Done.EMPTY, "no preset is named")
        return
    unknown = [str(name) for name in names if str(name) not in PARALLEL_PRESETS]
    if unknown:
        raise UnfitError(
            f"the widths of the preset {unknown[0]!r} are not known; write tp, pp and dp"
        )
    fields = GROUPS["parallel"].ALIASES
    widths = {f"parallel.{fields[key]}": n for key, n in PARALLEL_PRESETS[str(names[0])].items()}
    for field, width in widths.items():
        if field not in draft.fields_set:
            draft.setting(field, [width])
    draft.note(path, Done.TRANSLATED, ", ".join(widths))


def _add_width(draft: Draft, path: tuple[str, ...], key: str, written: Any) -> None:
    group = GROUPS["parallel"]
    field = group.ALIASES.get(key, key)
    if field not in group.model_fields:
        draft.keep(path, written, Done.KEPT, "not a key of v1's parallel_config")
        return
    if written is None or written == []:
        draft.note(path, Done.EMPTY, "sets nothing")
        return
    ours = f"parallel.{field}"
    values = listed(written)
    found = [setting(ours, value) for value in values]
    otherwise = other_meaning(draft.engine, ours, found, draft.facts)
    if otherwise is not None:
        raise UnfitError(otherwise)
    if ours in draft.fields_set:
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
        draft.note(path, Done.EMPTY, "1 is what engines do anyway")
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


QUANT = "quant_config"
FIELDS = {
    "gemm_dtype": "quantization.gemm_mode",
    "kvcache_dtype": "quantization.kvcache_mode",
    "attention_dtype": "quantization.fmha_mode",
    "moe_dtype": "quantization.moe_mode",
}
FORMAT_PRESETS = {
    name: dict(zip(FIELDS, formats, strict=True))
    for name, formats in {
        "default": ("auto", "auto", "auto", "auto"),
        "kv-cache-fp8": ("auto", "fp8_e5m2", "auto", "auto"),
        "dynamic-fp8": ("fp8", "fp8_e5m2", "fp8", "fp8"),
        "bf16-stable": ("bfloat16", "fp8_e5m2", "auto", "auto"),
        "aggressive-moe": ("bfloat16", "fp8_e5m2", "fp8", "w4afp8"),
    }.items()
}
"""v1's presets, as its documentation lists them."""
_PRESET_KEYS = ("preset", "presets")
_AUTO = "auto"
_FP8 = {"fp8_e5m2": "fp8", "fp8_e4m3": "fp8"}
"""v2 names a KV cache's format by its width; which of the two it is, the engine's table says."""
_GEMM, _KVCACHE, _MOE = FIELDS["gemm_dtype"], FIELDS["kvcache_dtype"], FIELDS["moe_dtype"]


def add_formats(draft: Draft, config: Mapping[str, Any]) -> None:
    """Adds number formats; what `parameters` say themselves wins, as v1's explicit flags did."""
    names: list[str] = []
    for key in _PRESET_KEYS:
        if key in config:
            names += _preset_names(draft, key, config[key])
    if names:
        _add_format_presets(draft, list(dict.fromkeys(names)))
    else:
        _add_fields(draft, {key: config[key] for key in FIELDS if key in config})
    for key in config.keys() - set(_PRESET_KEYS):
        if key not in FIELDS:
            draft.keep((QUANT, key), config[key], Done.KEPT, "not a key of v1's quant_config")
        elif names:
            draft.keep((QUANT, key), config[key], Done.OVERRULED, "the presets say it")


def _preset_names(draft: Draft, key: str, written: Any) -> list[str]:
    names = written if isinstance(written, list) else [written]
    unknown = [name for name in names if not isinstance(name, str) or name not in FORMAT_PRESETS]
    for name in unknown:
        text = f"not a preset; known: {', '.join(FORMAT_PRESETS)}"
        draft.keep((QUANT, key, str(name)), name, Done.LOST, text)
    if names:
        draft.note((QUANT, key), Done.TRANSLATED, "one combination for each preset that is known")
    else:
        draft.note((QUANT, key), Done.EMPTY, "no preset is named")
    return [name for name in names if name not in unknown]


def _add_format_presets(draft: Draft, names: list[str]) -> None:
    """Each preset is one point of the grid."""
    points = [_point(draft, (QUANT, "presets", name), FORMAT_PRESETS[name]) for name in names]
    draft.alternative(points)
    for name, point in zip(names, points, strict=True):
        draft.point(QUANT, name, point)


def _add_fields(draft: Draft, fields: Mapping[str, Any]) -> None:
    for key, written in fields.items():
        path = (QUANT, key)
        try:
            values = listed(written)
        except UnfitError as unfit:
            draft.keep(path, written, Done.LOST, str(unfit))
            continue
        found = [_point(draft, path, {key: value}) for value in values]
        if any(found):
            draft.alternative(found)
            for value, point in zip(values, found, strict=True):
                draft.point(key, value, point)
        elif not values or all(value in (_AUTO, None) for value in values):
            draft.note(path, Done.EMPTY, "left to the engine and the checkpoint")


def _point(draft: Draft, path: tuple[str, ...], formats: Mapping[str, Any]) -> Settings:
    """The settings of one point of the grid."""
    found: Settings = {}
    for key, value in formats.items():
        if value in (_AUTO, None):
            continue
        place = path if path[-1] == key else (*path, key)
        if FIELDS[key] in draft.fields_set:
            draft.keep(place, value, Done.OVERRULED, f"parameters say {FIELDS[key]} themselves")
        else:
            found |= _format(draft, place, FIELDS[key], value)
    return found


def _format(draft: Draft, path: tuple[str, ...], field: str, value: Any) -> Settings:
    if field == _MOE and draft.facts.is_moe is False:
        draft.keep(path, value, Done.KEPT, "the model has no experts")
        return {}
    if field == _GEMM and value == "float16":
        draft.note(path, Done.TRANSLATED, "misc.dtype")
        return {"misc.dtype": value} if "misc.dtype" not in draft.fields_set else {}
    try:
        word = _FP8.get(value, value) if field == _KVCACHE else value
        ours = setting(field, word)
    except (UnfitError, TypeError) as unfit:
        draft.keep(path, value, Done.LOST, f"{field} cannot say it: {unfit}")
        return {}
    refused = why_not(draft.engine, field, ours, draft.facts)
    if refused is None:
        if ours == value:
            draft.note(path, Done.TRANSLATED, field)
        else:
            text = f"{field}: {ours}; which kind of it, the engine's flag table says"
            draft.keep(path, value, Done.CHANGED, text)
        return {field: ours}
    reason, decides_itself = refused
    done = Done.KEPT if decides_itself else Done.LOST
    draft.keep(path, value, done, f"{draft.engine} cannot say {field}: {reason}")
    return {}
