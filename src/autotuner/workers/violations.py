"""Parts of a task that the operator does not allow; paths are confined to a policy's folders.

Pure, but for following the links of paths.
"""

from __future__ import annotations

import fnmatch
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from autotuner.catalog import known_model
from autotuner.config import (
    AS_RECORDED,
    BACKENDS,
    Combination,
    DockerConfig,
    LoadKind,
    RayConfig,
    TaskConfig,
)
from autotuner.config.secret_values import secrets_in
from autotuner.engines import DEFAULT_ENGINE, engine_table
from autotuner.errors import PolicyError, Problem
from autotuner.tuning.prepare import Prepared
from autotuner.workers.policy import Policy, refused_words

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_WORD = re.compile(r"[A-Za-z0-9][\w.:+-]*")
_WORDS = {
    "model.served_name": re.compile(r"[A-Za-z0-9][\w./:@+-]*"),
    "model.revision": re.compile(r"[A-Za-z0-9][\w./-]*"),
}
"""Texts that become arguments: never a flag, nor a path that leaves its folder."""
_PYTHON = re.compile(r"python[0-9.]*")
"""A Python of an image; it starts the engine as a module."""
_MOUNTED_AT = "/mnt/"
"""Where a mount of a task may be in a container, but at its own path: nothing of an image's that
is run, or read by what is run, lies there."""
_LOOKED_UP = "system.gpu_type"
"""The one text among the settings that no engine is given."""


class OutsideRootsError(ValueError):
    """A path that may not be used; the message says why, and nothing of what lies outside."""


def require_allowed(
    task: TaskConfig, policy: Policy, *, base: Path | None = None, source: str = "task"
) -> None:
    """Lets a task pass that asks for nothing but what the operator allows.

    Raises:
        PolicyError: with everything that is not allowed.
    """
    _refuse(violations(task, policy, base=base), source)


def require_allowed_resolved(
    prepared: Prepared, policy: Policy, *, base: Path | None = None, source: str = "task"
) -> None:
    """The same for what a task has become on this machine, before anything is launched.

    Raises:
        PolicyError: with everything that is not allowed.
    """
    _refuse(violations_resolved(prepared, policy, base=base), source)


def violations(
    task: TaskConfig, policy: Policy, *, base: Path | None = None
) -> tuple[Problem, ...]:
    """Everything in a task that the operator does not allow; empty where all is allowed.

    Args:
        base: folder from which the task's relative paths count; None where it has none.
    """
    found = [
        *_of_task(task, policy),
        *_of_model(task, policy, base),
        *_of_files(task, policy, base),
        *secrets_in(task.written()),
    ]
    if task.replay is None:
        found += _of_settings(task.settings(), _engines_of(task, task), policy, base)
        if today := task.optimization.mine_settings():
            found += [
                Problem(f"optimization.mine.{problem.path}", problem.message)
                for problem in _of_settings(today, _engines_of(task, task), policy, base)
            ]
        for index, part in enumerate(task.combinations):
            found += [
                Problem(f"combinations[{index}].{problem.path}", problem.message)
                for problem in _of_settings(part.settings(), _engines_of(part, task), policy, base)
            ]
    return tuple(dict.fromkeys(found))


def violations_resolved(
    prepared: Prepared, policy: Policy, *, base: Path | None = None
) -> tuple[Problem, ...]:
    """The same for what a task has become on this machine: what its profiles set counts too."""
    found = list(violations(prepared.task, policy, base=base))
    if prepared.replay is not None:
        return tuple(found)
    for variant in prepared.variants:
        settings = variant.config.settings
        found += _of_settings(settings, (variant.engine.name,), policy, base)
    if (baseline := prepared.baseline) is not None:
        own = (baseline.candidate.settings(), (baseline.region.engine.name,))
        found += [
            Problem(f"baseline: {problem.path}", problem.message)
            for problem in _of_settings(*own, policy, base)
            if problem not in found
        ]
    widest = max((candidate.gpus for candidate in prepared.launchable.candidates), default=0)
    found += _above("parallel", widest, policy.max_gpus, "GPUs")
    return tuple(dict.fromkeys(found))


def _refuse(found: tuple[Problem, ...], source: str) -> None:
    if found:
        raise PolicyError(source, found)


def _of_task(task: TaskConfig, policy: Policy) -> Iterator[Problem]:
    yield from _not_in(policy.deployment_modes, "deployment_mode", task.deployment_mode)
    address = (task.ray or RayConfig()).address
    if not any(fnmatch.fnmatchcase(address, allowed) for allowed in policy.ray_addresses):
        yield from _not_in(policy.ray_addresses, "ray.address", address)
    yield from _not_in(policy.tools, "benchmark.tool", task.benchmark.tool)
    highest = {level.kind: level.value for level in sorted(task.benchmark.levels)}
    at_once, each_second = (highest.get(kind, 0) for kind in (LoadKind.CONCURRENCY, LoadKind.RATE))
    yield from _above("benchmark.concurrency", at_once, policy.max_concurrency, "requests at once")
    yield from _above("benchmark.load", each_second, policy.max_rate, "requests per second")
    if task.deployment_mode == "replay":
        return
    budget = task.optimization.budget
    limits = {
        "experiments": (budget.experiments, policy.max_experiments, "experiments"),
        "minutes": (budget.minutes, policy.max_minutes, "minutes"),
    }
    for name, (asked, most, unit) in limits.items():
        path = f"optimization.budget.{name}"
        if most is not None and asked is None:
            yield Problem(path, f"is missing; the operator allows {most:g} {unit} at the most")
        yield from _above(path, asked or 0, most, unit)


