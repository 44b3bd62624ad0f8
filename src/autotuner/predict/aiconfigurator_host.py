"""The thin edge that imports aiconfigurator: its catalogue, its databases, its arithmetic.

Only this file knows the package. Its core answers a point in about 0.1 ms once a layout's model is
built; what costs is the import (0.5 s), loading a database (1.5 s), and in its `cli_estimate` the
search for the newest version (0.9 s at every call).
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib
import importlib.metadata
import importlib.resources
import importlib.util
import json
import logging
import os
import re
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotuner.catalog import known_model
from autotuner.errors import EngineError
from autotuner.predict.aiconfigurator_answer import (
    Attempt,
    Mode,
    Outcome,
    Step,
    UnansweredError,
    best_outcome,
)
from autotuner.predict.aiconfigurator_query import Layout
from autotuner.predict.scenario import Scenario

PACKAGE, CORE = "aiconfigurator", "aiconfigurator_core"
INSTALL = "pip install 'inference-autotuner[aiconfigurator]'"
ESTIMATE_ERRORS = (ValueError, RuntimeError, KeyError, AssertionError, NotImplementedError)
"""What its `cli_estimate` raises where it cannot answer."""
POINTS_PER_WORKER = 50_000
"""Points for which one process is taken. Each spends 2.2 s of CPU on importing and loading and
0.17 ms on a point, so a second one is even from 26,000 on."""

_CONFIG_SUFFIX = "_config.json"
_UNKNOWN_VERSION = "estimate"
"""What its own API calls the version where a system has no measured kernels."""


@dataclass(frozen=True)
class Job:
    """A layout with all batch sizes that are asked of it."""

    layout: Layout
    ways: tuple[Attempt, ...]
    batches: tuple[int, ...]


def installed_version() -> str | None:
    """The package's version, without importing it; None where it is not installed."""
    if importlib.util.find_spec(CORE) is None:
        return None
    return _metadata_version()


@functools.cache
def _metadata_version() -> str:
    return importlib.metadata.version(PACKAGE)


def require_installed() -> None:
    """Raises EngineError where it is not installed."""
    if installed_version() is None:
        raise EngineError("aiconfigurator is not installed", remedy=INSTALL)


def _load() -> None:
    """Imports what is asked; raises EngineError where it is not whole."""
    try:
        importlib.import_module(f"{CORE}.sdk.models")
    except ImportError as error:
        raise EngineError(f"aiconfigurator cannot be imported: {error}", remedy=INSTALL) from None


@functools.cache
def known_names() -> frozenset[str]:
    """The models whose configuration it carries."""
    names = (path.name for path in (_folder() / "model_configs").glob(f"*{_CONFIG_SUFFIX}"))
    return frozenset(name.removesuffix(_CONFIG_SUFFIX).replace("--", "/") for name in names)


@functools.cache
def known_systems() -> frozenset[str]:
    """The devices that it describes."""
    files = (_folder() / "systems").glob("*.yaml")
    return frozenset(path.stem for path in files if "\ngpu:" in path.read_text("utf-8"))


def answer_all(jobs: Sequence[Job], workers: int | None = None) -> list[tuple[Outcome, ...]]:
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


def answer(job: Job) -> tuple[Outcome, ...]:
    """The outcome of each batch; the model of a way to ask is built once for all."""
    with quiet():
        _load()
        session = functools.cache(functools.partial(_Session, job.layout))
        ask = functools.cache(lambda way, batch: session(way).step(batch))
        return tuple(best_outcome(ask, job.ways, batch) for batch in job.batches)


class _Session:
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

    def step(self, batch: int) -> Step:
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
            return Step(
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


@functools.cache
def query_versions(system: str, engine: str) -> tuple[str, ...]:
    """Versions of the engine that may be asked for, its default first."""
    from aiconfigurator_core.sdk.perf_database import get_version_slots

    return tuple(dict.fromkeys((get_version_slots(system, engine) or {}).values()))


def nearest_version(wanted: str | None, known: Sequence[str]) -> str | None:
    """The newest version that is not newer than `wanted`, else the oldest; the first for None."""
    if wanted is None or not known:
        return next(iter(known), None)
    ordered = sorted(known, key=_version_key)
    return next(
        (v for v in reversed(ordered) if _version_key(v) <= _version_key(wanted)), ordered[0]
    )


def _version_key(version: str) -> tuple[int, ...]:
    """Orders `1.3.0rc20` after `1.3.0rc9` and before `1.3.0`."""
    release, candidate, number = version.partition("rc")
    numbers = [int(part) for part in re.findall(r"\d+", release)][:3]
    padded = (*numbers, 0, 0, 0)[:3]
    pre = int(re.findall(r"\d+", number)[0]) if re.search(r"\d", number) else 0
    return (*padded, 0 if candidate else 1, pre)


def model_path(name: str) -> str:
    """What it is told of a model: its own name for it, or a folder with our configuration of it."""
    if name in known_names():
        return name
    known = known_model(name)
    if known is None or known.config is None:
        raise UnansweredError(f"no configuration of {name} is known")
    folder = Path(_scratch().name) / known.id.replace("/", "--")
    if not folder.exists():
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(dict(known.config)), encoding="utf-8")
    return str(folder)


@functools.cache
def _scratch() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="autotuner-models-")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps its log and its warnings off the terminal; handlers set on its own loggers still hear.

    Only its two loggers are cut off from the rest, and put back as they were.
    """
    loggers = [logging.getLogger(name) for name in (PACKAGE, CORE)]
    before = [logger.propagate for logger in loggers]
    silence = logging.NullHandler()
    for logger in loggers:
        logger.addHandler(silence)
        logger.propagate = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, propagated in zip(loggers, before, strict=True):
            logger.removeHandler(silence)
            logger.propagate = propagated


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


def source(scenario: Scenario, version: str, mode: Mode) -> str:
    """What an answer stands on, as `Prediction.source` says it."""
    asked = scenario.engine_version
    nearest = "" if asked in (None, version) else f", the nearest to {asked}"
    kernels = f"{scenario.engine} {version} on {scenario.gpu.name}{nearest}"
    return f"{PACKAGE} {installed_version()} {mode}: {kernels}"


def reason(error: Exception) -> str:
    """The first line of an error of its, without the folders of this installation."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return re.sub(r"\S*/systems/", "", lines[0])[:300]


def _folder() -> Path:
    require_installed()
    return Path(str(importlib.resources.files(CORE)))
