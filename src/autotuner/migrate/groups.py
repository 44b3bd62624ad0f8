"""v1's `parallel_config` and `quant_config` -> the parallel and the quantization group."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from autotuner.config import GROUPS, UnfitError, as_bool, setting
from autotuner.engines import engine_table
from autotuner.migrate.draft import Done, Draft, GridPoint, Settings
from autotuner.migrate.flags import other_meaning, owners, why_not, without_width, words
from autotuner.migrate.parameters import EXPERTS, add_words
from autotuner.migrate.values import distinct, listed

PARALLEL = "parallel_config"
_TP, _DP = "parallel.tensor_parallel", "parallel.data_parallel"
_SWITCH = "enable_expert_parallel"
_OTHER_WIDTHS = ("cp", "dcp", "moe_dense_tp")
"""Widths that v2 has no field for; an engine's file may say its flag (`v1.widths`)."""
_PRESET_KEYS = ("preset", "presets")
PARALLEL_PRESETS: dict[str, dict[str, Any]] = {
    "single-gpu": {"tp": 1, "pp": 1, "dp": 1},
    "high-throughput": {"tp": 1, "pp": 1, "dp": 8},
    "large-model-tp": {"tp": 8, "pp": 1, "dp": 1},
    "large-model-tp-pp": {"tp": 8, "pp": 2, "dp": 1},
    "moe-optimized": {"tp": 2, "pp": 1, "dp": 8, _SWITCH: True},
    "long-context": {"tp": 4, "pp": 1, "dp": 1, "dcp": 4},
    "balanced": {"tp": 2, "pp": 1, "dp": 4},
}
"""v1's presets; an engine's file may have its own (`v1.presets`)."""


def add_layout(draft: Draft, config: Mapping[str, Any]) -> tuple[bool, ...]:
    """Adds widths; returns the values of the switch that spreads experts over all GPUs.

    What `parallel_config` says itself wins over its presets.
    """
    experts: tuple[bool, ...] = ()
    for key, written in config.items():
        path = (PARALLEL, key)
        try:
            if key == _SWITCH:
                experts = _switch(draft, path, written)
            elif key in _OTHER_WIDTHS:
                _add_other(draft, path, key, listed(written))
            elif key not in _PRESET_KEYS:
                _add_width(draft, path, key, written)
        except UnfitError as unfit:
            draft.keep(path, written, Done.LOST, str(unfit))
    for key in (key for key in _PRESET_KEYS if key in config):
        _add_layouts(draft, (PARALLEL, key), config[key])
    return experts


def spread_experts(draft: Draft, switch: Sequence[bool]) -> None:
    """Experts over all GPUs of a candidate, or over none: v2 counts the GPUs.

    The number depends on the widths, so each pair of widths is written out with its own.
    """
    if True not in switch or EXPERTS in draft.fields_set:
        return
    pairs = itertools.product(draft.settings.pop(_TP, [1]), draft.settings.pop(_DP, [None]))
    found: list[GridPoint] = []
    for tensor, data in pairs:
        widths = {_TP: tensor} | ({} if data is None else {_DP: data})
        spread = _all_ranks(draft, tensor, data)
        found += [GridPoint(widths | {EXPERTS: spread if wanted else 1}) for wanted in switch]
    draft.alternative(found)


def _all_ranks(draft: Draft, tensor: int, data: int | None) -> int:
    """Over how many GPUs an engine spreads experts."""
    rows = engine_table(draft.engine).rows.get(EXPERTS, ())
    replicas_too = any(row.one_or for row in rows)
    return tensor * (data or 1) if replicas_too else tensor


