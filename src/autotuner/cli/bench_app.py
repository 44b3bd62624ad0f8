"""`autotuner bench`: how fast and how right predictions are, and how good searches."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autotuner.cli.many_values import command_with_many
from autotuner.cli.options import Home, Json

bench_app = typer.Typer(
    help="How fast and how right predictions are, and how good searches.", no_args_is_help=True
)


@bench_app.command("predict")
def bench_predict(
    plain_sample: Annotated[
        int,
        typer.Option("--plain-sample", min=2, help="Plain calls to time; all are scaled from it."),
    ] = 24,
    full: Annotated[
        bool, typer.Option("--full", help="Time every plain call: about five minutes.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Time the prediction of 324 configurations against aiconfigurator's plain API."""
    from autotuner.cli.commands.bench_predict import bench_predict as command

    raise typer.Exit(command(plain_sample=None if full else plain_sample, as_json=as_json))


@bench_app.command("accuracy")
def bench_accuracy(
    only: Annotated[
        str | None,
        typer.Option(
            "--only",
            metavar="model=…,system=…,backend=…",
            help="Judge these rows; the others still teach.",
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, help="Random draws of the launches measured.")
    ] = 5,
    home: Home = None,
    as_json: Json = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the tables as the documentation holds them.")
    ] = False,
) -> None:
    """Judge prediction and calibration on publicly measured operating points."""
    from autotuner.cli.commands.bench_accuracy import bench_accuracy as command

    raise typer.Exit(command(only=only, seeds=seeds, home=home, as_json=as_json, markdown=markdown))


@bench_app.command("search", cls=command_with_many("--landscape", "--memory"))
def bench_search(
    landscape: Annotated[
        list[Path],
        typer.Option(
            "--landscape", metavar="FILE…", help="Recorded landscapes to replay; or folders."
        ),
    ],
    memory: Annotated[
        list[Path] | None,
        typer.Option(
            "--memory",
            metavar="FILE…",
            help="Landscapes that count as measured before; those of the replayed model never do.",
        ),
    ] = None,
    launches: Annotated[
        str, typer.Option("--launches", metavar="N,…", help="Budgets, each replayed.")
    ] = "12,17",
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, help="Replays of each, with other noise and draws.")
    ] = 10,
    strategies: Annotated[
        str | None,
        typer.Option("--strategies", metavar="NAME,…", help="Which; all of them if left out."),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", min=1, help="Processes; as many as there are cores if left out."),
    ] = None,
    startup_minutes: Annotated[
        float,
        typer.Option(
            "--startup-minutes",
            metavar="MINUTES",
            help="Simulated time of a start that the landscape does not tell.",
        ),
    ] = 4.0,
    level_minutes: Annotated[
        float,
        typer.Option(
            "--level-minutes",
            metavar="MINUTES",
            help="The same of one load level that is measured.",
        ),
    ] = 1.0,
    as_json: Json = False,
) -> None:
    """Replay searches on recorded landscapes: how much of the frontier they find, and how fast."""
    from autotuner.cli.commands.bench_search import bench_search as command

    code = command(
        landscape,
        memory=memory or [],
        launches=launches,
        seeds=seeds,
        strategies=strategies,
        jobs=jobs,
        startup_minutes=startup_minutes,
        level_minutes=level_minutes,
        as_json=as_json,
    )
    raise typer.Exit(code)
