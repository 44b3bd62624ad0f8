"""Time of `tune` to its first launch with many observations in the store: at most 1.5 times.

Two homes, one with 1,000 observations of other models on the same engine and device, one with
100,000; a fake engine, so that the time of the engine is none. Both are started in turns, after one
run each to warm the caches; the medians of the time to the first launch are compared.
"""

from __future__ import annotations

import contextlib
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from autotuner.config import LoadKind, LoadLevel
from autotuner.predict import Observation, calibrate_device
from autotuner.store import Store
from autotuner.testing.fake_engine import install_fake_engine

FEW, MANY = 1_000, 100_000
ROUNDS = 5
LIMIT = 1.5
FIRST_LAUNCH = "[1/"
"""Beginning of the line that progress prints with the first launch."""
TASK = {
    "version": 2,
    "name": "start",
    "model": {"id": "smollm2-135m"},
    "runtime": {"isl": 8, "osl": 4},
    "scheduling": {"max_running_requests": [1, 2, 4]},
    "prediction": {"predictor": "roofline"},
    "benchmark": {"concurrency": [1], "requests_per_level": 3, "warmup_requests": 0},
}
SEEN = Observation(
    model="other",
    family="LlamaForCausalLM",
    engine="llamacpp",
    engine_version="1",
    device="cpu",
    devices=1,
    settings={"scheduling.max_running_requests": 2},
    isl=8,
    osl=4,
    load=LoadLevel(LoadKind.CONCURRENCY, 1),
    ttft_ms=10.0,
    tpot_ms=2.0,
    tok_s=100.0,
    base="roofline",
    base_ttft_ms=9.0,
    base_tpot_ms=2.0,
    launch="a",
)
COPIES = """WITH RECURSIVE numbers(n) AS
    (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})
    INSERT INTO observations ({columns}) SELECT {values} FROM observations, numbers
    WHERE observations.id = 1"""


def fill(home: Path, count: int) -> None:
    """Home with so many observations: copies of one, each with its digest and launch."""
    calibrate_device(home)
    with Store.open(home) as store:
        store.add_observations([SEEN])
    with contextlib.closing(sqlite3.connect(home / "autotuner.db")) as database, database:
        names = [row[1] for row in database.execute("PRAGMA table_info(observations)")]
        own = {"digest": "printf('%016x', n)", "launch": "'l' || (n / 4)"}
        columns = [name for name in names if name != "id"]
        values = ", ".join(own.get(name, name) for name in columns)
        database.execute(COPIES.format(count=count - 1, columns=", ".join(columns), values=values))


def seconds_to_launch(task: Path, home: Path) -> float:
    """Wall time from the start of the command to the first launch; then it is ended."""
    command = [sys.executable, "-m", "autotuner", "tune", str(task), "--fresh", "--home", str(home)]
    began = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as tuning:
        assert tuning.stderr is not None
        for line in tuning.stderr:
            if line.startswith(FIRST_LAUNCH):
                taken = time.perf_counter() - began
                tuning.stderr.read()
                return taken
    raise RuntimeError("nothing was launched")


def main() -> int:
    """Prints the ratio; 1 where it is above the limit."""
    with tempfile.TemporaryDirectory() as folder:
        engine = install_fake_engine(Path(folder) / "bin", "--ttft-ms=2", "--tpot-ms=1")
        task = Path(folder) / "task.yaml"
        task.write_text(yaml.safe_dump(TASK | {"engine_path": str(engine)}), encoding="utf-8")
        homes = {count: Path(folder) / str(count) for count in (FEW, MANY)}
        for count, home in homes.items():
            fill(home, count)
        times = {count: [seconds_to_launch(task, home)] for count, home in homes.items()}
        for _ in range(ROUNDS):
            for count, home in homes.items():
                times[count].append(seconds_to_launch(task, home))
    few_s, many_s = (statistics.median(times[count][1:]) for count in (FEW, MANY))
    ratio = many_s / few_s
    print(
        f"tune: with {MANY:,} observations the first launch comes after {ratio:.2f} times the time "
        f"with {FEW:,} ({many_s:.2f} s against {few_s:.2f} s, medians of {ROUNDS}; "
        f"at most {LIMIT:g})"
    )
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
