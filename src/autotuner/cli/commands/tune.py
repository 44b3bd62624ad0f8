"""`autotuner tune`: plan, lock, run, report."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from rich.markup import escape

from autotuner.catalog.gpus import CPU
from autotuner.cli import exit_codes
from autotuner.cli.commands.plan import kept_store, prepare_file, print_plan
from autotuner.cli.commands.show import print_ui, report_path, write_report
from autotuner.cli.home import DATABASE, lock_folder, open_store, state_folder
from autotuner.cli.output import err, out, print_json
from autotuner.cli.progress import Progress
from autotuner.launch.devices import allowed_gpus
from autotuner.measure import LoadGenerator
from autotuner.report import print_summary
from autotuner.report.performance_terminal import print_learnt
from autotuner.report.plan_document import plan_document
from autotuner.report.plan_terminal import print_estimate
from autotuner.store import Store, TaskRecord, device_locks
from autotuner.tuning.assembly import (
    connected_to_cluster,
    generator_for,
    launcher_for,
    runner_for,
    tuner_for,
)
from autotuner.tuning.estimate import MOST_CANDIDATES, estimate_plan
from autotuner.tuning.forecast import Forecast, forecast_of
from autotuner.tuning.history import at_stored_levels
from autotuner.tuning.known_starts import with_known_starts
from autotuner.tuning.loop import Tuner
from autotuner.tuning.performance import performance_of
from autotuner.tuning.performance_views import PerformanceView
from autotuner.tuning.prepare import Prepared, require_installed
from autotuner.tuning.summarise import summarise
from autotuner.tuning.summary import TaskSummary
from autotuner.workers.command_lease import LEFT_BY_THE_COMMAND, CommandLease
from autotuner.workers.devices import Devices, devices_for
from autotuner.workers.lease import SHUTDOWN, LeaseKeeper
from autotuner.workers.run_task import until_ended
from autotuner.workers.watcher import CLI
from autotuner.workers.worker import this_worker

_SHOWN_POINTS = 5
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def tune(
    path: Path,
    *,
    home: Path | None,
    as_json: bool,
    fresh: bool,
    again: bool = False,
    devices: str | None = None,
    short: bool = False,
) -> int:
    """Runs the task at `path`; returns the exit code."""
    summary, interrupted, performance = run_task(
        path, home=home, quiet=as_json, fresh=fresh, again=again, devices=devices
    )
    if as_json:
        print_json(summary.model_dump(mode="json"))
    else:
        print_summary(summary, out(), short=short)
        if performance is not None:
            print_learnt(performance, out())
            number = summary.task.id
            out().print(f"`autotuner explain-performance {number}` says where the time goes")
        print_ui(summary.task.id, state_folder(home))
    if interrupted:
        return exit_codes.INTERRUPTED
    succeeded = any(e.status == "completed" for e in summary.experiments)
    return 0 if succeeded else exit_codes.NOTHING


class TunedTask(NamedTuple):
    """Summary of a task, whether it was interrupted, and where the time of its recommended point
    goes, where that is known."""

    summary: TaskSummary
    interrupted: bool
    performance: PerformanceView | None


def run_task(
    path: Path,
    *,
    home: Path | None,
    quiet: bool,
    fresh: bool,
    again: bool,
    devices: str | None = None,
) -> TunedTask:
    """Plans, runs and reports the task at `path`.

    Args:
        devices: GPUs for the engines, as in `devices_of`.
        quiet: keeps stdout clean; progress goes to stderr either way.
    """
    folder = state_folder(home)
    prepared = prepare_file(path, folder)
    require_installed(prepared)
    if not fresh:
        with kept_store(folder) as kept:
            prepared = at_stored_levels(prepared, kept)
    generator = generator_for(prepared, path.resolve().parent)
    with connected_to_cluster(prepared) as prepared:
        return _run(
            prepared, generator, folder, quiet=quiet, fresh=fresh, again=again, devices=devices
        )


def _run(
    prepared: Prepared,
    generator: LoadGenerator,
    folder: Path,
    *,
    quiet: bool,
    fresh: bool,
    again: bool,
    devices: str | None,
) -> TunedTask:
    if not quiet:
        with kept_store(folder) as kept:
            print_plan(prepared, plan_document(prepared, kept))
    given = _devices(prepared, devices)
    with (
        device_locks(given.names, prepared.task.name, folder=lock_folder()),
        open_store(folder) as store,
        ExitStack() as held,
    ):
        forecast = forecast_of(prepared, folder)
        if not quiet:
            _print_expected(prepared, forecast, store)
        me = this_worker(prepared.task.name, CLI, given)
        command_lease = CommandLease(store, me, held)
        progress = held.enter_context(Progress(err(), prepared))
        runner = held.enter_context(runner_for(prepared))
        tuner = tuner_for(
            prepared,
            store=store,
            launcher=launcher_for(
                prepared,
                folder,
                on_started=command_lease.engine_started,
                on_gone=command_lease.engine_gone,
                environment={k: v for k, v in os.environ.items() if k != DATABASE},
                labels=command_lease.labels,
            ),
            generator=generator,
            forecast=forecast,
            home=folder,
            devices=given.gpu_names or None,
            runner=runner,
            listen=progress.tell,
            left=lambda: LEFT_BY_THE_COMMAND[command_lease.keeper.ending],
        )
        task = tuner.open_task(fresh=fresh, again=again, hold=command_lease.hold)
        if task.name != prepared.task.name:
            _print_other_name(task, prepared.task.name)
        interrupted = runner.run(_until_done_or_stopped(tuner, task, command_lease.keeper))
        held.close()
        task = store.tasks.get(task.id) or task
        html = report_path(folder, task.id)
        summary = summarise(store, task, report=str(html))
        performance = _performance(prepared, folder, store, task)
    write_report(summary, html, performance)
    if interrupted:
        done = sum(e.status in ("completed", "failed") for e in summary.experiments)
        why = "interrupted" if task.status == "interrupted" else task.stop_reason
        err().print(
            f"{why}: {done} finished experiments are kept in task {task.id}; "
            f"the same command {'without --fresh ' if fresh else ''}goes on from there",
            soft_wrap=True,
        )
    return TunedTask(summary, interrupted, performance)


def _print_other_name(task: TaskRecord, name: str) -> None:
    err().print(
        escape(
            f"{name!r} asks for the same launches as task {task.id} {task.name!r}, which goes on: "
            "--again measures a finished one anew, --fresh begins another in any case"
        ),
        soft_wrap=True,
    )


def _performance(
    prepared: Prepared, home: Path, store: Store, task: TaskRecord
) -> PerformanceView | None:
    try:
        return performance_of(prepared, home, store, task).of_recommended()
    except Exception as error:  # what was measured is kept and shown, whatever it was
        text = f"where the time goes is unknown: {type(error).__name__}: {error}"
        err().print(f"[yellow]warning[/yellow] {escape(text)}", soft_wrap=True)
        return None


def _devices(prepared: Prepared, requested: str | None) -> Devices:
    """Devices of this machine that the task's engines run on: none of a replay, or of a task on a
    cluster, and none is locked."""
    if prepared.replay is not None or prepared.cluster_capacity is not None:
        return Devices(CPU, ())
    gpu = prepared.variants[0].context.gpu
    allowed = allowed_gpus(os.environ)
    return devices_for(gpu, prepared.total_gpus, requested=requested, allowed=allowed)


def _print_expected(prepared: Prepared, forecast: Forecast, store: Store) -> None:
    known = forecast.remembered(store)
    started = with_known_starts(prepared, store)
    found = estimate_plan(started, forecast, known, most=MOST_CANDIDATES)
    out().print()
    print_estimate(prepared, found, out(), most=_SHOWN_POINTS)
    out().print()


async def _until_done_or_stopped(tuner: Tuner, task: TaskRecord, keeper: LeaseKeeper) -> bool:
    """True where a signal ended it, or whoever asked for that through the service."""
    loop = asyncio.get_running_loop()
    for number in _STOPPING:
        # Windows has no signal handlers on its event loop: there Ctrl-C cancels the main task.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, keeper.end, SHUTDOWN)
    try:
        await until_ended(tuner, task, keeper)
    except asyncio.CancelledError:
        keeper.end(SHUTDOWN)
        return True
    return False
