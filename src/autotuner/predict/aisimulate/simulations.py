"""Loads of candidates, simulated: what is kept is read, the rest is asked."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from autotuner.config import LoadKind, LoadLevel, content_id
from autotuner.predict.aisimulate.host import ProcessPool, Reply
from autotuner.predict.aisimulate.questions import (
    Arrivals,
    CandidateQuestion,
    Lengths,
    keeps_up,
    load_of,
    more_requests,
    requests_of,
)
from autotuner.predict.closed_loop import requests_in_flight
from autotuner.predict.prediction_cache import PredictionCache
from autotuner.predict.predictor import Scenario

LATENCIES = ("ttft_ms", "ttft_p90_ms", "ttft_p99_ms", "e2e_ms", "e2e_p90_ms", "e2e_p99_ms")
FAILED = "failed"
"""Why a level has no answer of AISimulate's, in place of `error`."""
Level = Mapping[str, Any]
"""The answer for one load: figures in ms, `way`, `data_version`; or `error`."""
Key = tuple[CandidateQuestion, LoadLevel]

_NO_FIGURES = "AISimulate: its answer has a load level without figures"


class Simulations:
    """Answers of one predictor.

    Args:
        name: the predictor's; what another says is not read.
        pool: the processes that answer.
        cache: folder for answers; None keeps none.
    """

    def __init__(
        self, name: str, pool: ProcessPool, cache: Path | None, arrivals: Arrivals
    ) -> None:
        self._name = name
        self._pool = pool
        self._files = PredictionCache(cache) if cache is not None else None
        self._arrivals = arrivals

    def levels(self, scenario: Scenario, asked: Iterable[Key]) -> dict[Key, Level]:
        """The answer for each question and load level.

        Raises:
            EngineError: no process can be started.
        """
        requests = {key: requests_of(key[1], scenario) for key in asked}
        found = self._answers(scenario, requests)
        longer = {
            key: more
            for key, answer in found.items()
            if key[1].kind is LoadKind.RATE and "error" not in answer
            if (more := more_requests(requests[key], _in_flight(key[1], answer)))
        }
        requests |= longer
        found |= self._answers(scenario, longer)
        return {key: _settled(key[1], answer, requests[key]) for key, answer in found.items()}

    def _answers(self, scenario: Scenario, requests: Mapping[Key, int]) -> dict[Key, Level]:
        loads = {
            key: load_of(key[1], Lengths.of(scenario, key[0].prefix), count, self._arrivals)
            for key, count in requests.items()
        }
        documents = {key: key[0].at(key[1]) for key in loads}
        entries = {key: content_id([documents[key], load], 24) for key, load in loads.items()}
        file = self._file(scenario)
        kept = self._files.read(file, _level) if self._files and loads else {}
        wanted: dict[str, dict[str, dict[str, Any]]] = {}
        for key, load in loads.items():
            if entries[key] not in kept:
                wanted.setdefault(documents[key], {})[entries[key]] = load
        questions = [
            {**json.loads(document), "loads": list(several.values())}
            for document, several in wanted.items()
        ]
        fresh: dict[str, Level] = {}
        failed: dict[str, Level] = {}
        replies = self._pool.answer_all(questions) if questions else []
        for several, reply in zip(wanted.values(), replies, strict=True):
            for entry, level in zip(several, _levels_of(reply, len(several)), strict=True):
                fault = _fault(level, several[entry]["request_count"], scenario.osl)
                if fault is None:
                    fresh[entry] = level
                else:
                    failed[entry] = {"error": fault}
        if self._files and fresh:
            self._files.write(file, {**kept, **fresh})
        answers = {**kept, **fresh, **failed}
        return {key: answers[entry] for key, entry in entries.items()}

    def _file(self, scenario: Scenario) -> str:
        place = (scenario.model, scenario.device, scenario.engine, scenario.engine_version)
        return content_id([self._name, *place, scenario.isl, scenario.osl], 16)


def _levels_of(reply: Reply | str, count: int) -> list[Level]:
    """The levels of a reply; the reason for each of them where there is none."""
    if isinstance(reply, str):
        return [{FAILED: reply}] * count
    levels = reply.get("levels")
    if not isinstance(levels, list) or len(levels) != count:
        return [{FAILED: "AISimulate: its answer lacks load levels"}] * count
    return [level if isinstance(level, dict) else {FAILED: _NO_FIGURES} for level in levels]


def _fault(level: Level, requests: int, osl: float) -> str | None:
    """Why a level is no answer that may be kept; None for figures, and where AISimulate refuses."""
    if FAILED in level:
        return str(level[FAILED])
    if "error" in level:
        return None
    done = level.get("completed")
    if done != requests:
        return (
            f"AISimulate answers {done or 0:g} of {requests} requests: prompt and answer need more "
            "than the KV cache or the longest sequence holds"
        )
    for name in (*LATENCIES, *(("tpot_ms",) if osl > 1 else ())):
        value = level.get(name)
        if not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
            return f"AISimulate answers {name} = {value}, which no engine can take"
    return None


def _in_flight(load: LoadLevel, level: Level) -> float:
    return requests_in_flight(load, level["e2e_ms"])


def _settled(load: LoadLevel, level: Level, requests: int) -> Level:
    """The level, or that requests come faster than they are answered."""
    if load.kind is not LoadKind.RATE or "error" in level:
        return level
    if keeps_up(requests, _in_flight(load, level)):
        return level
    return {"error": "saturated: requests come faster than they are answered"}


def _level(written: Any) -> Level:
    """A level as it is kept; raises TypeError where it is none."""
    return dict(**written)
