"""Profiles as API v2 tells and takes them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from autotuner.config import Model
from autotuner.config.document import PositiveInt
from autotuner.server.v2.routing import View

ProfileOrigin = Literal["built-in", "folder", "service"]
_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Layer(_Body):
    """Settings that hold together under one condition."""

    name: str = Field(default="settings", min_length=1, max_length=100)
    when: dict[str, JsonValue] = Field(default_factory=dict)
    """Fact -> a value, a list of values, or `{min: …, max: …}`; all have to hold."""
    set: dict[str, JsonValue] = Field(default_factory=dict)
    """`group.field`, or a group -> its fields; each a value, a list to try, or
    `{value or rule, why, source}`."""


class ProfileContent(_Body):
    """What a profile says, without its name."""

    description: str = Field(default="", max_length=2000)
    extends: str | None = Field(default=None, max_length=200)
    """The profile whose layers come first."""
    layers: list[Layer] = Field(default_factory=list, max_length=100)


class NewProfile(ProfileContent):
    """A profile of yours."""

    name: str = Field(pattern=_NAME)


class ProfilePatch(ProfileContent):
    """What to change of a profile; what is left out stays."""


class ProfileSummary(View):
    """A profile as lists tell it."""

    name: str
    description: str
    extends: str | None
    origin: ProfileOrigin
    """Where it lies: in the package, in a file of the home's profiles/, or in the database."""
    revision: int | None
    """Grows with every change; null where it is not changed here."""
    created_at: datetime | None
    updated_at: datetime | None
    problem: str | None
    """Why it cannot be used, with what to do; null where it can be."""


class ProfileList(View):
    """All profiles."""

    items: list[ProfileSummary]


class LayerValueView(View):
    """What a layer says of one field: a value, or the rule that finds one."""

    value: JsonValue
    rule: str | None
    why: str
    source: str


class LayerView(View):
    """A layer as it counts."""

    layer: str
    """The profile it belongs to, and its name."""
    when: dict[str, JsonValue]
    settings: dict[str, LayerValueView]
    """By `group.field`."""


class ProfileView(ProfileSummary):
    """A profile as a whole."""

    layers: list[LayerView]
    """Those of the profiles it extends first."""
    document: ProfileContent | None
    """As it was given, to be changed and sent back; null where it is not kept in the database."""


class ApplyRequest(_Body):
    """The circumstances in which a profile is applied."""

    model: Model
    engine: Annotated[str, Field(max_length=40)]
    gpu: Annotated[str, Field(max_length=80)] | None = None
    """A GPU of the catalog, or `cpu`."""
    gpus: Annotated[PositiveInt, Field(le=100_000)] = 1
    isl: PositiveInt | None = None
    """Input tokens of the longest request."""
    osl: PositiveInt | None = None
    """Output tokens of the longest request."""


class FieldSourceView(View):
    """One layer's word on a field."""

    layer: str
    origin: Literal["engine", "base", "profile", "user"]
    value: JsonValue
    status: Literal["set", "replaced", "dropped", "unknown"]
    why: str
    source: str


class FieldView(View):
    """What a field is, and every layer's word on it."""

    value: JsonValue
    layers: list[FieldSourceView]
    unset: str | None
    """What counts where it is not set."""


class SkippedView(View):
    """A layer that does not apply here."""

    layer: str
    reason: str


class AppliedProfile(View):
    """What a profile makes of a model on GPUs with an engine."""

    profile: str
    engine: str
    engine_version: str
    context: dict[str, JsonValue]
    """Every fact that a condition may name; null where it is not known."""
    settings: dict[str, JsonValue]
    """`group.field` -> value; a list is searched."""
    fields: dict[str, FieldView]
    skipped: list[SkippedView]
    warnings: list[str]


PROFILE_LIST: TypeAdapter[ProfileList] = TypeAdapter(ProfileList)
PROFILE: TypeAdapter[ProfileView] = TypeAdapter(ProfileView)
APPLIED: TypeAdapter[AppliedProfile] = TypeAdapter(AppliedProfile)
