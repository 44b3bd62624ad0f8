"""Predicts with NVIDIA's aiconfigurator: kernels measured on GPUs, put together layer by layer.

https://github.com/ai-dynamo/aiconfigurator, optional: the extra `aiconfigurator`, loaded when used.
TTFT and TPOT are its own; throughput follows from them by Little's law, which holds in any closed
loop. Its own throughput is within 3 % of that for 98 of 100 measured rows that it carries; where it
is far below, prompts come faster than they are prefilled: it counts the steps of that, its TTFT
leaves it out, and Little's law puts it back (on 11 rows, the median error of throughput goes from a
factor of 2.1 to one of 1.1).

The one kind of data that aiconfigurator answers from for all candidates that are compared.

Its modes differ by more than layouts do: the speed of light is faster than anything measured. Where
one candidate is answered from measured kernels and its rival from formulas, the rival looks better
for that alone. So what has no measured kernels is asked first, and all are asked as it is.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from autotuner.config import Candidate, LoadLevel
from autotuner.predict.aiconfigurator import host, installation
from autotuner.predict.aiconfigurator.answers import (
    LOG_STD,
    MODES,
    Answer,
    Mode,
    NoRoom,
    Outcome,
    Refusal,
    attempts,
)
from autotuner.predict.aiconfigurator.cache import Asked, OutcomeCache
from autotuner.predict.aiconfigurator.disagg import DisaggWorkers, disagg_estimate
from autotuner.predict.aiconfigurator.questions import (
    DRAFT_ACCEPTANCE,
    Layout,
    Question,
    UnaskableError,
    asked_names,
    question,
    source,
)
from autotuner.predict.closed_loop import tok_s, ttft_at_rate_ms, ttft_with_waiting_ms
from autotuner.predict.open_loop import concurrencies
from autotuner.predict.predictor import (
    CLOSED_LOOPS,
    OutOfMemory,
    Prediction,
    Predictions,
    Scenario,
    Support,
)

VERSION = 1
"""Of the translation here; raised where it changes what is predicted, so that caches notice."""

PREFILL_BOUND = 0.95
"""Share of Little's law below which its own throughput says that prefill cannot follow."""

OTHER_FORMATS = "in the checkpoint's own formats: those asked for were not measured"
"""Note of a point that is not for the number formats asked for."""

Verdict = tuple[Prediction, ...] | OutOfMemory | Refusal


