"""The commands and their options. Bodies live in `cli.commands` and load when called."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from autotuner import __version__
from autotuner.cli import exit_codes
from autotuner.cli.answer_commands import explain_performance, recommend, size, why
from autotuner.cli.bench_app import bench_app
from autotuner.cli.db_app import db_app
from autotuner.cli.engines_app import engines_app
from autotuner.cli.exchange_commands import export, import_command, ledger, skill
from autotuner.cli.migrate_app import migrate_app
from autotuner.cli.observations_app import observations_app
from autotuner.cli.options import (
    FORMER_SPELLINGS,
    CandidateId,
    GpuCount,
    GpuName,
    Home,
    Json,
    Model,
    Price,
    Short,
    TaskFile,
    TaskId,
)
from autotuner.cli.profiles_app import profiles_app
from autotuner.cli.service_commands import serve, worker
from autotuner.cli.token_app import token_app
from autotuner.cli.verify_app import verify_app
from autotuner.cli.whole_summaries import WholeSummaries
from autotuner.cli.workers_app import workers_app
from autotuner.errors import AutotunerError

app = typer.Typer(
    name="autotuner",
    help="Find how to serve an LLM: measure the configurations that matter on the real engine.",
    cls=WholeSummaries,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Plain text: Rich takes longer to load than all else that a help page needs.
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"autotuner {__version__}")
        raise typer.Exit


for _name, _commands in {
    "profiles": profiles_app,
    "observations": observations_app,
    "engines": engines_app,
    "verify": verify_app,
    "bench": bench_app,
    "token": token_app,
    "db": db_app,
    "migrate": migrate_app,
    "workers": workers_app,
}.items():
    app.add_typer(_commands, name=_name, cls=WholeSummaries)


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    engines: Annotated[
        Path | None,
        typer.Option(
            "--engines",
            metavar="DIR",
            help="Folder with files of your own engines, beside those of AUTOTUNER_ENGINES.",
        ),
    ] = None,
) -> None:
    """Find how to serve an LLM: measure the configurations that matter on the real engine."""
    if engines is not None:
        from autotuner.config.backends import add_engine_folder

        add_engine_folder(engines)


@app.command()
def init(
    model: Model = None,
    gpu: GpuName = None,
    gpus: GpuCount = None,
    engine: Annotated[
        str | None, typer.Option("--engine", help="As `engines list` names it.")
    ] = None,
    slo: Annotated[
        list[str] | None,
        typer.Option("--slo", metavar="NAME=MS", help="Limits: ttft_ms=500,tpot_ms=50."),
    ] = None,
    isl: Annotated[int | None, typer.Option("--isl", min=1, help="Input tokens.")] = None,
    osl: Annotated[int | None, typer.Option("--osl", min=1, help="Output tokens.")] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where to write the file; - for stdout.")
    ] = Path("task.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Write a commented task file for a model and devices, to start from."""
    from autotuner.cli.commands.init import Wishes
    from autotuner.cli.commands.init import init as command

    wishes = Wishes(model, engine, gpu, gpus, isl, osl, slo or ())
    command(wishes, output, force=force, home=home, as_json=as_json)


@app.command()
def tune(
    task: TaskFile,
    home: Home = None,
    as_json: Json = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over; the earlier task is kept.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Start over where the earlier task is complete.")
    ] = False,
    devices: Annotated[
        str | None,
        typer.Option("--devices", help="GPUs for the engines, by index or UUID: 2,3."),
    ] = None,
    short: Short = False,
) -> None:
    """Launch, measure and compare candidates. Interrupted, the same command goes on."""
    from autotuner.cli.commands.tune import tune as command

    raise typer.Exit(
        command(
            task,
            home=home,
            as_json=as_json,
            fresh=fresh,
            again=again,
            devices=devices,
            short=short,
        )
    )


