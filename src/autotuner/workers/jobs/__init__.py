"""Workers as jobs of a scheduler: what it is given to start them, as one text.

In: a `JobRequest`. Out: the text, and how it is submitted. Pure; nothing here schedules anything.
"""

from autotuner.workers.jobs.request import (
    DATABASE_VARIABLE,
    DatabaseReference,
    JobRequest,
    database_reference,
)
from autotuner.workers.jobs.schedulers import (
    SCHEDULERS,
    JobTemplate,
    job_template,
    require_options,
    scheduler_named,
)

__all__ = [
    "DATABASE_VARIABLE",
    "SCHEDULERS",
    "DatabaseReference",
    "JobRequest",
    "JobTemplate",
    "database_reference",
    "job_template",
    "require_options",
    "scheduler_named",
]
