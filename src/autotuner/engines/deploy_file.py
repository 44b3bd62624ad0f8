"""How others deploy an engine, as its file says it: what exports need beside the flag table."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    """A mapping of the `deploy` part of an engine's file: unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class KserveFile(_Part):
    """KServe's preset for the engine, to which the flags are added."""

    runtime: str = ""
    """Name of the preset in `spec.runtime`; the default one where left out."""
    variable: str = ""
    """Variable whose words the preset adds to its command as a shell reads them; else `args`."""
    api_versions: tuple[str, ...] = ("v1alpha2", "v1alpha1")
    """API versions that have the preset, the newest first."""


class DynamoFile(_Part):
    """Dynamo's worker that takes the engine's own flags."""

    module: str
    """Started as `python3 -m`."""
    image: str
    """Container image, without a tag."""


class DeployFile(_Part):
    """How the engine is deployed."""

    image_tag: str = "{version}"
    """Tag of a version of `image`."""
    image_program: tuple[str, ...] = ()
    """Words that start it in its image, up to the model; `program` and its words where left out."""
    ready_path: str = "/v1/models"
    """Answers 200 once a model is loaded."""
    live_path: str = "/health"
    """Answers 200 while the process is well, at no cost, and to requests without a key."""
    api_key: str = ""
    """Variable with the key that requests must carry; without it, the engine has a flag at most."""
    config_flag: str = ""
    """Flag that takes a file with its flags as YAML keys; without it, there is none."""
    llm_d: str = ""
    """Kustomize base in llm-d's repository; without it, llm-d has none."""
    kserve: KserveFile | None = None
    """Without it, KServe has no preset."""
    dynamo: DynamoFile | None = None
    """Without it, Dynamo has no worker that takes the same flags."""
    llm_d_pair: str = ""
    """The same for a pair of prefill and decode; without it, llm-d has none."""
    roles: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """`decode` and `prefill` -> words of its command by which it is that side of such a pair;
    none where it cannot be."""
    renamed_flags: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Version -> flag of this file -> its name from that version on."""
    gpu_vendors: tuple[Literal["nvidia", "amd"], ...] = ("nvidia",)
    """Makers of the GPUs that `image` is built for."""