@app.command()
def predict(
    task: TaskFile,
    home: Home = None,
    as_json: Json = False,
    predictor: Annotated[
        str | None,
        typer.Option("--predictor", help="auto, aiconfigurator, aisimulate or roofline."),
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option(
            "--mode",
            help="Data of aiconfigurator and AISimulate: auto, SILICON, HYBRID, EMPIRICAL, SOL.",
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
    short: Short = False,
) -> None:
    """Say what to expect of every candidate at every load level; nothing is launched."""
    from autotuner.cli.commands.predict import predict as command

    code = command(
        task,
        home=home,
        as_json=as_json,
        options={"predictor": predictor, "mode": mode},
        every=every,
        short=short,
        csv=csv,
        save=save,
    )
    raise typer.Exit(code)


@app.command()
def plan(task: TaskFile, home: Home = None, as_json: Json = False, short: Short = False) -> None:
    """Say what `tune` would do: candidates, exclusions with reasons, expected time."""
    from autotuner.cli.commands.plan import plan as command

    command(task, home=home, as_json=as_json, short=short)


@app.command()
def validate(task: TaskFile, home: Home = None, as_json: Json = False) -> None:
    """Check a task file; every problem is shown at once."""
    from autotuner.cli.commands.plan import validate as command

    raise typer.Exit(command(task, home=home, as_json=as_json))


@app.command()
def schema() -> None:
    """Print the JSON Schema of task files, for editors."""
    from autotuner.cli.commands.plan import schema as command

    command()


@app.command(context_settings=FORMER_SPELLINGS)
def render(
    task: Annotated[
        Path | None,
        typer.Argument(metavar="[TASK]", help="Task file; left out with --task, --best, --point."),
    ] = None,
    candidate: CandidateId = None,
    engine: Annotated[
        str | None, typer.Option("--engine", help="Only candidates on this engine.")
    ] = None,
    best: Annotated[
        bool,
        typer.Option("--best", help="The recommended point of a task; of the newest if not given."),
    ] = False,
    number: Annotated[
        int | None, typer.Option("--task", metavar="ID", help="The frontier of this task.")
    ] = None,
    point: Annotated[
        int | None,
        typer.Option("--point", metavar="K", help="Only this point of a task's frontier, from 1."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Print command lines: of a task's candidates, or of the points that a task found."""
    from autotuner.cli.commands.render import Wanted
    from autotuner.cli.commands.render import render as command

    wanted = Wanted(engine=engine, candidate=candidate, task=number, point=point, best=best)
    command(task, wanted, home=home, as_json=as_json)


@app.command()
def explain(task: TaskFile, home: Home = None, as_json: Json = False) -> None:
    """Say what every field is, which layer set it, what it replaced, and why."""
    from autotuner.cli.commands.explain import explain as command

    command(task, home=home, as_json=as_json)


@app.command("runs", hidden=True)
@app.command()
def tasks(home: Home = None, as_json: Json = False) -> None:
    """List the tasks, newest first."""
    from autotuner.cli.commands.show import tasks as command

    command(home=home, as_json=as_json)


@app.command()
def show(
    number: TaskId = None,
    candidate: CandidateId = None,
    usd_per_gpu_hour: Price = None,
    home: Home = None,
    as_json: Json = False,
    short: Short = False,
) -> None:
    """Show a task: frontier, experiments, recommendation; or one of its candidates."""
    from autotuner.cli.commands.show import show as command

    command(
        number,
        home=home,
        as_json=as_json,
        candidate=candidate,
        short=short,
        usd_per_gpu_hour=usd_per_gpu_hour,
    )


@app.command()
def compare(
    first: Annotated[int, typer.Argument(metavar="NUMBER", help="Number of a task.")],
    second: Annotated[int, typer.Argument(metavar="NUMBER", help="Number of another.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Two tasks side by side: every level that both measured for the same settings."""
    from autotuner.cli.commands.compare import compare as command

    command(first, second, home=home, as_json=as_json)


@app.command()
def report(
    number: TaskId = None,
    home: Home = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write the HTML file.")
    ] = None,
    usd_per_gpu_hour: Price = None,
    as_json: Json = False,
) -> None:
    """Write a task's HTML report."""
    from autotuner.cli.commands.show import report as command

    command(number, home=home, output=output, as_json=as_json, usd_per_gpu_hour=usd_per_gpu_hour)


app.command("import-command")(import_command)
app.command("explain-performance")(explain_performance)
for _function in (export, ledger, recommend, size, skill, why, serve, worker):
    app.command()(_function)


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
