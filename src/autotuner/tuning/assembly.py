"""A `Tuner` put together for a task: on this machine's engines, or on recorded ones."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from autotuner.engines import ENGINES, engine_table
from autotuner.launch import HandleCallback, LaunchContext, Launcher, launcher_named
from autotuner.launch.protocol import LaunchesOnCluster
from autotuner.launch.replay import SimulatedTimeLoop
from autotuner.measure import LoadContext, LoadGenerator, load_generator_named
from autotuner.measure.disturbance import read_counters
from autotuner.measure.energy_counters import energy_counters
from autotuner.measure.level_watch import UNWATCHED, LevelWatcher
from autotuner.measure.protocol import LoadsBesideEngines
from autotuner.measure.replay import ReplayLoadGenerator
from autotuner.search import strategy_named
from autotuner.store import Store
from autotuner.tuning.forecast import Forecast
from autotuner.tuning.loop import Left, Listener, Tuner
from autotuner.tuning.prepare import Prepared

LOGS = "logs"
"""Folder under the home with the engines' logs."""
CACHES = "caches"
"""Folder under the home with what engines have compiled."""


def runner_for(prepared: Prepared) -> asyncio.Runner:
    """The event loop of a task; in a replay minutes pass at once."""
    return asyncio.Runner(loop_factory=SimulatedTimeLoop if prepared.replay else None)


def launcher_for(
    prepared: Prepared,
    home: Path,
    *,
    on_started: HandleCallback = lambda handle: None,
    on_gone: HandleCallback = lambda handle: None,
    environment: Mapping[str, str] = os.environ,
    labels: Callable[[], Mapping[str, str]] = dict,
) -> Launcher:
    """The launcher that the task names, made as `LaunchContext` says.

    Raises:
        LaunchError: it is not installed here.
    """
    landscape = prepared.replay.landscape if prepared.replay is not None else None
    context = LaunchContext(
        keyless(environment),
        on_started,
        on_gone,
        landscape,
        home / CACHES,
        options=prepared.task.launcher_options,
        labels=labels,
    )
    return launcher_named(prepared.task.deployment_mode).of(context)


def keyless(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables without those that would have an engine ask for a key: load carries none."""
    keys = {engine_table(name).file.deploy.api_key for name in ENGINES}
    return {name: value for name, value in environment.items() if name not in keys}


@contextmanager
def connected_to_cluster(prepared: Prepared) -> Iterator[Prepared]:
    """The task with the capacity of the cluster that it launches on; as it is where it uses none.

    Leaving the block ends the connection, and with it a cluster of this machine alone.

    Raises:
        LaunchError: the cluster cannot be asked.
    """
    launcher = launcher_named(prepared.task.deployment_mode)
    if not isinstance(launcher, LaunchesOnCluster):
        yield prepared
        return
    with launcher.connection(prepared.task.launcher_options) as capacity:
        yield replace(prepared, cluster_capacity=capacity)


def generator_for(prepared: Prepared, base: Path) -> LoadGenerator:
    """Load generator of the task.

    Args:
        base: folder from which the task's relative paths count.

    Raises:
        MeasureError: the tool that the task asks for, or its tokenizer, is not on this machine.
    """
    if prepared.replay is not None:
        return ReplayLoadGenerator(prepared.replay.landscape)
    benchmark = prepared.task.benchmark
    context = LoadContext(benchmark, prepared.model, base)
    launcher = launcher_named(prepared.task.deployment_mode)
    if isinstance(launcher, LoadsBesideEngines):
        return launcher.load_generator(context)
    return load_generator_named(benchmark.tool).of(context)


def tuner_for(
    prepared: Prepared,
    *,
    store: Store,
    launcher: Launcher,
    generator: LoadGenerator,
    forecast: Forecast,
    home: Path,
    devices: Sequence[str] | None,
    runner: asyncio.Runner,
    listen: Listener,
    left: Callable[[], Left],
) -> Tuner:
    """The tuner of a task, with the strategy that it asks for; see `Tuner`.

    A replay shares out as many devices as its task has: they are recorded, and none is used. On a
    cluster the GPUs of all nodes are shared out.
    """
    if prepared.replay is not None:
        devices = tuple(map(str, range(prepared.total_gpus)))
    if prepared.cluster_capacity is not None:
        devices = prepared.cluster_capacity.devices if prepared.total_gpus else None
    is_watched_here = prepared.replay is None and prepared.cluster_capacity is None
    return Tuner(
        prepared,
        store=store,
        launcher=launcher,
        generator=generator,
        strategy=strategy_named(prepared.task.optimization.strategy),
        forecast=forecast,
        logs=home / LOGS,
        devices=devices,
        listen=listen,
        left=left,
        clock=runner.get_loop().time,
        watcher=LevelWatcher(read_counters, energy_counters) if is_watched_here else UNWATCHED,
    )
