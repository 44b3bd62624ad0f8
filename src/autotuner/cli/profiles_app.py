"""The commands under `autotuner profiles`, and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autotuner.cli.options import Home, Json

profiles_app = typer.Typer(help="Profiles: named layers of settings.", no_args_is_help=True)
ProfileName = Annotated[str, typer.Argument(metavar="PROFILE", help="Name of a profile.")]


@profiles_app.command("list")
def profiles_list(home: Home = None, as_json: Json = False) -> None:
    """List the built-in profiles and your own (PROFILE.yaml in the home's profiles/)."""
    from autotuner.cli.commands.profiles import profiles_list as command

    command(home=home, as_json=as_json)


@profiles_app.command("show")
def profiles_show(profile: ProfileName, home: Home = None, as_json: Json = False) -> None:
    """Show a profile: its layers, their conditions, every setting with its reason and source."""
    from autotuner.cli.commands.profiles import profiles_show as command

    command(profile, home=home, as_json=as_json)


@profiles_app.command("apply")
def profiles_apply(
    profile: ProfileName,
    model: Annotated[
        str,
        typer.Option("--model", help="Id of the catalog or a hub, a model folder or a GGUF file."),
    ],
    engine: Annotated[str, typer.Option("--engine", help="As `engines list` names it.")],
    gpu: Annotated[str | None, typer.Option("--gpu", help="GPU of the catalog, or cpu.")] = None,
    gpus: Annotated[int, typer.Option("--gpus", min=1, help="How many there are.")] = 1,
    isl: Annotated[int | None, typer.Option("--isl", min=1, help="Input tokens.")] = None,
    osl: Annotated[int | None, typer.Option("--osl", min=1, help="Output tokens.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Show what a profile sets for a model on GPUs with an engine, and why."""
    from autotuner.cli.commands.profiles import profiles_apply as command

    where = {"model": model, "runtime": engine, "gpu_type": gpu, "total_gpus": gpus}
    command(profile, {**where, "isl": isl, "osl": osl}, home=home, as_json=as_json)


@profiles_app.command("validate")
def profiles_validate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A profile's YAML file.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Check a profile of yours."""
    from autotuner.cli.commands.profiles import profiles_validate as command

    command(file, home=home, as_json=as_json)
