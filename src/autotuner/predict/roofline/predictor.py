"""Predicts any transformer on any catalogued device from bytes, FLOPs and a few shares of peaks.

`step` says how long a pass takes, `closed_loop` where a loop of users settles and
what waiting for a slot adds. The constants are few and the same for every model, and
the uncertainty says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from autotuner.catalog import GIVE_CONFIG
from autotuner.config import Candidate, LoadLevel
from autotuner.predict.closed_loop import Loop, e2e_ms, settle, tok_s, ttft_with_waiting_ms
from autotuner.predict.open_loop import concurrencies
from autotuner.predict.predictor import (
    CLOSED_LOOPS,
    OutOfMemory,
    Prediction,
    Predictions,
    Scenario,
    Support,
)
from autotuner.predict.roofline.layout import (
    machine_of,
    missing_facts,
    out_of_memory_of,
    room_of,
    step_tokens,
    work_of,
)
from autotuner.predict.roofline.parts import time_parts, with_unseen_steps, with_waiting
from autotuner.predict.roofline.rates import habits_of
from autotuner.predict.roofline.step import Batch, DeviceRates, PassParts, Work, pass_parts
from autotuner.predict.time_parts import TimeParts

ACCEPTANCE = 0.7
"""Assumed chance that a drafted token is accepted, given that the one before it was."""

ROUNDS = 10.0
"""Assumed requests of a user in a measured run, as many load generators send by default."""

TTFT_LOG_STD = 0.7
TPOT_LOG_STD = 0.35
WIDER: Mapping[str, float] = MappingProxyType(
    {"cpu": 0.4, "drafts": 0.3, "recurrent layers": 0.2, "several nodes": 0.2, "offloading": 0.4}
)
"""Log standard deviations of a plain case on GPUs, about what the public measurements that
`rates` names show, and what adds to them, in quadrature."""


_MEASURED_LATER = (
    ": the first task that starts here measures them within seconds, and so does "
    "`autotuner calibrate-device`"
)


class RooflinePredictor:
    """The predictor that always has an answer where sizes are known.

    Example:
        RooflinePredictor().predict(scenario, space.candidates, (1, 8, 64))
    """

    load_kinds = CLOSED_LOOPS

    @property
    def name(self) -> str:
        """Its number changes with its answers."""
        return "roofline-3"

    def supports(self, scenario: Scenario) -> Support:
        """Whether the model's sizes, the device's speed and the engine's habits are known."""
        gpu = scenario.gpu
        try:
            habits = habits_of(scenario.engine)
        except LookupError:
            return Support(False, f"engine {scenario.engine!r} is not known to it")
        if gpu.is_cpu and habits.cpu is None:
            return Support(False, f"{scenario.engine} does not run on a CPU")
        if not gpu.bandwidth_gb_s or not gpu.tflops:
            unknown = f"bandwidth or FLOP/s of {gpu.name} are not known"
            return Support(False, f"{unknown} yet{_MEASURED_LATER}" if gpu.is_cpu else unknown)
        if scenario.facts.is_blank:
            unknown = f"nothing is known of {scenario.model}, which is not in the catalog"
            return Support(False, f"{unknown}: {GIVE_CONFIG}")
        missing = missing_facts(scenario.facts)
        if missing:
            return Support(False, f"not known of {scenario.model}: {', '.join(missing)}")
        return Support(True, f"sizes of {scenario.model} and speed of {gpu.name} are known")

    def predict(
        self, scenario: Scenario, candidates: Sequence[Candidate], load_levels: Sequence[LoadLevel]
    ) -> Predictions:
        """One point for each candidate that fits and can be predicted, and each load level."""
        support = self.supports(scenario)
        points: list[Prediction] = []
        out_of_memory: dict[str, OutOfMemory] = {}
        refused: dict[str, str] = {}
        for candidate in candidates:
            why = refusal(candidate) if support else support.why
            if why is not None:
                refused[candidate.id] = why
            elif (memory := out_of_memory_of(scenario, candidate)) is not None:
                out_of_memory[candidate.id] = memory
            else:
                points.extend(self.points(scenario, candidate, concurrencies(load_levels)))
        return Predictions(self.name, tuple(points), out_of_memory, refused)

    def points(
        self, scenario: Scenario, candidate: Candidate, levels: Sequence[int]
    ) -> list[Prediction]:
        """The points of a candidate that is neither refused nor asked whether it fits."""
        room, replicas = room_of(scenario, candidate), _replicas(scenario, candidate)
        work, machine = work_of(scenario, candidate), machine_of(scenario, candidate)
        ttft_std, tpot_std = _log_stds(scenario, candidate)
        times: dict[tuple[float, float], TimeParts] = {}
        found = []
        for level in levels:
            users = max(level / replicas, 1.0)
            running = min(users, room.requests)
            rounds = ROUNDS
            if scenario.requests is not None:
                rounds = max(scenario.requests / min(level, running * replicas), 1.0)
            asked = (running, rounds)
            if asked not in times:
                times[asked] = _times_ms(scenario, candidate, work, machine, *asked)
            alone, osl = times[asked], scenario.osl
            alone_ms, tpot_ms = sum(alone.ttft_ms.values()), sum(alone.tpot_ms.values())
            ttft_ms = ttft_with_waiting_ms(users, room.requests, alone_ms, tpot_ms, osl)
            waiting = users > room.requests
            first = ttft_ms / e2e_ms(ttft_ms, tpot_ms, osl)
            found.append(
                Prediction(
                    candidate_id=candidate.id,
                    load=LoadLevel.concurrency(level),
                    ttft_ms=ttft_ms,
                    tpot_ms=tpot_ms,
                    tok_s=tok_s(level, ttft_ms, tpot_ms, osl),
                    devices=scenario.devices(candidate),
                    osl=osl,
                    ttft_log_std=ttft_std,
                    tpot_log_std=tpot_std,
                    # The errors of both have the same causes, so they are not averaged out.
                    tok_s_log_std=first * ttft_std + (1 - first) * tpot_std,
                    source=self.name,
                    memory_gib=room.memory_gib(running),
                    note=f"requests wait for {room.limit}" if waiting else "",
                    parts=with_waiting(alone, ttft_ms - alone_ms, osl),
                )
            )
        return found


