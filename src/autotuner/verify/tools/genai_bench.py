"""genai-bench's result folder: a file per level, and the experiment's own description.

Its file says what was asked of the server and nothing of how the server is laid out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from autotuner.config import LengthDistribution, LoadLevel
from autotuner.config.fault_words import problems_of
from autotuner.errors import VerifyError
from autotuner.measure import LevelPlan, StoppingRule
from autotuner.measure.genai_bench import TOOL, measurement_of
from autotuner.verify.autotuner_reader import remarks
from autotuner.verify.files import open_file
from autotuner.verify.points import Excluded, Point, PointFile, figure, whole
from autotuner.verify.tools.tool import text_of

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
        except VerifyError as error:
            excluded.append(Excluded(where, error.message))
        except ValidationError as error:
            excluded.append(Excluded(where, f"no result of genai-bench: {problems_of(error)[0]}"))
        except KeyError as error:
            excluded.append(Excluded(where, f"no result of genai-bench: {error} is missing"))
        except (TypeError, AttributeError, ArithmeticError) as error:
            excluded.append(Excluded(where, f"no result of genai-bench: {error}"))
        except ValueError as error:
            excluded.append(Excluded(where, str(error)))
    if not points:
        raise VerifyError(f"{path}: {excluded[0].source}: {excluded[0].why}")
    notes = ("genai-bench reports seconds and totals; its latencies contain its own delay",)
    return PointFile(str(path), FORMAT, tuple(points), tuple(excluded), notes=notes)


def _point(document: Mapping[str, Any], experiment: Mapping[str, Any], source: str) -> Point:
    metrics = document["aggregated_metrics"]
    lengths = _lengths(metrics["scenario"])
    asked = lengths or LengthDistribution(kind="N", input=(1, 0), output=(1, 0))
    concurrency = whole("num_concurrency", metrics["num_concurrency"])
    requests = max(int(metrics.get("num_requests") or 0), 1)
    plan = LevelPlan(
        lengths=asked,
        load=LoadLevel.concurrency(concurrency),
        stop=StoppingRule(requests, duration_s=0),
        warmup_requests=0,
    )
    failed = int(metrics.get("num_error_requests") or 0)
    if failed:
        raise ValueError(f"{failed} of {requests} requests failed")
    measured = measurement_of(dict(document), plan, alive=True)
    ttft_ms = measured.ttft_ms.mean if measured.ttft_ms else _stated_ms(document, "ttft")
    tpot_ms = measured.tpot_ms.mean if measured.tpot_ms else _stated_ms(document, "tpot")
    if ttft_ms is None:
        raise ValueError("no request was completed")
    done = measured.requests_completed
    isl, osl = lengths.mean() if lengths else (None, None)
    if lengths is None and done:
        isl, osl = measured.input_tokens / done, measured.output_tokens / done
    elif lengths is None:
        isl, osl = (_stated(metrics, f"num_{side}_tokens") for side in ("input", "output"))
    gpus = experiment.get("server_gpu_count")
    return Point(
        load=LoadLevel.concurrency(concurrency),
        ttft_ms=figure("ttft", ttft_ms),
        tpot_ms=figure("tpot", tpot_ms) if tpot_ms is not None and (osl or 2) > 1 else None,
        tok_s=figure("mean_output_throughput_tokens_per_s", measured.tok_s),
        gpus=whole("server_gpu_count", gpus) if gpus else None,
        model=text_of(experiment, "api_model_name") or text_of(experiment, "model"),
        engine=_lower(experiment.get("server_engine")),
        engine_version=text_of(experiment, "server_version"),
        system=_lower(experiment.get("server_gpu_type")),
        isl=isl,
        osl=osl,
        lengths=None if lengths and lengths.kind == "D" else str(metrics["scenario"]),
        tool=TOOL,
        source=source,
        originals=metrics,
        remarks=(*remarks([measured]), *_reasoning(metrics)),
    )


def _stated(metrics: Mapping[str, Any], name: str) -> float | None:
    """A mean that the file states of all requests."""
    mean = ((metrics.get("stats") or {}).get(name) or {}).get("mean")
    return None if mean is None else float(mean)


def _stated_ms(document: Mapping[str, Any], name: str) -> float | None:
    """The same of a latency, where the file has no requests of their own."""
    mean = _stated(document["aggregated_metrics"], name)
    to_ms = 1.0 if document.get("_time_unit") == "ms" else 1000.0
    return None if mean is None else to_ms * mean


def _reasoning(metrics: Mapping[str, Any]) -> tuple[str, ...]:
    mean = _stated(metrics, "num_reasoning_tokens")
    return (f"answers hold {mean:.0f} tokens of reasoning in the mean",) if mean else ()


def _lengths(scenario: str) -> LengthDistribution | None:
    """The request lengths; None for a scenario of another kind, such as a data set."""
    try:
        return LengthDistribution.parse(scenario)
    except ValueError:
        return None


def _experiment(folder: Path) -> Mapping[str, Any]:
    file = folder / _EXPERIMENT
    return _json(file) if file.is_file() else {}


def _json(file: Path) -> Mapping[str, Any]:
    objects = open_file(file).objects
    if len(objects) != 1:
        raise ValueError(f"{file.name} holds no JSON object")
    return objects[0][1]


def _lower(word: Any) -> str | None:
    return str(word).lower() if word else None
