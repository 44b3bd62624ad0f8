"""The commands that answer out of predictions and results, and launch nothing: their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autotuner.cli.collector import collector_paused
from autotuner.cli.options import CandidateId, GpuCount, GpuName, Home, Json, Model, Price, Short

Limits = Annotated[
    list[str] | None,
    typer.Option("--slo", metavar="NAME=MS", help="Limits: ttft_ms=500,tpot_ms=50."),
]


def recommend(
    model: Model = None,
    gpu: GpuName = None,
    gpus: GpuCount = None,
    engine: Annotated[
        list[str] | None,
        typer.Option(
            "--engine", help="As `engines list` names it; again for more, all that can if left out."
        ),
    ] = None,
    isl: Annotated[int | None, typer.Option("--isl", min=1, help="Input tokens.")] = None,
    osl: Annotated[int | None, typer.Option("--osl", min=1, help="Output tokens.")] = None,
    ttft: Annotated[
        float | None, typer.Option("--ttft", help="Limit of the mean time to first token, ms.")
    ] = None,
    tpot: Annotated[
        float | None, typer.Option("--tpot", help="Limit of the mean time per output token, ms.")
    ] = None,
    slo: Limits = None,
    users: Annotated[
        int | None,
        typer.Option(
            "--users", min=1, help="Requests in flight at one deployment; any load if left out."
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option("--rate", help="Requests per second at one deployment, in place of --users."),
    ] = None,
    predictor: Annotated[
        str, typer.Option("--predictor", help="auto, aiconfigurator, aisimulate or roofline.")
    ] = "auto",
    mode: Annotated[
        str | None,
        typer.Option(
            "--mode",
            help="Data of aiconfigurator and AISimulate: auto, SILICON, HYBRID, EMPIRICAL, SOL; "
            "auto for one engine and SILICON for several if left out.",
        ),
    ] = None,
    usd_per_gpu_hour: Price = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Say how to serve a model within an SLO, by prediction alone: no task file, no launch."""
    with collector_paused():
        from autotuner.cli.commands.init import Wishes
        from autotuner.cli.commands.recommend import LoadWishes
        from autotuner.cli.commands.recommend import recommend as command

        code = command(
            Wishes(model, None, gpu, gpus, isl, osl, slo or ()),
            engine or (),
            LoadWishes(users, rate),
            limits=(ttft, tpot),
            prediction=(predictor, mode),
            usd_per_gpu_hour=usd_per_gpu_hour,
            home=home,
            as_json=as_json,
        )
    raise typer.Exit(code)


