"""v1's `quant_config`: presets or number formats -> the quantization group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autotuner.migrate.draft import Draft, Settings
from autotuner.migrate.flags import why_not
from autotuner.migrate.notes import Done
from autotuner.migrate.values import UnfitError, listed, setting

QUANT = "quant_config"
FIELDS = {
    "gemm_dtype": "quantization.gemm_mode",
    "kvcache_dtype": "quantization.kvcache_mode",
    "attention_dtype": "quantization.fmha_mode",
    "moe_dtype": "quantization.moe_mode",
}
PRESETS = {
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
        _add_presets(draft, list(dict.fromkeys(names)))
    else:
        _add_fields(draft, {key: config[key] for key in FIELDS if key in config})
    for key in config.keys() - set(_PRESET_KEYS):
        if key not in FIELDS:
            draft.keep((QUANT, key), config[key], Done.KEPT, "not a key of v1's quant_config")
        elif names:
            draft.keep((QUANT, key), config[key], Done.OVERRULED, "the presets say it")


def _preset_names(draft: Draft, key: str, written: Any) -> list[str]:
    names = written if isinstance(written, list) else [written]
    unknown = [name for name in names if not isinstance(name, str) or name not in PRESETS]
    for name in unknown:
        text = f"not a preset; known: {', '.join(PRESETS)}"
        draft.keep((QUANT, key, str(name)), name, Done.LOST, text)
    if names:
        draft.note((QUANT, key), Done.TRANSLATED, "one combination for each preset that is known")
    else:
        draft.note((QUANT, key), Done.SILENT, "no preset is named")
    return [name for name in names if name not in unknown]


def _add_presets(draft: Draft, names: list[str]) -> None:
    """Each preset is one point of the grid."""
    points = [_point(draft, (QUANT, "presets", name), PRESETS[name]) for name in names]
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
            draft.note(path, Done.SILENT, "left to the engine and the checkpoint")


def _point(draft: Draft, path: tuple[str, ...], formats: Mapping[str, Any]) -> Settings:
    """The settings of one point of the grid."""
    found: Settings = {}
    for key, value in formats.items():
        if value in (_AUTO, None):
            continue
        told = path if path[-1] == key else (*path, key)
        if FIELDS[key] in draft.said:
            draft.keep(told, value, Done.OVERRULED, f"parameters say {FIELDS[key]} themselves")
        else:
            found |= _format(draft, told, FIELDS[key], value)
    return found


def _format(draft: Draft, path: tuple[str, ...], field: str, value: Any) -> Settings:
    if field == _MOE and draft.facts.is_moe is False:
        draft.keep(path, value, Done.KEPT, "the model has no experts")
        return {}
    if field == _GEMM and value == "float16":
        draft.note(path, Done.TRANSLATED, "misc.dtype")
        return {"misc.dtype": value} if "misc.dtype" not in draft.said else {}
    try:
        told = _FP8.get(value, value) if field == _KVCACHE else value
        ours = setting(field, told)
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