class AiconfiguratorPredictor:
    """`Predictor` out of aiconfigurator's databases.

    Args:
        mode: of its modes; `auto` takes, for each question, the first that answers.
        first: the mode that `auto` begins with; those before it are not asked.
        cache: folder for answers; None keeps none.
        workers: processes; `auto` takes as many as pay.
    """

    load_kinds = CLOSED_LOOPS

    def __init__(
        self,
        mode: Mode | Literal["auto"] = "auto",
        cache: Path | None = None,
        workers: int | Literal["auto"] = "auto",
        first: Mode = MODES[0],
    ) -> None:
        begun = MODES[MODES.index(first) :]
        self._modes: tuple[Mode, ...] = begun if mode == "auto" else (mode,)
        self._cache = OutcomeCache(cache) if cache is not None else None
        self._workers = None if workers == "auto" else workers

    @property
    def name(self) -> str:
        """`aiconfigurator-0.12.0-1`, with the mode where it is one."""
        begun = "-from" if len(self._modes) > 1 else ""
        mode = "" if self._modes == MODES else f"{begun}-{self._modes[0].lower()}"
        return f"aiconfigurator-{installation.installed_version() or 'missing'}-{VERSION}{mode}"

    def supports(self, scenario: Scenario) -> Support:
        """Whether it knows model, device and engine. Imports nothing of it."""
        version = installation.installed_version()
        if version is None:
            return Support(False, f"aiconfigurator is not installed: {installation.INSTALL}")
        try:
            model, system = asked_names(scenario)
        except UnaskableError as problem:
            return Support(False, str(problem))
        return Support(
            True, f"aiconfigurator {version} knows {model} on {system} with {scenario.engine}"
        )

    def predict(
        self, scenario: Scenario, candidates: Sequence[Candidate], load_levels: Sequence[LoadLevel]
    ) -> Predictions:
        """One point for each candidate and load level.

        Raises:
            EngineError: aiconfigurator is not installed.
        """
        installation.require_installed()
        levels = concurrencies(load_levels)
        asked = [(candidate, _question(scenario, candidate)) for candidate in candidates]
        questions = [
            found
            for candidate, found in asked
            if isinstance(found, Question) and not _is_disagg(scenario, candidate)
        ]
        outcomes = self._outcomes(questions, levels)
        points: list[Prediction] = []
        out_of_memory: dict[str, OutOfMemory] = {}
        refused: dict[str, str] = {}
        for candidate, found in asked:
            verdict = self._verdict(scenario, candidate, found, levels, outcomes)
            if isinstance(verdict, OutOfMemory):
                out_of_memory[candidate.id] = verdict
            elif isinstance(verdict, Refusal):
                refused[candidate.id] = verdict.why
            else:
                points.extend(verdict)
        return Predictions(self.name, tuple(points), out_of_memory, refused)

    def modes(self, scenario: Scenario, candidates: Sequence[Candidate]) -> dict[str, Mode]:
        """Candidate -> the mode that answers one request of it; without those that none answers."""
        asked = [(candidate, _question(scenario, candidate)) for candidate in candidates]
        served = {
            candidate.id: found
            for candidate, found in asked
            if isinstance(found, Question) and not _is_disagg(scenario, candidate)
        }
        outcomes = self._outcomes(list(served.values()), [1])
        answers = {key: outcomes[_asked(found, 1)] for key, found in served.items()}
        return {key: each.mode for key, each in answers.items() if isinstance(each, Answer)}

    def _outcomes(
        self, questions: Sequence[Question], levels: Sequence[int]
    ) -> dict[Asked, Outcome]:
        """The outcome of each batch of each layout, asked once for all candidates that need it."""
        wanted: dict[Asked, None] = {}
        for each in questions:
            wanted |= dict.fromkeys(_asked(each, level) for level in levels)
        name = self.name
        kept = self._cache.read(name, wanted) if self._cache and wanted else {}
        batches: dict[tuple[Layout, bool], list[int]] = {}
        for layout, decides, batch in wanted:
            if (layout, decides, batch) not in kept:
                batches.setdefault((layout, decides), []).append(batch)
        jobs = [
            host.LayoutJob(layout, attempts(self._modes, decides), tuple(sorted(sizes)))
            for (layout, decides), sizes in batches.items()
        ]
        fresh: dict[Asked, Outcome] = {}
        answers = host.answer_all(jobs, self._workers) if jobs else []
        for (layout, decides), job, found in zip(batches, jobs, answers, strict=True):
            fresh |= {
                (layout, decides, batch): outcome
                for batch, outcome in zip(job.batches, found, strict=True)
            }
        if self._cache and fresh:
            self._cache.add(name, fresh)
        return kept | fresh

    def _verdict(
        self,
        scenario: Scenario,
        candidate: Candidate,
        found: Question | Refusal,
        levels: Sequence[int],
        outcomes: dict[Asked, Outcome],
    ) -> Verdict:
        """The points of one candidate, or why there are none."""
        if isinstance(found, Refusal):
            return found
        if _is_disagg(scenario, candidate):
            return _disagg(scenario, candidate, found, levels, self._modes)
        points: list[Prediction] = []
        silent: dict[int, str] = {}
        for level in levels:
            outcome = outcomes[_asked(found, level)]
            if isinstance(outcome, NoRoom):
                return _out_of_memory(outcome)
            if isinstance(outcome, Refusal):
                silent[level] = outcome.why
            else:
                points.append(_point(scenario, candidate, found, level, outcome))
        return _with_gaps(points, silent)


def _question(scenario: Scenario, candidate: Candidate) -> Question | Refusal:
    try:
        return question(candidate, scenario, *asked_names(scenario))
    except UnaskableError as problem:
        return Refusal(str(problem))


def _is_disagg(scenario: Scenario, candidate: Candidate) -> bool:
    return bool(scenario.value(candidate, "system.serving_mode") == "disagg")


def _asked(found: Question, level: int) -> Asked:
    return found.layout, found.checkpoint_decides, found.batch(level)


def _point(
    scenario: Scenario, candidate: Candidate, found: Question, level: int, answer: Answer
) -> Prediction:
    """An answer for one replica as a point of the whole deployment."""
    in_flight, slots = found.in_flight(level), answer.batch * found.requests_per_batch
    if found.slots is not None:
        slots = min(slots, found.slots)
    served, osl = min(in_flight, slots), scenario.osl
    ttft_ms, tpot_ms = answer.ttft_ms, answer.tpot_ms
    notes = []
    if answer.requests_s < PREFILL_BOUND * tok_s(served, ttft_ms, tpot_ms, osl) / osl:
        ttft_ms = ttft_at_rate_ms(served, answer.requests_s, tpot_ms, osl)
        notes.append("prompts come faster than they are prefilled, and wait")
    if in_flight > slots:
        by = "memory" if answer.batch < found.batch(level) else "its own limit"
        notes.append(f"{slots} requests are served at a time by {by}, the rest waits")
    if answer.own_formats:
        notes.append(OTHER_FORMATS)
    if found.layout.nextn:
        notes.append(f"takes it that {100 * DRAFT_ACCEPTANCE:.0f} % of drafted tokens are accepted")
    ttft_ms = ttft_with_waiting_ms(in_flight, slots, ttft_ms, tpot_ms, osl)
    step_ms = (1 + (found.layout.nextn_accepted or 0.0)) * tpot_ms
    ttft_ms += scenario.steps_unseen(candidate) * step_ms
    ttft_std, tpot_std, tok_s_std = LOG_STD[answer.mode]
    return Prediction(
        candidate_id=candidate.id,
        load=LoadLevel.concurrency(level),
        ttft_ms=ttft_ms,
        tpot_ms=tpot_ms,
        tok_s=tok_s(level, ttft_ms, tpot_ms, osl),
        devices=scenario.devices(candidate),
        osl=osl,
        ttft_log_std=ttft_std,
        tpot_log_std=tpot_std,
        tok_s_log_std=tok_s_std,
        source=source(scenario, answer.version, answer.mode),
        memory_gib=answer.memory_gib,
        note=_joined(*notes),
    )