def size(
    task: Annotated[
        str | None,
        typer.Argument(
            metavar="[TASK]",
            help="Number of a stored task, sized by its measurements, or a task file, by "
            "predictions; the newest stored task if left out.",
        ),
    ] = None,
    rate: Annotated[
        float | None, typer.Option("--rate", help="Requests per second that come in.")
    ] = None,
    users: Annotated[
        float | None, typer.Option("--users", help="Users at once, in place of --rate.")
    ] = None,
    think_s: Annotated[
        float | None,
        typer.Option(
            "--think-s", help="Seconds from an answer to its user's next request; default 0."
        ),
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option(
            "--trace",
            help="Recorded requests, CSV or JSON lines, in place of --rate: the rate is a "
            "quantile over windows.",
        ),
    ] = None,
    trace_unit: Annotated[
        str | None,
        typer.Option("--trace-unit", help="Unit of the trace's times: s or ms."),
    ] = None,
    window_s: Annotated[
        float | None,
        typer.Option("--window-s", help="Seconds of a window of the trace; 60 if left out."),
    ] = None,
    quantile: Annotated[
        str | None,
        typer.Option(
            "--quantile",
            help="Share of the windows that are held: 99% (if left out), 0.99 or, of all, 100%.",
        ),
    ] = None,
    slo: Annotated[
        list[str] | None,
        typer.Option(
            "--slo",
            metavar="NAME=MS",
            help="Limits in place of the task's of the same names: ttft_ms=500.",
        ),
    ] = None,
    headroom: Annotated[
        str,
        typer.Option(
            "--headroom", help="Share of what a replica holds that stays free: 20%, 20 or 0.2."
        ),
    ] = "20%",
    growth_per_month: Annotated[
        str | None,
        typer.Option("--growth-per-month", help="Growth of the traffic: 5%, 5 or 0.05."),
    ] = None,
    months: Annotated[
        int | None,
        typer.Option("--months", help="Months that the traffic grows for; 12 if left out."),
    ] = None,
    gpu: Annotated[
        list[str] | None,
        typer.Option(
            "--gpu",
            help="Predict on these GPUs of the catalog in place of the task's: h100,h200, or all "
            "of its maker.",
        ),
    ] = None,
    usd_per_gpu_hour: Annotated[
        list[str] | None,
        typer.Option(
            "--usd-per-gpu-hour",
            metavar="USD",
            help="Prices in place of the catalog's: 2.5, or h100=2.5,h200=3.",
        ),
    ] = None,
    predictor: Annotated[
        str | None,
        typer.Option(
            "--predictor",
            help="auto, aiconfigurator, aisimulate or roofline; the task's if left out.",
        ),
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option(
            "--mode",
            help="Data of aiconfigurator and AISimulate: auto, SILICON, HYBRID, EMPIRICAL, SOL; "
            "the task's for its own GPU and SILICON for several if left out.",
        ),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Say how many replicas and GPUs hold a traffic within the SLO, and what they cost."""
    from autotuner.cli.commands.size import SizeWishes, TrafficWishes
    from autotuner.cli.commands.size import size as command

    code = command(
        SizeWishes(task, slo or (), gpu or (), usd_per_gpu_hour or (), predictor, mode),
        TrafficWishes(
            rate,
            users,
            think_s,
            headroom,
            growth_per_month,
            months,
            trace=trace,
            trace_unit=trace_unit,
            window_s=window_s,
            quantile=quantile,
        ),
        home=home,
        as_json=as_json,
    )
    raise typer.Exit(code)


def explain_performance(
    task: Annotated[
        str | None,
        typer.Argument(
            metavar="[TASK]",
            help="Task file, or the number of a task; the newest task if left out.",
        ),
    ] = None,
    candidate: CandidateId = None,
    point: Annotated[
        int | None,
        typer.Option("--point", metavar="K", help="This point of the frontier, from 1."),
    ] = None,
    load: Annotated[
        float | None,
        typer.Option(
            "--load", metavar="VALUE", help="Load level: requests in flight, or a second."
        ),
    ] = None,
    home: Home = None,
    as_json: Json = False,
    short: Short = False,
) -> None:
    """Say where the time of a configuration goes, what limits it, and what would help."""
    from autotuner.cli.commands.explain_performance import AskedPoint
    from autotuner.cli.commands.explain_performance import explain_performance as command

    command(AskedPoint(task, candidate, point, load), home=home, as_json=as_json, short=short)


def why(
    task: Annotated[
        str | None,
        typer.Argument(
            metavar="[TASK]",
            help="Task file, or the number of a task; the newest task if left out.",
        ),
    ] = None,
    slo: Annotated[
        list[str] | None,
        typer.Option(
            "--slo",
            metavar="NAME=MS",
            help="Limits in place of the task's of the same names: ttft_ms=500.",
        ),
    ] = None,
    elsewhere: Annotated[
        bool,
        typer.Option(
            "--elsewhere/--no-elsewhere", help="Whether other GPUs and formats are predicted."
        ),
    ] = True,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Say what keeps points from the SLO, what is excluded and why, and what would change it."""
    from autotuner.cli.commands.why import why as command

    code = command(task, slo=slo or (), elsewhere=elsewhere, home=home, as_json=as_json)
    raise typer.Exit(code)
