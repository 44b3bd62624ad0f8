"""`autotuner workers template`: a file that starts workers as jobs."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict, replace
from typing import Any

from autotuner.cli.output import print_json
from autotuner.workers.jobs import (
    DatabaseReference,
    JobRequest,
    database_reference,
    job_template,
    require_options,
    scheduler_named,
)


def workers_template(
    scheduler: str, database: str | None, *, as_json: bool, **options: Any
) -> None:
    """Prints the template on stdout, and on stderr how to submit it.

    Args:
        options: fields of a `JobRequest`.
    """
    scheduler_named(scheduler)
    request = JobRequest(DatabaseReference(), **options)
    require_options(scheduler, request)
    reference = database_reference(database, os.environ)
    template = job_template(scheduler, replace(request, database=reference))
    if as_json:
        print_json(asdict(template))
        return
    sys.stdout.write(template.text)
    sys.stdout.flush()
    notes = [f"# {note}" for note in (*template.notes, f"Write it to {template.file}, then:")]
    print(*notes, *template.submit, sep="\n", file=sys.stderr)
