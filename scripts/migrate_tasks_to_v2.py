"""Prints task files of version 1 as those of version 2: `autotuner migrate task`.

python scripts/migrate_tasks_to_v2.py FILE… [--preview]
"""

from __future__ import annotations

import sys

from autotuner.cli import main

if __name__ == "__main__":
    sys.argv[1:1] = ["migrate", "task"]
    main()
