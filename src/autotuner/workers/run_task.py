"""One task, from its row to its end, by whoever holds it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from autotuner.config import parse_stored_task
from autotuner.errors import AutotunerError, LeaseLostError, StoreError, StoreUnavailableError
from autotuner.profiles import ProfileRegistry
from autotuner.store import Lease, TaskRecord, machine_locks
from autotuner.tuning.assembly import (
    connected_to_cluster,
    generator_for,
    launcher_for,
    runner_for,
    tuner_for,
)
from autotuner.tuning.events import Event, ExperimentEnded, Predicting
from autotuner.tuning.forecast import forecast_of
from autotuner.tuning.history import as_begun
from autotuner.tuning.loop import Tuner
from autotuner.tuning.prepare import prepare, require_installed
from autotuner.tuning.resources import with_gpus_of_home
from autotuner.workers.devices import Devices
from autotuner.workers.lease import LEFT_BY_WORKERS, LeaseKeeper
from autotuner.workers.policy import Policy, engine_environment
from autotuner.workers.violations import require_allowed, require_allowed_resolved

MODELS = "models"
"""Folder under the home from which relative paths count in tasks that came without a folder."""
Left = tuple[str, str]
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkerSetup:
    """The means that a worker runs tasks with.

    Attributes:
        locks: folder in which devices are locked; the machine's own, unless something else keeps
            others from them.
        registry: the profiles that a task may name, as they are now.
        mirror: called with a task's number when one of its experiments, or its task, has ended.
    """

    home: Path
    devices: Devices
    policy: Policy
    registry: Callable[[], ProfileRegistry]
    mirror: Callable[[int], None] = lambda task_id: None
    locks: Path = field(default_factory=machine_locks)


def run_task(lease: Lease, keeper: LeaseKeeper, setup: WorkerSetup) -> Left:
    """Works on a task until its end, or until its lease has to be given up.

    Returns:
        The state that the task is to be left in, and why, unless its task has ended: whatever goes
        wrong is in it. Nothing is raised, so that no task ends its worker.
    """
    task_id = lease.task.id
    try:
        _tune(lease, keeper, setup)
    except (asyncio.CancelledError, LeaseLostError, _Ended):
        return LEFT_BY_WORKERS.get(keeper.ending, LEFT_BY_WORKERS["lost"])
    except StoreUnavailableError as error:
        return "queued", str(error)  # nothing of the task is to blame
    except AutotunerError as error:
        _LOG.warning("task %d failed: %s", task_id, error)
        return "failed", str(error)
    except Exception as error:
        _LOG.exception("task %d failed: a defect", task_id)
        return "failed", f"an unexpected error: {type(error).__name__}: {error}"
    return "completed", ""


async def until_ended(tuner: Tuner, run: TaskRecord, keeper: LeaseKeeper) -> None:
    """Runs until the task ends, or has to: then `CancelledError` comes out."""
    loop = asyncio.get_running_loop()
    work = asyncio.ensure_future(tuner.run(run))
    keeper.when_ended(lambda: _cancel_soon(loop, work))
    try:
        await work
    finally:
        keeper.when_ended(None)


class _Ended(Exception):  # noqa: N818 - no error: the lease ended before the loop began
    """The task is to be left before its first launch."""


def _tune(lease: Lease, keeper: LeaseKeeper, setup: WorkerSetup) -> None:
    row, source = lease.task, f"task {lease.task.id}"
    base = Path(row.base) if row.base else setup.home / MODELS
    task = with_gpus_of_home(parse_stored_task(row.config, source=source), setup.home)
    policy = setup.policy.at(setup.home)
    require_allowed(task, policy, base=base, source=source)
    prepared = prepare(task, base=base, source=source, registry=setup.registry())
    prepared = as_begun(prepared, row.plan)
    require_allowed_resolved(prepared, policy, base=base, source=source)
    require_installed(prepared)

    def listen(event: Event) -> None:
        if isinstance(event, ExperimentEnded):
            _mirror(setup, row.id)
        elif isinstance(event, Predicting):
            # Before the loop begins nothing else can be interrupted.
            _leave_if_ended(keeper)

    with connected_to_cluster(prepared) as prepared, runner_for(prepared) as runner:
        tuner = tuner_for(
            prepared,
            store=keeper.store,
            launcher=launcher_for(
                prepared,
                setup.home,
                on_started=keeper.engine_started,
                on_gone=keeper.engine_gone,
                environment=engine_environment(os.environ, policy),
                labels=keeper.labels,
            ),
            generator=generator_for(prepared, base),
            forecast=forecast_of(prepared, setup.home),
            home=setup.home,
            devices=setup.devices.gpu_names[: prepared.total_gpus],
            runner=runner,
            listen=listen,
            left=lambda: LEFT_BY_WORKERS[keeper.ending],
        )
        _leave_if_ended(keeper)
        run = tuner.take(row.id)
        _leave_if_ended(keeper)
        runner.run(until_ended(tuner, run, keeper))


def _mirror(setup: WorkerSetup, task_id: int) -> None:
    try:
        setup.mirror(task_id)
    except StoreError as error:
        _LOG.warning("task %d is not mirrored yet: %s", task_id, error)


def _leave_if_ended(keeper: LeaseKeeper) -> None:
    if keeper.ending:
        raise _Ended


def _cancel_soon(loop: asyncio.AbstractEventLoop, work: asyncio.Future[str]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(work.cancel)
