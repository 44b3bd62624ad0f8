"""Problems of a v2 task in the words of the v1 task that it was made of. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from autotuner.config import flag_of
from autotuner.errors import Problem
from autotuner.migrate.draft import EXTRA_ARGS, PARAMETERS, TriedValue
from autotuner.migrate.flags import plain

_KEYS = {
    "name": "task_name",
    "model.id": "model.id_or_path",
    "model.path": "model.id_or_path",
    "model.served_name": "benchmark.model_name",
    "system.backend": "base_runtime",
    "system.backend_version": "runtime_image_tag",
    "benchmark.workload": "benchmark.traffic_scenarios",
    "benchmark.concurrency": "benchmark.num_concurrency",
    "benchmark.load": "benchmark.num_concurrency",
    "benchmark.duration_per_level_s": "benchmark.max_time_per_iteration",
    "benchmark.requests_per_level": "benchmark.max_requests_per_iteration",
    "benchmark.ready_timeout_s": "optimization.timeout_per_iteration",
    "optimization.objectives": "optimization.objective",
    "optimization.budget.experiments": "optimization.max_iterations",
    "slo.ttft_ms": "slo.ttft.threshold",
    "slo.tpot_ms": "slo.tpot.threshold",
    "slo.e2e_p90_ms": "slo.latency.p90.threshold",
}
"""Field of a v2 task -> the key of a v1 task that says it."""
_OF_SEVERAL = re.compile(r"^combinations\[\d+\]\.|\[\d+\]$")
_FIRST_WORD = re.compile(r"'([^']*)'")


def in_v1_words(problems: Iterable[Problem], points: Iterable[TriedValue]) -> tuple[Problem, ...]:
    """The same problems, each at the key of the v1 task that it comes from.

    Args:
        points: of the translation: they tell which key says a field or a flag.
    """
    tried = tuple(points)
    found = (Problem(_key_of(problem, tried), problem.message) for problem in problems)
    return tuple(dict.fromkeys(found))


def _key_of(problem: Problem, points: tuple[TriedValue, ...]) -> str:
    path = problem.path
    while (shorter := _OF_SEVERAL.sub("", path)) != path:
        path = shorter
    if path in _KEYS:
        return _KEYS[path]
    return next(_names(path, problem.message, points), path)


def _names(path: str, message: str, points: tuple[TriedValue, ...]) -> Iterator[str]:
    """The keys that say a field, or for one of the passed words the flag that it belongs to."""
    quoted = _FIRST_WORD.search(message)
    word = quoted.group(1) if quoted else ""
    for point in points:
        owned = path in point.settings
        if path == EXTRA_ARGS:
            flag = flag_of(word)
            owned = word in point.words or (flag is not None and plain(flag) == plain(point.name))
        if owned:
            sections = ("quant_config", "parallel_config")
            yield point.name if point.name in sections else f"{PARAMETERS}.{point.name}"
