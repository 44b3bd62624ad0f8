"""A task whose only launch is a rendered command, and the engine of it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from autotuner.catalog import GgufHeader, ResolvedModel, known_model
from autotuner.config import Candidate, LoadLevel
from autotuner.deploy import DeployedEngine, ExportWishes, deployed_engine
from autotuner.engines import LaunchSpec, engine_named, engine_table
from autotuner.errors import EngineError
from autotuner.measure import Distribution, Measurement
from autotuner.tuning.summary import TaskSummary

GPU = {"system.gpu_type": "h100_sxm", "system.total_gpus": 8}
LOAD = {"kind": "concurrency", "value": 8}
HUB_MODEL = "Qwen/Qwen3-8B"


def served(engine: str, name: str = HUB_MODEL) -> ResolvedModel:
    """A model that the engine serves."""
    if engine_table(engine).model_format == "folder":
        known = known_model(name)
        assert known is not None
        return ResolvedModel(name, name, known.facts)
    header = GgufHeader(Path("/models/m.gguf"), 1, *([None] * 7), metadata={})
    return ResolvedModel("m", "/models/m.gguf", path=header.path, header=header)


def rendered(
    engine: str, settings: dict[str, Any] | None = None, name: str = HUB_MODEL
) -> tuple[dict[str, Any], LaunchSpec]:
    """The launch, and the settings that the engine can express."""
    kept, tabled = dict(settings or {}), engine_named(engine)
    while True:
        try:
            candidate = Candidate.from_settings(kept)
            return kept, tabled.render(candidate, served(engine, name), tabled.assume(None))
        except EngineError as error:
            del kept[error.message.partition(":")[0]]


def _distribution(mean: float) -> Distribution:
    values = dict.fromkeys(["mean", "min", "p50", "p90", "p95", "p99", "max"], mean)
    return Distribution(count=8, std=0.0, **values)


def _measurement() -> dict[str, Any]:
    return Measurement(
        load=LoadLevel.concurrency(8),
        duration_s=1,
        requests_completed=8,
        requests_failed=0,
        requests_short=0,
        ended_by="requests",
        valid=True,
        tok_s=123.4,
        requests_s=1,
        input_tokens=8,
        output_tokens=8,
        ttft_ms=_distribution(20.0),
        tpot_ms=_distribution(8.0),
        e2e_ms=_distribution(90.0),
    ).model_dump()


def summary_of(
    command: str, engine: str, settings: dict[str, Any], gpus: int, **task: Any
) -> TaskSummary:
    """A finished task of one launch, whose point is recommended."""
    point = {
        "experiment": "c1",
        "candidate": "c1",
        "index": 1,
        "load": LOAD,
        "tok_s": 123.4,
        "tok_s_per_gpu": 123.4,
        "tok_s_per_user": 125.0,
        "ttft_ms": 20.0,
        "tpot_ms": 8.0,
        "e2e_p90_ms": 90.0,
        "settings": settings,
        "command": command,
    }
    experiment = {
        "id": "c1",
        "index": 1,
        "status": "completed",
        "selection_reason": "first",
        "phase": "grid",
        "settings": settings,
        "gpus": gpus,
        "command": command,
        "log_path": "logs/c1",
        "measurements": [_measurement()],
    }
    facts = {
        "id": 7,
        "name": "a task",
        "status": "completed",
        "stop_reason": "",
        "started_at": "2026-01-02T03:04:05+00:00",
        "ended_at": "2026-01-03T03:04:05+00:00",
        "wall_s": 12.0,
        "candidates": 1,
        "excluded": {},
        "axes": {},
        "engine": engine,
        "engine_version": engine_table(engine).version,
        "model": HUB_MODEL,
        "device": "8 x H100",
        "objectives": ["tok_s", "ttft_ms"],
        "replay": False,
        "config": {},
        **task,
    }
    chosen = {**point, "reason": "the best", "meets_slo": True}
    document = {"task": facts, "experiments": [experiment], "frontier": [point]}
    return TaskSummary.model_validate(document | {"recommended": chosen})


def engine_of_spec(
    spec: LaunchSpec, settings: dict[str, Any], *, gpus: int | None = None, **wishes: Any
) -> DeployedEngine:
    """The deployed engine of a launch; its image is named where the engine has none."""
    occupied = spec.gpus if gpus is None else gpus
    summary = summary_of(spec.command(), spec.engine, GPU | settings, occupied)
    return deployed_engine(summary, ExportWishes(**wishes))


def deployed(engine: str, settings: dict[str, Any] | None = None, **wishes: Any) -> DeployedEngine:
    """The deployed engine of some settings, on GPUs where it has a width."""
    kept, spec = rendered(engine, GPU | (settings or {}))
    gpus = 1 if spec.gpus == 0 else spec.gpus
    return engine_of_spec(spec, kept, gpus=gpus, **wishes)


def on_cpu(threads: int | None, engine: str = "llamacpp", **wishes: Any) -> DeployedEngine:
    """The deployed engine of a launch on a CPU of four cores."""
    settings, spec = rendered(engine, {} if threads is None else {"misc.threads": threads})
    device = "cpu: AMD EPYC, 4 cores, 24 GiB"
    summary = summary_of(spec.command(), engine, settings, 0, device=device)
    return deployed_engine(summary, ExportWishes(**{"image": "registry/engine:1", **wishes}))


def words_of(spec: LaunchSpec) -> list[str]:
    """The words of the measured command without its variables and files."""
    return shlex.split(shlex.join(spec.argv_for(8080)))
