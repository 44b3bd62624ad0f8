"""Parts of templates that a shell reads."""

from __future__ import annotations

import shlex

from autotuner.workers.jobs.request import DATABASE_VARIABLE, DatabaseReference, JobRequest


def worker_command(request: JobRequest) -> list[str]:
    """The command of one worker."""
    idle = str(request.until_idle_s)
    return ["autotuner", "worker", "--until-idle", idle, "--devices", request.devices]


def database_lines(database: DatabaseReference) -> list[str]:
    """Lines that give the worker its database, or end the job where there is none."""
    if database.url:
        return [
            "# Its password is in ~/.pgpass, or in PGPASSWORD.",
            f"export {DATABASE_VARIABLE}={shlex.quote(database.url)}",
        ]
    checked = f"${{{database.variable}:?is not set: the address of the PostgreSQL database}}"
    return [f'export {DATABASE_VARIABLE}="{checked}"']


def secret_variables(request: JobRequest) -> tuple[str, ...]:
    """Variables whose values are secrets, the database's address among them."""
    database = () if request.database.url else (request.database.variable,)
    return (*database, *request.variables)


def variable_lines(request: JobRequest) -> list[str]:
    """Lines that end the job where a secret is not there that the worker is to have."""
    return [f'export {name}="${{{name}:?is not set}}"' for name in request.variables]


def set_or_end(name: str, place: str) -> str:
    """A command that ends a job with a line where a variable is not set, or empty.

    Args:
        place: where it should be.
    """
    return f'test "${{{name}:+set}}" || {{ echo "{name} is not set {place}" >&2; exit 2; }}'
