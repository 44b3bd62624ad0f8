"""What the operator lets tasks of the service launch."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from autotuner.config import BACKENDS, Document, nearest
from autotuner.config.document import Bool, PositiveInt, PositiveReal
from autotuner.config.task import DeploymentMode

ModelSource = Literal["any", "catalog", "local"]

_MODELS, _LANDSCAPES = "models", "landscapes"
"""Folders of the home that tasks may always name files of."""


class Policy(Document):
    """What a task may launch. What is left out allows no more than engines need for tuning."""

    engines: tuple[str, ...] = Field(default_factory=lambda: tuple(BACKENDS))
    """Engines that may be started."""
    deployment_modes: tuple[DeploymentMode, ...] = ("local", "docker", "ray", "replay")
    """How they may be deployed."""
    tools: tuple[Literal["autotuner", "genai-bench"], ...] = ("autotuner", "genai-bench")
    """Load generators that may be used."""
    models: ModelSource = "any"
    """`any`: of the catalog, of a hub, and in model_roots; `catalog`: of the catalog and in
    model_roots; `local`: in model_roots and what an installed package carries, nothing that an
    engine would fetch."""
    model_roots: tuple[Path, ...] = ()
    """Folders with models and tokenizers, beside the home's models/."""
    landscape_roots: tuple[Path, ...] = ()
    """Folders with recorded tables, beside the home's landscapes/."""
    programs: tuple[Path, ...] = ()
    """Programs that engine_path and benchmark.tool_path may name; none where left out."""
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

    @field_validator("model_roots", "landscape_roots", "programs")
    @classmethod
    def _are_full_paths(cls, given: tuple[Path, ...]) -> tuple[Path, ...]:
        for path in given:
            if not path.is_absolute():
                raise ValueError(f"{str(path)!r} is a relative path; give the full one")
        return given

    def at(self, home: Path) -> Policy:
        """The same policy, with the home's own folders of models and landscapes."""
        return self.model_copy(
            update={
                "model_roots": (*self.model_roots, home / _MODELS),
                "landscape_roots": (*self.landscape_roots, home / _LANDSCAPES),
            }
        )


def _refuse_unknown_engines(names: Iterable[str]) -> None:
    for name in names:
        if name not in BACKENDS:
            raise ValueError(f"{name!r} is no engine; {nearest(name, list(BACKENDS))}")
