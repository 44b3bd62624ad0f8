"""A database of version 1, built from its schema with rows of every kind; the same each time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).parents[2] / "examples" / "v1"
SCHEMA = EXAMPLE / "schema.sql"
BEGAN = datetime(2025, 11, 2, 10, 20, 30, 123456)
STATUSES = ("COMPLETED", "COMPLETED", "FAILED", "RUNNING", "PENDING", "CANCELLED")
_ENGINES = {
    "sglang": ({"tp-size": [1, 2], "mem-fraction-static": [0.7, 0.8, 0.9]}, "v0.5.2"),
    "vllm": ({"gpu-memory-utilization": [0.8, 0.9], "max-num-seqs": ["64", "128"]}, "v0.11.0"),
    "tensorrt-llm": ({"max_batch_size": [32, 64, 128]}, None),
}
_NAMES = ('o\'brien "Ω"', "emoji 😀", "tab\tand\nline", "العربية", "plain")
_MODELS = ("Qwen/Qwen2.5-7B-Instruct", "meta-llama/Llama-3.1-8B-Instruct")
_GPUS = (
    {"model": "NVIDIA H100 80GB HBM3", "count": 1, "device_ids": ["0"]},
    {"model": "NVIDIA A100-SXM4-80GB", "count": 2, "device_ids": ["0", "1"]},
    None,
)


def built(path: Path, *, tasks: int = 200, experiments: int = 10) -> Path:
    """Writes the database: so many tasks, and about so many experiments of each."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous=OFF")  # it has to outlive no power cut
        connection.executescript(SCHEMA.read_text("utf-8"))
        number = 0
        for index in range(1, tasks + 1):
            row = task(index)
            insert(connection, "tasks", row)
            best = None
            for place in range(1, experiments + 1 if row["status"] != "PENDING" else 1):
                number += 1
                made = experiment(number, index, place)
                insert(connection, "experiments", made)
                best = number if made["status"] == "SUCCESS" and best is None else best
            connection.execute(
                "UPDATE tasks SET best_experiment_id = ? WHERE id = ?", (best, index)
            )
        for index, preset in enumerate(presets(), start=1):
            insert(connection, "parameter_presets", {"id": index, **preset})
        connection.commit()
    return path


