"""The commands and their options. Bodies live in `cli.commands` and load when called."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from autotuner import __version__
from autotuner.cli import exit_codes
from autotuner.cli.bench_app import bench_app
from autotuner.cli.observations_app import observations_app
from autotuner.cli.options import Database, Home, Json, RunId, TaskFile
from autotuner.cli.token_app import token_app
from autotuner.cli.verify_app import verify_app
from autotuner.errors import AutotunerError

app = typer.Typer(
    name="autotuner",
    help="Find how to serve an LLM: measure the configurations that matter on the real engine.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"autotuner {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Find how to serve an LLM: measure the configurations that matter on the real engine."""


@app.command()
def tune(
    task: TaskFile,
    home: Home = None,
    as_json: Json = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over; the earlier run is kept.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Start over where the earlier run is complete.")
    ] = False,
    devices: Annotated[
        str | None,
        typer.Option("--devices", help="GPUs for the engines, by index or UUID: 2,3."),
    ] = None,
) -> None:
    """Launch, measure and compare candidates. Interrupted, the same command goes on."""
    from autotuner.cli.commands.tune import tune as command

    raise typer.Exit(
        command(task, home=home, as_json=as_json, fresh=fresh, again=again, devices=devices)
    )


@app.command()
def predict(
    task: TaskFile,
    home: Home = None,
    as_json: Json = False,
    predictor: Annotated[
        str | None, typer.Option("--predictor", help="auto, aiconfigurator or roofline.")
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option(
            "--mode", help="aiconfigurator's data: auto, SILICON, HYBRID, EMPIRICAL, SOL."
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Print the whole predicted frontier.")
    ] = False,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="Write one row a predicted point to this file.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--save", help="Write the JSON document to this file.")
    ] = None,
) -> None:
    """Say what to expect of every candidate at every load level; nothing is launched."""
    from autotuner.cli.commands.predict import predict as command

    said = {"predictor": predictor, "mode": mode}
    code = command(task, home=home, as_json=as_json, said=said, every=every, csv=csv, save=save)
    raise typer.Exit(code)


@app.command()
def plan(task: TaskFile, home: Home = None, as_json: Json = False) -> None:
    """Say what `tune` would do: candidates, exclusions with reasons, expected time."""
    from autotuner.cli.commands.plan import plan as command

    command(task, home=home, as_json=as_json)


@app.command()
def validate(task: TaskFile, home: Home = None, as_json: Json = False) -> None:
    """Check a task file; every problem is told at once."""
    from autotuner.cli.commands.plan import validate as command

    command(task, home=home, as_json=as_json)


@app.command()
def schema() -> None:
    """Print the JSON Schema of task files, for editors."""
    from autotuner.cli.commands.plan import schema as command

    command()