def _add_layouts(draft: Draft, path: tuple[str, ...], written: Any) -> None:
    """Each preset is one point of the grid."""
    names = distinct(written if isinstance(written, list) else [written])
    if not names or names == [None]:
        draft.note(path, Done.EMPTY, "no preset is named")
        return
    file = engine_table(draft.engine).file.v1
    known = PARALLEL_PRESETS | (file.presets if file else {})
    points = []
    for name in names:
        if not isinstance(name, str) or name not in known:
            text = f"v1 knew no such preset, and set nothing; known: {', '.join(known)}"
            draft.keep((*path, str(name)), name, Done.KEPT, text)
            points.append((name, GridPoint()))
            continue
        try:
            points.append((name, _layout(draft, known[name])))
        except UnfitError as unfit:
            draft.keep((*path, name), name, Done.LOST, str(unfit))
    if points:
        draft.alternative([point for _, point in points])
        draft.note(path, Done.TRANSLATED, "one combination for each preset that is known")
    for name, point in points:
        draft.point(PARALLEL, name, point.settings, point.words)


def _layout(draft: Draft, widths: Mapping[str, Any]) -> GridPoint:
    """The settings of a preset, but for those that the task says itself.

    Raises:
        UnfitError: a width means something else for this model.
    """
    fields = GROUPS["parallel"].ALIASES
    settings: Settings = {}
    found: tuple[str, ...] = ()
    for key, width in widths.items():
        if key in _OTHER_WIDTHS:
            flag = _flag_of_width(draft, key)
            found += () if flag is None else words(draft.engine, flag, width)
        elif key != _SWITCH and f"parallel.{fields[key]}" not in draft.fields_set:
            ours = f"parallel.{fields[key]}"
            if without_width(draft.engine, ours, [width]):
                continue
            otherwise = other_meaning(draft.engine, ours, [width], draft.facts)
            if otherwise is not None:
                raise UnfitError(otherwise)
            settings[ours] = width
    if widths.get(_SWITCH) and EXPERTS not in draft.fields_set and _TP in settings:
        settings[EXPERTS] = _all_ranks(draft, settings[_TP], settings.get(_DP))
    return GridPoint(settings, found)


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
    if without_width(draft.engine, ours, found):
        draft.keep(path, written, Done.KEPT, f"v1 passed it to {draft.engine} neither")
        return
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
    flag = _flag_of_width(draft, key)
    if flag is None:
        draft.keep(path, values, Done.KEPT, f"v1 passed it to {draft.engine} neither")
        return
    add_words(draft, path, key, flag, widths, why="v2 has no field for it")


def _flag_of_width(draft: Draft, key: str) -> str | None:
    v1 = engine_table(draft.engine).file.v1
    return v1.widths.get(key) if v1 else None


def _switch(draft: Draft, path: tuple[str, ...], written: Any) -> tuple[bool, ...]:
    truths = [_truth(value) for value in listed(written) if value is not None]
    if None in truths:
        raise UnfitError("it is true or false")
    draft.note(path, Done.TRANSLATED, f"{EXPERTS}: 1, or as many GPUs as each candidate has")
    return tuple(dict.fromkeys(bool(truth) for truth in truths))


def _truth(value: Any) -> bool | None:
    """The truth value of a switch, which may be counted too: 1 or 0."""
    return bool(value) if value in (0, 1) else as_bool(value)


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
_AUTO = "auto"
_WORDS = {"fp8_e4m3": ("fp8",), "fp8_e5m2": ("fp8_e5m2", "fp8"), "fp16": ("float16",)}
"""v1's word for a KV cache's format -> v2's, of which the first that the engine knows is meant."""
_DTYPES = ("float16", "float32")
"""Formats of matrices that v2 has as the type of all that is not quantised."""
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
    """The presets that are named; those that v1 did not know left all to the engine."""
    names = written if isinstance(written, list) else [written]
    named = [name for name in names if isinstance(name, str)]
    for name in names:
        if not isinstance(name, str) or name not in FORMAT_PRESETS:
            text = f"v1 knew no such preset, and set nothing; known: {', '.join(FORMAT_PRESETS)}"
            draft.keep((QUANT, key, str(name)), name, Done.KEPT, text)
    if named:
        draft.note((QUANT, key), Done.TRANSLATED, "one combination for each preset that is known")
    else:
        draft.note((QUANT, key), Done.EMPTY, "no preset is named")
    return named


