"""Predicts with NVIDIA's AISimulate: the engine's scheduler simulated over measured kernels.

https://github.com/ai-dynamo/aisimulate, optional: `make aisimulate`, in an environment of its own.
Requests are simulated one by one, so waiting, chunks, room in the KV cache and the tails of
latencies are its own; throughput follows from the means by Little's law, as elsewhere: what a short
run completes per second counts its beginning and its end too.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from autotuner.config import Candidate, LoadLevel
from autotuner.errors import EngineError
from autotuner.predict.aiconfigurator.answers import Mode
from autotuner.predict.aiconfigurator.predictor import OTHER_FORMATS
from autotuner.predict.aiconfigurator.questions import (
    DRAFT_ACCEPTANCE,
    UnaskableError,
    accepted_tokens,
)
from autotuner.predict.aisimulate.host import ProcessPool, shared_pool
from autotuner.predict.aisimulate.installation import AISimulateInstallation, installed, usable
from autotuner.predict.aisimulate.questions import (
    Arrivals,
    CandidateQuestion,
    asked_names,
    question_of,
    simulated_engine,
)
from autotuner.predict.aisimulate.simulations import Level, Simulations
from autotuner.predict.closed_loop import tok_s_under
from autotuner.predict.predictor import (
    ANY_LOAD,
    OutOfMemory,
    Prediction,
    Predictions,
    Scenario,
    Support,
)

VERSION = 1
"""Of the translation here; raised where it changes what is predicted, so that caches notice."""

MODES: tuple[Mode, ...] = ("SILICON", "HYBRID", "EMPIRICAL")
"""Those that `auto` tries: a scheduler simulated at the speed of light foretells no engine's."""

WIDER: Mapping[Mode, float] = {"SILICON": 1.0, "HYBRID": 1.2, "EMPIRICAL": 1.4, "SOL": 2.0}
"""By how much other data than measured kernels is less sure, by judgement."""

_MEMORY = "no KV budget"
"""In its error where weights and activations leave no room for the KV cache."""


