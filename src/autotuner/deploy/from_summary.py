"""A point of a task -> the engine that is to be deployed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from autotuner.catalog import Gpu, known_gpu, known_model
from autotuner.config.containers import DockerConfig, docker_options, image_remedy, is_image
from autotuner.config.secret_values import holds_secret, looks_secret
from autotuner.deploy.deployed_engine import DeployedEngine, EngineVariable, Provenance
from autotuner.deploy.launch_source import (
    LaunchSource,
    cpus_of,
    measured_source,
    names_of,
    total_gpus,
)
from autotuner.deploy.pair import ROLES, leaves_no_room, paired
from autotuner.deploy.wishes import MOST_REPLICAS, ExportWishes
from autotuner.engines import (
    CommandParts,
    Mount,
    checked_version,
    command_parts,
)
from autotuner.engines.containers import at_version, own_image
from autotuner.engines.docker_run import image_of, mounts_inside
from autotuner.errors import ConfigError, EngineError, ExportError
from autotuner.report.exports import one_line
from autotuner.report.points import point_text
from autotuner.search import OBJECTIVES
from autotuner.search.points import figure
from autotuner.tuning.summary import TaskSummary

_NOT_IN_LABELS = re.compile(r"[^a-z0-9]+")
_LONGEST_LABEL = 50
_KEY_FLAG = "--api-key"
_PROXY = "put a proxy that asks for a key before the engine"


def deployed_engine(
    summary: TaskSummary,
    wishes: ExportWishes,
    *,
    v1_task_id: int | None = None,
    predicted: Sequence[LaunchSource] = (),
) -> DeployedEngine:
    """The engine of a task's point, as it was measured, or as it is predicted.

    Args:
        v1_task_id: of the task of version 1 that the task stands for.
        predicted: the launches of a point that was not measured; see `predicted_sources`.

    Raises:
        NoResultError: no launch measured an operating point.
        ExportError: no such point, or a wish that cannot be met.
    """
    sources = tuple(predicted) or (measured_source(summary, wishes.point),)
    first = sources[0]
    if first.settings.get("system.serving_mode") == "disagg":
        raise ExportError(
            f"point: {first.point.experiment} is of disaggregated serving, of which only the whole "
            "is known and no command of its prefill and decode workers",
            remedy="export a point with system.serving_mode agg, or --point disagg: a draft from "
            "predictions",
        )
    head = _provenance(summary, sources, wishes, v1_task_id)
    engine, *others = (_engine(summary, wishes, source, head) for source in sources)
    return (
        paired(engine, others[0], total=total_gpus(first.settings, first.device))
        if others
        else engine
    )


def _engine(
    summary: TaskSummary, wishes: ExportWishes, source: LaunchSource, head: Provenance
) -> DeployedEngine:
    try:
        parts = command_parts(source.command)
    except (ConfigError, EngineError) as error:
        raise ExportError(
            f"point: the command of {source.point.experiment} cannot be deployed: {error.message}",
            remedy="export another point",
        ) from None
    gpu_type = source.settings.get("system.gpu_type")
    gpu = known_gpu(str(gpu_type)) if gpu_type and source.gpus else None
    version = _version(source)
    replicas = _replicas(wishes.replicas)
    total = total_gpus(source.settings, source.device)
    cpus, node_cpus = cpus_of(source)
    how = "is planned" if source.predictor else "was measured"
    container = _container(summary, parts, version)
    draft = str(source.settings.get("misc.speculative_draft_model") or "")
    mounts = mounts_inside((parts.model, draft), container.options, is_here=not summary.task.replay)
    image, no_image = _image(parts, version, source.gpus, gpu, wishes.image or container.image, how)
    key = _key(parts, wished=wishes.api_key)
    as_inside = container.image is not None and wishes.image is None and wishes.program is None
    return DeployedEngine(
        name=_label(_served_name(parts)),
        served_name=_served_name(parts),
        parts=parts,
        version=version,
        image=image,
        no_image=no_image,
        wished_image=wishes.image,
        wished_program=wishes.program,
        program=parts.program if as_inside else _program(parts, wishes.program),
        variables=_variables(parts, key=key),
        mounts=mounts,
        confined=container.options,
        checkpoint_gib=_checkpoint_gib(parts.model),
        tokens=source.tokens,
        gpus=source.gpus,
        gpu=gpu,
        node_gpus=max(total, gpu.gpus_per_node if gpu is not None else 0),
        cpus=cpus,
        node_cpus=node_cpus,
        in_container=container.is_used,
        leaves_no_room=leaves_no_room(total, source.gpus * replicas, source.gpus)
        or leaves_no_room(node_cpus, cpus * replicas, cpus),
        replicas=replicas,
        provenance=head,
        settings=source.settings,
        notes=(
            *_over(source, summary.task.slo),
            *_named_by_table(summary, parts),
            *_notes(parts, source, container, mounts, key),
        ),
    )


@dataclass(frozen=True)
class _Container:
    """The container in which a task measured.

    Attributes:
        is_used: whether it measured in one.
        image: None where it measured in none, or its image is not known.
        options: of the task; the defaults where it measured in none.
    """

    is_used: bool = False
    image: str | None = None
    options: DockerConfig = field(default_factory=DockerConfig)


def _container(summary: TaskSummary, parts: CommandParts, version: str | None) -> _Container:
    """The container of a task's engines, by the task."""
    docker = docker_options(summary.task.config)
    if docker is None:
        return _Container()
    return _Container(is_used=True, image=image_of(parts, docker, version), options=docker)


