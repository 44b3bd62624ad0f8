"""The searchable form of a group: every field a value, or a list of values to try."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import ConfigDict, Discriminator, Field, Tag, create_model

from autotuner.config.document import Document
from autotuner.config.groups import (
    GROUPS,
    Attention,
    Memory,
    Misc,
    Parallel,
    Quantization,
    Runtime,
    Scheduling,
    System,
)

VALUE, AXIS = "value", "axis"


class GroupAxes(Document):
    """A group as a task writes it. A list is an axis; its order is the order of the search."""

    # The fields bring their descriptions; looking for sources that are not there takes 0.1 s.
    model_config = ConfigDict(use_attribute_docstrings=False)

    def given(self) -> dict[str, Any]:
        """The fields that are set, in the group's order, axes as lists."""
        return {
            name: getattr(self, name)
            for name in type(self).model_fields
            if getattr(self, name) is not None
        }

    def axes(self) -> dict[str, list[Any]]:
        """The fields that are searched."""
        return {name: value for name, value in self.given().items() if isinstance(value, list)}


def _form(value: Any) -> str:
    return AXIS if isinstance(value, list) else VALUE


def _form_of_list_field(value: Any) -> str:
    nested = isinstance(value, list) and any(isinstance(item, list | tuple) for item in value)
    return AXIS if nested else VALUE


def searchable(group: type[Document]) -> type[GroupAxes]:
    """The searchable form of `group`: each field `T` becomes `T` or a non-empty list of `T`."""
    fields: dict[str, Any] = {}
    for name, info in group.model_fields.items():
        inner: Any = info.annotation
        form = _form_of_list_field if name == "extra_args" else _form
        both = Annotated[
            Annotated[inner, Tag(VALUE)]
            | Annotated[Annotated[list[inner], Field(min_length=1)], Tag(AXIS)],
            Discriminator(form),
        ]
        fields[name] = (both, Field(default=None, description=info.description))
    model = create_model(
        f"{group.__name__}Axes", __base__=GroupAxes, __doc__=group.__doc__, **fields
    )
    model.ALIASES = group.ALIASES
    return model


if TYPE_CHECKING:

    class RuntimeAxes(GroupAxes): ...

    class SystemAxes(GroupAxes): ...

    class ParallelAxes(GroupAxes): ...

    class QuantizationAxes(GroupAxes): ...

    class MemoryAxes(GroupAxes): ...

    class SchedulingAxes(GroupAxes): ...

    class AttentionAxes(GroupAxes): ...

    class MiscAxes(GroupAxes): ...

else:
    RuntimeAxes = searchable(Runtime)
    SystemAxes = searchable(System)
    ParallelAxes = searchable(Parallel)
    QuantizationAxes = searchable(Quantization)
    MemoryAxes = searchable(Memory)
    SchedulingAxes = searchable(Scheduling)
    AttentionAxes = searchable(Attention)
    MiscAxes = searchable(Misc)

GROUP_NAMES = tuple(GROUPS)
_AXES: dict[str, type[GroupAxes]] = {
    "runtime": RuntimeAxes,
    "system": SystemAxes,
    "parallel": ParallelAxes,
    "quantization": QuantizationAxes,
    "memory": MemoryAxes,
    "scheduling": SchedulingAxes,
    "attention": AttentionAxes,
    "misc": MiscAxes,
}


def axes_model(group: str) -> type[GroupAxes]:
    """The searchable form of the group of that name."""
    return _AXES[group]