def time_parts_of(
    scenario: Scenario, candidate: Candidate, load_levels: Sequence[LoadLevel]
) -> dict[LoadLevel, TimeParts]:
    """Where the time of a candidate goes at each level of a closed loop, whether it fits or not.

    Empty where the roofline does not know enough.
    """
    points = roofline_points(scenario, candidate, load_levels)
    return {load: point.parts for load, point in points.items() if point.parts is not None}


def roofline_points(
    scenario: Scenario, candidate: Candidate, load_levels: Sequence[LoadLevel]
) -> dict[LoadLevel, Prediction]:
    """The roofline's own points of a candidate at levels of a closed loop, whether it fits or not.

    Empty where the roofline does not know enough.
    """
    predictor = RooflinePredictor()
    closed = [level for level in load_levels if level.kind in predictor.load_kinds]
    if not predictor.supports(scenario) or refusal(candidate) is not None or not closed:
        return {}
    points = predictor.points(scenario, candidate, concurrencies(closed))
    return {point.load: point for point in points}


def tokens_per_step(drafted: int) -> float:
    """Expected tokens of a step that drafts so many: (1 - a^(n + 1)) / (1 - a).

    Y. Leviathan, M. Kalman, Y. Matias, "Fast Inference from Transformers via Speculative
    Decoding", ICML 2023, equation 1, with `ACCEPTANCE` for a.
    """
    return (1 - ACCEPTANCE ** (drafted + 1)) / (1 - ACCEPTANCE)


