"""Readers of `quantization_config`, one for each way to write it, by the method's `reader`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from autotuner.catalog.quantization import (
    PLAIN,
    Fields,
    Patterns,
    WeightFormat,
    named_type,
    overlaid,
    spelled,
    table,
    weight_format,
)


@dataclass(frozen=True)
class Scheme:
    """Formats by the modules that they are for, before they are applied to a model.

    Attributes:
        default: of every matrix that no rule names; None where it is not known.
        rules: patterns of modules and their format; the first that matches decides.
        only: kinds of matrices that it is for; empty for all.
        head: it is for `lm_head` too.
        unclear: parts that are not understood.
    """

    default: WeightFormat | None
    rules: tuple[tuple[Patterns, WeightFormat], ...] = ()
    only: tuple[str, ...] = ()
    head: bool = False
    unclear: tuple[str, ...] = ()


Reader = Callable[[Fields, Fields], Scheme]
_PRESET = re.compile(r"(?i)(NV|MX)?(?:W|FP)(\d+)(?:A(\d+))?")


def uniform(config: Fields, method: Fields) -> Scheme:
    """One format for all, with exceptions by module: GPTQ, AWQ, AutoRound, FP8, MLX and others."""
    row = overlaid(method, config) | _data_type(config)
    if config.get("activation_scheme") == "static":
        row["static"] = True
    rules = [*_overrides(config, row), *_only_named(config)]
    head = bool(spelled(config, "head")) or method.get("head", False)
    if isinstance(config.get("modules_in_block_to_quantize"), list):
        named = Patterns(tuple(_flattened(config["modules_in_block_to_quantize"])))
        return Scheme(PLAIN, (*rules, (named, weight_format(row))), head=head)
    return Scheme(weight_format(row), tuple(rules), head=head)


def compressed_tensors(config: Fields, method: Fields) -> Scheme:
    """Groups of modules with a format each (`config_groups`)."""
    groups = config.get("config_groups")
    if not isinstance(groups, Mapping) or not groups:
        if config.get("kv_cache_scheme"):
            return Scheme(PLAIN)
        return Scheme(None, unclear=("config_groups is missing",))
    rules, unclear = [], []
    for name, group in groups.items():
        targets = group if isinstance(group, list) else group.get("targets", ["Linear"])
        form = _preset(name) if isinstance(group, list) else _group_format(group)
        if form is None:
            unclear.append(f"config_groups.{name} has no weights that are understood")
        rules.append((Patterns(tuple(map(str, targets))), form))
    if unclear:
        return Scheme(None, unclear=tuple(unclear))
    # Groups for named modules go before the one for all.
    rules.sort(key=lambda rule: "Linear" in rule[0].written)
    return Scheme(PLAIN, tuple((p, form) for p, form in rules if form), head=True)


def modelopt(config: Fields, method: Fields) -> Scheme:
    """One algorithm for all (`quant_algo`), or one for each of `quantized_layers`."""
    algorithm = str(config.get("quant_algo") or "").upper()
    layers = config.get("quantized_layers")
    if isinstance(layers, Mapping) and layers:
        by_row: dict[WeightFormat | None, list[str]] = {}
        for name, own in layers.items():
            row = table()["algorithms"].get(str(own.get("quant_algo")).upper())
            form = weight_format(overlaid(row, own)) if row else None
            by_row.setdefault(form, []).append(name)
        unknown = by_row.pop(None, [])
        rules = tuple((Patterns(tuple(names)), form) for form, names in by_row.items() if form)
        if unknown:
            what = layers[unknown[0]].get("quant_algo")
            return Scheme(None, unclear=(f"quantized_layers: {what!r} is not known",))
        return Scheme(PLAIN, rules, head=True)
    if algorithm.startswith("MIXED") and isinstance(config.get("config_groups"), Mapping):
        return compressed_tensors(config, method)
    if algorithm.startswith("MIXED"):
        form = weight_format(table()["algorithms"]["NVFP4"])
        return Scheme(form, unclear=(f"{algorithm} lists no layers; all are counted as NVFP4",))
    row = table()["algorithms"].get(algorithm)
    if row is None:
        if config.get("kv_cache_quant_algo") and not algorithm:
            return Scheme(PLAIN)
        if isinstance(config.get("config_groups"), Mapping):
            return compressed_tensors(config, method)
        return Scheme(None, unclear=(f"quant_algo {config.get('quant_algo')!r} is not known",))
    return Scheme(weight_format(overlaid(row, config)), only=tuple(row.get("only", ())))


def quark(config: Fields, method: Fields) -> Scheme:
    """One format for all (`global_quant_config`), and others by pattern (`layer_quant_config`)."""
    default = _quark_format(config.get("global_quant_config") or {})
    rules, unclear = [], []
    for name, own in (config.get("layer_quant_config") or {}).items():
        form = _quark_format(own or {})
        if form is None:
            unclear.append(f"layer_quant_config.{name} has no weights that are understood")
        else:
            rules.append((Patterns((name,)), form))
    if default is None:
        unclear.append("global_quant_config has no weights that are understood")
    return Scheme(default, tuple(rules), head=True, unclear=tuple(unclear))


def bitsandbytes(config: Fields, method: Fields) -> Scheme:
    """8 bits, or 4 bits in blocks of 64 whose scales may be quantised again."""
    if config.get("load_in_8bit") or config.get("_load_in_8bit"):
        return Scheme(weight_format({"bits": 8, "type": "int"}))
    if config.get("load_in_4bit") or config.get("_load_in_4bit"):
        # A float32 per 64 weights; quantised to 8 bits with a float32 per 256 of them (T. Dettmers
        # et al., "QLoRA", NeurIPS 2023, section 3).
        scale = 8 + 32 / 256 if config.get("bnb_4bit_use_double_quant") else 32
        return Scheme(weight_format({"bits": 4, "type": "int", "group": 64, "scale": scale}))
    return Scheme(None, unclear=("neither load_in_8bit nor load_in_4bit is set",))


def hqq(config: Fields, method: Fields) -> Scheme:
    """Bits and groups of `weight_quant_params`, for all or by the name of a layer's part."""
    inner = config.get("quant_config") or {}
    if "weight_quant_params" in inner:
        return Scheme(weight_format(overlaid(method, inner["weight_quant_params"])))
    named = {name: own for name, own in inner.items() if isinstance(own, Mapping)}
    rules = tuple(
        (Patterns((name,)), weight_format(overlaid(method, own.get("weight_quant_params", own))))
        for name, own in named.items()
    )
    return Scheme(PLAIN, rules) if rules else uniform(config, method)


