"""What tests of the command call the things that they are given."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

COMMAND = (sys.executable, "-m", "autotuner")
Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]
WriteTask = Callable[..., Path]
REPLAYED_LEVELS = (1, 4, 16)
"""Requests in flight of the small table that tasks of the tests replay."""
