"""genai-bench's result folder: a file per level, and the experiment's own description.

Its file says what was asked of the server and nothing of how the server is laid out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotuner.config import LengthDistribution
from autotuner.errors import VerifyError
from autotuner.measure import LevelPlan
from autotuner.measure.genai_bench import TOOL, measurement_of
from autotuner.verify.autotuner_reader import remarks
from autotuner.verify.points import Excluded, Point, PointFile
from autotuner.verify.units import figure, whole

FORMAT = "genai-bench"
RESULTS = "*num_concurrency_*.json"
_EXPERIMENT = "experiment_metadata.json"


def read_genai_bench(path: Path) -> PointFile:
    """Every level of a folder, or the one of a file.

    Raises:
        VerifyError: no result file is there, or none can be used.
    """
    files = sorted(path.rglob(RESULTS)) if path.is_dir() else [path]
    if not files:
        raise VerifyError(f"{path} holds no result of genai-bench ({RESULTS})")
    points: list[Point] = []
    excluded: list[Excluded] = []
    for file in files:
        where = str(file.relative_to(path)) if path.is_dir() else file.name
        try:
            points.append(_point(_json(file), _experiment(file.parent), where))
        except (KeyError, TypeError) as error:
            excluded.append(Excluded(where, f"no result of genai-bench: {error} is missing"))
        except ValueError as error:
            excluded.append(Excluded(where, str(error)))
    if not points:
        raise VerifyError(f"{path}: {excluded[0].source}: {excluded[0].why}")
    notes = ("genai-bench reports seconds and totals; its latencies contain its own delay",)
    return PointFile(str(path), FORMAT, tuple(points), tuple(excluded), notes=notes)


def _point(document: Mapping[str, Any], experiment: Mapping[str, Any], source: str) -> Point:
    told = document["aggregated_metrics"]
    lengths = _lengths(told["scenario"])
    asked = lengths or LengthDistribution(kind="N", input=(1, 0), output=(1, 0))
    concurrency = whole("num_concurrency", told["num_concurrency"])
    requests = max(int(told.get("num_requests") or 0), 1)
    plan = LevelPlan(asked, concurrency, requests=requests, duration_s=0, warmup_requests=0)
    measured = measurement_of(dict(document), plan, alive=True)
    if measured.ttft_ms is None:
        raise ValueError("no request was completed")
    if measured.requests_failed:
        raise ValueError(f"{measured.requests_failed} requests failed")
    done = measured.requests_completed
    isl, osl = lengths.mean() if lengths else (measured.input_tokens, measured.output_tokens)
    gpus = experiment.get("server_gpu_count")
    return Point(
        concurrency=concurrency,
        ttft_ms=figure("ttft", measured.ttft_ms.mean),
        tpot_ms=figure("tpot", measured.tpot_ms.mean) if measured.tpot_ms else None,
        tok_s=figure("mean_output_throughput_tokens_per_s", measured.tok_s),
        gpus=whole("server_gpu_count", gpus) if gpus else None,
        model=experiment.get("api_model_name") or experiment.get("model"),
        engine=_lower(experiment.get("server_engine")),
        engine_version=experiment.get("server_version"),
        system=_lower(experiment.get("server_gpu_type")),
        isl=isl if lengths else isl / done,
        osl=osl if lengths else osl / done,
        lengths=None if lengths and lengths.kind == "D" else str(told["scenario"]),
        tool=TOOL,
        source=source,
        originals=told,
        remarks=remarks([measured]),
    )


def _lengths(scenario: str) -> LengthDistribution | None:
    """The request lengths; None for a scenario of another kind, such as a data set."""
    try:
        return LengthDistribution.parse(scenario)
    except ValueError:
        return None


def _experiment(folder: Path) -> dict[str, Any]:
    file = folder / _EXPERIMENT
    return _json(file) if file.is_file() else {}


def _json(file: Path) -> dict[str, Any]:
    document = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(document, dict):
        raise ValueError(f"{file.name} holds no JSON object")
    return document


def _lower(word: Any) -> str | None:
    return str(word).lower() if word else None
