"""Makes the stored copy of a home, with the code that it is a copy of.

`python tests/cli/former/make_home.py` in a checkout of that version (its `src` importable) writes
`home.tar.gz` and `content.json.gz` beside this file. The folder of the home, of the task files and
of the engine is written as @FOLDER@ in both.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from fastapi.testclient import TestClient

from autotuner.predict import Observation
from autotuner.server.app import create_app
from autotuner.server.service import Service
from autotuner.store import Store
from autotuner.store.schema import Base
from autotuner.store.tokens import Tokens, TokenScope

HERE = Path(__file__).parent
FOLDER = "@FOLDER@"
ENGINE_NAME = "llama-server"
"""Found on the path, so that a task's hash depends on no folder."""
ENGINE = """#!/bin/sh
case " $* " in *" --parallel 3 "*) fail=--fail=oom-start;; esac
exec '{python}' -m autotuner.testing.fake_engine --ttft-ms={ttft_ms} --tpot-ms=1 $fail "$@"
"""
TASK: dict[str, Any] = {
    "version": 2,
    "model": {"id": "smollm2-135m"},
    "runtime": {"isl": 8, "osl": 4, "ttft_target": 500},
    "prediction": {"predictor": "roofline"},
    "optimization": {"strategy": "grid"},
    "benchmark": {
        "concurrency": [1, 2],
        "requests_per_level": 3,
        "duration_per_level_s": 20,
        "warmup_requests": 0,
        "cut_short": False,
    },
}
SEEN: dict[str, Any] = {
    "model": "meta-llama/Llama-3.1-8B",
    "family": "LlamaForCausalLM",
    "engine": "vllm",
    "engine_version": "0.11",
    "device": "h100_sxm",
    "devices": 2,
    "settings": {"parallel.tensor_parallel": 2},
    "isl": 512,
    "osl": 64,
    "concurrency": 8,
    "ttft_ms": 120.0,
    "tpot_ms": 11.5,
    "tok_s": 600.0,
    "base": "roofline-1",
    "base_ttft_ms": 90.0,
    "base_tpot_ms": 10.0,
    "launch": "one",
}
V1_TASK = """INSERT INTO tasks (task_name, description, status, model_config, base_runtime,
    parameters, optimization_config, benchmark_config, slo_config, metadata, created_at)
    VALUES ('o''brien "Ω"', NULL, 'COMPLETED', '{"id_or_path": "a/b"}', 'sglang',
    '{"tp-size": [1, 2]}', '{}', '{}', 'null', '{"checkpoint": {"iteration": 3}}',
    '2025-11-02 10:20:30.123456')"""
V1_EXPERIMENT = """INSERT INTO experiments (task_id, experiment_id, parameters, status, metrics,
    objective_score, created_at) VALUES (1, 1, '{"tp-size": 1}', 'SUCCESS', '{"tput": 5}', 0.5,
    '2025-11-02 10:21:30.123456')"""


def main() -> None:
    """Makes both files."""
    folder = Path(tempfile.mkdtemp(prefix="former-"))
    home = folder / "home"
    try:
        _work(folder, home)
        with Store.open(home) as store:
            content = _content(store)
        _pack(folder, home)
    finally:
        shutil.rmtree(folder)
    text = json.dumps(content, indent=1, sort_keys=True, default=_moment)
    _write_gzip(HERE / "content.json.gz", text.replace(str(folder), FOLDER).encode())


def _work(folder: Path, home: Path) -> None:
    os.environ["PATH"] = f"{folder / 'bin'}:{os.environ['PATH']}"
    _install_engine(folder, ttft_ms=5)
    # Ended, with an experiment that failed; then one that is interrupted in its second experiment.
    ended = {"name": "ended", "scheduling": {"max_running_requests": [1, 2, 3]}}
    _autotuner(home, "tune", _task_file(folder, ended))
    _install_engine(folder, ttft_ms=150)
    interrupted = {"name": "interrupted", "misc": {"threads": [1, 2, 3]}}
    _interrupt(home, _task_file(folder, interrupted), measurements=4 + 3)
    lab = folder / "lab.jsonl"
    lines = (SEEN, SEEN | {"concurrency": 16}, SEEN | {"engine": "sglang"})
    lab.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    _autotuner(home, "observations", "import", lab)
    with Store.open(home) as store:
        # Of a busy machine nothing is learnt, whoever runs this: two of the ended task's points.
        own = SEEN | {"engine": "llamacpp", "model": "smollm2-135m", "device": "cpu", "devices": 1}
        points = (
            Observation(**own | {"concurrency": level, "source": "run 1"}) for level in (1, 2)
        )
        store.add_observations(list(points), run_id=1)
        Tokens(store.sessions).create("office", TokenScope.WRITE)
        with TestClient(create_app(Service(store, home)), base_url="http://127.0.0.1") as client:
            _ask_service(client)
        with store.sessions.writing() as session:
            session.connection().exec_driver_sql(V1_TASK)
            session.connection().exec_driver_sql(V1_EXPERIMENT)


