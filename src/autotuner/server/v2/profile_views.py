"""Models of profiles in requests and responses of API v2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, TypeAdapter, ValidationError

from autotuner.config.document import PositiveInt
from autotuner.server.v2.form_requests import FormBody, NamedModel
from autotuner.server.v2.routing import FaultView, View

ProfileOrigin = Literal["built-in", "folder", "service"]
_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"


class Layer(FormBody):
    """Settings that hold together under one condition."""

    name: str = Field(default="settings", min_length=1, max_length=100)
    when: dict[str, JsonValue] = Field(default_factory=dict)
    """Fact -> a value, a list of values, or `{min: …, max: …}`; all have to hold."""
    set: dict[str, JsonValue] = Field(default_factory=dict)
    """`group.field`, or a group -> its fields; each a value, a list to try, or
    `{value or rule, why, source}`."""


class ProfileContent(FormBody):
    """Content of a profile, without its name."""

    description: str = Field(default="", max_length=2000)
    extends: str | None = Field(default=None, max_length=200)
    """The profile whose layers come first."""
    layers: list[Layer] = Field(default_factory=list, max_length=100)


class NewProfile(ProfileContent):
    """Profile to be created."""

    name: str = Field(pattern=_NAME)


class ProfilePatch(ProfileContent):
    """Changes to a profile; omitted fields stay."""


class ProfileSummary(View):
    """Profile in a list."""

    name: str
    description: str
    extends: str | None
    origin: ProfileOrigin
    """Place where it is stored: the package, a file of the home's profiles/, or the database."""
    revision: int | None
    """Grows with every change; null where it is not changed here."""
    created_at: datetime | None
    updated_at: datetime | None
    problem: str | None
    """Reason why it cannot be used, with the remedy; null where it can be."""
    tasks: int
    """Tasks that name it."""


class ProfileList(View):
    """All profiles."""

    items: list[ProfileSummary]


class LayerView(View):
    """Layer of a profile, in the form in which it is written."""

    layer: str
    """The profile it belongs to, and its name."""
    name: str
    when: dict[str, JsonValue]
    set: dict[str, JsonValue]
    """By `group.field`: `{value, why, source}`, or `{rule, why, source}` where a rule finds it;
    as it is written in a profile with a `problem`."""


class ProfileView(ProfileSummary):
    """A profile as a whole."""

    layers: list[LayerView]
    """Those of the profiles it extends first."""
    document: ProfileContent | None
    """Content as it was sent, to be changed and sent back; null where it is not in the database."""


def written_content(name: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """`layers` and `document` of a profile that cannot be used, as far as they have the form."""
    try:
        document = ProfileContent.model_validate(content)
    except ValidationError:
        return {"layers": [], "document": None}
    layers = [
        {
            "layer": f"{name}/{layer.name}",
            "name": layer.name,
            "when": layer.when,
            "set": dict(_by_field(layer.set)),
        }
        for layer in document.layers
    ]
    return {"layers": layers, "document": dict(content)}


def _by_field(settings: Mapping[str, JsonValue]) -> Iterator[tuple[str, JsonValue]]:
    for key, value in settings.items():
        if "." in key or not isinstance(value, dict):
            yield key, value
        else:
            yield from ((f"{key}.{field}", item) for field, item in value.items())


class ProfileTask(View):
    """Task that names a profile."""

    id: int
    name: str
    status: str


class ProfileTasks(View):
    """Tasks and profiles that depend on a profile."""

    items: list[ProfileTask]
    """The newest tasks that name it, at most 100."""
    total: int
    extended_by: list[str]
    """Profiles whose layers come after its own."""


class ApplyRequest(FormBody):
    """Model, engine and GPUs to which a profile is applied."""

    model: NamedModel
    engine: Annotated[str, Field(max_length=40)]
    gpu: Annotated[str, Field(max_length=80)] | None = None
    """A GPU of the catalog, or `cpu`."""
    gpus: Annotated[PositiveInt, Field(le=100_000)] = 1
    isl: PositiveInt | None = None
    """Input tokens of the longest request."""
    osl: PositiveInt | None = None
    """Output tokens of the longest request."""


class FieldSourceView(View):
    """Value of a field in one layer."""

    layer: str
    origin: Literal["engine", "base", "profile", "user", "launch"]
    """`launch`: seen in the launches of a task whose layers are unknown."""
    value: JsonValue
    status: Literal["set", "replaced", "dropped", "unknown"]
    why: str
    source: str


class FieldView(View):
    """Value of a field, and its value in every layer."""

    value: JsonValue
    layers: list[FieldSourceView]
    unset: str | None
    """Reason why it is not set: what applies instead."""


class SkippedView(View):
    """Layer that does not apply here."""

    layer: str
    reason: str


class AppliedProfile(View):
    """Result of applying a profile to a model on GPUs with an engine."""

    profile: str
    engine: str
    engine_version: str
    context: dict[str, JsonValue]
    """Every fact that a condition may name; null where it is not known."""
    notes: list[str]
    """Facts of the model that are not known, and what depends on them."""
    settings: dict[str, JsonValue]
    """`group.field` -> value; a list is searched."""
    fields: dict[str, FieldView]
    skipped: list[SkippedView]
    warnings: list[str]


class PreviewedSetting(View):
    """A field that a profile sets for the document."""

    field: str
    """`group.field`."""
    value: JsonValue
    """A list is searched."""
    why: str
    layer: str
    overruled: bool
    """Whether the document says the field itself, which wins."""


class ProfilePreview(View):
    """Settings that a profile would have for the document."""

    name: str
    title: str
    description: str
    origin: ProfileOrigin
    settings: list[PreviewedSetting]
    skipped: list[SkippedView]
    problem: str | None
    """Reason why it cannot be used; null where it can be."""


class ProfilePreviews(View):
    """Settings that each profile would have for the document."""

    items: list[ProfilePreview]
    notes: list[str]
    """Facts that the document does not give, so that conditions on them do not hold."""


class ProfileDraft(FormBody):
    """Profile that is being written, and the circumstances to show it in."""

    profile: dict[str, JsonValue]
    """As it would be created; it may have faults."""
    replaces: str | None = Field(default=None, max_length=200)
    """Name of the stored profile that it is a change of."""
    document: dict[str, JsonValue] | None = None
    """A task document, version 2, that may be incomplete; null asks for no preview."""


class CheckedProfile(View):
    """Every fault of a profile that is being written, and what it would set."""

    faults: list[FaultView]
    preview: ProfilePreview | None
    """Null where it has faults, or no document was given."""
    notes: list[str]
    """Facts that the document does not give."""


PROFILE_LIST: TypeAdapter[ProfileList] = TypeAdapter(ProfileList)
PROFILE: TypeAdapter[ProfileView] = TypeAdapter(ProfileView)
APPLIED: TypeAdapter[AppliedProfile] = TypeAdapter(AppliedProfile)
PROFILE_TASKS: TypeAdapter[ProfileTasks] = TypeAdapter(ProfileTasks)
CHECKED: TypeAdapter[CheckedProfile] = TypeAdapter(CheckedProfile)
PREVIEWS: TypeAdapter[ProfilePreviews] = TypeAdapter(ProfilePreviews)
