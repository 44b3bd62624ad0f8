"""Deployments that hold a traffic, on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autotuner.config import LoadLevel
from autotuner.report.command import print_command
from autotuner.report.points import cost_text, usd_text
from autotuner.report.recommendation_terminal import costs_in, settings_line
from autotuner.search import OBJECTIVES
from autotuner.search.points import figure, percent
from autotuner.search.slo import beyond, describe_slo

_SHOWN = 5
_MOST_REFUSED = 6


def print_size(document: Mapping[str, Any], console: Console) -> None:
    """Prints the document of `report.size_document` for people."""
    slo = describe_slo(document["slo"]) if document["slo"] else "no limits"
    console.print(
        f"[bold]{escape(document['model'])}[/bold], {document['source']}: "
        f"{traffic_text(document['traffic'])}, {slo}, {percent(document['headroom'])} head room",
        soft_wrap=True,
    )
    if document["trace"] is not None:
        console.print(escape(_trace_line(document["trace"])), soft_wrap=True)
    console.print(
        f"{document['holding']} of {document['candidates']} candidates hold it with enough replicas"
    )
    refused = list(document["refused"].items())
    for gpu, why in refused[:_MOST_REFUSED]:
        console.print(escape(f"  {gpu}: left out: {why}"), soft_wrap=True)
    if len(refused) > _MOST_REFUSED:
        left = len(refused) - _MOST_REFUSED
        console.print(f"  and {left} more GPUs are left out; --json says why")
    if document["deployments"]:
        _print_found(document, console)
    else:
        _print_nearest(document, console)
    for note in document["notes"]:
        console.print(f"[yellow]note[/yellow] {escape(note)}", soft_wrap=True)


def _trace_line(trace: Mapping[str, Any]) -> str:
    mean, held, most = (figure(trace[f"{k}_per_s"]) for k in ("mean", "requests", "most"))
    return (
        f"{trace['path']} ({trace['format']}): {trace['requests']:,} requests in "
        f"{_span(trace['span_s'])}; by windows of {trace['window_s']:g} s {mean} requests/s on "
        f"average, {held} at most in {100 * trace['quantile']:g} % of them, {most} in the fullest"
    )


def _span(seconds: float) -> str:
    """`45 s`, `12 minutes`, `3.2 hours`, `7 days`."""
    units = ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes"))
    size, name = next(((s, n) for s, n in units if seconds >= 2 * s), (1.0, "s"))
    return f"{seconds / size:.3g} {name}"


def _print_found(document: Mapping[str, Any], console: Console) -> None:
    console.print()
    console.print("Deployments, the smallest first")
    console.print(_table(document["deployments"][:_SHOWN]))
    if len(document["gpus"]) > 1:
        console.print("By GPU, the smallest deployment of each")
        console.print(_by_gpu(document))
    best = document["deployments"][0]
    console.print()
    _print_deployment("smallest", best, console)
    print_command(best["command"], console)
    cheapest = document["cheapest"]
    is_same = cheapest is None or (cheapest["gpu"], cheapest["candidate"]) == (
        best["gpu"],
        best["candidate"],
    )
    if not is_same and cheapest["usd_per_hour"] < (best["usd_per_hour"] or float("inf")):
        console.print()
        _print_deployment("cheapest", cheapest, console)
        print_command(cheapest["command"], console)
    if document["growth"]:
        console.print()
        _print_growth(document["growth"], console)


def _print_deployment(title: str, made: Mapping[str, Any], console: Console) -> None:
    load = LoadLevel.from_json(made["capacity"]["load"])
    gpus = f" of {made['gpus_per_replica']} GPU" if made["gpus_per_replica"] else ""
    console.print(
        f"[bold green]{title}[/bold green] {_counted(made['replicas'], 'replica')}{gpus} on "
        f"{escape(made['gpu'])}, {escape(_configuration(made))}",
        soft_wrap=True,
    )
    console.print(
        f"  one holds {figure(made['capacity']['requests_per_s'])} requests/s within the limits "
        f"({load.named}); {percent(made['utilisation'])} of it is used",
        soft_wrap=True,
    )
    least, most = made["replicas_interval"]
    if (least, most) != (made["replicas"], made["replicas"]):
        worst = "none is within the limits for certain" if most is None else f"at most {most}"
        console.print(f"  by the intervals at least {least} replicas, {worst}", soft_wrap=True)
    latencies = ", ".join(
        f"{OBJECTIVES[name].label} {figure(value)} ms"
        for name, value in made["latencies_ms"].items()
    )
    between = [LoadLevel.from_json(form).named for form in made["between"]]
    basis = f"interpolated between {' and '.join(between)}" if len(between) > 1 else between[0]
    console.print(f"  expected at this load: {latencies} ({basis})", soft_wrap=True)
    if made["usd_per_hour"] is not None:
        costs = cost_text(costs_in(made))
        console.print(f"  {figure(made['usd_per_hour'])} USD per hour; {costs}", soft_wrap=True)


def _table(rows: list[Mapping[str, Any]]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0))
    for head in ("GPU", "GPUs", "replicas", "req/s each", "used", "USD/h", "USD/M"):
        table.add_column(head, justify="left" if head == "GPU" else "right", no_wrap=True)
    table.add_column("engine: settings", overflow="fold")
    for made in rows:
        least, most = made["replicas_interval"]
        spread = "" if least == most else f"\n{least}-{'?' if most is None else most}"
        table.add_row(
            escape(made["gpu"]),
            str(made["gpus"]),
            f"{made['replicas']}{spread}",
            figure(made["capacity"]["requests_per_s"]),
            percent(made["utilisation"]),
            usd_text(made["usd_per_hour"]),
            usd_text(made["usd_per_million_tokens"]),
            escape(_configuration(made)),
        )
    return table


def _by_gpu(document: Mapping[str, Any]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0))
    for head in ("GPU", "GPUs", "USD/h", "USD/GPU/h", "candidates that hold it"):
        table.add_column(head, justify="left" if head == "GPU" else "right", no_wrap=True)
    for row in sorted(document["gpus"], key=lambda row: (row["gpus"] is None, row["gpus"] or 0)):
        table.add_row(
            escape(row["gpu"]),
            "–" if row["gpus"] is None else str(row["gpus"]),
            usd_text(row["usd_per_hour"]),
            usd_text(row["usd_per_gpu_hour"]),
            f"{row['holding']} of {row['candidates']}",
        )
    return table


def _configuration(row: Mapping[str, Any]) -> str:
    """`vllm: TP 2`, `vllm, the baseline: TP 2`."""
    engine = f"{row['engine']}, the baseline" if row["is_baseline"] else row["engine"]
    return f"{engine}: {settings_line(row['settings'])}"


def _counted(count: int, thing: str) -> str:
    """`1 replica`, `8 replicas`."""
    return f"{count} {thing}{'s' * (count != 1)}"


def _print_growth(rows: list[Mapping[str, Any]], console: Console) -> None:
    console.print("As traffic grows, with the deployment that is smallest at the end")
    before = None
    for row in rows:
        if row["replicas"] == before and row is not rows[-1]:
            continue
        before = row["replicas"]
        gpus = f", {_counted(row['gpus'], 'GPU')}" if row["gpus"] else ""
        price = (
            "" if row["usd_per_hour"] is None else f", {figure(row['usd_per_hour'])} USD per hour"
        )
        console.print(
            f"  month {row['month']}: {traffic_text(row['traffic'])}: "
            f"{_counted(row['replicas'], 'replica')}{gpus}{price}",
            soft_wrap=True,
        )


def _print_nearest(document: Mapping[str, Any], console: Console) -> None:
    console.print()
    found = document["nearest"]
    if found is None:
        console.print("no load level is known of any candidate")
        return
    label = OBJECTIVES[found["limit"]].label
    load = LoadLevel.from_json(found["load"])
    console.print(
        f"[bold]nothing holds it[/bold]: already one replica at {load.named} misses {label}",
        soft_wrap=True,
    )
    is_at = f"{label} is not known there"
    if found["value_ms"] is not None:
        is_at = f"{label} is {figure(found['value_ms'])} ms, " + beyond(
            found["over"], f"the limit of {found['limit_ms']:g} ms"
        )
    console.print(
        f"  nearest: on {escape(found['gpu'])}, {escape(_configuration(found))}: {is_at}",
        soft_wrap=True,
    )
    console.print("  more replicas do not help: give a looser limit, or faster candidates")


def traffic_text(traffic: Mapping[str, float | None]) -> str:
    """`40 requests/s`, `200 users who think for 5 s`."""
    if traffic["requests_per_s"] is not None:
        return f"{figure(traffic['requests_per_s'])} requests/s"
    think = f" who think for {traffic['think_s']:g} s" if traffic["think_s"] else ""
    return f"{figure(traffic['users'] or 0.0)} users{think}"
