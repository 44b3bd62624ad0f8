"""From a candidate and its load levels to what AISimulate is asked. Pure.

Layouts, formats and names are those of aiconfigurator, whose successor it is; what it adds is the
scheduler: slots, tokens of a step, chunks, room in the KV cache, and requests one by one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from autotuner.catalog import known_model
from autotuner.config import Candidate, LoadKind, LoadLevel
from autotuner.engines import AISimulateFile, engine_table
from autotuner.predict.aiconfigurator.answers import Attempt, Mode, attempts
from autotuner.predict.aiconfigurator.questions import (
    Layout,
    Question,
    UnaskableError,
    question,
)
from autotuner.predict.aisimulate.installation import AISimulateInstallation
from autotuner.predict.predictor import Scenario

Arrivals = Literal["constant", "poisson"]
"""How requests of a rate come: at equal distances, or independently of each other."""

ROUNDS = 10
"""Requests of a user of a closed loop: as many as public benchmarks send."""
LEAST_REQUESTS = 16
OPEN_REQUESTS, MOST_OPEN_REQUESTS = 256, 20_000
"""Requests of an open loop, at first and at the most."""
PER_IN_FLIGHT = 20
"""Requests of an open loop over those in flight at a time: fewer do not show whether it settles."""
SETTLED_PER_IN_FLIGHT = 12
"""The same, below which it has not settled: where requests come faster than they are answered,
those in flight grow with the run, (rate / answered per second - 1) / 2 of its requests."""
SEED = 42

_SEQUENCES = 4096
"""Slots where nothing limits them."""
_FORMATS = ("gemm", "kvcache", "fmha", "moe", "comm")
_CHUNK, _STEP = "attention.chunked_prefill_size", "scheduling.max_num_batched_tokens"
_SLOTS = "scheduling.max_running_requests"


@dataclass(frozen=True)
class CandidateQuestion:
    """A candidate in AISimulate's terms.

    Attributes:
        document: the question without its loads, as JSON; see `simulator_process`.
        any_slots: the same with as many slots as a rank can have, where they take no memory.
        slots: sequences of a rank.
        ways: the ways to ask, in the order of the document's.
        prefix: tokens of the prompts that are cached.
    """

    document: str
    any_slots: str
    slots: int
    ways: tuple[Attempt, ...]
    prefix: int

    def at(self, level: LoadLevel) -> str:
        """The document for a level, one and the same for all numbers of slots that it never fills.

        They are simulated alike to the last digit, which spares a third of the time where a task
        varies them.
        """
        free = level.kind is LoadKind.CONCURRENCY and level.value <= self.slots
        return self.any_slots if free else self.document


def question_of(
    scenario: Scenario, candidate: Candidate, known: AISimulateInstallation, modes: tuple[Mode, ...]
) -> CandidateQuestion:
    """The question about a candidate.

    Raises:
        UnaskableError: it has no counterpart in AISimulate.
    """
    if scenario.value(candidate, "system.serving_mode") == "disagg":
        raise UnaskableError("AISimulate is asked about aggregated serving only")
    model, system = asked_names(scenario, known)
    found = question(candidate, scenario, model, system)
    layout, ways = found.layout, attempts(modes, found.checkpoint_decides)
    carried = known_model(model) if model not in known.models else None
    slots = _slots(scenario, candidate, layout)
    shared = {
        "scheduler": _scheduler(scenario, candidate, layout),
        "ways": [{"database_mode": way.mode, **_formats(layout, way.own_formats)} for way in ways],
        "config": dict(carried.config) if carried and carried.config else None,
    }
    most = slots if _keeps_state(scenario) else max(slots, _SEQUENCES)
    document, any_slots = (
        json.dumps({"engine": _engine(scenario, candidate, found, count), **shared}, sort_keys=True)
        for count in (slots, most)
    )
    return CandidateQuestion(document, any_slots, slots, ways, layout.prefix)


def asked_names(scenario: Scenario, known: AISimulateInstallation) -> tuple[str, str]:
    """AISimulate's names of model and system.

    Raises:
        UnaskableError: it knows one of them not, or not with this engine.
    """
    engine = engine_table(scenario.engine).file.aiconfigurator
    if engine is None:
        raise UnaskableError(f"AISimulate does not know the engine {scenario.engine}")
    gpu = scenario.gpu
    system = next((name for name in (gpu.name, *gpu.aliases) if name in known.systems), None)
    if system is None:
        raise UnaskableError(
            f"AISimulate does not know the device {gpu.name}, but {_all(known.systems)}"
        )
    if engine.name not in known.systems[system]:
        there = _all(known.systems[system]) or "no engine"
        raise UnaskableError(f"AISimulate has no kernels of {engine.name} on {system}, but {there}")
    listed = known_model(scenario.model)
    names = (scenario.model, *(listed.names if listed else ()))
    model = next((name for name in names if name in known.models), None)
    if model is None and listed and listed.config:
        model = listed.id
    if model is None:
        raise UnaskableError(f"AISimulate does not know the model {scenario.model!r}")
    return model, system


def simulated_engine(scenario: Scenario) -> AISimulateFile:
    """The engine in AISimulate, as its file says.

    Raises:
        UnaskableError: it is none that AISimulate simulates.
    """
    found = engine_table(scenario.engine).file.aisimulate
    if found is None:
        raise UnaskableError(f"AISimulate does not know the engine {scenario.engine}")
    return found


def _engine(
    scenario: Scenario, candidate: Candidate, found: Question, slots: int
) -> dict[str, Any]:
    layout, value = found.layout, scenario.value
    parallelism = {
        "replicas": found.replicas,
        "tensor": layout.tp_size,
        "pipeline": layout.pp_size,
        "attention_data": layout.attention_dp_size,
        "moe_tensor": layout.moe_tp_size or 1,
        "moe_expert": layout.moe_ep_size or 1,
    }
    scheduler = {"max_sequences": slots}
    own = simulated_engine(scenario).options
    if not own and (step := _taken(scenario, candidate, _STEP)):
        scheduler["max_batched_tokens"] = int(step)
    worker = {
        "parallelism": parallelism,
        "scheduler": scheduler,
        "kv_cache": _kv_cache(scenario, candidate, layout),
    }
    longest = value(candidate, "memory.max_model_len")
    chunked = _taken(scenario, candidate, "attention.enable_chunked_prefill")
    return {
        "model": layout.model_path,
        "hardware": layout.system_name,
        "backend": layout.backend_name,
        "backend_version": layout.backend_version,
        "workers": {"aggregated": worker},
        **({"context_length": int(longest)} if longest else {}),
        **({"enable_chunked_prefill": bool(chunked)} if chunked is not None else {}),
        **(
            {"nextn": layout.nextn, "nextn_accepted": layout.nextn_accepted} if layout.nextn else {}
        ),
    }


def _scheduler(scenario: Scenario, candidate: Candidate, layout: Layout) -> dict[str, Any]:
    """Options that only its rank takes."""
    own = simulated_engine(scenario).options
    if not own:
        return {}
    options = {name: scenario.value(candidate, path) for path, name in own.items()}
    chunk = _taken(scenario, candidate, _CHUNK)
    if chunk is not None and _CHUNK in own:
        # Each rank of attention data parallelism takes its part of a chunk.
        options[own[_CHUNK]] = max(int(chunk) // layout.attention_dp_size, 1)
    found = {name: value for name, value in options.items() if value is not None}
    return {layout.backend_name: found}


def _kv_cache(scenario: Scenario, candidate: Candidate, layout: Layout) -> dict[str, Any]:
    value = scenario.value
    page, tokens = value(candidate, "memory.page_size"), value(candidate, "memory.max_total_tokens")
    cache: dict[str, Any] = {}
    if page is not None:
        cache["block_size"] = int(page)
    if tokens is not None:
        cache["block_size"] = block = int(page or simulated_engine(scenario).block_tokens)
        cache["capacity"] = {"type": "fixed", "blocks": max(int(tokens) // block, 1)}
    elif layout.free_gpu_memory_fraction is not None:
        cache["capacity"] = {"memory_fraction": float(layout.free_gpu_memory_fraction)}
    if value(candidate, "attention.enable_prefix_caching") is False:
        cache["prefix_caching"] = False
    return cache


def _keeps_state(scenario: Scenario) -> bool:
    """Whether each slot may take memory beside the keys and values of its tokens: AISimulate sizes
    the KV cache by that, for some models with linear or compressed attention."""
    return scenario.facts.attention not in ("gqa", "mla") or scenario.facts.state_bytes > 0


def _slots(scenario: Scenario, candidate: Candidate, layout: Layout) -> int:
    """Sequences of one rank."""
    running = _taken(scenario, candidate, _SLOTS)
    if running is None:
        return _SEQUENCES
    file = engine_table(scenario.engine).file.aiconfigurator
    shared = layout.attention_dp_size if file and file.shares_running_requests else 1
    return max(int(running) // shared, 1)


def _taken(scenario: Scenario, candidate: Candidate, path: str) -> Any:
    """A value as it is set, else what the engine takes on this GPU."""
    found = scenario.value(candidate, path)
    if found is not None:
        return found
    gpu = scenario.gpu
    return engine_table(scenario.engine).taken(gpu.name, gpu.memory_gib).get(path)


def _formats(layout: Layout, own: bool) -> dict[str, str]:
    layout = layout.in_own_formats() if own else layout
    found = {f"{name}_quant_mode": getattr(layout, f"{name}_quant_mode") for name in _FORMATS}
    # What one way leaves out must not stay from another.
    return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True)
class Lengths:
    """Largest tokens of prompt and answer, and the share of them that the smallest are.

    Lengths are drawn evenly from there to there, both with the mean and the relative spread of the
    scenario's: it says one spread, that of answers.
    """

    largest_input: int
    largest_output: int
    smallest_share: float
    prefix: int

    @classmethod
    def of(cls, scenario: Scenario, prefix: int) -> Lengths:
        """Lengths of the requests of a scenario."""
        half = math.sqrt(3) * scenario.osl_spread
        share = max((1 - half) / (1 + half), 1 / scenario.isl, 1 / scenario.osl)
        share = min(share, 1.0)
        largest = [max(round(2 * mean / (1 + share)), 1) for mean in (scenario.isl, scenario.osl)]
        return cls(largest[0], largest[1], share, min(prefix, int(largest[0] * share) - 1))


def load_of(
    level: LoadLevel, lengths: Lengths, requests: int, arrivals: Arrivals
) -> dict[str, Any]:
    """The workload of a level, in the words of AISimulate's replay."""
    workload: dict[str, Any] = {
        "isl": lengths.largest_input,
        "osl": lengths.largest_output,
        "request_count": requests,
        "random_range_ratio": lengths.smallest_share,
        "random_seed": SEED,
        "cached_prefix_tokens": max(lengths.prefix, 0),
    }
    if level.kind is LoadKind.CONCURRENCY:
        return workload | {"concurrency": int(level.value)}
    if arrivals == "poisson":
        return workload | {"request_rate": level.value, "arrival_seed": SEED}
    return workload | {"arrival_interval_ms": 1000 / level.value}


def requests_of(level: LoadLevel, scenario: Scenario) -> int:
    """Requests that are simulated at a level."""
    if level.kind is LoadKind.RATE:
        return OPEN_REQUESTS
    return scenario.requests or max(ROUNDS * int(level.value), LEAST_REQUESTS)


def more_requests(requests: int, in_flight: float) -> int | None:
    """Requests with which an open loop is simulated again; None where it was long enough."""
    wanted = min(math.ceil(PER_IN_FLIGHT * in_flight), MOST_OPEN_REQUESTS)
    return wanted if wanted > requests else None


def keeps_up(requests: int, in_flight: float) -> bool:
    """Whether an open loop of so many requests has settled."""
    return SETTLED_PER_IN_FLIGHT * in_flight <= requests


def _all(names: Collection[str]) -> str:
    return ", ".join(sorted(names))
