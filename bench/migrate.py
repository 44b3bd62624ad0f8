"""Speed and memory of moving a database of version 1, beside a bare copy of its rows.

Rows per second of `autotuner migrate db --apply`, everything that a row becomes included, over
those of a copy from one SQLite file to another through SQLAlchemy Core; should be 0.25 or more. And
its peak memory at ten times the experiments over that at one; should be 1.3 or less.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import create_engine, insert, select

from autotuner.store import v1_schema
from autotuner.store.schema import Base

TASKS, EACH = 10_000, 10
_COPIED_AT_ONCE = 1_000
_BUILDER = Path(__file__).parents[1] / "tests" / "migrate"
_MOVE = "import sys, resource; from autotuner.cli import main\ntry:\n    main()\nfinally:\n"
_MOVE += "    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)\n"
_MOVE += "    print(sum(resource.getrusage(one).ru_maxrss for one in who), file=sys.stderr)"


def copied_seconds(source: Path, target: Path) -> float:
    """Seconds of a bare copy of the three tables."""
    one, other = create_engine(f"sqlite:///{source}"), create_engine(f"sqlite:///{target}")
    tables = (v1_schema.tasks, v1_schema.experiments, v1_schema.parameter_presets)
    Base.metadata.create_all(other, tables=list(tables))
    began = time.perf_counter()
    with one.connect() as reading, other.begin() as writing:
        for table in tables:
            rows = reading.execution_options(yield_per=_COPIED_AT_ONCE).execute(select(table))
            for some in rows.mappings().partitions(_COPIED_AT_ONCE):
                writing.execute(insert(table), [dict(row) for row in some])
    return time.perf_counter() - began


def moved(source: Path, home: Path) -> tuple[float, float]:
    """Seconds of moving it, and MiB of its processes at their peaks."""
    command = (sys.executable, "-c", _MOVE, "migrate", "db", str(source), "--apply", "--json")
    began = time.perf_counter()
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"AUTOTUNER_HOME": str(home)},
    )
    return time.perf_counter() - began, int(done.stderr.split()[-1]) / 1024


def main() -> int:
    """Prints both ratios; 1 where one is worse than it should be."""
    # The same rows as in the tests.
    sys.path.insert(0, str(_BUILDER))
    from v1_database import built  # type: ignore[import-not-found]

    tasks = int(sys.argv[1]) if len(sys.argv) > 1 else TASKS
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="autotuner-migrate-") as name:
        folder = Path(name)
        small = built(folder / "small.db", tasks=tasks // 10, experiments=EACH)
        large = built(folder / "large.db", tasks=tasks, experiments=EACH)
        bare_s = copied_seconds(large, folder / "copy.db")
        _, small_mib = moved(small, folder / "small")
        moved_s, large_mib = moved(large, folder / "large")
        with create_engine(f"sqlite:///{large}").connect() as connection:
            rows = sum(
                len(connection.execute(select(table.c.id)).all())
                for table in (v1_schema.tasks, v1_schema.experiments)
            )
    speed, memory = bare_s / moved_s, large_mib / small_mib
    print(f"load of the machine before: {load:.1f} on {os.cpu_count()} cores")
    print(f"{rows:,} rows: {rows / bare_s:,.0f} rows/s copied, {rows / moved_s:,.0f} moved")
    print(f"moved over copied: {speed:.2f} (0.25 or more)")
    print(
        f"memory at ten times the rows: {large_mib:.0f} / {small_mib:.0f} MiB = {memory:.2f} (1.3)"
    )
    return int(speed < 0.25 or memory > 1.3)


if __name__ == "__main__":
    sys.exit(main())
