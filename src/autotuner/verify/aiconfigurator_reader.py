"""Results and tasks of aiconfigurator 0.12, in our terms.

`cli default` and `cli exp` with `--save-dir` leave a folder per experiment: `pareto.csv`,
`best_config_topn.csv`, `exp_config.yaml`, and per chosen row a `generator_config.yaml`, which is
all that `cli generate` leaves. Its results are per replica (`num_total_gpus` GPUs): `concurrency`
counts the requests that are always in flight there, `bs` those of one attention replica. An
aggregated row's `tokens/s` leaves the first token of each answer out (seq/s x (OSL - 1)) and a
disaggregated row's does not; here it is seq/s x OSL for both.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from autotuner.config import LoadLevel, TaskConfig, parse_task
from autotuner.errors import VerifyError
from autotuner.verify.aiconfigurator_fields import Left, table, to_ours
from autotuner.verify.points import (
    Excluded,
    Point,
    PointFile,
    figure,
    states_with_first,
    tpot_from_e2e_ms,
    whole,
)

FORMAT = "aiconfigurator"
MARK = "tokens/s/gpu"
"""A column that only its results have."""
RESULTS = ("best_config_topn.csv", "pareto.csv")
METADATA = "aiconfigurator"
"""Key of a task's metadata that keeps the fields without counterpart."""
_NAMES = ("backend", "version", "system")
_FIGURES = frozenset(
    {"concurrency", "ttft", "tpot", "request_latency", "seq/s", "num_total_gpus"}
    # These follow from the ones above.
    | {"request_rate", "seq/s/gpu", "tokens/s", MARK, "tokens/s/user", "tokens/s/gpu_cluster"}
    | {f"({r}){key}" for r in "pd" for key in ("workers", "parallel", *_NAMES)}
)
_NEEDED = ("model", "isl", "osl", "concurrency", "ttft", "tpot", "request_latency", "seq/s")
_NESTED = "worker_config"


@dataclass(frozen=True)
class ReadTask:
    """A task of theirs as a task of ours.

    Attributes:
        left: fields without counterpart; `task.metadata["aiconfigurator"]` keeps them, so that
            the way back restores them.
        filled: `group.field` -> the value that aiconfigurator takes where the file has none.
    """

    task: TaskConfig
    left: tuple[Left, ...]
    filled: Mapping[str, Any]


def read_points(path: Path) -> PointFile:
    """The predicted points of a saved folder, or of one of its CSV files.

    A row that stands in both CSV files counts once. Rows that cannot be used are listed.

    Raises:
        VerifyError: nothing is predicted there, or a column is missing.
    """
    files = _results(path)
    points: dict[tuple[str, str], Point] = {}
    excluded: list[Excluded] = []
    not_used: dict[str, str] = {}
    for file in files:
        where = file.name if path.is_file() else str(file.relative_to(path))
        header, rows = _rows(file)
        not_used |= _not_used(header)
        for line, row in rows:
            source = f"{where}:{line}"
            try:
                point = _point(row, source)
            except ValueError as error:
                excluded.append(Excluded(source, str(error)))
                continue
            points.setdefault((str(file.parent), repr(point.originals)), point)
    if not points:
        why = f"; {excluded[0].source}: {excluded[0].why}" if excluded else ""
        raise VerifyError(f"{path}: no row can be used{why}")
    notes = [
        "aiconfigurator predicts a steady state: requests are always in flight, none waits or ends",
        "tok/s is seq/s x OSL; its own tokens/s leaves first tokens out where it is aggregated",
    ]
    if any(point.tpot_as == "with_first" for point in points.values()):
        notes.append("TPOT was stated with the first token (--inclusive-tpot), and is without here")
    return PointFile(
        str(path), FORMAT, tuple(points.values()), tuple(excluded), not_used, tuple(notes)
    )


