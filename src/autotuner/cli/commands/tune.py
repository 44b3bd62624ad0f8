"""`autotuner tune`: plan, lock, run, report."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path

from autotuner.cli import exit_codes
from autotuner.cli.commands.plan import kept_store, prepare_file, print_plan
from autotuner.cli.commands.show import report_path, write_report
from autotuner.cli.home import state_folder
from autotuner.cli.output import err, out, print_json
from autotuner.cli.progress import Progress
from autotuner.errors import MeasureError
from autotuner.launch import Launcher, LocalLauncher
from autotuner.launch.replay import ReplayLauncher
from autotuner.launch.simulated_time import SimulatedTimeLoop
from autotuner.measure import LoadGenerator, StreamingLoadGenerator
from autotuner.measure.genai_bench import GenaiBenchGenerator, find_tool
from autotuner.measure.replay import ReplayLoadGenerator
from autotuner.report import print_summary
from autotuner.report.outlook import print_outlook
from autotuner.report.plans import plan_document
from autotuner.search import strategy_named
from autotuner.store import RunRecord, Store, home_lock
from autotuner.tuning.forecast import Forecast, forecast_of
from autotuner.tuning.loop import Tuner
from autotuner.tuning.outlook import MOST_CANDIDATES, outlook
from autotuner.tuning.prepare import Prepared, require_installed
from autotuner.tuning.summarise import summarise
from autotuner.tuning.summary import RunSummary

_SHOWN_POINTS = 5
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def tune(path: Path, *, home: Path | None, as_json: bool, fresh: bool, again: bool = False) -> int:
    """Runs the task at `path`; returns the exit code."""
    summary, interrupted = run_task(path, home=home, quiet=as_json, fresh=fresh, again=again)
    if as_json:
        print_json(summary.model_dump(mode="json"))
    else:
        print_summary(summary, out())
    if interrupted:
        return exit_codes.INTERRUPTED
    succeeded = any(e.status == "completed" for e in summary.experiments)
    return 0 if succeeded else exit_codes.NOTHING


def run_task(
    path: Path, *, home: Path | None, quiet: bool, fresh: bool, again: bool
) -> tuple[RunSummary, bool]:
    """Plans, runs and reports the task at `path`; what it found, and whether it was interrupted.

    Args:
        quiet: keeps stdout clean; progress goes to stderr either way.
    """
    folder = state_folder(home)
    prepared = prepare_file(path, folder)
    require_installed(prepared)
    generator = _generator(prepared, path.resolve().parent)
    if not quiet:
        with kept_store(folder) as store:
            print_plan(prepared, plan_document(prepared, store))
    with home_lock(folder, prepared.task.name), Store.open(folder) as store:
        forecast = forecast_of(prepared, folder)
        if not quiet:
            _print_expected(prepared, forecast, store)
        # On the loop of a replay minutes pass at once.
        loop = SimulatedTimeLoop if prepared.replay else None
        with Progress(err(), prepared) as progress, asyncio.Runner(loop_factory=loop) as runner:
            tuner = Tuner(
                prepared,
                store=store,
                launcher=_launcher(prepared),
                generator=generator,
                strategy=strategy_named(prepared.task.optimization.strategy),
                forecast=forecast,
                logs=folder / "logs",
                listen=progress.tell,
                clock=runner.get_loop().time,
            )
            run = tuner.open_run(fresh=fresh, again=again)
            interrupted = runner.run(_until_done_or_told_to_stop(tuner, run))
        run = store.get_run(run.id) or run
        html = report_path(folder, run.id)
        summary = summarise(store, run, report=str(html))
    write_report(summary, html)
    if interrupted:
        done = sum(e.status in ("completed", "failed") for e in summary.experiments)
        err().print(
            f"interrupted: {done} finished experiments are kept in run {run.id}; "
            "the same command goes on from there",
            soft_wrap=True,
        )
    return summary, interrupted


def _launcher(prepared: Prepared) -> Launcher:
    return ReplayLauncher(prepared.replay.landscape) if prepared.replay else LocalLauncher()


def _generator(prepared: Prepared, base: Path) -> LoadGenerator:
    if prepared.replay is not None:
        return ReplayLoadGenerator(prepared.replay.landscape)
    benchmark = prepared.task.benchmark
    if benchmark.tool == "autotuner":
        return StreamingLoadGenerator()
    program = find_tool(benchmark.tool_path)
    given = benchmark.tokenizer
    tokenizer = base / given if given else prepared.model.path
    if tokenizer is None or not tokenizer.exists():
        raise MeasureError(
            f"benchmark.tokenizer: {given or prepared.model.location!r} is not on this machine",
            remedy="give a tokenizer folder in benchmark.tokenizer",
        )
    return GenaiBenchGenerator(program, tokenizer)


def _print_expected(prepared: Prepared, forecast: Forecast, store: Store) -> None:
    known = forecast.remembered(store.observations())
    found = outlook(prepared, forecast, known, most=MOST_CANDIDATES)
    out().print()
    print_outlook(prepared, found, out(), most=_SHOWN_POINTS)
    out().print()


async def _until_done_or_told_to_stop(tuner: Tuner, run: RunRecord) -> bool:
    """True where a signal ended it."""
    loop = asyncio.get_running_loop()
    work = asyncio.ensure_future(tuner.run(run))
    for number in _STOPPING:
        # Windows has no signal handlers on its event loop: there Ctrl-C cancels the main task.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        return True
    return False