def torchao(config: Fields, method: Fields) -> Scheme:
    """A preset's name with arguments, or a configuration object for all or by module."""
    kind = config.get("quant_type")
    if isinstance(kind, str):
        form = _torchao_format(kind, config.get("quant_type_kwargs") or {})
        unclear = () if form else (f"quant_type {kind!r} is not known",)
        return Scheme(form, unclear=unclear)
    default = (kind or {}).get("default") or {}
    data = default.get("_data") or {}
    by_name = data.get("module_fqn_to_config") or data.get("fqn_to_config")
    if not isinstance(by_name, Mapping):
        form = _torchao_format(str(default.get("_type")), data)
        unclear = () if form else (f"quant_type {default.get('_type')!r} is not known",)
        return Scheme(form, unclear=unclear)
    rules, rest = [], PLAIN
    for name, own in by_name.items():
        form = _torchao_format(str(own["_type"]), own.get("_data") or {}) if own else PLAIN
        if form is None:
            return Scheme(None, unclear=(f"quant_type {own.get('_type')!r} is not known",))
        if name == "_default":
            rest = form
        else:
            rules.append((Patterns((name,)), form))
    return Scheme(rest, tuple(rules), head=True)


def quanto(config: Fields, method: Fields) -> Scheme:
    """One data type for weights, by its name."""
    row = named_type(config.get("weights"))
    if row is None:
        return Scheme(None, unclear=(f"weights {config.get('weights')!r} is not known",))
    return Scheme(weight_format(row))


def aqlm(config: Fields, method: Fields) -> Scheme:
    """Codes of additive codebooks: bits are theirs over the weights that a code stands for.

    V. Egiazarian et al., "Extreme Compression of Large Language Models via Additive Quantization",
    ICML 2024.
    """
    weights = config.get("in_group_size", 8) * config.get("out_group_size", 1)
    bits = config.get("num_codebooks", 1) * config.get("nbits_per_codebook", 16) / weights
    kept = Patterns(tuple(config.get("linear_weights_not_to_quantize") or ()))
    return Scheme(weight_format({"bits": bits, "type": "int"}), ((kept, PLAIN),))


def fp_quant(config: Fields, method: Fields) -> Scheme:
    """MXFP4 or NVFP4, as the forward pass takes it."""
    row = named_type(config.get("forward_dtype"))
    if row is None:
        return Scheme(
            None, unclear=(f"forward_dtype {config.get('forward_dtype')!r} is not known",)
        )
    return Scheme(weight_format(row))


READERS: Mapping[str, Reader] = {
    reader.__name__: reader
    for reader in (
        *(uniform, compressed_tensors, modelopt, quark, bitsandbytes),
        *(hqq, torchao, quanto, aqlm, fp_quant),
    )
}
"""Readers by name."""


def _overrides(config: Fields, row: dict[str, Any]) -> list[tuple[Patterns, WeightFormat]]:
    """Formats of single modules: GPTQModel's `dynamic`, AutoRound's `extra_config`, MLX's names."""
    named = {**(config.get("dynamic") or {}), **(config.get("extra_config") or {})}
    if "quant_method" not in config:
        named |= {name: own for name, own in config.items() if "." in name}
    rules = []
    for name, own in named.items():
        pattern = re.sub(r"^[+-]:", "", name)
        if name.startswith("-:") or own is False:
            rules.append((Patterns((pattern,)), PLAIN))
        elif isinstance(own, Mapping) and own:
            form = weight_format(overlaid(row, own) | _data_type(own))
            rules.append((Patterns((pattern,)), form))
    return rules


