"""The share of a tuning run's wall time that is neither engine start nor load: 2 % or less.

Runs `autotuner tune` on a real engine in a process of its own and takes away from its wall time
what passed inside the launcher's start and inside the load levels. Planning, imports, storing,
stopping engines, predicting, comparing and reporting remain. The speed of the CPU, which a machine
measures once, is measured before.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

from autotuner.predict import calibrate_device

LIMIT = 0.02
TASK = Path(__file__).parents[1] / "examples" / "v2" / "quickstart.yaml"


def child(task: str, home: str) -> int:
    """The run itself, with a clock around each start and each level."""
    from autotuner.cli.commands import tune as command
    from autotuner.launch import LocalLauncher
    from autotuner.measure import StreamingLoadGenerator
    from autotuner.tuning import assembly

    spent = {"start_s": 0.0, "load_s": 0.0, "starts": 0}

    class TimedLauncher(LocalLauncher):
        async def launch(self, *args: Any, **kwargs: Any) -> Any:
            began = time.perf_counter()
            try:
                return await super().launch(*args, **kwargs)
            finally:
                spent["start_s"] += time.perf_counter() - began
                spent["starts"] += 1

    class TimedGenerator(StreamingLoadGenerator):
        async def run(self, *args: Any, **kwargs: Any) -> Any:
            began = time.perf_counter()
            try:
                return await super().run(*args, **kwargs)
            finally:
                spent["load_s"] += time.perf_counter() - began

    with (
        patch.object(assembly, "launcher_named", lambda name: TimedLauncher),
        patch.object(assembly, "load_generator_named", lambda name: TimedGenerator),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        code = command.tune(Path(task), home=Path(home), as_json=True, fresh=True)
    print(json.dumps(spent))
    return code


def main() -> int:
    """Prints the share; 1 where it is above the limit or the run failed."""
    task = sys.argv[1] if len(sys.argv) > 1 else str(TASK)
    with tempfile.TemporaryDirectory() as home:
        calibrate_device(Path(home))
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, __file__, "--child", task, home],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        wall_s = time.perf_counter() - began
    if done.returncode != 0:
        return 1
    spent = json.loads(done.stdout)
    share = 1 - (spent["start_s"] + spent["load_s"]) / wall_s
    print(
        f"overhead: {100 * share:.2f} % of {wall_s:.1f} s is neither engine start "
        f"({spent['start_s']:.1f} s, {spent['starts']} engines) nor load ({spent['load_s']:.1f} s; "
        f"at most {100 * LIMIT:g} %)"
    )
    return 0 if share <= LIMIT else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        sys.exit(child(*sys.argv[2:4]))
    sys.exit(main())