def _ask_service(client: TestClient) -> None:
    profile = {"name": "mine", "layers": [{"set": {"misc": {"threads": [1, 2]}}}]}
    preset = {"name": "p", "parameters": {"tp-size": [1]}}
    queued = {**TASK, "name": "queued", "profiles": ["mine"]}
    asked = (
        ("/api/v2/profiles/", profile),
        ("/api/v2/tasks/", queued),
        ("/api/v2/tasks/3/start", {}),
        ("/api/v2/tasks/", {**TASK, "name": "pending", "description": "Ω"}),
        ("/api/presets/", preset),
    )
    for key, (path, body) in enumerate(asked):
        answer = client.post(path, json=body, headers={"Idempotency-Key": f"k{key}"})
        assert answer.is_success, answer.text


def _content(store: Store) -> dict[str, Any]:
    """Every task, experiment, measurement, prediction, observation and event as it is read."""
    tasks = [store.queue.get(run.id) for run in reversed(store.runs())]
    experiments = {task.id: store.experiments(task.id) for task in tasks if task}
    with store.sessions.reading() as session:
        counts = {
            name: session.connection().exec_driver_sql(f"SELECT count(*) FROM {name}").scalar()  # noqa: S608
            for name in Base.metadata.tables
        }
    return {
        "counts": counts,
        "tasks": [asdict(task) for task in tasks if task],
        "experiments": {
            task: [
                asdict(experiment)
                | {"measurements": [m.model_dump(mode="json") for m in experiment.measurements]}
                for experiment in found
            ]
            for task, found in experiments.items()
        },
        "observations": [asdict(one) for one in store.observations(trusted=False)],
        "events": {task: [asdict(one) for one in store.events(task)] for task in experiments},
    }


def _autotuner(home: Path, *words: str | Path) -> None:
    command = [sys.executable, "-m", "autotuner", *map(str, words), "--home", str(home)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _interrupt(home: Path, task: Path, *, measurements: int) -> None:
    command = [sys.executable, "-m", "autotuner", "tune", str(task), "--home", str(home)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as tuning:
        database = sqlite3.connect(home / "autotuner.db")
        query = "SELECT count(*) FROM measurements"
        while database.execute(query).fetchone()[0] < measurements:
            time.sleep(0.05)
        database.close()
        tuning.send_signal(signal.SIGINT)


def _install_engine(folder: Path, ttft_ms: float) -> None:
    path = folder / "bin" / ENGINE_NAME
    path.parent.mkdir(exist_ok=True)
    path.write_text(ENGINE.format(python=sys.executable, ttft_ms=ttft_ms), encoding="utf-8")
    path.chmod(0o755)


def _task_file(folder: Path, changes: dict[str, Any]) -> Path:
    path = folder / f"{changes['name']}.yaml"
    document = {**TASK, "engine_path": ENGINE_NAME, **changes}
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def _pack(folder: Path, home: Path) -> None:
    """Packs the home: files as they are, the database as SQL, without this machine's paths."""
    database = sqlite3.connect(home / "autotuner.db")
    sql = "\n".join(database.iterdump()).encode()
    database.close()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        _pack_file(archive, "home/autotuner.sql", sql, folder)
        for path in sorted([*home.rglob("*"), *folder.glob("*.yaml")]):
            if path.is_file() and not path.name.startswith("autotuner.db"):
                _pack_file(archive, str(path.relative_to(folder)), path.read_bytes(), folder)
    _write_gzip(HERE / "home.tar.gz", packed.getvalue())


def _pack_file(archive: tarfile.TarFile, name: str, content: bytes, folder: Path) -> None:
    for there, written in ((str(folder), FOLDER), (sys.executable, "python3")):
        content = content.replace(there.encode(), written.encode())
    about = tarfile.TarInfo(name)
    about.size = len(content)
    archive.addfile(about, io.BytesIO(content))


def _write_gzip(path: Path, content: bytes) -> None:
    path.write_bytes(gzip.compress(content, mtime=0))


def _moment(value: object) -> str:
    assert isinstance(value, datetime)
    return value.isoformat()


if __name__ == "__main__":
    main()
