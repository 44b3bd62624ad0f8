"""`autotuner verify`: its commands and their options; bodies live in `cli.commands.verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autotuner.cli.options import Home, Json

verify_app = typer.Typer(
    help="How far predictions are from measurements; tasks in aiconfigurator's words.",
    no_args_is_help=True,
)

Csv = Annotated[Path | None, typer.Option("--csv", help="Write one row a pair to this file.")]
Html = Annotated[Path | None, typer.Option("--html", help="Write a page with plots to this file.")]
Within = Annotated[
    str, typer.Option("--within", help="Percents; the share of pairs within each is shown.")
]
Require = Annotated[
    list[str] | None,
    typer.Option(
        "--require",
        metavar="NAME=LIMIT",
        help="Exit with 1 where it is not kept: pairs, ttft_median_ape, tpot_mape, tok_s_bias, "
        "ttft_spearman, ttft_within_20, hypervolume_ratio, regret; repeat for more.",
    ),
]
SloLimits = Annotated[
    list[str] | None,
    typer.Option("--slo", metavar="NAME=MS", help="ttft_ms or tpot_ms: choose within it."),
]


@verify_app.command("compare")
def compare(
    predicted: Annotated[
        Path, typer.Argument(metavar="PREDICTED", help="File or folder of predictions.")
    ],
    actual: Annotated[
        Path, typer.Argument(metavar="ACTUAL", help="File or folder of measurements.")
    ],
    within: Within = "10,15,20",
    require: Require = None,
    slo: SloLimits = None,
    predicted_format: Annotated[
        str | None, typer.Option("--predicted-format", help="Where it is not detected.")
    ] = None,
    actual_format: Annotated[
        str | None, typer.Option("--actual-format", help="Where it is not detected.")
    ] = None,
    predicted_set: Annotated[
        list[str] | None,
        typer.Option("--predicted-set", metavar="FIELD=VALUE", help="Say it for every prediction."),
    ] = None,
    actual_set: Annotated[
        list[str] | None,
        typer.Option("--actual-set", metavar="FIELD=VALUE", help="Say it for every measurement."),
    ] = None,
    csv: Csv = None,
    html: Html = None,
    as_json: Json = False,
) -> None:
    """Compare files: ours, aiconfigurator's, results of load generators, CSV."""
    from autotuner.cli.commands.verify import Outputs, compare_command

    code = compare_command(
        (predicted, predicted_format, predicted_set or []),
        (actual, actual_format, actual_set or []),
        Outputs(within, require or [], slo or [], as_json=as_json, csv=csv, html=html),
    )
    raise typer.Exit(code)


@verify_app.command("dataset")
def dataset(
    name: Annotated[
        str, typer.Argument(metavar="DATASET", help="silicon: rows that aiconfigurator carries.")
    ],
    predictor: Annotated[
        str, typer.Option("--predictor", help="auto, aiconfigurator, aisimulate or roofline.")
    ] = "auto",
    only: Annotated[
        str | None,
        typer.Option("--only", metavar="model=…,system=…,backend=…", help="Compare these rows."),
    ] = None,
    within: Within = "10,15,20",
    require: Require = None,
    slo: SloLimits = None,
    csv: Csv = None,
    html: Html = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Compare a predictor with operating points that others measured and published."""
    from autotuner.cli.commands.verify import Outputs, dataset_command

    code = dataset_command(
        name,
        Outputs(within, require or [], slo or [], as_json=as_json, csv=csv, html=html),
        predictor=predictor,
        only=only,
        home=home,
    )
    raise typer.Exit(code)


@verify_app.command("run")
def run(
    task: Annotated[Path, typer.Argument(metavar="TASK", help="Task file, YAML or JSON.")],
    uncalibrated: Annotated[
        bool, typer.Option("--uncalibrated", help="Compare the base predictor, not what it learnt.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Measure anew; the earlier task is kept.")
    ] = False,
    within: Within = "10,15,20",
    require: Require = None,
    csv: Csv = None,
    html: Html = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Predict a task, launch and measure what it chooses, and compare the two."""
    from autotuner.cli.commands.verify import Outputs
    from autotuner.cli.commands.verify_run import run_command

    code = run_command(
        task,
        Outputs(within, require or [], [], as_json=as_json, csv=csv, html=html),
        home=home,
        fresh=fresh,
        uncalibrated=uncalibrated,
    )
    raise typer.Exit(code)


@verify_app.command("translate")
def translate(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A task of ours, or a task or folder of theirs."),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write it; stdout if left out.")
    ] = None,
    to: Annotated[
        str, typer.Option("--to", help="Of a task of ours: aiconfigurator or aisimulate.")
    ] = "aiconfigurator",
    as_json: Json = False,
) -> None:
    """A task in aiconfigurator's words, or one of its own in ours; what is left is listed."""
    from autotuner.cli.commands.verify import translate_command

    translate_command(file, output=output, as_json=as_json, to=to)
