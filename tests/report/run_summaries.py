"""A run to report, with a text of one's choice wherever a run has free text."""

from __future__ import annotations

from typing import Any

from autotuner.config import LoadLevel
from autotuner.measure import Distribution, Measurement
from autotuner.tuning.summary import TaskSummary

LOAD = {"kind": "concurrency", "value": 2}
COMMAND = "llama-server --model '/models/a b.gguf' " + " ".join(
    f"--flag-{n} {n}" for n in range(40)
)
HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    "<img src=x onerror=alert(3)>",
    "[bold]loud[/bold] [/] [link=http://x.test]y[/link]",
    "\"quoted\" 'twice' & {{ 7 * 7 }} {% raw %}",
]


def shown(mean: float) -> dict[str, Any]:
    values = dict.fromkeys(["mean", "min", "p50", "p90", "p95", "p99", "max"], mean)
    return Distribution(count=8, std=0.0, **values).model_dump()


def figures(text: str, factor: float) -> dict[str, Any]:
    """A prediction that is wrong by `factor`."""
    given = {"ttft_ms": 20.0 * factor, "tpot_ms": 8.0 * factor, "tok_s": 123.4 / factor}
    stds = dict.fromkeys(["ttft_log_std", "tpot_log_std", "tok_s_log_std"], 0.3)
    return {**given, **stds, "source": text, "note": text}


def launch(text: str, experiment: str, index: int, **changes: Any) -> dict[str, Any]:
    """A launch as the search tells it, in vain where `changes` do not say otherwise."""
    brought = {"failed": False, "value": 1.0, "added": 0.0, "frontier_points": 0, "in_vain": True}
    found = {"experiment": experiment, "index": index, "phase": "grid", "reason": text}
    return {**found, **brought, **changes}


def summary(text: str = "plain", *, points: bool = True, predicted: bool = True) -> TaskSummary:
    """A run whose every free text is `text`."""
    measurement = Measurement(
        load=LoadLevel.concurrency(2),
        duration_s=1,
        requests_completed=8,
        requests_failed=0,
        requests_short=0,
        ended_by="requests",
        valid=True,
        tok_s=123.4,
        requests_s=1,
        input_tokens=8,
        output_tokens=8,
        ttft_ms=Distribution.model_validate(shown(20.0)),
        tpot_ms=Distribution.model_validate(shown(8.0)),
        e2e_ms=Distribution.model_validate(shown(90.0)),
        errors={text: 1},
        note=text,
    )
    settings = {"misc.threads": 2, "misc.extra_args": [text], "misc.load_format": text}
    point = {
        "experiment": "good1",
        "load": LOAD,
        "tok_s": 123.4,
        "tok_s_per_gpu": 123.4,
        "tok_s_per_user": 125.0,
        "ttft_ms": 20.0,
        "tpot_ms": 8.0,
        "e2e_p90_ms": 90.0,
        "settings": settings,
        "command": COMMAND,
    }
    good = {
        "id": "good1",
        "index": 1,
        "status": "completed",
        "selection_reason": text,
        "phase": "grid",
        "settings": settings,
        "command": COMMAND,
        "log_path": f"logs/{text}",
        "measurements": [measurement.model_dump()],
        "cut_short": f"after 2 levels: {text}",
    }
    if predicted:
        seen = {"ttft_ms": 20.0, "tpot_ms": 8.0, "tok_s": 123.4}
        level = {"load": LOAD, "measured": seen}
        found = level | {"base": figures(text, 3.0), "calibrated": figures(text, 1.1)}
        good |= {"predictions": [found]}
    bad = good | {
        "id": "bad1",
        "index": 2,
        "status": "failed",
        "failure": {"kind": "out_of_memory", "message": text, "log_tail": f"tail {text}"},
        "measurements": [],
        "predictions": [],
        "unpredicted": text if predicted else None,
        "cut_short": None,
    }
    metric = {"median_ape": 2.0, "share_in_interval": 0.0}
    error = {"points": 1, "ttft_ms": metric, "tpot_ms": metric, "tok_s": metric}
    return TaskSummary.model_validate(
        {
            "task": {
                "id": 1,
                "name": text,
                "status": "completed",
                "stop_reason": text,
                "started_at": "2026-01-02T03:04:05+00:00",
                "ended_at": None,
                "wall_s": 12.0,
                "candidates": 2,
                "excluded": {text: 3},
                "axes": {"misc.extra_args": [[text]]},
                "engine": "llamacpp",
                "engine_version": text,
                "model": text,
                "device": text,
                "strategy": "auto",
                "strategy_reason": text,
                "objectives": ["tok_s_per_gpu", "tok_s_per_user"],
                "config": {"name": text},
            },
            "experiments": [good, bad] if points else [bad],
            "frontier": [point] if points else [],
            "recommended": point | {"reason": text, "meets_slo": True} if points else None,
            "search": {
                "measure": "hypervolume",
                "launches": [
                    launch(text, "good1", 1, added=1.0, frontier_points=1, in_vain=False),
                    launch(text, "bad1", 2, failed=True),
                ]
                if points
                else [launch(text, "bad1", 2, failed=True, value=0.0)],
                "predicted_frontier": [
                    {
                        "experiment": "good1",
                        "load": LOAD,
                        "values": {"tok_s_per_gpu": 41.1, "tok_s_per_user": 150.0},
                    }
                ]
                if predicted
                else [],
            },
            "prediction_error": {"base": error, "calibrated": error} if predicted else None,
            "report": f"reports/{text}",
        }
    )