def read_tasks(path: Path) -> tuple[ReadTask, ...]:
    """The tasks of a saved folder, of an `exp_config.yaml`, or of a task YAML written by hand.

    Raises:
        VerifyError: there are none, or one has no counterpart here at all.
    """
    if path.is_dir():
        files = sorted(path.rglob("exp_config.yaml"))
        if files:
            return tuple(read_task(_yaml(file), name=file.parent.name) for file in files)
        deployments = sorted(path.rglob("generator_config.yaml"))
        if deployments:
            return tuple(read_deployment(_yaml(file), file.parent.name) for file in deployments)
        raise VerifyError(f"{path} has no exp_config.yaml and no generator_config.yaml")
    document = _yaml(path)
    if "params" in document:
        return (read_deployment(document, path.parent.name),)
    if not any(isinstance(value, dict) for value in document.values()):
        return (read_task(document, name=path.parent.name),)
    names = document.get("exps") or [key for key in document if key != "exps"]
    missing = [name for name in names if not isinstance(document.get(name), dict)]
    if missing:
        raise VerifyError(f"{path}: exps names {missing[0]!r}, and there is no such experiment")
    return tuple(read_task(document[name], name=str(name)) for name in names)


def read_task(theirs: Mapping[str, Any], *, name: str) -> ReadTask:
    """One experiment of theirs, flat as 0.12 writes it.

    Raises:
        VerifyError: the nested form of before 0.12.
        ConfigError: a value that no task here may have.
    """
    if _NESTED in theirs or "config" in theirs:
        raise VerifyError(
            f"{name} has the nested form of aiconfigurator before 0.12",
            remedy="write its fields flat, as `aiconfigurator cli exp` saves them",
        )
    fields, beside = _without_roles(theirs)
    settings, left = to_ours(fields, "task")
    defaults = {row.ours: row.default for row in table().rows if row.default is not None}
    filled = {path: value for path, value in defaults.items() if path not in settings}
    left = (*beside, *left)
    return ReadTask(_task(name, {**settings, **filled}, left), left, filled)


def read_deployment(document: Mapping[str, Any], name: str) -> ReadTask:
    """One `generator_config.yaml`, of an aggregated deployment, as a task of one candidate.

    Raises:
        VerifyError: its workers are apart for prefill and decode.
    """
    params = dict((document.get("params") or {}).get("agg") or {})
    if not params:
        raise VerifyError(
            f"{name}: a deployment with separate prefill and decode workers has no counterpart",
            remedy="give the folder of its experiment to read what it was searched with",
        )
    service, sla = document.get("ServiceConfig") or {}, document.get("SlaConfig") or {}
    system = (document.get("NodeConfig") or {}).get("system_name")
    params |= {"model_path": service.get("model_path"), "backend": document.get("backend")}
    settings, left = to_ours(params, "params")
    beside, _ = to_ours({"isl": sla.get("isl"), "osl": sla.get("osl"), "system": system}, "column")
    return ReadTask(_task(name, {**beside, **settings}, left), left, {})


def _task(name: str, settings: Mapping[str, Any], left: Iterable[Left]) -> TaskConfig:
    document: dict[str, Any] = {"version": 2, "name": name}
    for path, value in settings.items():
        group, _, key = path.partition(".")
        document.setdefault(group, {})[key] = value
    kept = {item.field: item.value for item in left}
    if kept:
        document["metadata"] = {METADATA: kept}
    return parse_task(document, source=name)


def _without_roles(theirs: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[Left, ...]]:
    """Fields as an aggregated task names them, and those that say nothing of this one."""
    disagg = theirs.get("serving_mode") == "disagg"
    kept = dict(theirs)
    left: list[Left] = []
    for row in table().rows:
        if not row.roles or row.task is None:
            continue
        separate = {name: kept.pop(name) for name in row.role_names if name in kept}
        once = {row.task: kept.pop(row.task)} if row.task in kept else {}
        used, unused = (separate, once) if disagg else (once, separate)
        values = list(used.values())
        if values and all(value == values[0] for value in values):
            kept[row.task] = values[0]
        else:
            left += _left(used, "prefill and decode differ; a configuration here has one")
        mode = "disaggregated" if disagg else "aggregated"
        left += _left(unused, f"takes no part in a task that is {mode}")
    return kept, tuple(left)


