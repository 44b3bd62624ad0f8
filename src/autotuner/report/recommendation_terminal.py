"""The answer of predictions alone on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autotuner.config import LoadLevel
from autotuner.report.command import print_command
from autotuner.report.points import cost_text, cut_text, usd_text
from autotuner.search import OBJECTIVES
from autotuner.search.axes import describe_settings
from autotuner.search.points import figure
from autotuner.search.slo import beyond
from autotuner.sizing import TokenCosts

_SHOWN = ("parallel", "quantization", "scheduling", "memory", "attention")
_DIFFERS = {"engine": "engine", "layout": "parallel layout", "formats": "number formats"}
_MOST_TASKS = 2


def print_recommendation(document: Mapping[str, Any], console: Console) -> None:
    """Prints the document of `report.recommendation` for people."""
    devices = "this CPU" if not document["gpus"] else f"{document['gpus']} x {document['gpu']}"
    work = document["workload"]
    console.print(
        f"[bold]{escape(document['model'])}[/bold] on {devices}, {work['isl']} tokens in and "
        f"{work['osl']} out; predicted, nothing was launched",
        soft_wrap=True,
    )
    for engine in document["engines"]:
        count = f"{engine['predicted']} of {engine['candidates']} candidates predicted"
        by = f" by {engine['predictor']}" if engine["predictor"] else ""
        line = f"  {engine['engine']}: {count}{by}{_why_none(engine)}"
        console.print(escape(line), soft_wrap=True)
    for engine, why in document["refused"].items():
        console.print(escape(f"  {engine} cannot: {cut_text(why)}"), soft_wrap=True)
    if document["mixed"]:
        console.print(f"[yellow]{escape(document['mixed'])}[/yellow]", soft_wrap=True)
    best = document["recommended"]
    console.print()
    if best is None:
        console.print("nothing is predicted: there is no point to recommend")
        return
    title = "recommended" if document["meets_slo"] else "nothing fits; nearest to the SLO"
    _print_point(title, best, document, console)
    for line in document["why_not"]:
        console.print(f"  {escape(line)}", soft_wrap=True)
    print_command(best["command"], console, best["sample_request"])
    if document["certain"] is not None:
        console.print()
        _print_point("the safe choice", document["certain"], document, console)
        print_command(document["certain"]["command"], console)
    if document["alternatives"]:
        console.print()
        console.print("Next best of other kinds")
        console.print(_alternatives(document))
    console.print()
    _print_measuring(document, console)


def _why_none(engine: Mapping[str, Any]) -> str:
    """Why no candidate of an engine is predicted; empty where one is."""
    if engine["predicted"]:
        return ""
    reasons = [f"{engine['out_of_memory']} out of memory"] if engine["out_of_memory"] else []
    reasons += [cut_text(engine["why"])] if engine["refused"] and engine["why"] else []
    return f": {', '.join(reasons)}" if reasons else ""


def _print_point(
    title: str, point: Mapping[str, Any], document: Mapping[str, Any], console: Console
) -> None:
    load = LoadLevel.from_json(point["load"])
    console.print(
        f"[bold green]{title}[/bold green] {escape(point['engine'])}, "
        f"{escape(settings_line(point['settings']))} at {load.long}",
        soft_wrap=True,
    )
    console.print(f"  {escape(point['reason'])}", soft_wrap=True)
    low, high = point["intervals"]["tok_s"]
    gpus = point["gpus"]
    console.print(
        f"  {figure(point['tok_s'] / gpus)} tok/s/GPU ({figure(low / gpus)}–{figure(high / gpus)})"
        + (f", {figure(1000 / point['tpot_ms'])} tok/s/user" if point["tpot_ms"] else "")
        + f", {figure(point['requests_per_s'])} requests/s; intervals are of 80 %, "
        f"by {escape(point['kind'])}",
        soft_wrap=True,
    )
    if not point["limits"]:
        figures = [(n, point[n]) for n in ("ttft_ms", "tpot_ms") if point[n] is not None]
        text = ", ".join(f"{OBJECTIVES[n].label} {figure(v)} ms" for n, v in figures)
        console.print(f"  {text}")
    for limit in point["limits"]:
        low, high = limit["interval_ms"]
        excess = f", {beyond(limit['over'], 'it')}" if limit["over"] else ""
        console.print(
            f"  {limit['verdict']}: {OBJECTIVES[limit['name']].label} "
            f"{figure(limit['predicted_ms'])} ms ({figure(low)}–{figure(high)}), the limit is "
            f"{limit['limit_ms']:g} ms{excess}",
            soft_wrap=True,
        )
    price = document["usd_per_gpu_hour"]
    if (cost := cost_text(costs_in(point))) is not None and price is not None:
        console.print(f"  {cost}, at {price:g} USD per GPU and hour", soft_wrap=True)
    if point["replicas_that_fit"] > 1:
        fit = point["replicas_that_fit"]
        console.print(
            f"  it takes {gpus} of {document['gpus']} GPUs: {fit} of these fit, "
            f"{figure(fit * point['tok_s'])} tok/s together",
            soft_wrap=True,
        )


def costs_in(point: Mapping[str, Any]) -> TokenCosts:
    """The costs of a point in a document."""
    return TokenCosts(**{name: point[name] for name in TokenCosts().to_json()})


def settings_line(settings: Mapping[str, Any]) -> str:
    """The settings that decide performance: `TP 4, weights fp8, sequences 64`."""
    return describe_settings(
        {
            path: value
            for path, value in settings.items()
            if path.partition(".")[0] in _SHOWN and path != "memory.max_model_len"
        }
    )


def _alternatives(document: Mapping[str, Any]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0))
    heads = ("engine", "GPUs", "load", "tok/s/GPU", "TTFT ms", "TPOT ms")
    priced = document["usd_per_gpu_hour"] is not None
    for head in (*heads, *(["USD/M"] if priced else []), *(["SLO"] if document["slo"] else [])):
        table.add_column(head, justify="left" if head == "engine" else "right", no_wrap=True)
    table.add_column("differs in: settings", overflow="fold")
    for point in document["alternatives"]:
        low, high = (end / point["gpus"] for end in point["intervals"]["tok_s"])
        differs = ", ".join(_DIFFERS[name] for name in point["differs"])
        if point["kind"] != document["recommended"]["kind"]:
            differs += f", data ({point['kind']})"
        table.add_row(
            escape(point["engine"]),
            str(point["gpus"]),
            str(LoadLevel.from_json(point["load"])),
            f"{figure(point['tok_s'] / point['gpus'])}\n{figure(low)}-{figure(high)}",
            figure(point["ttft_ms"]),
            "–" if point["tpot_ms"] is None else figure(point["tpot_ms"]),
            *([usd_text(point["usd_per_million_tokens"])] if priced else []),
            *([point["verdict"]] if document["slo"] else []),
            escape(f"{differs}: {settings_line(point['settings'])}"),
        )
    return table


def _print_measuring(document: Mapping[str, Any], console: Console) -> None:
    found = document["measuring"]
    others = found["kinds"] - 1
    console.print("[bold]What measuring would settle[/bold]")
    if not document["meets_slo"]:
        text = f"{found['rivals']} of {others} other kinds may meet the SLO within their intervals"
    elif found["rivals"]:
        text = (
            f"{found['rivals']} of {others} other kinds may be better than the recommended one "
            "within the 80 % intervals; predictions alone do not tell them apart"
        )
    else:
        text = f"none of {others} other kinds reaches the recommended one within its interval"
    console.print(f"  {text}", soft_wrap=True)
    for task in found["tasks"][:_MOST_TASKS]:
        costs = []
        if task["minutes"] is not None:
            costs.append(f"about {task['minutes']:.0f} min")
        if task["usd"] is not None:
            costs.append(f"{task['usd']:.2f} USD")
        count = f"up to {task['launches']} launches"
        console.print(f"  {escape(task['engine'])}: {', '.join([count, *costs])}", soft_wrap=True)
        for command in task["commands"]:
            console.print(f"    {command}", soft_wrap=True, markup=False, highlight=False)
        for level in task["load_missing"]:
            asked = LoadLevel.from_json(level)
            measured = ", ".join(str(LoadLevel.from_json(one)) for one in task["load"])
            console.print(
                f"    the file measures at {measured}, not at {asked.long}: write that into its "
                "load levels before tuning",
                soft_wrap=True,
            )
    left = len(found["tasks"]) - _MOST_TASKS
    if left > 0:
        console.print(f"  and {left} more engines; --json has their commands")
