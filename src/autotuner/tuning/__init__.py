"""The loop: asks search, launches, measures, stores, tells; resumes and cancels.

In: a `TaskConfig`. Out: events as it works, and a `RunSummary`. Knows nothing of HTTP or terminals.
Import from its modules (`tuning.loop`, `tuning.summary` …): a summary alone costs no database.
"""
