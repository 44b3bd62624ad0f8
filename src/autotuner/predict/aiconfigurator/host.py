"""Asks aiconfigurator: databases loaded once, a model built once for all batches of a layout.

Its core answers a point in about 0.1 ms once a layout's model is built. What costs is the import
(0.5 s), loading a database (1.5 s), and in its `cli_estimate` the search for the newest version
(0.9 s at every call) and 8 ms of preparing what here is prepared once.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autotuner.catalog import known_model
from autotuner.errors import EngineError
from autotuner.predict.aiconfigurator.answers import (
    Attempt,
    Mode,
    Outcome,
    StepAnswer,
    UnansweredError,
    best_outcome,
)
from autotuner.predict.aiconfigurator.installation import (
    CORE,
    INSTALL,
    known_names,
    query_versions,
    quiet,
    reason,
)
from autotuner.predict.aiconfigurator.questions import Layout, nearest_version
from autotuner.scratch_folder import ScratchFolder

ESTIMATE_ERRORS = (ValueError, RuntimeError, KeyError, AssertionError, NotImplementedError)
"""Errors of its `cli_estimate` where it cannot answer."""
POINTS_PER_WORKER = 50_000
"""Points for which one process is taken. Each spends 2.2 s of CPU on importing and loading and
0.17 ms on a point, so a second one is even from 26,000 on."""

_UNKNOWN_VERSION = "estimate"
"""The version in its own API where a system has no measured kernels."""


@dataclass(frozen=True)
class LayoutJob:
    """A layout with all batch sizes that are asked of it."""

    layout: Layout
    ways: tuple[Attempt, ...]
    batches: tuple[int, ...]


def _load() -> None:
    """Imports what is asked; raises EngineError where it is not whole."""
    try:
        importlib.import_module(f"{CORE}.sdk.models")
    except ImportError as error:
        raise EngineError(f"aiconfigurator cannot be imported: {error}", remedy=INSTALL) from None


def answer_all(jobs: Sequence[LayoutJob], workers: int | None = None) -> list[tuple[Outcome, ...]]:
    """Per job the outcome of each batch, in order.

    Args:
        workers: processes; None takes as many as pay.
    """
    points = sum(len(job.batches) for job in jobs)
    if workers is None:
        workers = min(os.cpu_count() or 1, 1 + points // POINTS_PER_WORKER)
    if workers <= 1:
        return [answer(job) for job in jobs]
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # Forked children would inherit locks of the threads that pyarrow runs.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        return list(pool.map(answer, jobs, chunksize=-(-len(jobs) // workers)))


def answer(job: LayoutJob) -> tuple[Outcome, ...]:
    """The outcome of each batch; the model of a way to ask is built once for all."""
    with quiet():
        _load()
        session = functools.cache(functools.partial(Session, job.layout))
        ask = functools.cache(lambda way, batch: session(way).step(batch))
        return tuple(best_outcome(ask, job.ways, batch) for batch in job.batches)


class Session:
    """One layout in one mode. Its backend keeps results without naming the model they are of, so
    no two layouts may share one."""

    def __init__(self, layout: Layout, way: Attempt) -> None:
        layout = layout.in_own_formats() if way.own_formats else layout
        self._layout = layout
        self._problem = ""
        try:
            self._database = database(
                layout.system_name, layout.backend_name, layout.backend_version, way.mode
            )
            self._model, self._backend = _model(layout, self._database)
        except Exception as error:
            self._problem = reason(error)

    def step(self, batch: int) -> StepAnswer:
        """Raises UnansweredError."""
        if self._problem:
            raise UnansweredError(self._problem)
        from aiconfigurator_core.sdk.config import RuntimeConfig

        layout = self._layout
        runtime = RuntimeConfig(
            isl=layout.isl, osl=layout.osl, batch_size=batch, prefix=layout.prefix
        )
        try:
            summary = self._backend.run_agg(
                self._model,
                self._database,
                runtime,
                ctx_tokens=layout.ctx_tokens,
                max_seq_len=layout.max_seq_len,
                free_gpu_memory_fraction=layout.free_gpu_memory_fraction,
                decode_tokens_per_iteration=1.0 + (layout.nextn_accepted or 0.0),
            )
            result = summary.get_result_dict()
            return StepAnswer(
                ttft_ms=float(result["ttft"]),
                tpot_ms=float(result["tpot"]),
                requests_s=float(result["seq/s"]),
                memory_gib=float(result["memory"]),
                available_gib=self._database.system_spec["gpu"]["mem_capacity"] / 2**30,
                fits=not (summary.check_oom() or summary.check_kv_cache_oom()),
                version=str(self._database.version),
            )
        except Exception as error:
            raise UnansweredError(reason(error)) from error


def _model(layout: Layout, database: Any) -> tuple[Any, Any]:
    """Its model and backend, in the steps of its `cli_estimate`."""
    from aiconfigurator_core.sdk import models
    from aiconfigurator_core.sdk.backends.factory import get_backend
    from aiconfigurator_core.sdk.config_builders import apply_nextn, build_model_config

    path, engine, system = model_path(layout.model_path), layout.backend_name, layout.system_name
    config = build_model_config(
        layout.tp_size,
        layout.pp_size,
        layout.attention_dp_size,
        layout.moe_tp_size,
        layout.moe_ep_size,
        layout.gemm_quant_mode,
        layout.kvcache_quant_mode,
        layout.fmha_quant_mode,
        layout.moe_quant_mode,
        layout.comm_quant_mode,
    )
    apply_nextn(config, layout.nextn)
    models.resolve_context_fmha_by_data(config, path, database, engine, is_context_role=True)
    models.resolve_dsv4_moe_arch(config, path, system_name=system, backend_name=engine)
    models.resolve_nvfp4_for_system(config, system, path, backend_name=engine)
    return models.get_model(path, config, engine), get_backend(engine)


@functools.cache
def database(system: str, engine: str, version: str | None, mode: Mode) -> Any:
    """The database to ask, loaded once in a process.

    Raises:
        UnansweredError: there is none in this mode.
    """
    from aiconfigurator_core.sdk.perf_database import get_database_view

    nearest = nearest_version(version, query_versions(system, engine))
    if nearest is None and mode == "SILICON":
        raise UnansweredError(f"no kernel of {engine} was measured on {system}")
    found = get_database_view(
        system,
        engine,
        nearest or _UNKNOWN_VERSION,
        allow_missing_data=mode != "SILICON",
        database_mode=mode,
    )
    if found is None:
        raise UnansweredError(f"its database of {engine} {nearest} on {system} cannot be loaded")
    return found


def model_path(name: str) -> str:
    """Its argument for a model: its own name for it, or a folder with our configuration of it."""
    if name in known_names():
        return name
    known = known_model(name)
    if known is None or known.config is None:
        raise UnansweredError(f"no configuration of {name} is known")
    folder = _scratch().path / known.id.replace("/", "--")
    if not folder.exists():
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(dict(known.config)), encoding="utf-8")
    return str(folder)


@functools.cache
def _scratch() -> ScratchFolder:
    return ScratchFolder("models")


def estimate(layout: Layout, database_mode: Mode, **more: Any) -> Any:
    """Its `cli_estimate` for a layout, its version resolved: what `answer` has to agree with."""
    _load()
    from aiconfigurator.cli.api import cli_estimate

    version = nearest_version(
        layout.backend_version, query_versions(layout.system_name, layout.backend_name)
    )
    arguments = dataclasses.asdict(layout) | {
        "model_path": model_path(layout.model_path),
        "backend_version": version,
        "database_mode": database_mode,
    }
    with quiet():
        return cli_estimate(**arguments | more)