@app.command()
def render(
    task: TaskFile,
    candidate: Annotated[
        str | None, typer.Option("--candidate", metavar="ID", help="Only this candidate.")
    ] = None,
    engine: Annotated[
        str | None, typer.Option("--engine", help="Only candidates on this engine.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Print the command line of every candidate."""
    from autotuner.cli.commands.plan import render as command

    command(task, home=home, engine=engine, candidate=candidate, as_json=as_json)


@app.command()
def explain(task: TaskFile, home: Home = None, as_json: Json = False) -> None:
    """Say what every field is, which layer set it, what it replaced, and why."""
    from autotuner.cli.commands.explain import explain as command

    command(task, home=home, as_json=as_json)


profiles_app = typer.Typer(help="Profiles: named layers of settings.", no_args_is_help=True)
app.add_typer(profiles_app, name="profiles")
app.add_typer(observations_app, name="observations")
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
    engine: Annotated[str, typer.Option("--engine", help="llamacpp, vllm, sglang, trtllm")],
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


@app.command()
def runs(home: Home = None, as_json: Json = False) -> None:
    """List the runs, newest first."""
    from autotuner.cli.commands.show import runs as command

    command(home=home, as_json=as_json)


@app.command()
def show(run: RunId = None, home: Home = None, as_json: Json = False) -> None:
    """Show a run: frontier, experiments, recommendation."""
    from autotuner.cli.commands.show import show as command

    command(run, home=home, as_json=as_json)


@app.command()
def compare(
    first: Annotated[int, typer.Argument(metavar="RUN", help="Number of a run.")],
    second: Annotated[int, typer.Argument(metavar="RUN", help="Number of another.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Two runs side by side: every level that both measured for the same settings."""
    from autotuner.cli.commands.compare import compare as command

    command(first, second, home=home, as_json=as_json)


@app.command()
def report(
    run: RunId = None,
    home: Home = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write the HTML file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a run's HTML report."""
    from autotuner.cli.commands.show import report as command

    command(run, home=home, output=output, as_json=as_json)


@app.command()
def export(
    run: RunId = None,
    form: Annotated[
        str, typer.Option("--format", help="landscape: a table that a replay launches from (CSV).")
    ] = "landscape",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where to write; gzipped where it ends in .gz."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Write a run in another form, to stdout or a file."""
    from autotuner.cli.commands.export import export as command

    command(run, home=home, form=form, output=output, force=force, as_json=as_json)


engines_app = typer.Typer(help="The engines, and how each says every field.", no_args_is_help=True)
app.add_typer(engines_app, name="engines")
app.add_typer(verify_app, name="verify")
app.add_typer(bench_app, name="bench")
app.add_typer(token_app, name="token")


@engines_app.command("list")
def engines_list(as_json: Json = False) -> None:
    """List the engines that a task may name, and which are installed here."""
    from autotuner.cli.commands.engines import engines_list as command

    command(as_json=as_json)


@engines_app.command("show")
def engines_show(
    engine: Annotated[str, typer.Argument(metavar="ENGINE", help="llamacpp, vllm, sglang, trtllm")],
    version: Annotated[
        str | None, typer.Option("--engine-version", help="Of the engine; the newest if left out.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show how an engine says every field of the eight groups."""
    from autotuner.cli.commands.engines import engines_show as command

    command(engine, version=version, as_json=as_json)


@engines_app.command("coverage")
def engines_coverage(
    as_json: Json = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the table as the documentation holds it.")
    ] = False,
) -> None:
    """Show field x engine: flag, key, variable, or why not."""
    from autotuner.cli.commands.engines import engines_coverage as command

    command(as_json=as_json, markdown=markdown)


ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", envvar="AUTOTUNER_CONFIG", help="YAML file of the operator's."),
]
WorkerDevices = Annotated[
    str,
    typer.Option("--devices", help="cpu, all (GPUs, else the CPU), or GPUs by index or UUID: 0,1."),
]
WorkerGpu = Annotated[
    str | None, typer.Option("--gpu", help="What the GPUs are; the driver tells if left out.")
]


@app.command()
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
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Serve only: workers run elsewhere.")
    ] = False,
    devices: WorkerDevices = "all",
    gpu: WorkerGpu = None,
) -> None:
    """Serve the HTTP API; a worker runs the tasks unless --no-worker is given."""
    from autotuner.cli.commands.serve import serve as command

    raise typer.Exit(
        command(
            host=host,
            port=port,
            database=database,
            home=home,
            config=config,
            with_worker=not no_worker,
            devices=devices,
            gpu=gpu,
        )
    )


@app.command()
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
    child: Annotated[bool, typer.Option("--child", hidden=True)] = False,
) -> None:
    """Run queued tasks, one after the other, and take over from workers that died."""
    from autotuner.cli.commands.worker import worker as command

    raise typer.Exit(
        command(
            name=name,
            devices=devices,
            gpu=gpu,
            database=database,
            home=home,
            config=config,
            once=once,
            is_child=child,
        )
    )


@app.command()
def doctor(home: Home = None, as_json: Json = False) -> None:
    """Say which engines, models and devices are found, and what is missing."""
    from autotuner.cli.commands.doctor import doctor as command

    raise typer.Exit(command(home=home, as_json=as_json))


@app.command("calibrate-device")
def calibrate_device(home: Home = None, as_json: Json = False) -> None:
    """Measure this CPU's memory bandwidth and FLOP/s (3 seconds), for predictions."""
    from autotuner.cli.commands.calibrate_device import calibrate as command

    command(home=home, as_json=as_json)


def main() -> None:
    """Runs the command line; a user's mistake is a line or two on stderr and exit code 2."""
    try:
        app()
    except AutotunerError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(exit_codes.MISTAKE)
    except KeyboardInterrupt:
        sys.exit(exit_codes.INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): nothing is left to say to it.
        sys.stderr.close()
        sys.exit(exit_codes.NOTHING)
