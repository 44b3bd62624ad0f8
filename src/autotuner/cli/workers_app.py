"""The commands under `autotuner workers`, and their options."""

from __future__ import annotations

from typing import Annotated

import typer

from autotuner.cli.options import Json

workers_app = typer.Typer(help="Workers on machines of a scheduler.", no_args_is_help=True)


@workers_app.command("template")
def workers_template(
    scheduler: Annotated[
        str, typer.Argument(metavar="SCHEDULER", help="slurm, kubernetes, ray or skypilot.")
    ],
    database: Annotated[
        str | None,
        typer.Option(
            "--database",
            help="Address of the PostgreSQL database without a password, or '$VARIABLE' with one; "
            "AUTOTUNER_DATABASE of the job if left out.",
        ),
    ] = None,
    gpus: Annotated[
        int,
        typer.Option("--gpus", help="GPUs of each worker, 0 to 1024; 0 works on the CPU."),
    ] = 1,
    count: Annotated[int, typer.Option("--count", help="How many workers, 1 to 10000.")] = 1,
    until_idle: Annotated[
        int,
        typer.Option(
            "--until-idle",
            metavar="SECONDS",
            help="A worker ends when no task has been waiting for so long.",
        ),
    ] = 300,
    gpu_type: Annotated[
        str | None,
        typer.Option(
            "--gpu-type", help="Kind of the GPUs in the scheduler's words (slurm, skypilot)."
        ),
    ] = None,
    cpus: Annotated[int | None, typer.Option("--cpus", help="Cores of each worker.")] = None,
    memory: Annotated[
        int | None, typer.Option("--memory", metavar="GIB", help="Of each worker, in GiB.")
    ] = None,
    hours: Annotated[
        float | None,
        typer.Option("--hours", help="Walltime of a worker, 0.1 to 10000 (slurm, kubernetes)."),
    ] = None,
    partition: Annotated[
        str | None,
        typer.Option("--partition", help="Partition of Slurm, or several with commas between."),
    ] = None,
    queue_name: Annotated[
        str | None, typer.Option("--queue-name", help="Local queue of Kueue (kubernetes).")
    ] = None,
    image: Annotated[
        str | None,
        typer.Option("--image", help="Image of the worker and its engines (kubernetes, skypilot)."),
    ] = None,
    secret: Annotated[
        str | None,
        typer.Option(
            "--secret",
            help="Secret of Kubernetes whose `url` is the database's address; autotuner-database "
            "if left out.",
        ),
    ] = None,
    volume: Annotated[
        str | None,
        typer.Option(
            "--volume", help="Claim of the volume that keeps models and logs (kubernetes)."
        ),
    ] = None,
    address: Annotated[
        str | None, typer.Option("--address", help="Address of Ray's head: http://HOST:8265.")
    ] = None,
    variables: Annotated[
        list[str] | None,
        typer.Option(
            "--variable",
            metavar="NAME",
            help="A further secret that the worker has as a variable, as HF_TOKEN or PGPASSWORD: "
            "by the scheduler's own secrets, never in the file. Repeatable.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Print a file that starts workers as jobs of a scheduler, and how to submit it."""
    from autotuner.cli.commands.workers_template import workers_template as command

    command(
        scheduler,
        database,
        as_json=as_json,
        gpus=gpus,
        count=count,
        until_idle_s=until_idle,
        gpu_type=gpu_type,
        cpus=cpus,
        memory_gib=memory,
        hours=hours,
        partition=partition,
        queue_name=queue_name,
        image=image,
        secret=secret,
        volume=volume,
        address=address,
        variables=tuple(variables or ()),
    )