def _times_ms(
    scenario: Scenario,
    candidate: Candidate,
    work: Work,
    machine: DeviceRates,
    users: float,
    rounds: float,
) -> TimeParts:
    """TTFT and TPOT of one replica that serves `users` at a time."""
    habits, budget = habits_of(scenario.engine), step_tokens(scenario, candidate)
    drafted = int(scenario.value(candidate, "runtime.nextn") or 0)
    cached = 0.0 if candidate.attention.enable_prefix_caching is False else scenario.prefix
    prompt = max(scenario.isl - cached, 1.0)
    context, checked = scenario.isl + scenario.osl / 2, 1 + drafted
    # Users who start together end together again, a step apart at the most, as far as their outputs
    # are alike: those who decode while others' prompts are computed get few tokens.
    group = 1 + (users - 1) / (1 + scenario.osl_spread * scenario.osl)
    drafting = 1 + drafted / (scenario.facts.layers or 1)

    def decode(sequences: float) -> PassParts:
        batch = Batch(sequences=sequences, context=context, drafted=checked)
        return pass_parts(work, machine, batch)

    def prefill(prompts: float, sequences: float) -> PassParts:
        batch = Batch(
            prompt_tokens=min(prompts * prompt, budget),
            prompt_context=cached + prompt / 2,
            sequences=min(sequences, users - group) if habits.mixes else 0.0,
            context=context,
            drafted=checked,
        )
        return pass_parts(work, machine, batch)

    settled = settle(
        Loop(
            users=users,
            group=group,
            later_tokens=max(scenario.osl - 1, 0.0),
            tokens_per_step=tokens_per_step(drafted),
            mixes=habits.mixes,
            prompts_a_step=budget / prompt,
            decode_s=lambda sequences: drafting * sum(decode(sequences)),
            prompts_s=lambda prompts, sequences: (
                max(prompts * prompt / budget, 1.0) * sum(prefill(prompts, sequences))
            ),
            rounds=rounds,
        )
    )
    parts = time_parts(
        candidate,
        settled,
        decode=decode(settled.decoding),
        prefill=prefill(group, settled.decoding),
        request_ms=habits.request_ms,
    )
    unseen = scenario.steps_unseen(candidate) * tokens_per_step(drafted)
    return with_unseen_steps(parts, unseen)


def _replicas(scenario: Scenario, candidate: Candidate) -> int:
    """Batches that run at a time: data parallel ones, and one in each pipeline stage.

    A pipeline works on as many batches as it has stages; where there are fewer, stages idle (the
    bubble of Y. Huang et al., "GPipe", NeurIPS 2019).
    """
    if scenario.gpu.is_cpu:
        return 1
    data = scenario.width(candidate, "data_parallel")
    return data * scenario.width(candidate, "pipeline_parallel")


def refusal(candidate: Candidate) -> str | None:
    """Why the roofline cannot predict a candidate; None where it can."""
    if candidate.system.serving_mode == "disagg":
        return "system.serving_mode: disaggregated serving is not predicted by the roofline"
    if candidate.misc.speculative_algorithm or candidate.misc.speculative_draft_model:
        return "misc.speculative_algorithm: how many drafts are accepted is not known"
    return None


def _log_stds(scenario: Scenario, candidate: Candidate) -> tuple[float, float]:
    """Log standard deviations of TTFT and TPOT."""
    gpu = scenario.gpu
    holds = {
        "cpu": gpu.is_cpu,
        "drafts": bool(scenario.value(candidate, "runtime.nextn")),
        "recurrent layers": scenario.facts.attention == "hybrid",
        "several nodes": not gpu.is_cpu and scenario.devices(candidate) > gpu.linked_gpus,
        "offloading": bool(candidate.memory.cpu_offload_gb),
    }
    wider = [WIDER[name] for name, true in holds.items() if true]
    return math.hypot(TTFT_LOG_STD, *wider), math.hypot(TPOT_LOG_STD, *wider)
