"""The launches that the operator allows tasks, and what follows for an engine's flags and
environment."""

from __future__ import annotations

import fnmatch
import functools
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from autotuner.config import BACKENDS, Document, flag_of, nearest
from autotuner.config.containers import BRIDGE
from autotuner.config.document import Bool, PositiveInt, PositiveReal
from autotuner.config.extensions import (
    LAUNCHERS,
    LOAD_GENERATORS,
    DeploymentMode,
    LoadGeneratorName,
)
from autotuner.config.secret_values import looks_secret
from autotuner.engines import engine_table

ModelSource = Literal["any", "catalog", "local"]

OWN_RULES = ("misc.load_format", "misc.speculative_draft_model", "misc.trust_remote_code")
"""Fields that the policy judges by rules of their own; their flags would go round these."""
_PLAIN = re.compile(r"[\w.,:+-]*")
"""A value that is no path, no address and no JSON."""
_READ_BY_ALL = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "LC_*", "TZ", "TMPDIR"),
    *("TEMP", "TMP", "SYSTEMROOT", "VIRTUAL_ENV", "PYTHON*", "LD_LIBRARY_PATH", "XDG_*"),
    *("CUDA*", "NVIDIA_*", "NCCL_*", "HIP_*", "ROCR_*", "ROCM_*", "HSA_*", "MIOPEN_*", "UCX_*"),
    *("GLOO_*", "OMP_*", "GOMP_*", "KMP_*", "MKL_*", "OPENBLAS_*", "NUMEXPR_*", "OMPI_*"),
    *("HF_*", "HUGGINGFACE_*", "TRANSFORMERS_*", "TOKENIZERS_*", "SAFETENSORS_*"),
    *("TORCH*", "PYTORCH_*", "TRITON_*", "FLASHINFER_*", "RAY_*", "SSL_CERT_*"),
    *("REQUESTS_CA_BUNDLE",),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
)
_MODELS, _LANDSCAPES, _IMPORTS = "models", "landscapes", "imports"
"""Folders of the home that may always be named."""


class Policy(Document):
    """Limits on what tasks may launch. Those left out allow what engines need for tuning."""

    engines: tuple[str, ...] = Field(default_factory=lambda: tuple(BACKENDS))
    """Engines that may be started."""
    deployment_modes: tuple[DeploymentMode, ...] = Field(default_factory=lambda: tuple(LAUNCHERS))
    """Launchers that may start them."""
    ray_addresses: tuple[str, ...] = ("auto", "local")
    """Addresses of Ray clusters that tasks may name in `ray.address`; `*` stands for anything. A
    cluster runs code on whoever connects to it."""
    tools: tuple[LoadGeneratorName, ...] = Field(default_factory=lambda: tuple(LOAD_GENERATORS))
    """Load generators that may be used."""
    models: ModelSource = "any"
    """`any`: of the catalog, of a hub, and in model_roots; `catalog`: of the catalog and in
    model_roots; `local`: in model_roots and what an installed package carries, nothing that an
    engine would fetch."""
    model_roots: tuple[Path, ...] = ()
    """Folders with models and tokenizers, beside the home's models/."""
    landscape_roots: tuple[Path, ...] = ()
    """Folders with recorded tables, beside the home's landscapes/."""
    result_roots: tuple[Path, ...] = ()
    """Folders with results of other programs that may be compared by their path, beside the home's
    imports/."""
    programs: tuple[Path, ...] = ()
    """Programs that engine_path and benchmark.tool_path may name; none where left out."""
    images: tuple[str, ...] = ()
    """Container images that engines may run in beside their own ones, with their tags; `*` stands
    for anything."""
    container_networks: tuple[str, ...] = (BRIDGE,)
    """Networks of the Docker daemon that their containers may be in."""
    container_users: tuple[str, ...] = ()
    """Users that `docker.user` may name; `*` stands for anything. None where left out: engines run
    as their image says."""
    max_shm_gib: PositiveReal = 64.0
    """`docker.shm_gib` of a task."""
    max_memory_gib: PositiveReal | None = None
    """`docker.memory_gib` of a task in containers; it has to say one."""
    extra_args: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Engine -> flags that misc.extra_args may hold too, with any value. They can do whatever the
    engine lets them do."""
    load_formats: tuple[str, ...] = (
        *("auto", "safetensors", "gguf", "bitsandbytes", "mistral", "sharded_state", "dummy"),
        *("fastsafetensors", "mmap", "mlock", "none"),
    )
    """Values of misc.load_format: those that run no code of the model and fetch nothing."""
    trust_remote_code: Bool = False
    """Whether code that comes with a model may run."""
    environment: tuple[str, ...] = ()
    """Variables of the worker's environment that engines see too, by name; `*` stands for
    anything, but only a full name lets a secret through (`HF_TOKEN`)."""
    max_gpus: PositiveInt | None = None
    """GPUs of a task."""
    max_experiments: PositiveInt | None = None
    """Launches of a task; it has to say a budget."""
    max_minutes: PositiveReal | None = None
    """Wall time of a task; it has to say a budget. A replay takes none."""
    max_concurrency: PositiveInt = 4096
    """Requests in flight of a load level."""
    max_rate: PositiveReal = 1000.0
    """Requests per second of a load level."""

    @field_validator("engines")
    @classmethod
    def _are_engines(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        _refuse_unknown_engines(given)
        return given

    @field_validator("extra_args")
    @classmethod
    def _are_flags(cls, given: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        _refuse_unknown_engines(given)
        for flag in (flag for flags in given.values() for flag in flags):
            if not flag.startswith("-") or "=" in flag:
                raise ValueError(f"{flag!r} is no flag; write it with its dashes and no value")
        return given

    @field_validator("model_roots", "landscape_roots", "result_roots", "programs")
    @classmethod
    def _are_full_paths(cls, given: tuple[Path, ...]) -> tuple[Path, ...]:
        for path in given:
            if not path.is_absolute():
                raise ValueError(f"{str(path)!r} is a relative path; give the full one")
        return given

    def at(self, home: Path) -> Policy:
        """The same policy, with the home's own folders of models, landscapes and results."""
        return self.model_copy(
            update={
                "model_roots": (*self.model_roots, home / _MODELS),
                "landscape_roots": (*self.landscape_roots, home / _LANDSCAPES),
                "result_roots": (*self.result_roots, home / _IMPORTS),
            }
        )


