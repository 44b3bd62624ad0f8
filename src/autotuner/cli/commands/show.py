"""What was found: runs, show, report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from autotuner.cli.home import has_store, open_store, state_folder
from autotuner.cli.output import duration_text, out, print_json, told_when_unwritable
from autotuner.errors import AutotunerError, StoreError
from autotuner.report import print_summary, write_html
from autotuner.report.point_table import candidate_named
from autotuner.report.terminal import print_experiment
from autotuner.store import Store, TaskRecord
from autotuner.tuning.summarise import summarise
from autotuner.tuning.summary import RunSummary
from autotuner.workers.watcher import has_ended_here


def open_existing(home: Path | None) -> Store:
    """The store of `home`, which has to be there already.

    Raises:
        StoreError: nothing was stored under `home` yet.
    """
    folder = state_folder(home)
    if not has_store(folder):
        raise StoreError(
            f"there are no runs under {folder}", remedy="run `autotuner tune TASK` first"
        )
    return open_store(folder)


def stored_runs(store: Store) -> list[TaskRecord]:
    """All runs, newest first; one whose tuner was killed is told as interrupted."""
    dead = _left_by_the_killed(store)
    return [
        replace(run, status="interrupted", stop_reason="its tuner was killed")
        if run.id in dead
        else run
        for run in store.tasks.all()
    ]


def _left_by_the_killed(store: Store) -> set[int]:
    """Runs that nobody of this machine works on although they are not over."""
    workers = {worker.id: worker for worker in store.workers.all()}
    running = store.tasks.running()
    known = {task.id for task in running if task.worker in workers}
    killed = {t.id for t in running if has_ended_here(workers.get(t.worker or ""))}
    return killed | {task.id for task in running if task.id not in known}


def chosen_run(store: Store, number: int | None) -> TaskRecord:
    """The run of that number, or the newest.

    Raises:
        AutotunerError: no such run.
    """
    found = stored_runs(store)
    if number is None and found:
        return found[0]
    for run in found:
        if run.id == number:
            return run
    known = ", ".join(str(run.id) for run in found[:10]) or "none"
    raise AutotunerError(f"there is no run {number}", remedy=f"runs: {known}")


def report_path(home: Path, task_id: int) -> Path:
    """Where a run's report lies unless the user says otherwise."""
    return home / "reports" / f"run-{task_id}.html"


def runs(*, home: Path | None, as_json: bool) -> None:
    """`autotuner runs`."""
    folder = state_folder(home)
    found: list[TaskRecord] = []
    counts: dict[int, tuple[int, int]] = {}
    if has_store(folder):
        with open_store(folder) as store:
            found = stored_runs(store)
            for run in found:
                statuses = [e.status for e in store.experiments(run.id)]
                counts[run.id] = (statuses.count("completed"), statuses.count("failed"))
    if as_json:
        print_json(
            {
                "runs": [
                    {
                        "id": run.id,
                        "name": run.name,
                        "replay": run.replay,
                        "status": run.status,
                        "model": run.model,
                        "engine": run.engine,
                        "started_at": run.created_at.isoformat(),
                        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
                        "wall_s": run.wall_s,
                        "completed": counts[run.id][0],
                        "failed": counts[run.id][1],
                    }
                    for run in found
                ]
            }
        )
        return
    if not found:
        out().print(f"no runs yet under {escape(str(folder))}", soft_wrap=True)
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("run", "name", "status", "model", "started (UTC)", "time", "ok", "failed"):
        table.add_column(title)
    for run in found:
        done, failed = counts[run.id]
        table.add_row(
            str(run.id),
            escape(run.name),
            f"{run.status} (replay)" if run.replay else run.status,
            escape(run.model),
            f"{run.created_at:%Y-%m-%d %H:%M}",
            duration_text(run.wall_s),
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
) -> None:
    """`autotuner show`: a run, or one of the candidates that it launched."""
    with open_existing(home) as store:
        folder = state_folder(home)
        run = chosen_run(store, number)
        path = report_path(folder, run.id)
        summary = summarise(store, run, report=str(path) if path.exists() else None)
    if candidate is not None:
        launched = {experiment.id: experiment for experiment in summary.experiments}
        where = f"run {summary.run.id}"
        found = launched[candidate_named(candidate, launched, option="--candidate", where=where)]
        if as_json:
            print_json(found.model_dump(mode="json"))
        else:
            print_experiment(found, summary, out())
    elif as_json:
        print_json(summary.model_dump(mode="json"))
    else:
        print_summary(summary, out(), short=short)


def report(number: int | None, *, home: Path | None, output: Path | None, as_json: bool) -> None:
    """`autotuner report`."""
    with open_existing(home) as store:
        folder = state_folder(home)
        run = chosen_run(store, number)
        path = (output or report_path(folder, run.id)).resolve()
        summary = summarise(store, run, report=str(path))
    write_report(summary, path)
    if as_json:
        print_json({"run": run.id, "report": str(path)})
    else:
        print(path)


def write_report(summary: RunSummary, path: Path) -> None:
    """Writes the HTML file.

    Raises:
        AutotunerError: the folder cannot be written.
    """
    with told_when_unwritable(path, "give another place with `autotuner report --output FILE`"):
        write_html(summary, path)
