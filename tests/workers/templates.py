"""Templates of workers as jobs, made as the command makes them."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from autotuner.workers.jobs import JobRequest, JobTemplate, database_reference, job_template

PASSWORD = "pw-of-nobody"  # noqa: S105 - of no database
SECRET = f"postgresql://tuner:{PASSWORD}@db.example.org/autotuner"
OPEN = "postgresql://tuner@db.example.org/autotuner"
NEEDED: dict[str, dict[str, Any]] = {
    "slurm": {},
    "kubernetes": {"image": "registry.example.org/autotuner:1"},
    "ray": {},
    "skypilot": {"gpu_type": "H100"},
}


def template(scheduler: str, database: str | None = None, **fields: Any) -> JobTemplate:
    reference = database_reference(database, {"AUTOTUNER_DATABASE": SECRET})
    return job_template(scheduler, JobRequest(reference, **NEEDED[scheduler] | fields))


def printed(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "autotuner", "workers", "template", *words]
    here = {name: value for name, value in os.environ.items() if name != "AUTOTUNER_DATABASE"}
    return subprocess.run(argv, capture_output=True, text=True, env=here | environment)