def _refuse_unknown_engines(names: Iterable[str]) -> None:
    for name in names:
        if name not in BACKENDS:
            raise ValueError(f"{name!r} is no engine; {nearest(name, list(BACKENDS))}")


def engine_environment(environment: Mapping[str, str], policy: Policy) -> dict[str, str]:
    """The variables that an engine inherits: what engines and their libraries read, no secrets."""
    files = [engine_table(name).file for name in BACKENDS]
    own = itertools.chain.from_iterable((*file.environment, *file.caches) for file in files)
    patterns = (*_READ_BY_ALL, *own, *policy.environment)
    return {
        name: value
        for name, value in environment.items()
        if _inherited(name, policy.environment, patterns)
    }


def _inherited(name: str, wider: tuple[str, ...], patterns: tuple[str, ...]) -> bool:
    if name in wider:
        return True
    if looks_secret(name):
        return False
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def refused_words(
    words: Sequence[str], engine: str, wider: Iterable[str] = ()
) -> tuple[tuple[str, str], ...]:
    """(word, why) of every word of `misc.extra_args` that is not allowed.

    A flag counts as it is written: one cut short, as some engines allow, is not on the list.

    Args:
        wider: flags that the operator allows too, with any value.
    """
    widened = frozenset(map(_plain, wider))
    refused = []
    flag = ""
    for word in words:
        named = flag_of(word)
        flag = _plain(named) if named else flag
        value = word.partition("=")[2] if named else word
        if named and flag not in allowed_flags(engine) | widened:
            refused.append((named, f"is not among the flags that {engine} may be given"))
        elif flag not in widened and not _PLAIN.fullmatch(value):
            refused.append((word, "has a value that is no plain word or number"))
    return tuple(refused)


@functools.cache
def allowed_flags(engine: str) -> frozenset[str]:
    """The engine's `allowed_flags`, and those of its table that say one number or word."""
    table = engine_table(engine)
    flags = {
        flag
        for path, rows in table.rows.items()
        if path not in OWN_RULES and not path.startswith("parallel.")
        for row in rows
        if row.how == "flag"
        for flag in row.claims
    }
    other_names = {name for name, flag in table.aliases.items() if flag in flags}
    return frozenset(map(_plain, {*flags, *other_names, *table.file.allowed_flags}))


def _plain(flag: str) -> str:
    """Engines take `_` for `-`."""
    return flag.replace("_", "-")
