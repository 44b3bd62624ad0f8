"""Commands before anything is started: validate, schema, plan."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from autotuner.cli import exit_codes
from autotuner.cli.home import has_store, open_store, state_folder
from autotuner.cli.output import duration_text, out, print_json
from autotuner.config import LoadLevel, RayConfig, format_levels, load_task
from autotuner.errors import AutotunerError, ConfigError
from autotuner.landscapes import REPLAYED
from autotuner.predict import Observation
from autotuner.profiles import MACHINE, USERS, ResolvedConfig, registry_with
from autotuner.report.plan_document import plan_of
from autotuner.report.plan_terminal import print_estimate
from autotuner.report.points import value_text
from autotuner.report.task_schema import task_schema
from autotuner.report.why_terminal import print_why_not
from autotuner.space import NoCandidateError
from autotuner.tuning.checks import problems_from, problems_in
from autotuner.tuning.estimate import PlanEstimate
from autotuner.tuning.forecast import Forecast
from autotuner.tuning.history import at_stored_levels
from autotuner.tuning.prepare import Prepared, prepare
from autotuner.tuning.resolve import on_engine
from autotuner.tuning.resources import with_gpus_of_home
from autotuner.tuning.why_sentences import counted

if TYPE_CHECKING:
    from autotuner.store import Store

_SHOWN_POINTS = 5


def prepare_file(path: Path, home: Path, *, engine: str | None = None) -> Prepared:
    """Loads and resolves a task file, with the user's own profiles in `home`.

    Args:
        engine: the only one to resolve it for, whether the task names it or not.
    """
    registry = registry_with(home / USERS)
    task = with_gpus_of_home(load_task(path), home)
    if engine is not None:
        task = on_engine(task, engine)
    try:
        return prepare(task, base=path.resolve().parent, source=str(path), registry=registry)
    except NoCandidateError as error:
        error.remedy += f"; `autotuner why {path}` says what would admit how many"
        raise


def validate(path: Path, *, home: Path | None, as_json: bool) -> int:
    """`autotuner validate`; returns the exit code.

    Raises:
        AutotunerError: the task cannot be used, where a person asks; tells every fault.
    """
    folder = state_folder(home)
    try:
        prepared = _validated(path, folder)
    except AutotunerError as error:
        if not as_json:
            raise
        faults = [vars(fault) for fault in problems_from(error)]
        nothing = {"task": None, "content_id": None, "candidates": None}
        print_json({"valid": False, "errors": faults, "warnings": [], **nothing})
        return exit_codes.MISTAKE
    count = len(prepared.space.candidates)
    if as_json:
        print_json(
            {
                "valid": True,
                "errors": [],
                "warnings": list(prepared.warnings),
                "task": prepared.task.written(),
                "content_id": prepared.content_id,
                "candidates": count,
            }
        )
    else:
        out().print(f"{escape(str(path))} is valid: {count} candidates", soft_wrap=True)
    return 0


def _validated(path: Path, home: Path) -> Prepared:
    """The task at `path`, prepared; what `prepare` would refuse one by one is refused at once."""
    task, registry = with_gpus_of_home(load_task(path), home), registry_with(home / USERS)
    base = path.resolve().parent
    faults = problems_in(task, base=base, registry=registry)
    if faults:
        raise ConfigError(str(path), faults)
    return prepare(task, base=base, source=str(path), registry=registry)


def schema() -> None:
    """`autotuner schema`."""
    json.dump(task_schema(), sys.stdout, indent=2)
    sys.stdout.write("\n")


def plan(path: Path, *, home: Path | None, as_json: bool, short: bool = False) -> None:
    """`autotuner plan`."""
    folder = state_folder(home)
    prepared = prepare_file(path, folder)
    with kept_store(folder) as store:
        prepared = at_stored_levels(prepared, store)
        document, found = plan_of(prepared, folder, store)
    if as_json:
        print_json(document)
        return
    print_plan(prepared, document)
    out().print()
    print_estimate(prepared, found, out(), most=_SHOWN_POINTS, short=short)
    if found.minutes is not None:
        out().print(f"[bold]predicted cost[/bold] {_cost_text(found)}")
    if document["why_not"]:
        out().print()
        print_why_not(document["why_not"], f"autotuner why {path}", out())


def _cost_text(found: PlanEstimate) -> str:
    time = f"about {duration_text((found.minutes or 0) * 60)}"
    return time if found.usd is None else f"{time}, {found.usd:.2f} USD"


def known_observations(home: Path, asked: Forecast) -> tuple[Observation, ...]:
    """Observations kept under `home` and counts for `asked`; nothing is created there."""
    with kept_store(home) as store:
        return () if store is None else asked.remembered(store)


@contextmanager
def kept_store(home: Path) -> Iterator[Store | None]:
    """The store under `home`; None where there is none, and none is created."""
    if not has_store(home):
        yield None
        return
    with open_store(home) as store:
        yield store


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
        "workload": f"{document['workload']} at {_levels_text(document)}",
        "profiles": ", ".join(document["profiles"]) or "none",
        "strategy": f"{document['strategy']} for {', '.join(document['objectives'])}"
        + (f"; {document['strategy_reason']}" if document["strategy_reason"] else ""),
        "candidates": f"{document['candidates']} of {document['combinations']} combinations, "
        f"{_launches_text(document)}",
    }
    if prepared.task.deployment_mode == "docker":
        rows["containers"] = f"an engine in each, of the {document['engine_origin']}"
    if prepared.task.deployment_mode == "ray":
        rows["cluster"] = _cluster_text(prepared, prepared.task.ray or RayConfig())
    baseline = document["baseline"]
    rows["baseline"] = (
        f"none: {document['baseline_reason']}"
        if baseline is None
        else f"launched first: {baseline['reason']}"
    )
    if document["confirm_launches"]:
        rows["confirmation"] = f"up to {document['confirm_launches']} further launches at the end"
    if document["load_reason"]:
        rows["load levels"] = document["load_reason"]
    for name, value in rows.items():
        table.add_row(f"[bold]{name}[/bold]", escape(value))
    for line in dict.fromkeys(line for v in prepared.variants for line in machine_lines(v.config)):
        table.add_row("[bold]machine[/bold]", escape(line))
    for path, values in document["axes"].items():
        table.add_row("[bold]axis[/bold]", escape(f"{path}: {', '.join(map(value_text, values))}"))
    for reason, count in document["excluded"].items():
        table.add_row("[bold]excluded[/bold]", escape(f"{count} x {reason}"))
    for note in document["model_notes"]:
        table.add_row("[yellow]note[/yellow]", escape(note))
    for note in document["slo_notes"]:
        table.add_row("[yellow]note[/yellow]", escape(note))
    for warning in document["warnings"]:
        table.add_row("[yellow]left out[/yellow]", escape(warning))
    if not document["installed"] and not document["replay"]:
        table.add_row("[yellow]note[/yellow]", "the engine is not installed here: plan only")
    for line in start_lines(document):
        table.add_row("[bold]start[/bold]", escape(line))
    table.add_row("[bold]time[/bold]", _time_text(document))
    console.print(table)


def _cluster_text(prepared: Prepared, config: RayConfig) -> str:
    where, capacity, most = f"Ray at {config.address}", prepared.cluster_capacity, ""
    if config.address == RayConfig().address:
        where += ", which is this machine's or that of RAY_ADDRESS"
    if prepared.total_gpus and config.gpus_per_node is not None:
        most = f"; launches on more than {counted(config.gpus_per_node, 'GPU')} take several nodes"
    if capacity is None:
        return f"{where}; its nodes are asked when the task begins{most}"
    nodes = counted(len(capacity.nodes), "node")
    if prepared.total_gpus:
        return f"{where}: {nodes} with {counted(sum(capacity.nodes), 'GPU')}{most}"
    return f"{where}: {nodes} with room for {counted(capacity.on_cpus, 'engine')} on CPUs at once"


def machine_lines(config: ResolvedConfig) -> list[str]:
    """Settings that the engine gets for this machine, and why: `misc.threads = 2: …`."""
    return [
        f"{path} = {origin.value}: {origin.why}"
        for path, origins in config.provenance.items()
        for origin in origins
        if origin.layer == MACHINE and origin.status == "set"
    ]


_SOURCES = {
    "recorded": "as recorded",
    "again": "whose settings started before",
    "first": "whose settings did not start before",
    "assumed": "by assumption",
}


def start_lines(document: Mapping[str, Any]) -> list[str]:
    """Expected start of a launch and where it is from; of those that differ by it, each kind."""
    planned = [*filter(None, (document["baseline"],)), *document["experiments"]]
    starts = list({one["id"]: one for one in planned}.values())
    kinds: dict[str, list[float]] = {}
    for one in starts:
        kinds.setdefault(one["startup_source"], []).append(one["startup_s"])
    usual = f"{duration_text(document['startup_s'])} a launch"
    if len(kinds) < 2:
        return [f"{usual}: {document['startup_why']}"]
    return [f"{usual} on average: {document['startup_why']}"] + [
        f"{_range_text(seconds)} of {len(seconds)} of {len(starts)} launches, {_SOURCES[kind]}"
        for kind, seconds in kinds.items()
    ]


def _range_text(seconds: Sequence[float]) -> str:
    low, high = duration_text(min(seconds)), duration_text(max(seconds))
    return low if low == high else f"{low} to {high}"


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


def _levels_text(document: Mapping[str, Any]) -> str:
    return format_levels(map(LoadLevel.from_json, document["load"]), in_full=True)
