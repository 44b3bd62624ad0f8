"""A stand-in for AISimulate's process: answers at once by a formula, or goes wrong as it is told.

`python aisimulate_stand_in.py MANNER FOLDER`: the questions that it is asked are kept in FOLDER.
"""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

BROKEN_WIDTH = 4
"""Tensor parallelism at which it goes wrong; of any other it answers."""
FULL_WIDTH = 1
"""Tensor parallelism at which weights leave no room, with a share of 0.1 for them."""
HIGHEST_RATE = 100.0


def main(manner: str, folder: Path) -> None:
    print(
        json.dumps(
            {"error": "no module named jax"} if manner == "unloadable" else {"version": "0.13.0"}
        ),
        flush=True,
    )
    for line in sys.stdin:
        question = json.loads(line)
        (folder / uuid.uuid4().hex).write_text(line)
        width = question["engine"]["workers"]["aggregated"]["parallelism"]["tensor"]
        levels = [level(question, load, width) for load in question["loads"]]
        if width == BROKEN_WIDTH:
            levels = [broken(manner, each) for each in levels]
        print(json.dumps({"levels": levels}), flush=True)


def level(question: Mapping[str, Any], load: Mapping[str, Any], width: int) -> dict[str, Any]:
    """A queue that gets slower with the requests in flight."""
    cache = question["engine"]["workers"]["aggregated"]["kv_cache"]
    if width == FULL_WIDTH and cache.get("capacity", {}).get("memory_fraction") == 0.1:
        return {
            "error": "no KV budget: non-KV memory (70000000000 bytes) meets/exceeds the KV-cache "
            "memory limit (capacity=60000000000 bytes)"
        }
    rate = load.get("request_rate") or 1000 / load.get("arrival_interval_ms", 1e9)
    users = load.get("concurrency") or 1 + rate
    slow = load["request_count"] if rate > HIGHEST_RATE else users
    ttft_ms, tpot_ms = 20 + slow, (5 + users / 10) / width
    e2e_ms = ttft_ms + (0.9 * load["osl"] - 1) * tpot_ms
    if rate > HIGHEST_RATE:
        e2e_ms *= load["request_count"]
    return {
        "way": 0,
        "ttft_ms": ttft_ms,
        "ttft_p90_ms": 2 * ttft_ms,
        "ttft_p99_ms": 3 * ttft_ms,
        "tpot_ms": tpot_ms,
        "e2e_ms": e2e_ms,
        "e2e_p90_ms": 1.2 * e2e_ms,
        "e2e_p99_ms": 1.5 * e2e_ms,
        "completed": load["request_count"],
        "data_version": "0.24.0",
    }


def broken(manner: str, answer: dict[str, Any]) -> Any:
    """The answer gone wrong; does not return where the process hangs or ends."""
    match manner:
        case "hangs":
            sys.stdin.read()
        case "crashes":
            print("the 3rd rank is poisoned", file=sys.stderr, flush=True)
            os._exit(3)
        case "is killed":
            os.kill(os.getpid(), 9)
        case "talks":
            print("Loading tables ...", flush=True)
        case "nan":
            return answer | {"tpot_ms": float("nan")}
        case "zero":
            return answer | {"ttft_ms": 0.0}
        case "says less":
            return answer | {"e2e_p99_ms": None}
        case "drops":
            return answer | {"completed": 0}
        case "no mapping":
            return 7
        case "refuses":
            return {"error": "no timing data for this"}
    return answer


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