def _add_format_presets(draft: Draft, names: list[str]) -> None:
    """Each preset is one point of the grid."""
    points = [
        _point(draft, (QUANT, "presets", name), FORMAT_PRESETS.get(name, {})) for name in names
    ]
    draft.alternative(points)
    for name, point in zip(names, points, strict=True):
        draft.point(QUANT, name, point.settings, point.words)


def _add_fields(draft: Draft, fields: Mapping[str, Any]) -> None:
    for key, written in fields.items():
        path = (QUANT, key)
        try:
            values = listed(written)
        except UnfitError as unfit:
            draft.keep(path, written, Done.KEPT, f"v1 passed none of it: {unfit}")
            continue
        found = [_point(draft, path, {key: value}) for value in values]
        if any(found):
            draft.alternative(found)
            for value, point in zip(values, found, strict=True):
                draft.point(key, value, point.settings, point.words)
        elif not values or all(value in (_AUTO, None) for value in values):
            draft.note(path, Done.EMPTY, "left to the engine and the checkpoint")


def _point(draft: Draft, path: tuple[str, ...], formats: Mapping[str, Any]) -> GridPoint:
    """The settings of one point of the grid, and the words that v1 passed beside them."""
    settings: Settings = {}
    found: tuple[str, ...] = ()
    for key, value in formats.items():
        if value in (_AUTO, None):
            continue
        place = path if path[-1] == key else (*path, key)
        if FIELDS[key] in draft.fields_set:
            draft.keep(place, value, Done.OVERRULED, f"parameters say {FIELDS[key]} themselves")
            continue
        one = _format(draft, place, key, value)
        settings |= one.settings
        found += one.words
    flags = [word for word in found if word.startswith("-")]
    owned = {field for flag in flags for field in owners(draft.engine, flag)}
    return GridPoint({field: v for field, v in settings.items() if field not in owned}, found)


def _format(draft: Draft, path: tuple[str, ...], key: str, value: Any) -> GridPoint:
    field = FIELDS[key]
    if field == _MOE and draft.facts.is_moe is False:
        draft.keep(path, value, Done.KEPT, "the model has no experts")
        return GridPoint()
    if field == _GEMM and value in _DTYPES:
        draft.note(path, Done.TRANSLATED, "misc.dtype")
        return GridPoint({"misc.dtype": value} if "misc.dtype" not in draft.fields_set else {})
    try:
        named = _WORDS.get(value, (value,)) if field == _KVCACHE else (value,)
        choices = [setting(field, word) for word in named]
    except (UnfitError, TypeError) as unfit:
        return _as_v1_passed(draft, path, key, value, f"{field} cannot say it: {unfit}")
    why = {ours: why_not(draft.engine, field, ours, draft.facts) for ours in choices}
    found = next((ours for ours, refused in why.items() if refused is None), None)
    if found is None:
        reason = next(refused[0] for refused in why.values() if refused)
        text = f"{draft.engine} cannot say {field}: {reason}"
        return _as_v1_passed(draft, path, key, value, text)
    if found == choices[0]:
        draft.note(path, Done.TRANSLATED, f"{field}: {found}")
    else:
        draft.keep(path, value, Done.CHANGED, f"{field}: {found}, the kind that the engine has")
    return GridPoint({field: found})


def _as_v1_passed(draft: Draft, path: tuple[str, ...], key: str, value: Any, why: str) -> GridPoint:
    """The words that v1 passed for a format that v2 cannot say; for most it passed none."""
    v1 = engine_table(draft.engine).file.v1
    passed = v1.formats.get(key, {}) if v1 else {}
    found = passed.get(value, ()) if isinstance(value, str) else ()
    if found:
        draft.keep(path, value, Done.EXTRA_ARGS, f"{why}; passed as v1 did: {' '.join(found)}")
    else:
        draft.keep(path, value, Done.KEPT, f"{why}, and v1 passed nothing for it")
    return GridPoint(words=found)
