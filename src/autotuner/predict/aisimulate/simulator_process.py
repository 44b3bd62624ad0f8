"""The process that asks AISimulate, run by the Python of its environment, which has no autotuner.

Reads one question a line from its input, writes one answer a line to its output; both are JSON.
The first line that it writes has its version: `{"version": "0.13.0"}`, or `{"error": why}`. It ends
with its input.

A question: `engine` (its `EnginePredictionConfig` as a mapping), `scheduler` (further options of
the rank), `ways` (changes of `engine`, the first that is answered counts), `config` (of a model
that it does not carry, or null), `loads` (workloads of its replay, without `source_type`: only so
are lengths drawn). An answer: `levels`, one mapping for each load: its metrics with the place of
the `way`, or `error`.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

METRICS = {
    "ttft_ms": "mean_ttft_ms",
    "ttft_p90_ms": "p90_ttft_ms",
    "ttft_p99_ms": "p99_ttft_ms",
    "tpot_ms": "mean_tpot_ms",
    "e2e_ms": "mean_e2e_latency_ms",
    "e2e_p90_ms": "p90_e2e_latency_ms",
    "e2e_p99_ms": "p99_e2e_latency_ms",
    "completed": "completed_requests",
}
"""Names in our answers -> its own."""


def main() -> None:
    """Answers until the input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # What it prints itself must not stand between the answers.
    os.dup2(2, 1)

    def write(document: Mapping[str, Any]) -> None:
        answers.write(json.dumps(document) + "\n")
        answers.flush()

    try:
        asked = Simulator()
    except Exception as error:
        write({"error": reason(error)})
        return
    write({"version": asked.version})
    with tempfile.TemporaryDirectory(prefix="autotuner-models-") as scratch:
        for line in sys.stdin:
            write(asked.answer(json.loads(line), Path(scratch)))


class Simulator:
    """AISimulate's replay runner, kept from one question to the next."""

    def __init__(self) -> None:
        import aisimulate
        import yaml
        from aisimulate.runner import EngineReplayRunnerFactory

        # It reads its descriptions of systems anew for each load: 20 ms by the parser in
        # Python, 2 ms by libyaml, where the wheel has it.
        vars(yaml)["SafeLoader"] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self.version = str(aisimulate.__version__)
        self._runner = EngineReplayRunnerFactory().create(0)

    def answer(self, question: Mapping[str, Any], scratch: Path) -> dict[str, Any]:
        """Per load the answer of the first way to ask that has one; else the reasons of all."""
        engine = dict(question["engine"])
        if question["config"] is not None:
            engine["model"] = model_folder(question["config"], scratch)
        versions = engine_versions(engine["hardware"], engine["backend"], engine["backend_version"])
        ways = [
            (place, functools.cache(functools.partial(_tried, asked, question["scheduler"])))
            for place, way in enumerate(question["ways"])
            for asked in ({**engine, **way, "backend_version": version} for version in versions)
        ]
        return {"levels": [self._level(ways, load) for load in question["loads"]]}

    def _level(
        self, ways: Sequence[tuple[int, Callable[[], Any]]], load: Mapping[str, Any]
    ) -> dict[str, Any]:
        reasons = []
        for place, way in ways:
            spec = way()
            if not isinstance(spec, str):
                try:
                    return {"way": place} | self._run(spec, load)
                except Exception as error:
                    spec = reason(error)
            reasons.append(spec)
        return {"error": "; ".join(dict.fromkeys(reasons))}

    def _run(self, spec: Any, load: Mapping[str, Any]) -> dict[str, Any]:
        spec = dataclasses.replace(spec, workload=dict(load), concurrency=load.get("concurrency"))
        report = self._runner.run(spec)
        found = {name: report.metrics.get(own) for name, own in METRICS.items()}
        data = report.metadata.get("prediction_provenance", {}).get("aggregated", {})
        return found | {"data_version": data.get("data_version")}


def _tried(engine: Mapping[str, Any], scheduler: Mapping[str, Any]) -> Any:
    """The specification, or why there is none."""
    try:
        return replay_spec(engine, scheduler)
    except Exception as error:
        return reason(error)


def replay_spec(engine: Mapping[str, Any], scheduler: Mapping[str, Any]) -> Any:
    """Its specification of a replay, with any traffic."""
    from aisimulate.compiler import prediction_to_replay_spec
    from aisimulate.config.cli import CorePredictionConfig

    config = CorePredictionConfig.model_validate({"engine": engine})
    spec = prediction_to_replay_spec(config)
    rank = {**spec.backend_deployment.agg_engine_args, **scheduler}
    deployment = dataclasses.replace(spec.backend_deployment, agg_engine_args=rank)
    return dataclasses.replace(spec, backend_deployment=deployment)


def engine_versions(system: str, backend: str, wanted: str | None) -> list[str | None]:
    """Versions to ask for, the nearest first: those not newer than `wanted`, else the oldest.

    Of the newest, only some kernels may have been measured: the one before is asked then. None is
    its own default, where nothing is wanted or nothing is known.
    """
    from aisimulate_core.sdk.perf_database import get_version_slots
    from packaging.version import InvalidVersion, Version

    known: list[str] = sorted((get_version_slots(system, backend) or {}).values(), key=Version)
    if wanted is None or not known:
        return [None]
    try:
        older = [version for version in known if Version(version) <= Version(wanted)]
    except InvalidVersion:
        return [None]
    return [*reversed(older)] or [known[0]]


def model_folder(config: Mapping[str, Any], scratch: Path) -> str:
    """A folder with the configuration of a model that it does not carry."""
    text = json.dumps(config, sort_keys=True)
    folder = scratch / hashlib.sha256(text.encode()).hexdigest()[:16]
    if not folder.exists():
        folder.mkdir()
        (folder / "config.json").write_text(text, encoding="utf-8")
    return str(folder)


def reason(error: Exception) -> str:
    """The first line of an error, without the wrappers of its layers and without folders."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    inner = lines[0].rpartition("evidence prediction failed: ")[2]
    # What follows is advice on its own configuration files.
    return re.sub(r"\S*/systems/", "", inner).partition(" Prediction will not")[0][:400]


if __name__ == "__main__":
    main()
