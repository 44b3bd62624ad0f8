"""A home, a database, tasks on a fake engine, and workers as the real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from autotuner.config import parse_task
from autotuner.store import ExperimentRecord, Standing, Store, TaskRecord
from autotuner.testing.fake_engine import install_fake_engine
from autotuner.testing.processes import MARK, processes

T = TypeVar("T")
ONE: dict[str, Any] = {"scheduling": {"max_running_requests": 1}, "misc": {"threads": 1}}
"""Changes to `TASK` that leave one candidate."""
COMMAND = (sys.executable, "-m", "autotuner")
WAIT_S = 120.0
"""For anything to happen on a busy machine."""
TASK: dict[str, Any] = {
    "version": 2,
    "name": "for a worker",
    "model": {"id": "smollm2-135m"},
    "runtime": {"isl": 8, "osl": 4},
    "scheduling": {"max_running_requests": [1, 2]},
    "misc": {"threads": [1, 2]},
    "prediction": {"predictor": "none"},
    "optimization": {"strategy": "grid"},
    "benchmark": {
        "concurrency": [1, 2],
        "requests_per_level": 4,
        "duration_per_level_s": 20,
        "warmup_requests": 0,
    },
}
CANDIDATES, LEVELS = 4, 2


def wait_for(found: Callable[[], T | None], what: str, within_s: float = WAIT_S) -> T:
    """What `found` finds, once it does."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if found_now := found():
            return found_now
        time.sleep(0.02)
    raise AssertionError(f"did not come: {what}")


class Shop:
    """Everything of one test; processes that it started are gone afterwards."""

    def __init__(self, folder: Path, database: str | None) -> None:
        self.folder, self.database = folder, database
        self.home = folder / "home"
        self.mark = uuid.uuid4().hex
        self.store = Store.open(self.home, database)
        self.started: list[subprocess.Popen[str]] = []

    def task(
        self,
        *engine: str,
        status: str = "queued",
        needs: tuple[str, int] = ("cpu", 0),
        **changes: Any,
    ) -> TaskRecord:
        """A task in the store, on a fake engine that is started with these words."""
        fake = install_fake_engine(
            self.folder / f"bin-{uuid.uuid4().hex[:6]}", "--ttft-ms=5", "--tpot-ms=1", *engine
        )
        document = TASK | {"engine_path": str(fake)} | changes
        document["optimization"] = {"baseline": "none", "confirm": 0} | document["optimization"]
        task = parse_task(document, source="test")
        return self.store.tasks.create(
            name=task.name,
            description="",
            content_id=task.content_id,
            config=document,
            model="smollm2-135m",
            engine="llamacpp",
            requested_gpu=needs[0],
            requested_gpus=needs[1],
            origin="api",
            status=status,
        )

    def config(self) -> Path:
        """The operator's file: the fakes may be started, and see the mark of this test."""
        programs = [str(path) for path in self.folder.glob("bin-*/llama-server")]
        path = self.folder / "operator.yaml"
        policy = {"programs": programs, "environment": [MARK]}
        path.write_text(json.dumps({"policy": policy}), encoding="utf-8")
        return path

    def environment(self) -> dict[str, str]:
        named = {} if self.database is None else {"AUTOTUNER_DATABASE": self.database}
        return os.environ | {"AUTOTUNER_HOME": str(self.home), MARK: self.mark} | named

    def start(self, *words: str) -> subprocess.Popen[str]:
        """`autotuner WORDS…`, with the operator's file."""
        return self.run(*COMMAND, *words, "--config", str(self.config()))

    def run(self, *argv: str, **how: Any) -> subprocess.Popen[str]:
        """A process of this test."""
        log = (self.folder / f"process-{len(self.started)}.log").open("w", encoding="utf-8")
        with log:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                text=True,
                env=self.environment(),
                **how,
            )
        self.started.append(process)
        return process

    def tuned_by_hand(self, *engine: str) -> tuple[subprocess.Popen[str], TaskRecord]:
        """`autotuner tune` at work on a task of its own, and its run; its first engine starts."""
        file = self.folder / "task.yaml"
        config = self.task(*engine, status="pending").config
        file.write_text(json.dumps(config), encoding="utf-8")
        command = self.run(*COMMAND, "tune", str(file), "--fresh")
        run = wait_for(lambda: next(iter(self.store.tasks.running()), None), "the run")
        self.wait_for_event(run, "experiment_started")
        return command, run

    def timed(self, name: str, **times: float) -> subprocess.Popen[str]:
        """A worker with times of its own, on devices of its own."""
        given = {
            "home": str(self.home),
            "database": self.database,
            "name": name,
            "times": times,
            "config": str(self.config()),
        }
        script = Path(__file__).with_name("timed_worker.py")
        return self.run(sys.executable, str(script), json.dumps(given))

    def worker(self, *words: str) -> subprocess.Popen[str]:
        return self.start("worker", "--devices", "cpu", *words)

    def logs(self) -> str:
        """What every process has written."""
        files = sorted(self.folder.glob("*.log"))
        return "\n".join(f"== {path.name}\n{path.read_text(encoding='utf-8')}" for path in files)

    def now(self, task: TaskRecord) -> TaskRecord:
        found = self.store.tasks.get(task.id)
        assert found is not None
        return found

    def wait_until(self, task: TaskRecord, *statuses: str, within_s: float = WAIT_S) -> TaskRecord:
        """The task, once it is in one of these states."""

        def reached() -> TaskRecord | None:
            now = self.now(task)
            return now if now.status in statuses else None

        try:
            return wait_for(reached, f"{statuses}", within_s)
        except AssertionError:
            now = self.now(task)
            raise AssertionError(f"{statuses}, not {now}\n{self.logs()}") from None

    def wait_for_event(self, task: TaskRecord, kind: str, times: int = 1) -> None:
        def reported() -> bool:
            return sum(event.kind == kind for event in self.store.events(task.id)) >= times

        try:
            wait_for(reported, kind)
        except AssertionError:
            raise AssertionError(f"no {kind}: {self.logs()}") from None

    def finished(self, task: TaskRecord) -> dict[str, ExperimentRecord]:
        """The finished experiments; where one stands changes with what others bring."""
        done = [
            experiment
            for experiment in self.store.experiments(task.id)
            if experiment.status in ("completed", "failed")
        ]
        assert len({e.candidate_id for e in done}) == len(done), "one was measured twice"
        return {e.candidate_id: replace(e, standing=Standing()) for e in done}

    def left(self, within_s: float = 30.0) -> dict[int, str]:
        """Processes of this test that still live after a while, workers aside."""
        deadline = time.monotonic() + within_s
        while (found := self._engines()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return found

    def _engines(self) -> dict[int, str]:
        found = processes(self.mark)
        return {pid: written for pid, written in found.items() if "fake_engine" in written}

    def close(self) -> None:
        for process in self.started:
            for number in (signal.SIGCONT, signal.SIGKILL):
                if process.poll() is None:
                    process.send_signal(number)
            process.wait()
        for pid in processes(self.mark):
            with suppress(ProcessLookupError):  # its supervisor was faster
                os.kill(pid, signal.SIGKILL)
        self.store.close()


def complete(experiments: Sequence[ExperimentRecord]) -> bool:
    """Whether a task of this shop was measured wholly, each candidate once."""
    return len(experiments) == CANDIDATES and all(
        e.status == "completed" and len(e.measurements) == LEVELS for e in experiments
    )


@contextmanager
def shop_at(folder: Path, database: str | None) -> Iterator[Shop]:
    shop = Shop(folder, database)
    try:
        yield shop
    finally:
        shop.close()
