"""The command `autotuner`.

In: words on a command line. Out: text or one JSON document, and an exit code: 0 done, 1 nothing
succeeded, 2 the user's mistake, 130 interrupted. Everything heavy loads when a command needs it.
"""

from autotuner.cli.app import main

__all__ = ["main"]