def _left(fields: Mapping[str, Any], why: str) -> list[Left]:
    items = fields.items()
    return [Left(name, value, why) for name, value in items if value not in (None, "", [])]


def _results(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    files = [file for name in RESULTS for file in sorted(path.rglob(name))]
    if files:
        return files
    if any(path.rglob("generator_config.yaml")):
        raise VerifyError(
            f"{path}: `aiconfigurator cli generate` predicts nothing",
            remedy="run `aiconfigurator cli default --save-dir` for predictions",
        )
    raise VerifyError(f"{path} holds none of {', '.join(RESULTS)}")


def _rows(file: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    reader = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8")))
    header = list(reader.fieldnames or [])
    missing = [name for name in _NEEDED if name not in header]
    if missing:
        raise VerifyError(
            f"{file}: the column {', '.join(missing)} is missing",
            remedy="give what aiconfigurator 0.12 saved, unchanged",
        )
    return header, [(reader.line_num, row) for row in reader]


def _not_used(header: Iterable[str]) -> dict[str, str]:
    known = table().by_name("column")
    names = [name for name in header if name not in known and name not in _FIGURES]
    return {name: table().why_only_theirs(name) for name in names}


def _point(row: Mapping[str, str], source: str) -> Point:
    isl, osl = figure("isl", row["isl"]), figure("osl", row["osl"])
    ttft_ms, tpot_ms = figure("ttft", row["ttft"]), figure("tpot", row["tpot"])
    e2e_ms = figure("request_latency", row["request_latency"])
    with_first = states_with_first(tpot_ms, ttft_ms, e2e_ms, osl)
    columns = {key: _value(value) for key, value in row.items() if value not in (None, "")}
    known = table().by_name("column")
    ours, _ = to_ours({key: value for key, value in columns.items() if key in known}, "column")
    separate = _disaggregated(columns)
    return Point(
        load=LoadLevel.concurrency(whole("concurrency", row["concurrency"])),
        ttft_ms=ttft_ms,
        tpot_ms=tpot_from_e2e_ms(e2e_ms, ttft_ms, osl) if with_first else tpot_ms,
        tok_s=figure("seq/s", row["seq/s"]) * osl,
        gpus=whole("num_total_gpus", row["num_total_gpus"]) if "num_total_gpus" in row else None,
        model=ours.get("model.id"),
        engine=ours.get("system.backend") or separate.get("backend"),
        engine_version=ours.get("system.backend_version") or separate.get("version"),
        system=ours.get("system.gpu_type") or separate.get("system"),
        settings={
            "system.serving_mode": "disagg" if separate else "agg",
            **{path: v for path, v in ours.items() if not path.startswith(("model.", "system."))},
        },
        layout=separate.get("layout"),
        isl=isl,
        osl=osl,
        loop="steady",
        tpot_as="with_first" if with_first else "without_first",
        source=source,
        originals=dict(row),
    )


def _disaggregated(columns: Mapping[str, Any]) -> dict[str, str]:
    """Names and layout of a row whose prefill `(p)` and decode `(d)` workers are apart."""
    if "(p)workers" not in columns:
        return {}
    fields = {"layout": ", ".join(
        f"{name} {columns[f'({name[0]})workers']}x {columns[f'({name[0]})parallel']}"
        for name in ("prefill", "decode")
    )}  # fmt: skip
    for key in _NAMES:
        both = [str(columns.get(f"({role}){key}")) for role in "pd"]
        fields[key] = both[0] if both[0] == both[1] else " and ".join(both)
    return fields


def _value(text: str) -> Any:
    return int(text) if text.isdigit() else text


def _yaml(file: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise VerifyError(f"{file} cannot be read: {error}") from None
    if not isinstance(document, dict):
        raise VerifyError(f"{file} is no mapping of experiments")
    return document
