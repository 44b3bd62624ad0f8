"""docs/migration.md's generated part: what each column of version 1 becomes."""

from __future__ import annotations

from operator import attrgetter

from autotuner.migrate.database.tasks import EXPERIMENT_NOTES, EXPERIMENT_STATUSES, TASK_STATUSES
from autotuner.store import v1_schema

_TASKS = {
    "id": "the same number in version 1's tables; a number of its own as a task of version 2",
    "task_name": "`name`",
    "description": "`description`",
    "model_config": "`model`",
    "base_runtime": "`system.backend`",
    "runtime_image_tag": "`docker.image` and `system.backend_version`, where the mode is docker",
    "parameters": "the fields that the engine's flags mean, else `misc.extra_args`",
    "optimization_config": "`optimization`",
    "benchmark_config": "`benchmark`, minutes as seconds",
    "slo_config": "`slo`, seconds as milliseconds",
    "quant_config": "`quantization`",
    "parallel_config": "`parallel`",
    "deployment_mode": "`deployment_mode`",
    "created_at": "`created_at`",
    "started_at": "`started_at`",
    "completed_at": "`ended_at`",
    "elapsed_time": "`wall_s`",
}
_PRESETS = {
    "name": "the profile's name, in letters, digits, `_`, `.` and `-`",
    "description": "`description`",
    "runtime": "the layer's condition `backend`; where it is empty, the engine that knows most of "
    "the parameters",
    "parameters": "the layer's settings",
}
_NAME = attrgetter("name")
_V1_ALONE = "stays in version 1's table alone"


def becomes() -> str:
    """A table of every column."""
    lines = ["| v1 | v2 |", "|---|---|"]
    for column in map(_NAME, v1_schema.tasks.columns):
        meaning = _statuses(TASK_STATUSES) if column == "status" else _TASKS.get(column, _V1_ALONE)
        lines.append(f"| `tasks.{column}` | {meaning} |")
    for column in map(_NAME, v1_schema.experiments.columns):
        meaning = EXPERIMENT_NOTES[column][1] if column in EXPERIMENT_NOTES else _V1_ALONE
        if column == "status":
            meaning = f"{_statuses(EXPERIMENT_STATUSES)}; others `interrupted`"
        elif column == "experiment_id":
            meaning = "order of launch"
        lines.append(f"| `experiments.{column}` | {meaning} |")
    lines += [
        f"| `parameter_presets.{column}` | {_PRESETS.get(column, _V1_ALONE)} |"
        for column in map(_NAME, v1_schema.parameter_presets.columns)
    ]
    return "\n".join(lines)


def _statuses(statuses: dict[str, str]) -> str:
    return ", ".join(f"{v1} `{ours}`" for v1, ours in statuses.items())
