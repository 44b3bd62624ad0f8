"""`autotuner observations`: its commands and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autotuner.cli.options import FORMER_SPELLINGS, Chosen, Home, Json

observations_app = typer.Typer(
    help="What was measured beside a prediction: predictions are corrected by it.",
    no_args_is_help=True,
)
OfEngine = Annotated[str | None, typer.Option("--engine", help="Only of this engine.")]
OfDevice = Annotated[str | None, typer.Option("--device", help="Only of this device.")]
OfModel = Annotated[str | None, typer.Option("--model", help="Only of this model.")]
OfOrigin = Annotated[
    str | None,
    typer.Option(
        "--origin", help="Only of this origin; `own` is what was measured here.", metavar="NAME"
    ),
]
OfTask = Annotated[int | None, typer.Option("--task", help="Only of the task of this number.")]
LinesFile = Annotated[Path, typer.Argument(metavar="FILE", help="JSON Lines, one a line.")]


def chosen_ones(
    engine: str | None, device: str | None, model: str | None, task: int | None, origin: str | None
) -> Chosen:
    """The observations that options mean."""
    from autotuner.predict.observations import OWN

    of = "" if origin == OWN else origin
    return Chosen(engine=engine, device=device, model=model, task_id=task, origin=of)


@observations_app.command("list", context_settings=FORMER_SPELLINGS)
def observations_list(
    engine: OfEngine = None,
    device: OfDevice = None,
    model: OfModel = None,
    task: OfTask = None,
    origin: OfOrigin = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List them by model, engine and device, with how far the predictor was."""
    from autotuner.cli.commands.observations import observations_list as command

    chosen = chosen_ones(engine, device, model, task, origin)
    command(chosen, home=home, as_json=as_json)


Importable = Annotated[
    Path,
    typer.Argument(
        metavar="FILE|FOLDER",
        help="JSON Lines, a file or folder of a load generator's results, or `silicon`: rows that "
        "aiconfigurator carries.",
    ),
]


@observations_app.command("import")
def observations_import(
    file: Importable,
    stated: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Say it for every measurement."),
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option(
            "--origin",
            metavar="NAME",
            help="Who measured it, where that was not you: it counts as far as it agrees.",
        ),
    ] = None,
    licence: Annotated[
        str | None,
        typer.Option("--licence", metavar="TEXT", help="Under which it was published."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Take observations in; those that are there already are counted."""
    from autotuner.cli.commands.observations import observations_import as command

    command(file, stated=stated or [], origin=origin, licence=licence, home=home, as_json=as_json)


@observations_app.command("export", context_settings=FORMER_SPELLINGS)
def observations_export(
    file: LinesFile,
    engine: OfEngine = None,
    device: OfDevice = None,
    model: OfModel = None,
    task: OfTask = None,
    origin: OfOrigin = None,
    share: Annotated[
        bool,
        typer.Option(
            "--share",
            help="What others may have: no names, paths, prompts, prices, times; "
            "what may be private is left out.",
        ),
    ] = False,
    licence: Annotated[
        str | None,
        typer.Option(
            "--licence", metavar="TEXT", help="With --share: under which others may use your own."
        ),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Write observations to a file."""
    from autotuner.cli.commands.observations import observations_export as command

    chosen = chosen_ones(engine, device, model, task, origin)
    command(file, chosen, share=share, licence=licence, home=home, as_json=as_json)


@observations_app.command("forget", context_settings=FORMER_SPELLINGS)
def observations_forget(
    engine: OfEngine = None,
    device: OfDevice = None,
    model: OfModel = None,
    task: OfTask = None,
    origin: OfOrigin = None,
    every: Annotated[bool, typer.Option("--all", help="All there are.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Remove observations; a backup is written first."""
    from autotuner.cli.commands.observations import observations_forget as command

    chosen = chosen_ones(engine, device, model, task, origin)
    command(chosen, every=every, yes=yes, home=home, as_json=as_json)