def _replicas(wished: int | None) -> int:
    if wished is None:
        return 1
    if not 1 <= wished <= MOST_REPLICAS:
        raise ExportError(f"replicas: {wished} is not between 1 and {MOST_REPLICAS:,}")
    return wished


def _version(source: LaunchSource) -> str | None:
    """Version of the launch's engine; None where it was not recorded as one."""
    try:
        return checked_version(source.version).removeprefix("v") if source.version else None
    except EngineError:
        return None


def _image(
    parts: CommandParts,
    version: str | None,
    gpus: int,
    gpu: Gpu | None,
    wished: str | None,
    how: str,
) -> tuple[str | None, str]:
    """The image, or None and why there is none."""
    file = parts.table.file
    if wished is not None:
        if not is_image(wished):
            raise ExportError(f"image: {wished!r} is no image", remedy=image_remedy(wished))
        return wished, ""
    vendors = file.deploy.gpu_vendors
    reasons = {
        f"no container image of {file.title} is known": file.image is None,
        f"it {how} on a CPU, and {file.image} is built for GPUs": not gpus,
        f"{file.image} is built for GPUs of {' and '.join(vendors)}": (
            gpu is not None and gpu.vendor not in vendors
        ),
        "the engine's version was not recorded, so the image's tag is not known": version is None,
    }
    reason = next((text for text, is_so in reasons.items() if is_so), "")
    if reason:
        return None, f"{reason}: name an image"
    return at_version(own_image(file), version), ""


def _program(parts: CommandParts, wished: str | None) -> tuple[str, ...]:
    """The words that start the engine in its image."""
    table = parts.table
    if wished is not None:
        try:
            words = tuple(shlex.split(wished))
        except ValueError as error:
            raise ExportError(f"program: {wished!r}: {error}") from None
        if not words:
            raise ExportError("program: it is empty", remedy="leave it out, or give the words")
        return words
    own = tuple(word for word in table.program_words if not word.startswith(("-", "{")))
    return table.file.deploy.image_program or (table.program, *own)


def _key(parts: CommandParts, *, wished: bool) -> str | None:
    """Variable of the key that requests must carry; None where the engine asks for none.

    Raises:
        ExportError: a key is wished, and the engine takes none from a variable.
    """
    name = parts.table.file.deploy.api_key
    if wished and not name:
        raise ExportError(
            f"api_key: {parts.table.title} takes no key from a variable, and a flag would have it "
            "in clear",
            remedy=f"leave it out, and {_PROXY}",
        )
    is_given = name in dict(parts.env) or _KEY_FLAG in parts.left_out
    return name if name and (wished or is_given) else None


def _variables(parts: CommandParts, *, key: str | None) -> tuple[EngineVariable, ...]:
    """The variables of the launch, secrets by their names alone; among them that of the key."""
    secret = {n: None for n, v in parts.env if looks_secret(n) or holds_secret(v)}
    named = {**dict(parts.env), **secret, **({key: None} if key else {})}
    return tuple(EngineVariable(name, value) for name, value in named.items())


def _checkpoint_gib(model: str) -> float | None:
    """Size of a hub's model as it is published, of those that the catalog knows."""
    known = known_model(model)
    return None if known is None else known.facts.weights_gib()


def _served_name(parts: CommandParts) -> str:
    flags = dict(zip(parts.table.argv, parts.table.argv[1:], strict=False))
    flag = next((flag for flag, word in flags.items() if word == "{name}"), None)
    pairs = dict(zip(parts.arguments, parts.arguments[1:], strict=False))
    return pairs.get(flag or "", parts.model)


