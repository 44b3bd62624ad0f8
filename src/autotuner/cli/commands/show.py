"""Results: `autotuner tasks`, `show` and `report`."""

from __future__ import annotations

import shlex
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from autotuner.cli.commands.prices import price_above_0
from autotuner.cli.home import has_store, open_store, state_folder
from autotuner.cli.output import duration_text, out, print_json, refuse_unwritable
from autotuner.errors import AutotunerError, StoreError
from autotuner.profiles import USERS, registry_with
from autotuner.report import print_summary, write_html
from autotuner.report.point_table import candidate_named
from autotuner.report.terminal import print_experiment
from autotuner.server.built_ui import is_built
from autotuner.server.settings import ServiceSettings
from autotuner.store import Store, TaskRecord
from autotuner.tuning.performance_views import PerformanceView
from autotuner.tuning.stored_task import performance_again
from autotuner.tuning.summarise import summarise
from autotuner.tuning.summary import TaskSummary
from autotuner.workers.watcher import has_ended_here


def open_existing(home: Path | None) -> Store:
    """The store of `home`, which has to be there already.

    Raises:
        StoreError: nothing was stored under `home` yet.
    """
    folder = state_folder(home)
    if not has_store(folder):
        raise StoreError(
            f"there are no tasks under {folder}", remedy="run `autotuner tune TASK` first"
        )
    return open_store(folder)


def stored_tasks(store: Store) -> list[TaskRecord]:
    """All tasks, newest first; one whose tuner was killed is shown as interrupted."""
    dead = _left_by_the_killed(store)
    return [
        replace(task, status="interrupted", stop_reason="its tuner was killed")
        if task.id in dead
        else task
        for task in store.tasks.all()
    ]


def _left_by_the_killed(store: Store) -> set[int]:
    """Runs that nobody of this machine works on although they are not over."""
    workers = {worker.id: worker for worker in store.workers.all()}
    running = store.tasks.running()
    known = {task.id for task in running if task.worker in workers}
    killed = {t.id for t in running if has_ended_here(workers.get(t.worker or ""))}
    return killed | {task.id for task in running if task.id not in known}


def chosen_task(store: Store, number: int | None) -> TaskRecord:
    """The task of that number, or the newest.

    Raises:
        AutotunerError: no such task.
    """
    found = stored_tasks(store)
    if number is None and found:
        return found[0]
    for task in found:
        if task.id == number:
            return task
    known = ", ".join(str(task.id) for task in found[:10]) or "none"
    raise AutotunerError(f"there is no task {number}", remedy=f"tasks: {known}")


def report_path(home: Path, task_id: int) -> Path:
    """Where a task's report lies unless the user says otherwise."""
    return home / "reports" / f"run-{task_id}.html"


def tasks(*, home: Path | None, as_json: bool) -> None:
    """`autotuner tasks`."""
    folder = state_folder(home)
    found: list[TaskRecord] = []
    counts: dict[int, tuple[int, int]] = {}
    if has_store(folder):
        with open_store(folder) as store:
            found = stored_tasks(store)
            for task in found:
                statuses = [e.status for e in store.experiments(task.id)]
                counts[task.id] = (statuses.count("completed"), statuses.count("failed"))
    if as_json:
        print_json(
            {
                "tasks": [
                    {
                        "id": task.id,
                        "name": task.name,
                        "replay": task.replay,
                        "status": task.status,
                        "model": task.model,
                        "engine": task.engine,
                        "started_at": task.created_at.isoformat(),
                        "ended_at": task.ended_at.isoformat() if task.ended_at else None,
                        "wall_s": task.wall_s,
                        "completed": counts[task.id][0],
                        "failed": counts[task.id][1],
                    }
                    for task in found
                ]
            }
        )
        return
    if not found:
        out().print(f"no tasks yet under {escape(str(folder))}", soft_wrap=True)
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("task", "name", "status", "model", "started (UTC)", "time", "ok", "failed"):
        table.add_column(title)
    for task in found:
        done, failed = counts[task.id]
        table.add_row(
            str(task.id),
            escape(task.name),
            f"{task.status} (replay)" if task.replay else task.status,
            escape(task.model),
            f"{task.created_at:%Y-%m-%d %H:%M}",
            duration_text(task.wall_s),
            str(done),
            str(failed),
        )
    out().print(table)


def show(
    number: int | None,
    *,
    home: Path | None,
    as_json: bool,
    candidate: str | None = None,
    short: bool = False,
    usd_per_gpu_hour: float | None = None,
) -> None:
    """`autotuner show`: a task, or one of the candidates that it launched.

    Args:
        usd_per_gpu_hour: in place of the price that the task began with.
    """
    price = price_above_0(usd_per_gpu_hour)
    with open_existing(home) as store:
        folder = state_folder(home)
        task = chosen_task(store, number)
        path = report_path(folder, task.id)
        written = str(path) if path.exists() else None
        summary = summarise(store, task, report=written, usd_per_gpu_hour=price)
    if candidate is not None:
        launched = {experiment.id: experiment for experiment in summary.experiments}
        where = f"task {summary.task.id}"
        found = launched[candidate_named(candidate, launched, option="--candidate", where=where)]
        if as_json:
            print_json(found.model_dump(mode="json"))
        else:
            print_experiment(found, summary, out())
    elif as_json:
        print_json(summary.model_dump(mode="json"))
    else:
        print_summary(summary, out(), short=short)
        print_ui(task.id, folder)


def print_ui(task_id: int, folder: Path) -> None:
    """Prints how to open a task in the web UI.

    Args:
        folder: the home folder in which the task is stored.
    """
    home = "" if folder == state_folder(None) else f" --home {shlex.quote(str(folder))}"
    if is_built() or home:
        steps = [*([] if is_built() else ["`make ui-build`"]), *_activation()]
        steps.append(f"`autotuner serve{home}`")
    else:
        steps = ["`make serve`"]
    fields = ServiceSettings.model_fields
    address = f"http://{fields['host'].default}:{fields['port'].default}/tasks/{task_id}"
    out().print(f"web UI: {', '.join(steps)}, then {address}", soft_wrap=True, markup=False)


def _activation() -> list[str]:
    """The command that activates our environment, where it is not active; else none."""
    script = Path(sys.executable).with_name("activate")
    if shutil.which("autotuner") is not None or not script.is_file():
        return []
    here = Path.cwd()
    return [
        f"`. {shlex.quote(str(script.relative_to(here) if here in script.parents else script))}`"
    ]


def report(
    number: int | None,
    *,
    home: Path | None,
    output: Path | None,
    as_json: bool,
    usd_per_gpu_hour: float | None = None,
) -> None:
    """`autotuner report`; the price as in `show`."""
    price = price_above_0(usd_per_gpu_hour)
    with open_existing(home) as store:
        folder = state_folder(home)
        task = chosen_task(store, number)
        path = (output or report_path(folder, task.id)).resolve()
        summary = summarise(store, task, report=str(path), usd_per_gpu_hour=price)
        performance = performance_again(task, folder, registry_with(folder / USERS), store)
    write_report(summary, path, performance)
    if as_json:
        print_json({"task": task.id, "report": str(path)})
    else:
        print(path)


def write_report(
    summary: TaskSummary, path: Path, performance: PerformanceView | None = None
) -> None:
    """Writes the HTML file.

    Args:
        performance: where the time of the recommended point goes, where that is known.

    Raises:
        AutotunerError: the folder cannot be written.
    """
    with refuse_unwritable(path, "give another place with `autotuner report --output FILE`"):
        write_html(summary, path, performance)
