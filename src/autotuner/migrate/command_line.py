"""An engine's command line -> a v2 task, with a note for every word that it does not say. Pure."""

from __future__ import annotations

import math
import re

from autotuner.catalog import ModelFacts, known_model
from autotuner.config import parse_task
from autotuner.engines import EngineTable
from autotuner.errors import ConfigError, Problem
from autotuner.migrate.command_words import SOURCE, EngineCommand, Flag, engine_command
from autotuner.migrate.draft import PARAMETERS, Done, Draft, Note, Translation
from autotuner.migrate.flags import is_reserved, meaning, plain
from autotuner.migrate.groups import spread_experts
from autotuner.migrate.parameters import add_parameters
from autotuner.migrate.replicas import settle_replicas
from autotuner.migrate.translate import is_path

_KEPT_AS = "command"
_VARIABLE = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_VISIBLE = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")
_WIDTHS = tuple(f"parallel.{name}_parallel" for name in ("tensor", "pipeline", "data"))
_MISSING = {
    "runtime.isl": "a command does not say how long requests are: give tokens in (isl)",
    "runtime.osl": "a command does not say how long answers are: give tokens out (osl)",
    "system.gpu_type": "a command does not say what the GPUs are; without them it runs on a CPU",
}


def translate_command(text: str) -> Translation:
    """The v2 task whose only candidate is what a command starts.

    It lacks the lengths of requests, which a command does not say; a note says so.

    Raises:
        ConfigError: no command that starts an engine, or none that names a model.
    """
    command = engine_command(text)
    if command.model is None:
        raise ConfigError(SOURCE, (Problem("model", "the command names no model"),))
    known = known_model(command.model)
    draft = Draft(command.table.name, known.facts if known else ModelFacts(), kept_as=_KEPT_AS)
    draft.put("version", 2)
    _add_model(draft, command.model)
    draft.setting("system.backend", [command.table.name])
    visible = _add_surroundings(draft, command)
    experts = add_parameters(draft, _parameters(draft, command))
    spread_experts(draft, experts)
    settle_replicas(draft)
    _note_twins(draft, command)
    _add_gpus(draft, visible)
    for path, text_of in _MISSING.items():
        draft.note((path,), Done.CHANGED, text_of)
    translation = draft.finished()
    parse_task(translation.task, source=SOURCE)
    notes = tuple(
        Note(note.path.removeprefix(f"{PARAMETERS}."), note.done, note.text)
        for note in translation.notes
    )
    return Translation(translation.task, notes, translation.points)


def _add_model(draft: Draft, model: str) -> None:
    draft.put(f"model.{'path' if is_path(model) else 'id'}", model)
    name = model.rstrip("/").rpartition("/")[2].removesuffix(".gguf")
    draft.put("name", name[:200] or "task")
    draft.note(("model",), Done.TRANSLATED, "model")


def _add_surroundings(draft: Draft, command: EngineCommand) -> int:
    """Notes what stands around the engine's own words; returns how many GPUs it names.

    Values of variables are left out: they may be secrets.
    """
    visible = 0
    others = []
    for word in command.before:
        variable = _VARIABLE.fullmatch(word)
        if variable is None:
            others.append(word)
        elif variable.group(1) in _VISIBLE:
            visible = len([part for part in variable.group(2).split(",") if part.strip()])
            text = "system.total_gpus: how many they are; which ones, the worker chooses"
            draft.note((variable.group(1),), Done.CHANGED, text)
        else:
            text = "variables are not part of a task; engines have those of the worker"
            draft.note((variable.group(1),), Done.LOST, text)
    if others:
        text = f"what stands before {command.table.program} is not part of a task"
        draft.note((others[0],), Done.LOST, text)
    for other in command.besides:
        name = other.split()[0].partition("=")[0]
        draft.note((name,), Done.LOST, "another command: only the engine's own is read")
    for stray in command.strays:
        draft.note((stray,), Done.LOST, "it belongs to no flag")
    return visible


def _parameters(draft: Draft, command: EngineCommand) -> dict[str, object]:
    """Flags that fields or `misc.extra_args` may say; the others are noted or put elsewhere."""
    table = command.table
    served = _before(table, "{name}")
    revision = table.revision.flags if table.revision is not None else ()
    found: dict[str, object] = {}
    for flag in command.flags:
        place = (flag.name,)
        if flag.name == served and flag.values:
            _put(draft, flag, "model.served_name")
        elif flag.name in revision and flag.values:
            _put(draft, flag, "model.revision")
        elif is_reserved(table.name, flag.name):
            draft.note(place, Done.KEPT, "the tuner sets this flag itself")
        elif isinstance(flag.value, list):
            draft.flag([(flag.name, *flag.values)])
            draft.note(place, Done.EXTRA_ARGS, "several values; passed as they are")
        else:
            if flag.name in found:
                draft.note(place, Done.OVERRULED, "given twice: the last one wins")
                del found[flag.name]
            found[flag.name] = flag.value
    return found


def _put(draft: Draft, flag: Flag, place: str) -> None:
    draft.put(place, flag.values[0])
    draft.note((flag.name,), Done.TRANSLATED, place)


def _before(table: EngineTable, placeholder: str) -> str | None:
    """The flag before a placeholder of every launch."""
    return table.argv[table.argv.index(placeholder) - 1] if placeholder in table.argv else None


def _note_twins(draft: Draft, command: EngineCommand) -> None:
    """Notes fields that are written with more flags than the command has."""
    engine, aliases = command.table.name, command.table.aliases
    given = {plain(aliases.get(flag.name, flag.name)) for flag in command.flags}
    for flag in command.flags:
        known = meaning(engine, flag.name)
        flags = known.row.flags if known is not None and known.row is not None else ()
        missing = [name for name in flags if plain(name) not in given]
        if known is not None and missing and known.path in draft.settings:
            text = f"{known.path}: it sets {', '.join(missing)} too"
            draft.note((flag.name,), Done.CHANGED, text)


def _add_gpus(draft: Draft, visible: int) -> None:
    """As many GPUs as the widths take, or as the command makes visible."""
    widths = [draft.settings.get(path, [1])[0] for path in _WIDTHS]
    needed = max(math.prod(widths), visible)
    if needed > 1 or visible:
        draft.setting("system.total_gpus", [needed])
