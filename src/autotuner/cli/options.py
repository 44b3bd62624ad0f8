"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypedDict

import typer

FORMER_SPELLINGS = {"token_normalize_func": lambda word: {"run": "task"}.get(word, word)}
"""Settings of commands whose option `--task` was called `--run`, which goes on to work."""
TaskFile = Annotated[Path, typer.Argument(metavar="TASK", help="Task file, YAML or JSON.")]
TaskId = Annotated[
    int | None, typer.Argument(metavar="[NUMBER]", help="Number of a task; the newest if left out.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Home = Annotated[
    Path | None,
    typer.Option(
        "--home",
        envvar="AUTOTUNER_HOME",
        help="Folder of all state; the platform's data folder if left out.",
    ),
]
Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar="AUTOTUNER_DATABASE",
        show_envvar=True,
        help="URL of the database in place of the file in the home: postgresql://USER@HOST/NAME. "
        "One with a password belongs into the variable.",
    ),
]


Short = Annotated[
    bool,
    typer.Option("--short", help="One line a row: no intervals, no plot, no reasons."),
]
CandidateId = Annotated[
    str | None,
    typer.Option(
        "--candidate", metavar="ID", help="Id of a candidate, or how it begins, as tables print it."
    ),
]
Price = Annotated[
    float | None,
    typer.Option(
        "--usd-per-gpu-hour", help="Price of a GPU for an hour, in place of the catalog's."
    ),
]


class Chosen(TypedDict):
    """Which observations a command means; None asks for any."""

    engine: str | None
    device: str | None
    model: str | None
    task_id: int | None
    origin: str | None


Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="Id of the catalog or a hub, a model folder or a GGUF file; on this machine's "
        "CPU a small packaged one if left out.",
    ),
]
GpuName = Annotated[
    str | None,
    typer.Option("--gpu", help="GPU of the catalog, or cpu; this machine's devices if left out."),
]
GpuCount = Annotated[int | None, typer.Option("--gpus", min=1, help="How many there are.")]