def _of_model(task: TaskConfig, policy: Policy, base: Path | None) -> Iterator[Problem]:
    model = task.model
    for path, pattern in _WORDS.items():
        word = getattr(model, path.partition(".")[2])
        if word is not None and (not pattern.fullmatch(word) or ".." in word):
            yield Problem(path, f"{word!r} is no plain name; use letters, digits and . _ - : /")
    if model.path is not None:
        yield from _outside(model.path, policy, "model_roots", "model.path", base)
    elif model.id is not None and not (task.replay is not None and model == AS_RECORDED):
        yield from _of_model_id(model.id, "model.id", policy)


def _of_model_id(name: str, path: str, policy: Policy) -> Iterator[Problem]:
    known = known_model(name)
    if known is None and not _HUB_ID.fullmatch(name) and not _WORD.fullmatch(name):
        yield Problem(
            path,
            f"{name!r} is no name of a model; give one of the catalog, or owner/name of a hub. "
            "Nothing is fetched from an address",
        )
    elif policy.models == "local" and (known is None or known.package is None):
        yield Problem(
            path,
            f"{name!r} is not on this machine, and the operator allows no others; give model.path",
        )
    elif policy.models == "catalog" and known is None:
        yield Problem(path, f"{name!r} is not in the catalog, and the operator allows no others")


def _of_files(task: TaskConfig, policy: Policy, base: Path | None) -> Iterator[Problem]:
    if task.replay is not None:
        landscape = task.replay.landscape
        yield from _outside(landscape, policy, "landscape_roots", "replay.landscape", base)
    if task.benchmark.tokenizer is not None:
        tokenizer = task.benchmark.tokenizer
        yield from _outside(tokenizer, policy, "model_roots", "benchmark.tokenizer", base)
    where = "installed" if task.containers is None else "image's"
    programs = {"engine_path": task.engine_path, "benchmark.tool_path": task.benchmark.tool_path}
    if (containers := task.containers) is not None:
        yield from _of_containers(containers, policy)
        if task.engine_path is not None and _is_of_image(task.engine_path):
            del programs["engine_path"]
    for path, program in programs.items():
        if program is not None and program not in map(str, policy.programs):
            yield Problem(
                path,
                f"{program!r} is not among the programs that the operator lets tasks name "
                f"(policy.programs); leave it out to use the {where} one",
            )


def _of_containers(containers: DockerConfig, policy: Policy) -> Iterator[Problem]:
    image = containers.image
    own = [f"{own}:*" for name in BACKENDS if (own := engine_table(name).file.image)]
    if image is not None and not any(
        fnmatch.fnmatchcase(image, pattern) for pattern in (*own, *policy.images)
    ):
        choices = ", ".join((*own, *policy.images))
        yield Problem("docker.image", f"the operator does not allow {image!r}; allowed: {choices}")
    yield from _not_in(policy.container_networks, "docker.network", containers.network)
    user = containers.user
    if user is not None and not any(
        fnmatch.fnmatchcase(user, pattern) for pattern in policy.container_users
    ):
        yield from _not_in(policy.container_users, "docker.user", user)
    yield from _above("docker.shm_gib", containers.shm_gib, policy.max_shm_gib, "GiB")
    most, asked = policy.max_memory_gib, containers.memory_gib
    if most is not None and asked is None:
        yield Problem("docker.memory_gib", f"is missing; the operator allows {most:g} GiB")
    yield from _above("docker.memory_gib", asked or 0, most, "GiB")
    for index, (source, target) in enumerate(containers.mounted()):
        path = f"docker.mounts[{index}]"
        yield from _outside(source, policy, "model_roots", path, None)
        if target != source and not target.startswith(_MOUNTED_AT):
            yield Problem(
                path,
                f"{target!r} may hide a part of the image; mount it at {source!r} or beneath "
                f"{_MOUNTED_AT}",
            )


def _is_of_image(program: str) -> bool:
    """Whether a program is looked up in the image, and is an engine or a Python there.

    A path is not: it may lead to a file of a model or a mount, by links of the image too.
    """
    return program in {engine_table(name).program for name in BACKENDS} or bool(
        _PYTHON.fullmatch(program)
    )


