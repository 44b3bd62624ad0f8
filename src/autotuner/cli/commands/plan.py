"""What happens before anything is started: validate, schema, plan, render."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import fmean
from typing import Any

from rich.markup import escape
from rich.table import Table

from autotuner.cli.home import PROFILES, has_store, open_store, state_folder
from autotuner.cli.output import duration_text, out, print_json
from autotuner.config import Candidate, Task, load_task, nearest
from autotuner.engines import DEFAULT_PORT, LaunchSpec
from autotuner.errors import AutotunerError
from autotuner.landscapes import REPLAYED
from autotuner.predict import Observation
from autotuner.profiles import registry_with
from autotuner.report.outlook import outlook_document, print_outlook
from autotuner.report.points import settings_text, value_text
from autotuner.search import description, strategy_named
from autotuner.tuning.forecast import Forecast, forecast_of
from autotuner.tuning.outlook import MOST_CANDIDATES, Outlook, outlook
from autotuner.tuning.prepare import Prepared, prepare
from autotuner.tuning.resolve import on_engine
from autotuner.tuning.state import situation

_SHOWN_POINTS = 5


def prepare_file(path: Path, home: Path, *, engine: str | None = None) -> Prepared:
    """Loads and resolves a task file, with the user's own profiles in `home`.

    Args:
        engine: the only one to resolve it for, whether the task names it or not.
    """
    registry = registry_with(home / PROFILES)
    task = load_task(path)
    if engine is not None:
        task = on_engine(task, engine)
    return prepare(task, base=path.resolve().parent, source=str(path), registry=registry)


def validate(path: Path, *, home: Path | None, as_json: bool) -> None:
    """`autotuner validate`."""
    prepared = prepare_file(path, state_folder(home))
    if as_json:
        print_json(
            {
                "valid": True,
                "task": prepared.task.written(),
                "content_id": prepared.task.content_id,
                "candidates": len(prepared.space.candidates),
            }
        )
        return
    count = len(prepared.space.candidates)
    out().print(f"{escape(str(path))} is valid: {count} candidates", soft_wrap=True)


def schema() -> None:
    """`autotuner schema`."""
    document = Task.model_json_schema()
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    json.dump(document, sys.stdout, indent=2)
    sys.stdout.write("\n")


def plan(path: Path, *, home: Path | None, as_json: bool) -> None:
    """`autotuner plan`."""
    folder = state_folder(home)
    prepared = prepare_file(path, folder)
    document = plan_document(prepared, folder)
    asked = forecast_of(prepared, folder, measure=False)
    known = known_observations(folder, asked)
    found = outlook(prepared, asked, known, most=MOST_CANDIDATES)
    strategy = strategy_named(prepared.task.optimization.strategy)
    state = situation(prepared, strategy, asked, known).state(())
    document["strategy_reason"] = description(strategy, state)
    if as_json:
        print_json(document | {"prediction": _prediction_document(prepared, found, asked)})
        return
    print_plan(prepared, document)
    out().print()
    print_outlook(prepared, found, out(), most=_SHOWN_POINTS)
    if found.minutes is not None:
        out().print(f"[bold]predicted cost[/bold] {_cost_text(found)}")


def _prediction_document(prepared: Prepared, found: Outlook, asked: Forecast) -> dict[str, Any]:
    whole = outlook_document(prepared, found)
    told = ("predictor", "why", "observations", "frontier", "out_of_memory", "refused")
    return {
        **{name: whole[name] for name in told},
        "asked": len(found.expected),
        "minutes": found.minutes,
        "usd": found.usd,
        "warnings": asked.warnings,
    }


def _cost_text(found: Outlook) -> str:
    time = f"about {duration_text((found.minutes or 0) * 60)}"
    return time if found.usd is None else f"{time}, {found.usd:.2f} USD"


def plan_document(prepared: Prepared, home: Path) -> dict[str, Any]:
    """The plan as `--json` prints it. Reads the store for the time that earlier runs took."""
    typical_s = _typical_experiment_s(prepared, home)
    at_most_s = prepared.experiment_s_at_most()
    space, launches = prepared.space, prepared.launches
    shares = [prepared.share(c.gpus) for c in space.candidates]
    return {
        "task": prepared.task.name,
        "replay": prepared.replay is not None,
        "landscape": prepared.task.replay.landscape if prepared.task.replay else None,
        "content_id": prepared.task.content_id,
        "engine": prepared.engine_name,
        "engine_version": prepared.engine_version,
        "engine_origin": prepared.engine_origin,
        "model": prepared.model.name,
        "model_path": prepared.model.location,
        "device": prepared.device_name,
        "strategy": prepared.task.optimization.strategy,
        "strategy_reason": "",
        "min_gain": prepared.task.optimization.threshold() or 0.0,
        "budget": prepared.task.optimization.budget.model_dump(),
        "side_by_side": prepared.side_by_side,
        "objectives": list(prepared.task.optimization.objectives),
        "workload": str(prepared.workload),
        "concurrency": list(prepared.task.benchmark.concurrency),
        "combinations": space.combinations,
        "candidates": len(space.candidates),
        "launches": launches,
        "excluded": space.excluded,
        "profiles": list(prepared.task.profiles),
        "installed": all(v.installation.found for v in prepared.variants),
        "warnings": list(prepared.warnings),
        "axes": prepared.plan_record()["axes"],
        "expected_minutes": None
        if typical_s is None
        else typical_s * launches * fmean(shares) / 60,
        "at_most_minutes": at_most_s * launches * max(shares) / 60,
        "experiments": [
            {"id": c.id, "settings": c.settings(), "command": space.specs[c.id].command()}
            for c in space.candidates
        ],
    }


def known_observations(home: Path, asked: Forecast) -> tuple[Observation, ...]:
    """What is kept under `home` and counts for `asked`; nothing is created there."""
    if not has_store(home):
        return ()
    with open_store(home) as store:
        return asked.remembered(store.observations())


def print_plan(prepared: Prepared, document: dict[str, Any]) -> None:
    """The plan for people."""
    console = out()
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(overflow="fold")
    if document["replay"]:
        notice = f"of {document['landscape']}, {REPLAYED}; times are simulated"
        table.add_row("[bold yellow]replay[/bold yellow]", escape(notice))
    rows = {
        "task": document["task"],
        "model": f"{document['model']} ({document['model_path']})",
        "engine": f"{document['engine']} {document['engine_version']}",
        "device": document["device"],
        "workload": f"{document['workload']} at {document['concurrency']} concurrent requests",
        "profiles": ", ".join(document["profiles"]) or "none",
        "strategy": f"{document['strategy']} for {', '.join(document['objectives'])}"
        + (f"; {document['strategy_reason']}" if document["strategy_reason"] else ""),
        "candidates": f"{document['candidates']} of {document['combinations']} combinations, "
        f"{_launches_text(document)}",
    }
    for name, value in rows.items():
        table.add_row(f"[bold]{name}[/bold]", escape(value))
    for path, values in document["axes"].items():
        table.add_row("[bold]axis[/bold]", escape(f"{path}: {', '.join(map(value_text, values))}"))
    for reason, count in document["excluded"].items():
        table.add_row("[bold]excluded[/bold]", escape(f"{count} x {reason}"))
    for warning in document["warnings"]:
        table.add_row("[yellow]left out[/yellow]", escape(warning))
    if not document["installed"] and not document["replay"]:
        table.add_row("[yellow]note[/yellow]", "the engine is not installed here: plan only")
    table.add_row("[bold]time[/bold]", _time_text(document))
    console.print(table)


def _launches_text(document: dict[str, Any]) -> str:
    allowed = document["budget"]["experiments"]
    count = f"up to {document['launches']} to launch"
    if allowed is not None and allowed > document["candidates"]:
        count = f"all of them to launch at the most (the budget allows {allowed})"
    at_once = document["side_by_side"]
    return count if at_once == 1 else f"{count}, up to {at_once} at once"


def _time_text(document: dict[str, Any]) -> str:
    limit = duration_text(document["at_most_minutes"] * 60)
    at_most = f"at most {limit} unless a request outlasts its level"
    if document["replay"]:
        at_most += " (simulated)"
    expected = document["expected_minutes"]
    if expected is None:
        return at_most
    return f"about {duration_text(expected * 60)} as earlier runs took, {at_most}"


def _typical_experiment_s(prepared: Prepared, home: Path) -> float | None:
    """Mean seconds of the experiments of this task's newest run; None where there is none."""
    if not has_store(home):
        return None
    with open_store(home) as store:
        run = store.find_run(prepared.task.content_id)
        experiments = store.experiments(run.id) if run else ()
    times = [(e.startup_s or 0) + e.measure_s for e in experiments if e.measure_s is not None]
    return sum(times) / len(times) if times else None


def render(
    path: Path, *, home: Path | None, engine: str | None, candidate: str | None, as_json: bool
) -> None:
    """`autotuner render`."""
    prepared = prepare_file(path, state_folder(home), engine=engine)
    specs = prepared.space.specs
    if candidate is not None and candidate not in specs:
        raise AutotunerError(
            f"--candidate: {candidate!r} is no candidate of this task; "
            f"{nearest(candidate, list(specs))}"
        )
    chosen = [c for c in prepared.space.candidates if candidate in (None, c.id)]
    if as_json:
        print_json({"candidates": [_rendered(c, specs[c.id]) for c in chosen]})
        return
    for found in chosen:
        label = settings_text(found.settings(), prepared.axes)
        print(f"# {found.id} {label}\n{specs[found.id].command()}")


def _rendered(candidate: Candidate, spec: LaunchSpec) -> dict[str, Any]:
    return {
        "id": candidate.id,
        "settings": candidate.settings(),
        "command": spec.command(),
        "argv": list(spec.argv_for(DEFAULT_PORT)),
        "env": dict(spec.env),
        "files": dict(spec.files),
    }
