"""v1's `parameters`: flags with values to try -> fields of the groups, or words for the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autotuner.config import UnfitError, as_bool
from autotuner.migrate.draft import PARAMETERS, Done, Draft
from autotuner.migrate.flags import (
    Meaning,
    attention_switch,
    flag_of_field,
    is_reserved,
    meaning,
    means_attention,
    other_meaning,
    owners,
    plain,
    why_not,
    words,
)
from autotuner.migrate.replicas import ATTENTION
from autotuner.migrate.values import is_range, listed

EXPERTS = "parallel.expert_parallel"
_DATA = "parallel.data_parallel"


@dataclass(frozen=True)
class _Given:
    """One parameter: its name, what was written, the values, and what it means."""

    name: str
    written: Any
    values: list[Any]
    meaning: Meaning | None

    @property
    def subject(self) -> str:
        """The field or the flag that it decides. The engine takes the last of two with one."""
        return self.meaning.path if self.meaning else plain(self.name)


def add_parameters(draft: Draft, parameters: Mapping[str, Any]) -> tuple[bool, ...]:
    """Adds every parameter; returns the values of the switch that spreads experts over all GPUs.

    Of two names of one parameter the last wins, as it does on the engine's command line, which v1
    wrote in the task's order.
    """
    given = [found for name, raw in parameters.items() if (found := _read(draft, name, raw))]
    winners = {parameter.subject: parameter for parameter in given}
    experts: tuple[bool, ...] = ()
    flag = attention_switch(draft.engine)
    switch = None if flag is None else plain(flag)
    for parameter in given:
        winner = winners[parameter.subject]
        if winner is not parameter:
            _overruled(draft, parameter, winner)
        elif parameter.subject == switch and draft.facts.is_moe is not False:
            _add_attention(draft, parameter)
        elif parameter.meaning is not None and parameter.meaning.above_one:
            experts = _switch(draft, parameter)
        else:
            _add(draft, parameter)
    return experts


def add_words(
    draft: Draft, path: tuple[str, ...], name: str, flag: str, values: list[Any], *, why: str
) -> None:
    """Passes a flag to the engine as it is, where `misc.extra_args` may hold it."""
    written = values[0] if len(values) == 1 else values
    try:
        if is_reserved(draft.engine, flag):
            draft.keep(path, written, Done.KEPT, "the tuner sets this flag itself")
            return
        fields = owners(draft.engine, flag)
        counted = [owner for owner in fields if owner.startswith("parallel.")]
        if counted:
            raise UnfitError(
                f"{why}; the flag decides how many GPUs are occupied: say {counted[0]}"
            )
        choices = [words(draft.engine, flag, value) for value in values]
    except UnfitError as unfit:
        draft.keep(path, written, Done.LOST, str(unfit))
        return
    draft.fields_set |= set(fields)
    draft.flag(choices)
    for value, choice in zip(values, choices, strict=True):
        draft.point(name, value, {}, choice)
    draft.note(path, Done.EXTRA_ARGS, f"{why}; passed as it is in misc.extra_args")


def _read(draft: Draft, name: str, written: Any) -> _Given | None:
    path = (PARAMETERS, name)
    try:
        values = listed(written)
    except UnfitError as unfit:
        draft.keep(path, written, Done.LOST, str(unfit))
        return None
    if not values:
        draft.note(path, Done.EMPTY, "an empty list tries nothing")
        return None
    if values == [None]:
        draft.note(path, Done.EMPTY, "null leaves it to the engine")
        return None
    return _Given(name, written, values, meaning(draft.engine, name))


def _add(draft: Draft, parameter: _Given) -> None:
    path, known = (PARAMETERS, parameter.name), parameter.meaning
    if is_range(parameter.written):
        text = f"{len(parameter.values)} values of the range are tried"
        draft.keep(path, parameter.written, Done.CHANGED, text)
    if known is None:
        why = f"no field says it, {draft.engine} may know it"
        add_words(draft, path, parameter.name, parameter.name, parameter.values, why=why)
        return
    try:
        found = [known.value_of(value) for value in parameter.values]
        otherwise = other_meaning(draft.engine, known.path, found, draft.facts)
        if otherwise is not None:
            raise UnfitError(otherwise)
        _require_word(draft, known, found)
    except UnfitError as unfit:
        why = f"{known.path} cannot say it: {unfit}"
        short = flag_of_field(draft.engine, known.path) if known.row is None else None
        flag = short or parameter.name
        add_words(draft, path, parameter.name, flag, parameter.values, why=why)
        return
    if means_attention(known) and known.path == _DATA:
        draft.setting(ATTENTION, [True])
    draft.setting(known.path, found)
    for value, ours in zip(parameter.values, found, strict=True):
        draft.point(parameter.name, value, {known.path: ours})
    opposite = ", which says the opposite" if known.negated else ""
    draft.note(path, Done.TRANSLATED, f"{known.path}{opposite}")


def _require_word(draft: Draft, known: Meaning, values: list[Any]) -> None:
    """A flag's own row has a word for each of its values; a field's short name need not."""
    reasons = (why_not(draft.engine, known.path, value, draft.facts) for value in values)
    refused = next(filter(None, reasons), None) if known.row is None else None
    if refused is not None:
        raise UnfitError(refused[0])


def _add_attention(draft: Draft, parameter: _Given) -> None:
    """The switch by which replicas are those of attention alone, for `settle_replicas`."""
    path = (PARAMETERS, parameter.name)
    truths = [as_bool(value) for value in parameter.values]
    if None in truths:
        draft.keep(path, parameter.written, Done.LOST, "it is true or false")
        return
    draft.setting(ATTENTION, truths)
    for value, truth in zip(parameter.values, truths, strict=True):
        draft.point(parameter.name, value, {ATTENTION: truth})
    draft.note(path, Done.TRANSLATED, f"{_DATA}: of attention alone, or of the whole model")


def _overruled(draft: Draft, parameter: _Given, winner: _Given) -> None:
    path = (PARAMETERS, parameter.name)
    if _meant(draft.engine, parameter) == _meant(draft.engine, winner):
        text = f"another name of {winner.name}, which says the same"
        draft.note(path, Done.TRANSLATED, text)
        return
    text = f"another name of {winner.name}, which comes later in the task and wins"
    draft.keep(path, parameter.written, Done.OVERRULED, text)


def _meant(engine: str, parameter: _Given) -> list[Any]:
    """The meaning of the values, however they are written."""
    found: list[Any] = []
    for value in parameter.values:
        try:
            known = parameter.meaning
            found.append(known.value_of(value) if known else words(engine, parameter.name, value))
        except UnfitError:
            found.append(("as written", value))
    return found


def _switch(draft: Draft, parameter: _Given) -> tuple[bool, ...]:
    """The truth values of a switch whose field counts GPUs."""
    path = (PARAMETERS, parameter.name)
    truths = [as_bool(value) for value in parameter.values]
    if None in truths:
        draft.keep(path, parameter.written, Done.LOST, f"{EXPERTS} needs true or false")
        return ()
    negated = parameter.meaning is not None and parameter.meaning.negated
    draft.note(path, Done.TRANSLATED, f"{EXPERTS}: 1, or as many GPUs as each candidate has")
    return tuple(dict.fromkeys(bool(truth) is not negated for truth in truths))
