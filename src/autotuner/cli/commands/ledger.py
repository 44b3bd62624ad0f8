"""`autotuner ledger`: what a task tried and why, for whoever goes on with it."""

from __future__ import annotations

import sys
from pathlib import Path

from autotuner.cli.commands.show import chosen_task, open_existing, stored_tasks
from autotuner.cli.output import print_json
from autotuner.config import nearest
from autotuner.errors import AutotunerError
from autotuner.report.ledger import Spent, ledger_document, ledger_markdown
from autotuner.store import Store, TaskRecord
from autotuner.store.experiments import FINISHED
from autotuner.tuning.baseline import baseline_beside
from autotuner.tuning.search_state import spent_s
from autotuner.tuning.summarise import summarise
from autotuner.tuning.summary import TaskSummary


def ledger(task: str | None, *, home: Path | None, as_json: bool) -> None:
    """Prints the ledger of a task: Markdown, or one JSON document.

    Raises:
        AutotunerError: no such task.
    """
    with open_existing(home) as store:
        found = _task(store, task)
        summary = summarise(store, found)
        document = ledger_document(summary, spent(store, found, summary))
    if as_json:
        print_json(document)
    else:
        sys.stdout.write(ledger_markdown(document))
        sys.stdout.flush()


def _task(store: Store, named: str | None) -> TaskRecord:
    """The task of that number, else the newest of that name; the newest of all for None."""
    if named is None or named.isdecimal():
        return chosen_task(store, None if named is None else int(named))
    found = stored_tasks(store)
    for task in found:
        if task.name == named:
            return task
    hint = nearest(named, list(dict.fromkeys(task.name for task in found)))
    raise AutotunerError(f"there is no task {named!r}; {hint}", remedy="autotuner tasks lists them")


def spent(store: Store, task: TaskRecord, summary: TaskSummary) -> Spent:
    """Use of the budget, counted as tuning counts it: while at least one engine is up, by first and
    by further launches."""
    finished = [e for e in store.experiments(task.id) if e.status in FINISHED]
    seconds = spent_s(finished)
    # Before plans kept the price of all GPUs, the widest launch tells their number.
    gpus = max((e.gpus for e in summary.experiments), default=0)
    each = task.plan.get("usd_per_gpu_hour")
    price = task.plan.get("price_usd_hour", each and each * max(gpus, 1))
    usd = seconds / 3600 * price if price else None
    beside = baseline_beside(task.plan)
    launches = sum(e.candidate_id != beside for e in finished)
    further = sum(again.status in FINISHED for e in finished for again in e.relaunches)
    return Spent(launches + further, seconds / 60, usd)