def _only_named(config: Fields) -> list[tuple[Patterns, WeightFormat]]:
    kept = config.get("linear_weights_not_to_quantize")
    return [(Patterns(tuple(kept)), PLAIN)] if kept else []


def _data_type(config: Fields) -> dict[str, Any]:
    """AutoRound's `data_type` where it is no integer, and MLX's `mode`."""
    name = str(config.get("data_type") or config.get("mode") or "").lower().replace("_", "")
    if name.startswith(("mxfp", "nvfp")):
        bits = spelled(config, "bits")
        digits = re.sub(r"\D", "", name) or str(bits or 4)
        return dict(named_type(f"{name[:2]}fp{digits[0]}") or {})
    if name.startswith("fp"):
        activations = "fp8" if config.get("act_bits", 16) == 8 else None
        return {"type": "float", "activations": activations}
    return {}


def _group_format(group: Fields) -> WeightFormat | None:
    """The format of a group of compressed-tensors."""
    weights, inputs = group.get("weights"), group.get("input_activations")
    if weights is None:
        return PLAIN
    if not isinstance(weights, Mapping) or weights.get("num_bits") is None:
        return None
    bits, kind = weights["num_bits"], str(weights.get("type", "int"))
    row: dict[str, Any] = {"bits": bits, "type": kind}
    strategy = str(weights.get("strategy") or "")
    if strategy == "block":
        row |= {"block": weights.get("block_structure") or [128, 128], "scale": 32}
        if isinstance(row["block"], str):
            row["block"] = row["block"].split("x")
    elif strategy in ("group", "tensor_group") or (not strategy and weights.get("group_size")):
        row |= {"group": weights.get("group_size"), "scale": 8 if kind == "float" else 16}
    row["zero_points"] = kind == "int" and weights.get("symmetric") is False
    if isinstance(inputs, Mapping) and inputs.get("num_bits"):
        row["activations"] = _activations(inputs["num_bits"], str(inputs.get("type", "int")))
        row["static"] = inputs.get("dynamic") is False and kind == "float"
    return weight_format(row)


def _preset(name: str) -> WeightFormat | None:
    """The format of a preset's name: W8A8, W4A16, FP8, NVFP4, MXFP4A16."""
    found = _PRESET.match(name)
    if found is None:
        return None
    vendor, bits, inputs = found.group(1), int(found.group(2)), int(found.group(3) or 16)
    kind = "float" if "FP" in name.upper() else "int"
    group = {"NV": 16, "MX": 32}.get((vendor or "").upper(), 128 if bits == 4 else None)
    row = {"bits": bits, "type": kind, "group": group, "scale": 8 if vendor else 16}
    row["activations"] = _activations(8 if name.upper().startswith("FP8") else inputs, kind)
    return weight_format(row)


def _activations(bits: int, kind: str) -> str | None:
    if bits >= 16:
        return None
    return {("float", 8): "fp8", ("float", 4): "nvfp4"}.get((kind, bits), f"{kind}{bits}")


def _quark_format(own: Fields) -> WeightFormat | None:
    """The format of a quark configuration; of two steps (FP8, then INT4) the last is stored."""
    weight, inputs = own.get("weight"), own.get("input_tensors")
    weight = weight[-1] if isinstance(weight, list) and weight else weight
    inputs = inputs[0] if isinstance(inputs, list) and inputs else inputs
    if not weight:
        return PLAIN
    row = named_type(weight.get("dtype"))
    if row is None:
        return PLAIN if str(weight.get("dtype")) in ("float16", "bfloat16") else None
    found = dict(row)
    scheme = str(weight.get("qscheme") or "")
    if scheme == "per_block":
        found |= {"block": weight.get("block_size") or [128, 128], "scale": 32}
    elif scheme == "per_group":
        found["group"] = weight.get("group_size") or row.get("group")
    elif not row.get("group"):
        found["group"] = None
    found["zero_points"] = row["type"] == "int" and weight.get("symmetric") is False
    if inputs:
        kind = named_type(inputs.get("dtype")) or {"bits": 16, "type": "float"}
        found["activations"] = _activations(kind["bits"], kind["type"])
        found["static"] = inputs.get("is_dynamic") is False and row["type"] == "float"
    return weight_format(found)


def _torchao_format(name: str, arguments: Fields) -> WeightFormat | None:
    """The format of a torchao preset, by its name or its class."""
    folded = name.lower().removesuffix("config")
    presets = table()["presets"]
    row = next((presets[key] for key in sorted(presets, key=len) if folded.startswith(key)), None)
    if row is None:
        return None
    own = {key: value for key, value in arguments.items() if key == "group_size" and value}
    return weight_format(overlaid(row, own))


def _flattened(words: Any) -> list[str]:
    return [w for part in words for w in ([part] if isinstance(part, str) else _flattened(part))]