class AISimulatePredictor:
    """`Predictor` by simulation.

    Args:
        mode: of the data for its kernels; `auto` takes, for each candidate, the first that answers.
        cache: folder for answers; None keeps none.
        arrivals: how requests of a rate come.
        installation: which AISimulate; the one beside our environment where left out.
        pool: the processes that answer; warm ones of the installation where left out.
    """

    load_kinds = ANY_LOAD

    def __init__(
        self,
        mode: Mode | Literal["auto"] = "auto",
        cache: Path | None = None,
        arrivals: Arrivals = "constant",
        installation: AISimulateInstallation | None = None,
        pool: ProcessPool | None = None,
    ) -> None:
        self._modes: tuple[Mode, ...] = MODES if mode == "auto" else (mode,)
        self._cache = cache
        self._arrivals = arrivals
        self._installation = installation or installed()
        self._pool = pool

    @property
    def name(self) -> str:
        """`aisimulate-0.13.0-1`, with the mode where it is one, and with Poisson arrivals."""
        version = self._installation.version if self._installation else "missing"
        mode = "" if len(self._modes) > 1 else f"-{self._modes[0].lower()}"
        arrivals = "" if self._arrivals == "constant" else f"-{self._arrivals}"
        return f"aisimulate-{version}-{VERSION}{mode}{arrivals}"

    def supports(self, scenario: Scenario) -> Support:
        """Whether it knows model, device and engine. Starts nothing."""
        try:
            known = self._known()
            model, system = asked_names(scenario, known)
        except EngineError as problem:
            return Support(False, f"{problem.message}: {problem.remedy}")
        except UnaskableError as problem:
            return Support(False, str(problem))
        engine = scenario.engine
        return Support(True, f"AISimulate {known.version} knows {model} on {system} with {engine}")

    def predict(
        self, scenario: Scenario, candidates: Sequence[Candidate], load_levels: Sequence[LoadLevel]
    ) -> Predictions:
        """One point for each candidate and load level.

        Raises:
            EngineError: AISimulate is not installed, is of another version, or does not start.
        """
        known = self._known()
        levels = sorted(set(load_levels))
        asked: dict[str, CandidateQuestion] = {}
        refused: dict[str, str] = {}
        for candidate in candidates:
            try:
                asked[candidate.id] = question_of(scenario, candidate, known, self._modes)
            except UnaskableError as problem:
                refused[candidate.id] = str(problem)
        pool = self._pool or shared_pool(known.command)
        simulations = Simulations(self.name, pool, self._cache, self._arrivals)
        answers = simulations.levels(
            scenario, [(question, level) for question in asked.values() for level in levels]
        )
        points: list[Prediction] = []
        out_of_memory: dict[str, OutOfMemory] = {}
        for candidate in candidates:
            question = asked.get(candidate.id)
            if question is None:
                continue
            found = {level: answers[question, level] for level in levels}
            silent = {level: str(f["error"]) for level, f in found.items() if "error" in f}
            why = "; ".join(dict.fromkeys(silent.values()))
            own = [
                self._point(scenario, candidate, question, level, answer)
                for level, answer in found.items()
                if level not in silent
            ]
            if own:
                points += [_with_gap(point, silent, why) for point in own]
            elif _MEMORY in why:
                out_of_memory[candidate.id] = _out_of_memory(why)
            elif silent:
                refused[candidate.id] = why
        in_order = {c.id: refused[c.id] for c in candidates if c.id in refused}
        return Predictions(self.name, tuple(points), out_of_memory, in_order)

    def _known(self) -> AISimulateInstallation:
        return usable(self._installation)

    def _point(
        self,
        scenario: Scenario,
        candidate: Candidate,
        question: CandidateQuestion,
        load: LoadLevel,
        answer: Level,
    ) -> Prediction:
        way = question.ways[answer["way"]]
        tpot_ms = answer["tpot_ms"] if scenario.osl > 1 else None
        drafted = int(scenario.value(candidate, "runtime.nextn") or 0)
        step_ms = (1 + accepted_tokens(drafted)) * (tpot_ms or 0.0)
        unseen_ms = scenario.steps_unseen(candidate) * step_ms
        ttft_ms = answer["ttft_ms"] + unseen_ms
        log_std = simulated_engine(scenario).log_std
        ttft_std, tpot_std, tok_s_std = (WIDER[way.mode] * std for std in log_std)
        notes = []
        if way.own_formats:
            notes.append(OTHER_FORMATS)
        if drafted:
            share = 100 * DRAFT_ACCEPTANCE
            notes.append(f"takes it that {share:.0f} % of drafted tokens are accepted")
        return Prediction(
            candidate_id=candidate.id,
            load=load,
            ttft_ms=ttft_ms,
            tpot_ms=tpot_ms,
            tok_s=tok_s_under(load, ttft_ms, tpot_ms, scenario.osl),
            devices=scenario.devices(candidate),
            osl=scenario.osl,
            ttft_log_std=ttft_std,
            tpot_log_std=tpot_std,
            tok_s_log_std=tok_s_std,
            source=self._source(scenario, way.mode, answer["data_version"]),
            note="; ".join(notes),
            ttft_p90_ms=answer["ttft_p90_ms"] + unseen_ms,
            ttft_p99_ms=answer["ttft_p99_ms"] + unseen_ms,
            e2e_p90_ms=answer["e2e_p90_ms"] + unseen_ms,
            e2e_p99_ms=answer["e2e_p99_ms"] + unseen_ms,
            percentiles_from="the requests that AISimulate simulated",
        )

    def _source(self, scenario: Scenario, mode: Mode, version: str | None) -> str:
        asked = scenario.engine_version
        instead = f", the nearest to {asked}" if version and asked not in (None, version) else ""
        kernels = " ".join(filter(None, (scenario.engine, version)))
        known = self._known().version
        return f"aisimulate {known} {mode}: {kernels} on {scenario.gpu.name}{instead}"


def _with_gap(point: Prediction, silent: Mapping[LoadLevel, str], why: str) -> Prediction:
    """The point, with the levels that have none."""
    if not silent:
        return point
    gap = f"no answer at {', '.join(load.named for load in silent)}: {why}"
    return dataclasses.replace(point, note="; ".join(filter(None, (point.note, gap))))


def _out_of_memory(why: str) -> OutOfMemory:
    """Its error has what is taken beside the KV cache and what there is, in bytes."""
    taken, there = (
        int(found[1]) / 2**30 if found else None
        for found in (
            re.search(r"memory \((\d+) bytes\)", why),
            re.search(r"capacity=(\d+) bytes", why),
        )
    )
    if taken is None or there is None or taken <= there:
        return OutOfMemory("weights and activations leave no room for the KV cache in its share")
    return OutOfMemory("weights and activations are more than a GPU's memory", taken, there)
