"""`autotuner export`: a run in another form."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

from rich.markup import escape

from autotuner.cli.commands.show import chosen_run, open_existing
from autotuner.cli.output import out, print_json, told_when_unwritable
from autotuner.config import nearest
from autotuner.errors import AutotunerError
from autotuner.landscapes import landscape_csv
from autotuner.report.page import write_aside
from autotuner.tuning.as_landscape import landscape_of

FORMATS = ("landscape",)


def export(
    number: int | None,
    *,
    home: Path | None,
    form: str,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Writes the run to `output`, gzipped where it ends in .gz; to stdout where there is none.

    Raises:
        AutotunerError: an unknown form, a file that is there already, no such run, or a run in
            which nothing succeeded.
    """
    if form not in FORMATS:
        raise AutotunerError(f"--format: {form!r} is unknown; {nearest(form, list(FORMATS))}")
    if as_json and output is None:
        raise AutotunerError("--json needs --output FILE: stdout cannot hold both documents")
    if output is not None and output.exists() and not force:
        raise AutotunerError(
            f"--output: {output} is there already", remedy="give another place, or --force"
        )
    with open_existing(home) as store:
        run = chosen_run(store, number)
        landscape = landscape_of(store, run)
    text = landscape_csv(landscape)
    if output is None:
        sys.stdout.write(text)
        return
    with told_when_unwritable(output):
        packed = output.suffix == ".gz"
        write_aside(output, gzip.compress(text.encode(), mtime=0) if packed else text)
    launches, rows = len(landscape.launches), text.count("\n") - 1
    if as_json:
        told = {"run": run.id, "file": str(output), "launches": launches, "rows": rows}
        print_json(told | {"replay": run.replay})
    else:
        out().print(escape(f"{output}: {launches} launches, {rows} rows"), soft_wrap=True)
