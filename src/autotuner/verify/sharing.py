"""Observations as they may be given to others: model, device, engine, settings, figures.

Nothing is taken over but words that everyone knows (names of the catalogs, of engine files and of
number formats) and numbers. What cannot be said so is left out with the reason.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args, get_origin

from autotuner.catalog import known_gpu, known_model
from autotuner.catalog.gpus import CPU
from autotuner.config import GROUPS, content_id, engine_files
from autotuner.config.backends import BUILT_IN
from autotuner.engines import engine_table
from autotuner.measure import genai_bench, replay
from autotuner.predict import Observation
from autotuner.predict.observations import SHARED
from autotuner.verify.points import Excluded
from autotuner.verify.tools import (
    aiperf,
    guidellm,
    inference_perf,
    inferencex,
    llama_bench,
    llm_optimizer,
    sglang,
    vllm,
)

OTHER_TOOL = "other"
OWN_TOOL = "autotuner"
UNKNOWN_BASE = "unknown"
_NEVER_SHARED = frozenset(
    {
        *("runtime.ttft_target", "runtime.tpot_target"),
        *("system.total_gpus", "system.price_per_gpu_hour"),
    }
)
"""Fields of what a user aims at, has and pays: no figure depends on them."""
_RELEASE = re.compile(r"[vb]?\d+(\.\d+)*((rc|dev|post|a|b|\.dev|\.post)\d+)?")
_PREDICTOR = r"(aiconfigurator|aisimulate|roofline)(-\d+(\.(dev)?\d+)*)*"
_BASE = re.compile(rf"(mean of )?{_PREDICTOR}( and {_PREDICTOR})?(, else {_PREDICTOR})?")
_CPU = re.compile(
    r"(?:AMD|Intel|Apple|ARM|Ampere|Neoverse|Cortex)[\w()@.+ -]*, (\d{1,4}) cores", re.ASCII
)


@dataclass(frozen=True)
class Shared:
    """Observations to give away, and what of those asked for is kept back."""

    observations: tuple[Observation, ...]
    left_out: tuple[Excluded, ...]


def shared(observations: Sequence[Observation]) -> Shared:
    """The observations without anything private.

    Those of others keep their origin and licence.
    """
    clean: list[Observation] = []
    left: list[Excluded] = []
    launches: dict[str, list[int]] = defaultdict(list)
    for place, seen in enumerate(observations, start=1):
        try:
            found = _without_names(seen)
        except ValueError as error:
            left.append(Excluded(f"observation {place}", str(error)))
            continue
        launches[seen.launch].append(len(clean))
        clean.append(found)
    for places in launches.values():
        # Made of what is shared alone, so it leads back to nothing.
        name = content_id(sorted(_figures(clean[place]) for place in places), 12)
        for place in places:
            clean[place] = replace(clean[place], launch=name)
    return Shared(tuple(clean), tuple(left))


def _figures(seen: Observation) -> str:
    return content_id([seen.model, seen.engine, seen.device, dict(seen.settings), seen.mark], 12)


def _without_names(seen: Observation) -> Observation:
    """Raises ValueError where something of it is not known to everyone."""
    if seen.tool == replay.TOOL:
        raise ValueError("a replayed launch, which measured nothing")
    file = engine_files().get(seen.engine)
    if file is None or file.parent != BUILT_IN:
        raise ValueError("the engine is described in a file of your own")
    known = known_model(seen.model)
    if known is None:
        raise ValueError("the model is not in the catalog, so its name may be private")
    device = _device(seen.device)
    version = seen.engine_version
    return replace(
        seen,
        model=known.id,
        family=known.facts.architecture,
        engine_version=version if version and _RELEASE.fullmatch(version) else None,
        device=device,
        settings=_settings(seen, CPU if "," in device else device),
        base=seen.base if _BASE.fullmatch(seen.base) else UNKNOWN_BASE,
        tool=seen.tool if seen.tool in _TOOL_NAMES else OTHER_TOOL,
        # Whoever imports it asks predictors of their own.
        members={},
        source="",
        at=None,
        origin=seen.origin or SHARED,
    )


def _device(name: str) -> str:
    """The catalog's name; a CPU's own, which its maker gave it."""
    gpu = known_gpu(name)
    if gpu is not None and not gpu.is_cpu:
        return gpu.name
    if not _CPU.fullmatch(name):
        raise ValueError("the device is not in the catalog, so its name may be private")
    return name


def _settings(seen: Observation, device: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path, value in seen.settings.items():
        if value is None or path in _NEVER_SHARED:
            continue
        if path == "system.gpu_type":
            found[path] = device
        elif path == "system.backend":
            found[path] = seen.engine
        elif path == "system.backend_version":
            if isinstance(value, str) and _RELEASE.fullmatch(value):
                found[path] = value
        elif _is_public(seen.engine, path, value):
            found[path] = value
        else:
            raise ValueError(f"{_named(path)} holds words of your own")
    return found


def _is_public(engine: str, path: str, value: Any) -> bool:
    """Whether a value is a number, a truth value, or a word that the schema or the engine has."""
    group, _, name = path.partition(".")
    field = GROUPS[group].model_fields.get(name) if group in GROUPS else None
    if field is None:
        return False
    if isinstance(value, bool | int | float):
        return True
    return isinstance(value, str) and value in (_words(field.annotation) | _spoken(engine, path))


def _named(path: str) -> str:
    """The field, where it is one; another word may be private too."""
    group, _, name = path.partition(".")
    is_field = group in GROUPS and name in GROUPS[group].model_fields
    return path if is_field else "a setting"


def _words(annotation: Any) -> frozenset[str]:
    """The words of every `Literal` in a field's type."""
    if get_origin(annotation) is Literal:
        return frozenset(map(str, get_args(annotation)))
    return frozenset(word for inner in get_args(annotation) for word in _words(inner))


def _spoken(engine: str, path: str) -> frozenset[str]:
    """The words that an engine's own table lists for a field."""
    table = engine_table(engine)
    listed = {word for row in table.rows.get(path, ()) for word, _ in row.values}
    default = table.defaults.get(path)
    return frozenset(map(str, listed | ({default} if isinstance(default, str) else set())))


_TOOL_NAMES = frozenset(
    {
        *(OWN_TOOL, "published", genai_bench.TOOL, aiperf.NAME, guidellm.NAME, vllm.NAME),
        *(inference_perf.NAME, inferencex.NAME, llm_optimizer.NAME, sglang.NAME),
        *(llama_bench.NAME, llama_bench.BATCHED_NAME),
    }
)
