"""The loop: asks search, launches, measures, stores, emits events; resumes and cancels.

In: a `TaskConfig`. Out: events as it works, and a `TaskSummary`. Knows no HTTP, no terminals.
Import from its modules (`tuning.loop`, `tuning.summary` …): a summary alone costs no database.
"""
