"""Whether a prediction and a measurement are of the same thing, and like for like.

aiconfigurator predicts a *steady* state: `concurrency` requests are always in flight, decode
batches stay full, TTFT holds no waiting. A *closed* loop, which is what load generators drive, has
so many users who each wait for their answer: it fills and empties, and users queue where the engine
has fewer slots. aiconfigurator's `bs` is the batch of one attention replica, `concurrency` that
times the replicas: here both sides' concurrency is of the whole deployment.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autotuner.catalog import gpu_named
from autotuner.errors import CatalogError
from autotuner.verify.points import Point

_OUR_TOOL = "autotuner"
_LENGTH_SHARE = 0.01
"""Mean lengths that differ by less are the same workload: a tokenizer's rounding."""


def model_name(name: str) -> str:
    """A model's name without its owner and case, by which files are matched."""
    return name.rpartition("/")[2].lower()


def _same(one: Any, two: Any) -> bool:
    return bool(one == two or str(one).lower() == str(two).lower())


def _same_model(one: str, two: str) -> bool:
    return model_name(one) == model_name(two)


def _same_system(one: str, two: str) -> bool:
    return _catalogued(one) == _catalogued(two)


def _catalogued(name: str) -> str:
    """The catalog's name of a device; the name itself where the catalog does not have it."""
    try:
        return gpu_named(name).name
    except CatalogError:
        return name.lower()


def _same_length(one: float, two: float) -> bool:
    return abs(one - two) <= _LENGTH_SHARE * max(one, two)


CRITERIA: tuple[tuple[str, Callable[[Any, Any], bool]], ...] = (
    ("model", _same_model),
    ("engine", _same),
    ("system", _same_system),
    ("isl", _same_length),
    ("osl", _same_length),
    ("layout", _same),
    ("gpus", _same),
    ("concurrency", _same),
)
"""Field of `Point` -> whether two values are the same; what is not told rules nothing out."""


def contradiction(predicted: Point, actual: Point) -> tuple[int, str]:
    """How far two points agree, and the first thing they contradict each other in.

    Returns:
        The number of criteria passed, and "" where they agree in all. Concurrency comes last, so
        that the prediction that agrees furthest says why a measurement found none.
    """
    *conditions, load = CRITERIA
    for passed, (name, same) in enumerate(conditions):
        one, two = getattr(predicted, name), getattr(actual, name)
        if one is not None and two is not None and not same(one, two):
            return passed, f"{name} is {_text(two)}, predicted is {_text(one)}"
    theirs = actual.identity
    for path, value in predicted.identity.items():
        other = theirs.get(path)
        if value is not None and other is not None and not _same(value, other):
            return len(conditions), f"{path} is {_text(other)}, predicted is {_text(value)}"
    if predicted.concurrency != actual.concurrency:
        passed = len(conditions) + 1
        return passed, f"{load[0]} is {actual.concurrency}, predicted is {predicted.concurrency}"
    return len(conditions) + 2, ""


def differences(predicted: Point, actual: Point) -> tuple[str, ...]:
    """Why a pair is not like for like; empty where it is."""
    told = [why.format(p=predicted, a=actual) for so, why in _RULES if so(predicted, actual)]
    return (*told, *predicted.remarks, *actual.remarks)


def _versions_differ(predicted: Point, actual: Point) -> bool:
    one, two = predicted.engine_version, actual.engine_version
    return one is not None and two is not None and one != two


_RULES: tuple[tuple[Callable[[Point, Point], bool], str], ...] = (
    (
        lambda p, a: p.load != a.load,
        "a {p.load} load was predicted, and a {a.load} one measured",
    ),
    (
        lambda p, a: a.tool is not None and a.tool != _OUR_TOOL,
        "measured by {a.tool}: its figures contain its own delays",
    ),
    (
        _versions_differ,
        "engine version {p.engine_version} was predicted, and {a.engine_version} measured",
    ),
    (
        lambda p, a: a.lengths is not None and p.lengths != a.lengths,
        "lengths {a.lengths} were measured, and their means predicted",
    ),
    (
        lambda p, a: p.tpot_as != a.tpot_as,
        "one side states TPOT with the first token; both are compared without it and with it",
    ),
)


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
