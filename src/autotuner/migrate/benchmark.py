"""v1's `optimization`, `benchmark` and `slo`: how to search and measure, in v2's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from autotuner.config import Benchmark, LengthDistribution, Slo, UnfitError, accepted
from autotuner.config.optimization import BudgetConfig
from autotuner.migrate.draft import Done, Draft
from autotuner.migrate.values import distinct, listed, stored_text

OPTIMIZATION, BENCHMARK, SLO = "optimization", "benchmark", "slo"
SCENARIOS = "traffic_scenarios"
STRATEGIES = {
    "grid_search": "grid",
    "grid": "grid",
    "random": "random",
    "random_search": "random",
    "bayesian": "bayesian",
}
OBJECTIVES = {
    "minimize_latency": ["e2e_p90_ms"],
    "maximize_throughput": ["tok_s"],
    "minimize_ttft": ["ttft_ms"],
    "minimize_tpot": ["tpot_ms"],
    "balanced": ["tok_s", "e2e_p90_ms"],
}
"""v1's objective -> what the search goes by in v2; v1's score is kept beside it."""
DEFAULTS: dict[str, dict[str, tuple[str, Any]]] = {
    OPTIMIZATION: {
        "strategy": ("optimization.strategy", "grid"),
        "objective": ("optimization.objectives", ["e2e_p90_ms"]),
        "max_iterations": ("optimization.budget.experiments", 100),
    },
    BENCHMARK: {
        SCENARIOS: ("benchmark.workload", "D(100,100)"),
        "num_concurrency": ("benchmark.concurrency", [1]),
        "max_time_per_iteration": ("benchmark.duration_per_level_s", 600.0),
        "max_requests_per_iteration": ("benchmark.requests_per_level", 50),
    },
}
"""Section -> key -> what v1 took where a task leaves it out, as v2 says it."""
_ALWAYS_SENT = (("temperature", 0), ("ignore_eos", True))
_MINUTE_S, _SECOND_MS = 60.0, 1000.0
_EMPTY: tuple[Any, ...] = (None, [])
Rule = Callable[[Draft, tuple[str, ...], Any], None]


def add_optimization(draft: Draft, written: Mapping[str, Any]) -> None:
    """Adds strategy, objective and budget; v1 launched the candidates of its grid alone."""
    draft.put("optimization.baseline", "none")
    draft.put("optimization.confirm", 0)
    _by_rule(draft, OPTIMIZATION, written, _OPTIMIZATION)


def add_benchmark(draft: Draft, written: Mapping[str, Any]) -> None:
    """Adds workload and load levels.

    The load generator is ours: it needs nothing installed. Every level is measured, since v1's
    figures are means over all of them.
    """
    draft.put("benchmark.cut_short", False)
    _by_rule(draft, BENCHMARK, written, _BENCHMARK)


def add_slo(draft: Draft, written: Mapping[str, Any]) -> None:
    """Adds the limits that v2 knows; v1's weights stay beside, for v1's score."""
    for key, limit in written.items():
        if limit is None or limit == {}:
            draft.note((SLO, key), Done.EMPTY, "sets nothing")
        elif key == "latency" and isinstance(limit, dict):
            for name, threshold in limit.items():
                field = "e2e_p90_ms" if name == "p90" else None
                _add_limit(draft, (SLO, key, str(name)), threshold, field)
        elif key in ("ttft", "tpot"):
            _add_limit(draft, (SLO, key), limit, f"{key}_ms")
        else:
            draft.keep((SLO, key), limit, Done.KEPT, "used for v1's score")


def _by_rule(
    draft: Draft, section: str, written: Mapping[str, Any], rules: Mapping[str, Rule]
) -> None:
    for key, (place, default) in DEFAULTS[section].items():
        draft.put(place, default)
        if written.get(key) in _EMPTY:
            text = f"left out: v1's default, {place} {default}"
            draft.note((section, key), Done.TRANSLATED, text)
    for key, value in written.items():
        path = (section, key)
        rule = rules.get(key)
        if rule is None:
            draft.keep(path, value, Done.KEPT, "v2 has no place for it")
        elif value not in _EMPTY:
            try:
                rule(draft, path, value)
            except UnfitError as unfit:
                draft.keep(path, value, Done.LOST, str(unfit))
        elif key not in DEFAULTS[section]:
            draft.note(path, Done.EMPTY, "sets nothing")


def _strategy(draft: Draft, path: tuple[str, ...], value: Any) -> None:
    _named(draft, path, value, STRATEGIES, "optimization.strategy")


def _objective(draft: Draft, path: tuple[str, ...], value: Any) -> None:
    _named(draft, path, value, OBJECTIVES, "optimization.objectives")


def _named(
    draft: Draft, path: tuple[str, ...], value: Any, known: Mapping[str, Any], place: str
) -> None:
    found = known.get(value) if isinstance(value, str) else None
    if found is None:
        raise UnfitError(f"{value!r} is unknown; known: {', '.join(known)}")
    draft.put(place, found)
    text = ", ".join(found) if isinstance(found, list) else found
    draft.note(path, Done.TRANSLATED, f"{place}: {text}")


def _iterations(draft: Draft, path: tuple[str, ...], value: Any) -> None:
    draft.put("optimization.budget.experiments", accepted(BudgetConfig, "experiments", value))
    draft.note(path, Done.TRANSLATED, "optimization.budget.experiments")


def _timeout(draft: Draft, path: tuple[str, ...], value: Any) -> None:
    place = "benchmark.ready_timeout_s"
    draft.put(place, accepted(Benchmark, "ready_timeout_s", value))
    text = f"{place}: the time in which an engine has to be ready; each level has its own limit"
    draft.note(path, Done.CHANGED, text)


def _only_random(draft: Draft, path: tuple[str, ...], value: Any) -> None:
    text = "v2's bayesian strategy decides itself how many launches it begins with"
    draft.keep(path, value, Done.KEPT, text)


def _kind(draft: Draft, path: tuple[str, ...], value: Any) -> None:
    if value != "text-to-text":
        raise UnfitError("only text-to-text is measured")
    draft.note(path, Done.TRANSLATED, "what is measured always")


def _model_name(draft: Draft, path: tuple[str, ...], value: Any) -> None:
    if not isinstance(value, str) or not value:
        raise UnfitError("it is no name")
    draft.put("model.served_name", stored_text(value))
    draft.note(path, Done.TRANSLATED, "model.served_name")


def _tokenizer(draft: Draft, path: tuple[str, ...], value: Any) -> None:
    text = "lengths are counted by the engine's own tokenizer"
    draft.keep(path, value, Done.KEPT, text)


def _scenarios(draft: Draft, path: tuple[str, ...], value: Any) -> None:
    scenarios = distinct(listed(value))
    try:
        first = str(LengthDistribution.parse(str(scenarios[0])))
    except ValueError as error:
        raise UnfitError(
            str(error).removeprefix("1 validation error for LengthDistribution")
        ) from None
    draft.put("benchmark.workload", first)
    if len(scenarios) == 1:
        draft.note(path, Done.TRANSLATED, "benchmark.workload")
        return
    others = ", ".join(str(scenario) for scenario in scenarios[1:])
    text = f"a v2 task has one workload, benchmark.workload, here {first}: "
    text += f"each of the others ({others}) needs a task of its own"
    draft.keep(path, value, Done.CHANGED, text)


def _concurrency(draft: Draft, path: tuple[str, ...], value: Any) -> None:
    levels = [accepted(Benchmark, "requests_per_level", level) for level in listed(value)]
    draft.put("benchmark.concurrency", distinct(levels))
    draft.note(path, Done.TRANSLATED, "benchmark.concurrency")


def _minutes(draft: Draft, path: tuple[str, ...], value: Any) -> None:
    minutes = accepted(Benchmark, "duration_per_level_s", value)
    draft.put("benchmark.duration_per_level_s", minutes * _MINUTE_S)
    draft.note(path, Done.TRANSLATED, "benchmark.duration_per_level_s, in seconds")


def _requests(draft: Draft, path: tuple[str, ...], value: Any) -> None:
    draft.put("benchmark.requests_per_level", accepted(Benchmark, "requests_per_level", value))
    draft.note(path, Done.TRANSLATED, "benchmark.requests_per_level")


def _additional(draft: Draft, path: tuple[str, ...], value: Any) -> None:
    if not isinstance(value, dict):
        raise UnfitError("it is a mapping")
    if not value:
        draft.note(path, Done.EMPTY, "sets nothing")
    for key, field in value.items():
        if (key, field) in _ALWAYS_SENT:
            draft.note((*path, key), Done.TRANSLATED, "sent with every request")
        else:
            text = "requests are sent with temperature 0, to their full length, and no more"
            draft.keep((*path, key), field, Done.CHANGED, text)


_OPTIMIZATION: dict[str, Rule] = {
    "strategy": _strategy,
    "objective": _objective,
    "max_iterations": _iterations,
    "timeout_per_iteration": _timeout,
    "n_initial_random": _only_random,
}
_BENCHMARK: dict[str, Rule] = {
    "task": _kind,
    "model_name": _model_name,
    "model_tokenizer": _tokenizer,
    SCENARIOS: _scenarios,
    "num_concurrency": _concurrency,
    "max_time_per_iteration": _minutes,
    "max_requests_per_iteration": _requests,
    "additional_params": _additional,
}


def _add_limit(draft: Draft, path: tuple[str, ...], limit: Any, field: str | None) -> None:
    if not isinstance(limit, dict) or not limit:
        draft.keep(path, limit, Done.KEPT, "not in v1's form {threshold, weight …}")
        return
    for key, value in limit.items():
        place = (*path, str(key))
        if key != "threshold" or field is None:
            draft.keep(place, value, Done.KEPT, "used for v1's score")
            continue
        try:
            limit_ms = accepted(Slo, field, value) * _SECOND_MS
            draft.put(f"slo.{field}", accepted(Slo, field, limit_ms))
        except UnfitError as unfit:
            draft.keep(place, value, Done.KEPT, f"slo.{field} cannot say it: {unfit}")
        else:
            draft.note(place, Done.TRANSLATED, f"slo.{field}, in milliseconds")
