"""One task, from its row to its end, by whoever holds it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from autotuner.config import parse_task
from autotuner.errors import AutotunerError, LeaseLostError, StoreError, StoreUnavailableError
from autotuner.profiles import ProfileRegistry
from autotuner.store import Lease, TaskRecord, machine_locks
from autotuner.tuning.assembly import generator_for, launcher_for, runner_for, tuner_for
from autotuner.tuning.events import Event, ExperimentEnded, Predicting
from autotuner.tuning.forecast import forecast_of
from autotuner.tuning.home_gpus import with_gpus_of_home
from autotuner.tuning.loop import Tuner
from autotuner.tuning.prepare import prepare, require_installed
from autotuner.workers.devices import Devices
from autotuner.workers.environment import engine_environment
from autotuner.workers.policy import Policy
from autotuner.workers.tenure import LEFT_BY_WORKERS, Tenure
from autotuner.workers.violations import require_allowed, require_allowed_resolved

MODELS = "models"
"""Folder under the home from which relative paths count in tasks that came without a folder."""
Left = tuple[str, str]
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Setting:
    """What a worker runs tasks with.

    Attributes:
        locks: folder in which devices are locked; the machine's own, unless something else keeps
            others from them.
        registry: the profiles that a task may name, as they are now.
        mirror: called with a task's number when one of its experiments, or its run, has ended.
    """

    home: Path
    devices: Devices
    policy: Policy
    registry: Callable[[], ProfileRegistry]
    mirror: Callable[[int], None] = lambda task_id: None
    locks: Path = field(default_factory=machine_locks)


def run_task(lease: Lease, tenure: Tenure, setting: Setting) -> Left:
    """Works on a task until its end, or until the tenure's.

    Returns:
        The state that the task is to be left in, and why, unless its run has ended: whatever goes
        wrong is told by it. Nothing is raised, so that no task ends its worker.
    """
    task_id = lease.task.id
    try:
        _tune(lease, tenure, setting)
    except (asyncio.CancelledError, LeaseLostError, _Ended):
        return LEFT_BY_WORKERS.get(tenure.ending, LEFT_BY_WORKERS["lost"])
    except StoreUnavailableError as error:
        return "queued", str(error)  # nothing of the task is to blame
    except AutotunerError as error:
        _LOG.warning("task %d failed: %s", task_id, error)
        return "failed", str(error)
    except Exception as error:
        _LOG.exception("task %d failed: a defect", task_id)
        return "failed", f"an unexpected error: {type(error).__name__}: {error}"
    return "completed", ""


async def until_ended(tuner: Tuner, run: TaskRecord, tenure: Tenure) -> None:
    """Runs until the run ends, or its tenure: then `CancelledError` comes out."""
    loop = asyncio.get_running_loop()
    work = asyncio.ensure_future(tuner.run(run))
    tenure.when_ended(lambda: _cancel_soon(loop, work))
    try:
        await work
    finally:
        tenure.when_ended(None)


class _Ended(Exception):  # noqa: N818 - no error: the tenure ended before the loop began
    """The task is to be left before its first launch."""


def _tune(lease: Lease, tenure: Tenure, setting: Setting) -> None:
    row, source = lease.task, f"task {lease.task.id}"
    base = Path(row.base) if row.base else setting.home / MODELS
    task = with_gpus_of_home(parse_task(row.config, source=source), setting.home)
    policy = setting.policy.at(setting.home)
    require_allowed(task, policy, base=base, source=source)
    prepared = prepare(task, base=base, source=source, registry=setting.registry())
    prepared = prepared.going_on(row.plan)
    require_allowed_resolved(prepared, policy, base=base, source=source)
    require_installed(prepared)

    def listen(event: Event) -> None:
        if isinstance(event, ExperimentEnded):
            _mirror(setting, row.id)
        elif isinstance(event, Predicting):
            # Before the loop begins nothing else can be interrupted.
            _leave_if_ended(tenure)

    with runner_for(prepared) as runner:
        tuner = tuner_for(
            prepared,
            store=tenure.store,
            launcher=launcher_for(
                prepared,
                on_started=tenure.engine_started,
                on_gone=tenure.engine_gone,
                environment=engine_environment(os.environ, policy),
            ),
            generator=generator_for(prepared, base),
            forecast=forecast_of(prepared, setting.home),
            home=setting.home,
            devices=setting.devices.gpu_names[: prepared.total_gpus],
            runner=runner,
            listen=listen,
            left=lambda: LEFT_BY_WORKERS[tenure.ending],
        )
        _leave_if_ended(tenure)
        run = tuner.take(row.id)
        _leave_if_ended(tenure)
        runner.run(until_ended(tuner, run, tenure))


def _mirror(setting: Setting, task_id: int) -> None:
    try:
        setting.mirror(task_id)
    except StoreError as error:
        _LOG.warning("task %d is not mirrored yet: %s", task_id, error)


def _leave_if_ended(tenure: Tenure) -> None:
    if tenure.ending:
        raise _Ended


def _cancel_soon(loop: asyncio.AbstractEventLoop, work: asyncio.Future[str]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(work.cancel)