def _of_settings(
    settings: Mapping[str, Any], engines: tuple[str, ...], policy: Policy, base: Path | None
) -> Iterator[Problem]:
    """Of `group.field` -> value or list of values, on each of these engines."""
    for engine in engines:
        yield from _not_in(policy.engines, "system.backend", engine)
        for word, why in _refused_words(settings, engine, policy):
            yield Problem(
                "misc.extra_args",
                f"{word!r} {why}; leave it out, or ask the operator to add the flag to "
                f"policy.extra_args.{engine} of the service's file",
            )
    for path, given in settings.items():
        for value in given if isinstance(given, list) else [given]:
            # None in a list leaves one try to the engine's own default.
            if value is not None:
                yield from _of_value(path, value, policy, base)


def _of_value(path: str, value: Any, policy: Policy, base: Path | None) -> Iterator[Problem]:
    if path == "misc.trust_remote_code" and value and not policy.trust_remote_code:
        yield Problem(path, "the operator does not let code of models run; leave it out")
    elif path == "misc.load_format":
        yield from _not_in(policy.load_formats, path, value)
    elif path == "misc.speculative_draft_model":
        is_path = not _HUB_ID.fullmatch(value) and known_model(value) is None
        yield from (
            _outside(value, policy, "model_roots", path, base)
            if is_path
            else _of_model_id(value, path, policy)
        )
    elif path == "system.total_gpus":
        yield from _above(path, value, policy.max_gpus, "GPUs")
    elif isinstance(value, str) and path != _LOOKED_UP and not _WORD.fullmatch(value):
        yield Problem(path, f"{value!r} is no plain word; use letters, digits and . _ - : +")


def _refused_words(
    settings: Mapping[str, Any], engine: str, policy: Policy
) -> Iterator[tuple[str, str]]:
    given = settings.get("misc.extra_args") or ()
    for words in given if isinstance(given, list) else [given]:
        if engine in BACKENDS:
            yield from refused_words(words, engine, policy.extra_args.get(engine, ()))


def _engines_of(part: Combination, task: TaskConfig) -> tuple[str, ...]:
    """The engines that a task or one of its combinations is launched on."""
    named = part.settings().get("system.backend") or task.settings().get("system.backend")
    if named is None and part is task:
        theirs = [_engines_of(each, task) for each in task.combinations]
        return tuple(dict.fromkeys(itertools.chain(*theirs))) or (DEFAULT_ENGINE,)
    return tuple(named) if isinstance(named, list) else (named or DEFAULT_ENGINE,)


def _outside(
    written: str, policy: Policy, setting: str, path: str, base: Path | None
) -> Iterator[Problem]:
    try:
        confined(written, getattr(policy, setting), setting=setting, base=base)
    except OutsideRootsError as error:
        yield Problem(path, f"{written!r} {error}")


def _not_in(allowed: tuple[str, ...], path: str, given: str) -> Iterator[Problem]:
    if given not in allowed:
        choices = ", ".join(allowed) or "nothing"
        yield Problem(path, f"the operator does not allow {given!r}; allowed: {choices}")


def _above(path: str, asked: float, most: float | None, unit: str) -> Iterator[Problem]:
    if most is not None and asked > most:
        yield Problem(path, f"{asked:g} {unit} are more than the operator allows: {most:g}")


def confined(
    written: str, roots: Iterable[Path], *, setting: str, base: Path | None = None
) -> Path:
    """The file or folder that a user's path names, with every link followed, inside a root.

    Args:
        written: as the user wrote it.
        roots: folders that it may lie in, at any depth; with none, nothing may be used.
        setting: of the policy, that has these folders.
        base: folder from which a relative path counts; None where there is none.

    Raises:
        OutsideRootsError: it lies elsewhere, or is no plain path: an address, `..`, `~`.
    """
    reason = _no_plain_path(written)
    if reason:
        raise OutsideRootsError(reason)
    path = Path(written)
    if not path.is_absolute():
        if base is None:
            raise OutsideRootsError(
                "is a relative path, and nothing says from which folder; give the full path"
            )
        path = base / path
    allowed = tuple(roots)
    try:
        resolved = path.resolve()
        inside = any(resolved.is_relative_to(root.resolve()) for root in allowed)
    except (OSError, RuntimeError, ValueError):
        raise OutsideRootsError("cannot be followed to a file; give the full path") from None
    if not inside:
        choices = ", ".join(map(str, allowed)) or "there are none"
        raise OutsideRootsError(
            f"lies outside the folders that the operator allows ({choices}); "
            f"policy.{setting} of the service's settings adds one"
        )
    return resolved


def _no_plain_path(written: str) -> str | None:
    if not written.strip():
        return "is empty; give a path"
    if not written.isprintable():
        return "holds characters that cannot be printed; give a plain path"
    if _ADDRESS.match(written):
        return "is an address; nothing is fetched, give a path on the service's machine"
    if written.startswith(("//", "\\\\")) or "\\" in written:
        return "is a path of another system or of a network share; give one of this machine"
    if written.startswith("~"):
        return "begins with '~', and that user has no home here; give the full path"
    if ".." in Path(written).parts:
        return "leaves its folder by '..'; give the full path"
    return None
