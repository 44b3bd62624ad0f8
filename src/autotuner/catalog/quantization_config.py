"""From the `quantization_config` of a checkpoint to its scheme, by `quantization.yaml`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from autotuner.catalog.quantization import (
    KINDS,
    PLAIN,
    CheckpointQuantization,
    Fields,
    Patterns,
    Share,
    WeightFormat,
    matrices,
    table,
)
from autotuner.catalog.quantization_readers import READERS, Scheme

_KV_CACHE = ("kv_cache_scheme", "kv_cache_quant_algo", "kv_cache_quant_method", "kv_cache_dtype")


def quantization_from_config(
    raw: Mapping[str, Any], layers: int | None
) -> CheckpointQuantization | None:
    """The scheme that a `quantization_config` describes; None where it describes none.

    What neither the table nor a reader understands is listed in `not_understood`.

    Args:
        layers: of the model, since patterns may name some of them.
    """
    nested = raw.get("quantization")
    config = {**raw, **nested} if isinstance(nested, Mapping) else dict(raw)
    name, method = _method(config)
    if not config or not name:
        return None
    cache = _kv_cache(config)
    if method is None:
        what = f"quant_method {name!r} is not known"
        return CheckpointQuantization(
            name, kv_cache=cache, not_understood=(_in_config(name, what),)
        )
    try:
        scheme = READERS[method.get("reader", "uniform")](config, method)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        scheme = Scheme(None, unclear=(f"{type(error).__name__}: {error}",))
    ignored = _ignored(config)
    rules = ((Patterns(ignored), PLAIN), *scheme.rules)
    invalid = [word for patterns, _ in rules for word in patterns.invalid]
    unclear = [*scheme.unclear, *(f"{word!r} is no regular expression" for word in invalid)]
    only = (*scheme.only, *method.get("only", ()))
    plain = frozenset(method.get("plain", ())) | (set(KINDS) - set(only) if only else set())
    shares = () if scheme.default is None else _shares(scheme, rules, plain, layers or 1)
    return CheckpointQuantization(
        name, shares, cache, ignored, tuple(_in_config(name, what) for what in unclear)
    )


def _in_config(name: str, what: str) -> str:
    return f"quantization_config ({name}): {what}"


def _method(config: Fields) -> tuple[str, Fields | None]:
    """The method's name, and its row in the table."""
    name = str(config.get("quant_method") or "").lower()
    if not name and config.get("quant_algo"):
        name = "modelopt"
    if not name and {"bits", "group_size"} <= set(config):
        name = "mlx"
    methods = table()["methods"]
    row = methods.get(name)
    while row is not None and "same" in row:
        row = methods[row["same"]]
    return name, row


def _ignored(config: Fields) -> tuple[str, ...]:
    """Modules that stay in 16 bits, from every key that lists them."""
    found: list[str] = []
    for key in table()["keys"]["ignored"]:
        value = config.get(key)
        listed = [value] if isinstance(value, str) else value
        found += [str(word) for word in listed] if isinstance(listed, list) else []
    return tuple(dict.fromkeys(found))


def _kv_cache(config: Fields) -> str | None:
    """The format that the checkpoint asks for its KV cache, as its own word or as bits and type."""
    value = next((config[key] for key in _KV_CACHE if config.get(key)), None)
    if isinstance(value, Mapping):
        kind = {"float": "fp", "int": "int"}.get(str(value.get("type", "float")), "fp")
        return f"{kind}{value['num_bits']}" if value.get("num_bits") else None
    if value is None and isinstance(export := config.get("export"), Mapping):
        return "fp8" if export.get("kv_cache_group") else None
    word = None if value is None else str(value).lower()
    return None if word in ("auto", "none") else word


def _shares(
    scheme: Scheme,
    rules: tuple[tuple[Patterns, WeightFormat], ...],
    plain: frozenset[str],
    layers: int,
) -> tuple[Share, ...]:
    """Shares of the formats of every kind of matrices."""
    every = range(layers) if any(patterns.names_layers for patterns, _ in rules) else range(1)
    found = []
    for kind in KINDS:
        counts = Counter([PLAIN] if kind in plain else _formats(scheme, rules, kind, every))
        total = sum(counts.values())
        found += [Share(kind, count / total, form) for form, count in counts.items()]
    return tuple(found)


def _formats(
    scheme: Scheme,
    rules: tuple[tuple[Patterns, WeightFormat], ...],
    kind: str,
    layers: range,
) -> Iterator[WeightFormat]:
    default = scheme.default or PLAIN
    for matrix in matrices(kind, layers):
        if kind == "lm_head" and not scheme.head:
            yield PLAIN
        else:
            yield next((form for named, form in rules if named.match(matrix)), default)
