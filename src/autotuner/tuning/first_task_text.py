"""A drafted task as YAML for people: each setting with what it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from autotuner.config import GROUP_NAMES
from autotuner.tuning.first_task import FirstTask
from autotuner.tuning.first_task_asked import Asked
from autotuner.tuning.first_task_offers import OFFERS

_COMMENTS = {
    "system.total_gpus": "a candidate takes these or fewer",
    "optimization.strategy": "picks one and says why",
    "optimization.budget": "engine starts; also: minutes, usd",
    "benchmark.concurrency": "requests in flight, a load level each",
    "benchmark.duration_per_level_s": "a level ends at whichever comes first",
    "benchmark.ready_timeout_s": "an engine not ready by then has failed",
    **{offer.path: offer.why for offer in OFFERS},
}
_AFTER = {
    "system.total_gpus": ("  # price_per_gpu_hour: 3.0", "USD, for costs and a budget in usd")
}
_ABOVE = {
    "runtime": "# One request: tokens in, tokens out. Everything is measured with requests of this "
    "size.",
    "profiles": "# Layers of settings, in order; what stands below wins over them.",
    "slo": "# The recommended point has the most throughput within these limits (ms).",
}
_ON_ONE_LINE = ("version", "name", "model", "runtime", "profiles")


def commented(asked: Asked, drafted: FirstTask) -> str:
    """The text of a task file, as `autotuner init` writes it."""
    return "\n".join([*_head(asked, drafted), *_parts(drafted), ""])


def _head(asked: Asked, drafted: FirstTask) -> list[str]:
    devices = f"this machine's CPU ({asked.cores} cores)" if asked.on_cpu else asked.devices
    return [
        f"# {drafted.model.name} on {asked.engine}, {devices}.",
        "# Written by `autotuner init`, yours to change.",
        "# A value is fixed, a list is searched; docs/configuration.md has every field.",
        "#   autotuner plan FILE    what would be launched, and what to expect of it",
        "#   autotuner tune FILE    launch and measure; Ctrl-C stops, the same command goes on",
    ]


def _parts(drafted: FirstTask) -> Iterator[str]:
    for key, part in drafted.document.items():
        if key in _ABOVE:
            yield from ("", _ABOVE[key])
        elif key not in _ON_ONE_LINE:
            yield ""
        if key in _ON_ONE_LINE:
            yield f"{key}: {_yaml(part)}"
        else:
            yield f"{key}:"
            yield from _fields(key, part, drafted)
    if "slo" not in drafted.document:
        yield from ("", _ABOVE["slo"], "# slo: {ttft_ms: 1000, tpot_ms: 50}")


def _fields(key: str, part: dict[str, Any], drafted: FirstTask) -> Iterator[str]:
    for name, value in part.items():
        path = f"{key}.{name}"
        comment = _COMMENTS.get(path, "")
        if key in GROUP_NAMES and (dropped := drafted.dropped(path)):
            comment += f"; {_yaml(dropped)} would not run here"
        yield _line(f"  {name}: {_yaml(value)}", comment)
        if path in _AFTER:
            yield _line(*_AFTER[path])


def _line(setting: str, comment: str) -> str:
    return f"{setting:<33} # {comment}" if comment else setting


def _yaml(value: Any) -> str:
    """A value on one line."""
    text = yaml.safe_dump(
        value, default_flow_style=True, width=1 << 20, allow_unicode=True, sort_keys=False
    )
    return text.removesuffix("...\n").strip()