def _with_gaps(points: Sequence[Prediction], silent: Mapping[int, str]) -> Verdict:
    """The points, with a note of the levels that have none; a refusal where no level has one."""
    if not silent:
        return tuple(points)
    why = "; ".join(dict.fromkeys(silent.values()))
    if not points:
        return Refusal(why)
    gap = f"no answer at a concurrency of {', '.join(map(str, silent))}: {why}"
    return tuple(dataclasses.replace(point, note=_joined(point.note, gap)) for point in points)


def _out_of_memory(found: NoRoom) -> OutOfMemory:
    if found.needed_gib >= found.available_gib:
        why = "weights, activations and one request are more than a GPU's memory"
    else:
        why = "the share of a GPU's memory (mem_fraction_static) does not hold one request"
    return OutOfMemory(why, found.needed_gib, found.available_gib)


def _disagg(
    scenario: Scenario,
    candidate: Candidate,
    found: Question,
    levels: Sequence[int],
    modes: Sequence[Mode],
) -> Verdict:
    """One prefill and one decode worker, both in the candidate's layout: it has no second one."""
    points = []
    pair = "one prefill and one decode worker, both in this layout"
    for level in levels:
        sides = DisaggWorkers(candidate, 1), DisaggWorkers(candidate, found.batch(level))
        users = math.ceil(found.in_flight(level))
        one = disagg_estimate(scenario, *sides, users, modes)
        if not isinstance(one, Prediction):
            return one
        points.append(
            dataclasses.replace(
                one,
                load=LoadLevel.concurrency(level),
                devices=one.devices * found.replicas,
                tok_s=tok_s(level, one.ttft_ms, one.tpot_ms, scenario.osl),
                note=_joined(pair, one.note),
            )
        )
    return tuple(points)


def _joined(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


Compared = Sequence[tuple[Scenario, Sequence[Candidate]]]
"""Candidates that are compared with each other, by their circumstances."""
_EACH = 3
"""Candidates of equal number formats that are asked: of the fewest GPUs, the most, and between."""


def common_mode(predictor: AiconfiguratorPredictor, compared: Compared) -> tuple[Mode, str]:
    """The first mode in which every combination of number formats is answered, and why.

    What decides it are formats and drafting: kernels are measured for them or not. Layouts of equal
    formats are represented by a few. The reason is empty where measured kernels answer all.
    """
    modes: dict[str, Mode] = {}
    for scenario, candidates in compared:
        for formats, alike in _by_formats(candidates).items():
            found = predictor.modes(scenario, _some(alike)).values()
            if found:
                weakest = max(found, key=MODES.index)
                modes[formats] = max(modes.get(formats, weakest), weakest, key=MODES.index)
    common = max(modes.values(), key=MODES.index, default=MODES[0])
    if common == MODES[0]:
        return common, ""
    lacking = [formats for formats, mode in modes.items() if mode != MODES[0]]
    why = (
        f"all are answered from {common}, so that they compare: "
        f"{len(lacking)} of {len(modes)} combinations of number formats have no measured kernels "
        f"({lacking[0] or 'the defaults'}); prediction.mode chooses another"
    )
    return common, why


def _by_formats(candidates: Sequence[Candidate]) -> Mapping[str, list[Candidate]]:
    groups: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        formats = candidate.quantization.model_dump(exclude_none=True) | {
            name: value for name, value in (("nextn", candidate.runtime.nextn),) if value
        }
        groups.setdefault(" ".join(f"{k}={v}" for k, v in formats.items()), []).append(candidate)
    return groups


def _some(alike: Sequence[Candidate]) -> list[Candidate]:
    ranked = sorted(alike, key=lambda candidate: candidate.gpus)
    places = {round(share * (len(ranked) - 1) / (_EACH - 1)) for share in range(_EACH)}
    return [ranked[place] for place in sorted(places)]