def insert(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    """Inserts a row as it is, lists and mappings as JSON."""
    cells = [json.dumps(v) if isinstance(v, dict | list) else v for v in row.values()]
    marks = ", ".join("?" for _ in cells)
    statement = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608
    connection.execute(statement, cells)


def task(index: int) -> dict[str, Any]:
    """One row of `tasks`."""
    engine = list(_ENGINES)[index % len(_ENGINES)]
    parameters, tag = _ENGINES[engine]
    status = STATUSES[index % len(STATUSES)]
    created = BEGAN + timedelta(minutes=index)
    return {
        "id": index,
        "task_name": f"{_NAMES[index % len(_NAMES)]} {index}",
        "description": None if index % 4 else "a description",
        "status": status,
        "model_config": {"id_or_path": _MODELS[index % 2], "namespace": "autotuner"},
        "base_runtime": engine,
        "runtime_image_tag": tag,
        "parameters": {**parameters, "some-unknown-flag": [index]}
        if index % 7 == 0
        else parameters,
        "optimization_config": {
            "strategy": ("grid_search", "random", "bayesian")[index % 3],
            "objective": ("minimize_latency", "maximize_throughput")[index % 2],
            "max_iterations": 10,
            "timeout_per_iteration": 600,
        },
        "benchmark_config": {
            "task": "text-to-text",
            "model_name": "qwen",
            "traffic_scenarios": ["D(512,128)"],
            "num_concurrency": [1, 8],
            "max_time_per_iteration": 5,
            "max_requests_per_iteration": 200,
            "additional_params": {"temperature": 0.0},
        },
        "slo_config": None if index % 2 else {"ttft": {"threshold": 0.8, "weight": 2.0}},
        "quant_config": "null" if index % 5 else {"gemm_dtype": "auto"},
        "parallel_config": None,
        "deployment_mode": ("docker", "local", "ome")[index % 3],
        "metadata": {"checkpoint": {"iteration": index, "exact": 12345678901234567890123}},
        "total_experiments": 10,
        "successful_experiments": 5,
        "created_at": str(created),
        "started_at": None if status == "PENDING" else str(created + timedelta(seconds=5)),
        "completed_at": str(created + timedelta(hours=1)) if status == "COMPLETED" else None,
        "elapsed_time": 3595.0 if status == "COMPLETED" else None,
    }


def experiment(number: int, task_id: int, place: int) -> dict[str, Any]:
    """One row of `experiments`; every third one has failed."""
    status = ("SUCCESS", "SUCCESS", "FAILED", "BENCHMARKING")[place % 4 if place > 8 else place % 3]
    began = BEGAN + timedelta(minutes=task_id, seconds=60 * place)
    good = status == "SUCCESS"
    engine = list(_ENGINES)[task_id % len(_ENGINES)]
    values = _ENGINES[engine][0]
    grid = {name: options[place % len(options)] for name, options in values.items()}
    return {
        "id": number,
        "task_id": task_id,
        "experiment_id": place,
        "parameters": grid,
        "status": status,
        "error_message": None if status != "FAILED" else "CUDA out of memory; \u00e9",
        "metrics": metrics(number) if good else None,
        "objective_score": 1.25 + number if good else float("inf") if place % 2 else None,
        "gpu_info": _GPUS[task_id % len(_GPUS)],
        "service_name": f"task-{task_id}-exp{place}",
        "service_url": None,
        "created_at": str(began),
        "started_at": str(began),
        "completed_at": str(began + timedelta(seconds=50)) if status != "BENCHMARKING" else None,
        "elapsed_time": 50.0,
    }


def metrics(number: int) -> dict[str, Any]:
    """Metrics of two load levels."""
    raw = [raw_result(number, concurrency) for concurrency in (1, 8)]
    return {
        "num_result_files": 2,
        "concurrency_levels": [1, 8],
        "raw_results": raw,
        "mean_e2e_latency": 2.25,
        "mean_ttft": 0.05,
        "mean_tpot": 0.015,
        "mean_output_throughput": 250.0,
        "total_requests": 400,
        "success_rate": 1.0,
        "elapsed_time": 30.5,
        "benchmark_name": f"exp-{number}",
    }


def raw_result(number: int, concurrency: int) -> dict[str, Any]:
    """One load level, in seconds."""
    slower = 1 + concurrency / 10 + number % 7 / 100
    return {
        "scenario": "D(512,128)",
        "num_concurrency": concurrency,
        "run_duration": 15.25,
        "mean_output_throughput_tokens_per_s": 60.0 * concurrency / slower,
        "mean_input_throughput_tokens_per_s": 240.0 * concurrency / slower,
        "mean_total_tokens_throughput_tokens_per_s": 300.0 * concurrency / slower,
        "requests_per_second": 0.5 * concurrency / slower,
        "error_rate": 0.0,
        "num_error_requests": 0,
        "num_completed_requests": 200,
        "num_requests": 200,
        "stats": {
            "ttft": spread(0.05 * slower),
            "tpot": spread(0.015 * slower),
            "e2e_latency": spread(2.0 * slower),
            "output_latency": spread(1.95 * slower),
        },
    }


def spread(mean: float) -> dict[str, float]:
    """A distribution as genai-bench writes it."""
    shares = {"min": 0.5, "max": 2.0, "mean": 1.0, "stddev": 0.1, "sum": 200.0, "p25": 0.9}
    shares |= {"p50": 1.0, "p75": 1.1, "p90": 1.3, "p95": 1.5, "p99": 1.8}
    return {name: mean * share for name, share in shares.items()}


def presets() -> Iterator[dict[str, Any]]:
    """Rows of `parameter_presets`."""
    yield {
        "name": "Memory Efficient",
        "description": "for small GPUs",
        "category": "memory",
        "runtime": "sglang",
        "is_system": 1,
        "parameters": {"tp-size": [1], "mem-fraction-static": [0.7, 0.75]},
        "metadata": {"author": "system"},
        "created_at": "2025-11-01 00:00:00",
        "updated_at": "2025-11-01 00:00:00",
    }
    yield {
        "name": "mine",
        "description": None,
        "category": None,
        "runtime": None,
        "is_system": 0,
        "parameters": {"gpu-memory-utilization": [0.9], "max-num-seqs": [64]},
        "metadata": None,
        "created_at": "2025-11-01 00:00:01",
        "updated_at": "2025-11-01 00:00:01",
    }
    yield {
        "name": "nothing known",
        "description": "",
        "category": "x",
        "runtime": "sglang",
        "is_system": 0,
        "parameters": {},
        "metadata": None,
        "created_at": "2025-11-01 00:00:02",
        "updated_at": "2025-11-01 00:00:02",
    }
