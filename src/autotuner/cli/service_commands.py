"""The commands `serve` and `worker`, and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autotuner.cli.options import Database, Home

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", envvar="AUTOTUNER_CONFIG", help="YAML file of the operator's."),
]
WorkerDevices = Annotated[
    str,
    typer.Option("--devices", help="cpu, all (GPUs, else the CPU), or GPUs by index or UUID: 0,1."),
]
WorkerGpu = Annotated[
    str | None, typer.Option("--gpu", help="What the GPUs are; as the driver reports if left out.")
]


def serve(
    host: Annotated[
        str | None, typer.Option("--host", help="Address to listen on; 127.0.0.1 if left out.")
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", help="Port; 8700 if left out, 0 takes a free one.")
    ] = None,
    database: Database = None,
    home: Home = None,
    config: ConfigFile = None,
    v1_origins: Annotated[
        bool,
        typer.Option("--v1-origins", help="Let pages at v1's development addresses use it."),
    ] = False,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Serve only: workers run elsewhere.")
    ] = False,
    devices: WorkerDevices = "all",
    gpu: WorkerGpu = None,
) -> None:
    """Serve the web UI and the HTTP API; a worker runs the tasks unless --no-worker is given."""
    from autotuner.cli.commands.serve import serve as command

    raise typer.Exit(
        command(
            host=host,
            port=port,
            database=database,
            home=home,
            config=config,
            v1_origins=v1_origins,
            with_worker=not no_worker,
            devices=devices,
            gpu=gpu,
        )
    )


def worker(
    name: Annotated[
        str | None, typer.Option("--name", help="What it is called; host and pid if left out.")
    ] = None,
    devices: WorkerDevices = "all",
    gpu: WorkerGpu = None,
    database: Database = None,
    home: Home = None,
    config: ConfigFile = None,
    once: Annotated[bool, typer.Option("--once", help="End when no task is waiting.")] = False,
    until_idle: Annotated[
        float | None,
        typer.Option(
            "--until-idle",
            metavar="SECONDS",
            min=0,
            help="End when no task has been waiting for so long.",
        ),
    ] = None,
    child: Annotated[bool, typer.Option("--child", hidden=True)] = False,
) -> None:
    """Run queued tasks, one after the other, and take over from workers that died."""
    from autotuner.cli.commands.worker import worker as command
    from autotuner.errors import AutotunerError

    if once and until_idle is not None:
        raise AutotunerError(
            f"--once and --until-idle {until_idle:g} say both when to end",
            remedy="give one: --once is --until-idle 0",
        )
    raise typer.Exit(
        command(
            name=name,
            devices=devices,
            gpu=gpu,
            database=database,
            home=home,
            config=config,
            until_idle_s=0.0 if once else until_idle,
            is_child=child,
        )
    )