def _label(name: str) -> str:
    """A name as a DNS label that begins with a letter."""
    last = name.rstrip("/").rpartition("/")[2].lower().removesuffix(".gguf")
    label = _NOT_IN_LABELS.sub("-", last).strip("-")[:_LONGEST_LABEL].strip("-")
    return label if label[:1].isalpha() else f"engine-{label}".strip("-")


def _notes(
    parts: CommandParts,
    source: LaunchSource,
    container: _Container,
    mounts: tuple[Mount, ...],
    key: str | None,
) -> Iterator[str]:
    if key is not None:
        yield f"requests carry the secret {key} as their key: Authorization: Bearer KEY"
    if source.failure:
        yield f"its launch failed in the task: {one_line(source.failure)}"
    machine = "of the task" if source.predictor else "that measured"
    for mount in mounts:
        path = one_line(mount.source)
        yield f"{path} is a path of the machine {machine}: copy it where this runs"
    known = {mount.target for mount in mounts}
    for word in dict.fromkeys(w for w in parts.arguments if w.startswith("/") and w not in known):
        yield f"the command names {one_line(word)}: see that it is there"
    for flag in parts.left_out:
        if flag == _KEY_FLAG and key is not None:
            continue
        by_variable = flag != _KEY_FLAG or parts.table.file.deploy.api_key
        instead = "give it by a variable of the engine" if by_variable else _PROXY
        yield f"{flag} is left out, since it holds a secret: {instead}"
    if source.unserved:
        yield f"this does not serve what was measured: {one_line(source.unserved)}"


def _named_by_table(summary: TaskSummary, parts: CommandParts) -> Iterator[str]:
    """A note where the model is only a recorded table's word for it."""
    name = parts.model
    if summary.task.replay and "/" not in name and known_model(name) is None:
        yield (
            f"{one_line(name)} is the table's name of the model, which no engine loads: put its "
            "hub id or path in place of it"
        )


def _over(source: LaunchSource, slo: Mapping[str, float]) -> Iterator[str]:
    """The limits of the task that the point is over."""
    for name, limit in slo.items():
        value = source.point.values.get(name)
        if value is not None and value > limit:
            label, unit = OBJECTIVES[name].label, OBJECTIVES[name].unit
            over = f"over the task's limit of {figure(limit)} {unit}"
            yield f"{label} is {figure(value)} {unit}, {over}"


def _provenance(
    summary: TaskSummary,
    sources: Sequence[LaunchSource],
    wishes: ExportWishes,
    v1_task_id: int | None,
) -> Provenance:
    task, name, first = summary.task, names_of(sources), sources[0]
    point = first.point
    which = "recommended" if point.recommended else "on the frontier" if point.on_frontier else ""
    what = f"point {name}{f' ({which})' if which else ''}"
    if len(sources) > 1:
        what = "DRAFT of a decode and a prefill engine"
    of_v1 = f" of version 1's task {v1_task_id}" if v1_task_id is not None else ""
    lines = [
        f"{one_line(task.model)}: {what} of task {task.id} {one_line(task.name)!r}{of_v1}",
        f"{_how(summary, first)}:",
    ]
    if len(sources) > 1:
        roles = zip(ROLES, sources, strict=True)
        lines += [f"  {role}: {one_line(point_text(one.point))}" for role, one in roles]
        lines.append("  Each as if it served alone: no prediction is of the pair together.")
    else:
        lines.append(f"  {one_line(point_text(point))}")
    words = ["autotuner", "export", str(task.id), "--point", name]
    for flag, value in (
        ("--replicas", wishes.replicas),
        ("--image", wishes.image),
        ("--program", wishes.program),
    ):
        words += [flag, str(value)] if value is not None else []
    words += ["--api-key"] if wishes.api_key else []
    return Provenance(name, not first.predictor, tuple(lines), tuple(words))


def _how(summary: TaskSummary, source: LaunchSource) -> str:
    """Where its figures come from: how, when, and on what."""
    task = summary.task
    on = f"{one_line(source.device)} with {one_line(f'{source.engine} {source.version}'.strip())}"
    if source.predictor:
        return f"PREDICTED, NEVER MEASURED, for {on}, by {one_line(source.predictor)}"
    day = (task.ended_at or task.started_at)[:10]
    if task.replay:
        return f"REPLAYED from recorded launches on {day}, nothing was launched, {on}"
    return f"Measured on {day}, {on}"
