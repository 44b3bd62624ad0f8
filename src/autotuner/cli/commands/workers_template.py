"""`autotuner workers template`: a file that starts workers as jobs."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from typing import Any

from autotuner.cli.output import print_json
from autotuner.workers.jobs import JobRequest, database_reference, job_template


def workers_template(
    scheduler: str, database: str | None, *, as_json: bool, **options: Any
) -> None:
    """Prints the template on stdout, and on stderr how to submit it.

    Args:
        options: fields of a `JobRequest`.
    """
    request = JobRequest(database_reference(database, os.environ), **options)
    template = job_template(scheduler, request)
    if as_json:
        print_json(asdict(template))
        return
    sys.stdout.write(template.text)
    sys.stdout.flush()
    print(f"# Write it to {template.file}, then:", *template.submit, sep="\n", file=sys.stderr)
