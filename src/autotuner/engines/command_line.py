"""A command line that starts an engine -> the settings that it says, as rendering wrote them. Pure.

Nothing runs, and nothing that the command names is opened.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from autotuner.catalog import ModelFacts, known_model
from autotuner.config import Candidate, DocumentError, parse_document, problems_of
from autotuner.config.secret_values import secrets_in
from autotuner.engines.command_secrets import without_secrets
from autotuner.engines.command_words import (
    SOURCE,
    EngineCommand,
    Flag,
    engine_command,
    json_or_text,
)
from autotuner.engines.flag_names import FlagNames, dashed, engine_with, flag_of_field, negation
from autotuner.engines.found_settings import Found, find_settings
from autotuner.engines.parsed_command import CommandNote, Outcome, ParsedCommand
from autotuner.engines.rows import checked_version
from autotuner.engines.table import EngineTable
from autotuner.engines.written_command import Place, WrittenCommand
from autotuner.errors import ConfigError, EngineError, Problem

_VISIBLE = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")
_WIDTHS = tuple(f"parallel.{name}_parallel" for name in ("tensor", "pipeline", "data"))
_OF_TUNER = "the tuner sets this flag itself"
_OF_MODEL = {"{name}": "model.served_name", "revision": "model.revision"}


def parse_command(
    command: str | Sequence[str],
    engine: str | None = None,
    *,
    facts: ModelFacts | None = None,
    files: Mapping[str, str] = MappingProxyType({}),
) -> ParsedCommand:
    """The settings of a command line, by the flag table of the engine that it starts.

    Args:
        command: a line as a shell takes it, or its words.
        engine: its name, where the program does not tell it.
        facts: of the model; of its name in the catalog where left out.
        files: name -> text of files with options that the command may name.

    Example:
        parse_command("vllm serve Qwen/Qwen3-8B -tp 2").settings["parallel.tensor_parallel"]  # 2

    Raises:
        ConfigError: no engine is started, a flag is another engine's, or one that decides how many
            GPUs are occupied cannot be read.
        EngineError: `engine` is none.
    """
    read, secret = without_secrets(engine_command(command, engine))
    known = known_model(read.model) if read.model else None
    facts = facts or (known.facts if known else None)
    return _Reading(read, facts, {**read.files, **files}, secret).done()


def options_file(command: str | Sequence[str], engine: str | None = None) -> str | None:
    """The file with options that a command names and does not write itself; None where none."""
    read = engine_command(command, engine)
    names = FlagNames.of(read.table)
    named = (flag.value for flag in read.flags if names.own(flag.name) == _options(read.table))
    return next((name for name in named if name is not None and name not in read.files), None)


def _options(table: EngineTable) -> str | None:
    return dashed(table.options_flag) if table.options_flag else None


class _Reading:
    """One command being read."""

    def __init__(
        self,
        command: EngineCommand,
        facts: ModelFacts | None,
        files: Mapping[str, str],
        notes: Iterable[CommandNote],
    ) -> None:
        self._command = command
        self._table = command.table
        self._names = FlagNames.of(command.table)
        self._facts = facts
        self._files = files
        self._notes = list(notes)
        self._own: dict[str, str] = {}
        """Words of the command for the tuner: placeholder of the launch, or `revision`."""
        self._flags: dict[str, list[Flag]] = {}
        """Own name -> what is given; several where the table does not know the flag."""

    def done(self) -> ParsedCommand:
        """The command, read."""
        command, table = self._command, self._table
        self._refuse_other_engines()
        for flag in command.flags:
            self._take(flag)
        written = self._written()
        version = self._version()
        found = find_settings(table, self._names, written, version=version, facts=self._facts)
        left = self._settle(found, written)
        extra = self._extra(found, left)
        self._note_fields(found, written, version)
        env, visible = self._surroundings(found)
        widths = math.prod(found.settings.get(path, 1) for path in _WIDTHS)
        gpus = max(widths, visible)
        parsed = ParsedCommand(
            engine=table.name,
            model=command.model,
            settings={path: found.settings[path] for path in table.rows if path in found.settings},
            extra=extra,
            env=env,
            notes=tuple(self._notes),
            revision=self._own.get("revision"),
            served_name=self._own.get("{name}"),
            version=version,
            gpus=gpus if gpus > 1 or visible else None,
        )
        try:
            Candidate.from_settings({**parsed.settings, "misc.extra_args": extra or None})
        except ValidationError as error:
            remedy = "correct the command, or take the word out"
            raise ConfigError(SOURCE, tuple(problems_of(error)), remedy=remedy) from None
        return parsed

    def _note(self, word: str, outcome: Outcome, text: str) -> None:
        self._notes.append(CommandNote(word, outcome, text))

    def _refuse_other_engines(self) -> None:
        problems = []
        for flag in self._command.flags:
            if self._names.knows(flag.name) or _base(dashed(flag.name)) in self._names.json:
                continue
            owner = engine_with(flag.name)
            if owner is not None:
                other, path = owner
                text = f"{self._table.name} has no such flag; it is one of {other}"
                instead = flag_of_field(self._table, path)
                text += f" ({path}), for which {self._table.name} has {instead}" if instead else ""
                problems.append(Problem(flag.name, text))
        if problems:
            remedy = "correct the flag, or give the command as it runs"
            raise ConfigError(SOURCE, tuple(problems), remedy=remedy)

    def _take(self, flag: Flag) -> None:
        """Puts a flag where it belongs; of two of one name the last counts."""
        own = self._names.own(flag.name)
        place = self._place_of_tuner(own)
        if place in _OF_MODEL and flag.value is not None:
            self._own[place] = flag.value
            self._note(flag.name, "translated", _OF_MODEL[place])
            return
        if own in {dashed(name) for name in self._table.reserved} and own != _options(self._table):
            self._note(flag.name, "kept", _OF_TUNER)
            return
        for other in (own, *self._opposites(own)):
            for former in self._flags.pop(other, []) if self._names.knows(own) else []:
                text = f"{' '.join(flag.words)} comes later and wins"
                self._note(former.name, "overruled", text)
        if own in self._flags:
            self._note(flag.name, "extra_args", "given more than once: all of them are passed on")
        self._flags.setdefault(own, []).append(flag)

    def _place_of_tuner(self, own: str) -> str:
        """The placeholder of every launch that a flag fills, or `revision`; empty for others."""
        revision = self._table.revision
        if revision is not None and own in map(dashed, revision.flags):
            return "revision"
        argv = self._table.argv
        pairs = itertools.pairwise(argv)
        return next((word for flag, word in pairs if dashed(flag) == own), "")

    def _opposites(self, own: str) -> Iterator[str]:
        """Flags that say the opposite, of which an engine takes the last."""
        yield negation(own)
        yield "--" + own.removeprefix("--no-")
        for row in (row for rows in self._table.rows.values() for row in rows):
            if row.render == "switch" and row.key is None:
                flags = {*map(dashed, row.claims)} & self._names.switches
                if own in flags:
                    yield from flags - {own}

    def _written(self) -> WrittenCommand:
        """The command, place by place."""
        values: dict[Place, Any] = {("variable", n): t for n, t in self._command.env.items()}
        for own, flags in self._flags.items():
            flag = flags[-1]
            base, _, key = own.partition(".")
            document = json_or_text(flag.value) if base in self._names.json else None
            if own == _options(self._table):
                values |= self._options_in(flag)
            elif base in self._names.json and key:
                values[base, key] = document
            elif isinstance(document, dict) and document:
                values |= {(own, k): v for k, v in _leaves(document)}
            elif len(flags) > 1 or len(flag.values) > 1:
                values["flag", own] = None
            else:
                values["flag", own] = True if flag.value is None else flag.value
        return WrittenCommand(values)

    def _options_in(self, flag: Flag) -> dict[Place, Any]:
        """The keys of the options file that a flag names."""
        text = self._files.get(flag.value or "")
        try:
            document = None if text is None else parse_document(text)
        except DocumentError:
            document = None
        if not isinstance(document, dict):
            self._note(flag.name, "lost", f"the options in {flag.value} could not be read")
            return {}
        values = dict(_leaves(document))
        secret = [key for key, value in values.items() if secrets_in({key: value})]
        for key in secret:
            self._note(key, "lost", "a secret is left out; set it in the engine's environment")
        return {("", key): value for key, value in values.items() if key not in secret}

    def _version(self) -> str | None:
        tag = self._command.tag
        if not tag:
            return None
        try:
            version = checked_version(tag).removeprefix("v")
        except EngineError:
            self._note(tag, "changed", "the image's tag is no version: it is taken as the newest")
            return None
        self._note(tag, "translated", "system.backend_version")
        return version

    def _settle(self, found: Found, written: WrittenCommand) -> tuple[Place, ...]:
        """The places that no field says; fields that would contradict them are taken back."""
        while True:
            left = found.left(written)
            flags = {self._flag_at(place) for place in left} - {""}
            set_by_words = found.settings.keys() & set(found.used.values())
            owners = {path for flag in flags for path in self._owners(flag)} & set_by_words
            if not owners:
                return left
            for path in owners:
                found.take_back(path)

    def _flag_at(self, place: Place) -> str:
        kind, name = place
        return name if kind == "flag" else kind

    def _extra(self, found: Found, left: Sequence[Place]) -> tuple[str, ...]:
        """The words of flags that no field says, in their order."""
        flags = {self._flag_at(place) for place in left}
        extra: list[str] = []
        problems = []
        for own, given in self._flags.items():
            if _base(own) not in flags and own not in flags:
                continue
            paths = self._owners(_base(own))
            why = self._reason(found, own, paths)
            needed = next(filter(self._is_needed, paths), None)
            if needed is not None:
                words = " ".join(given[-1].words)
                problems.append(Problem(words, why if needed in why else f"{needed}: {why}"))
                continue
            for flag in given:
                extra += flag.words
            self._note(given[-1].name, "extra_args", f"{why}; passed as it is in misc.extra_args")
        if problems:
            remedy = "the tuner writes these flags itself: give a value that the field takes"
            raise ConfigError(SOURCE, tuple(problems), remedy=remedy)
        for place in left:
            if place[0] == "":
                self._note(place[1], "lost", "no field says this key of the options file")
        return tuple(extra)

    def _is_needed(self, path: str) -> bool:
        """Whether a field has to be known: it counts GPUs, or every command line says it."""
        return path.startswith("parallel.") or path in self._table.defaults

    def _owners(self, own: str) -> tuple[str, ...]:
        """The fields that a flag speaks of, in any version and for any model."""
        rows = self._table.rows.items()
        return tuple(p for p, found in rows if any(own in map(dashed, r.claims) for r in found))

    def _reason(self, found: Found, own: str, paths: Sequence[str]) -> str:
        unfit = (why for place, why in found.unfit.items() if self._flag_at(place) == _base(own))
        first = next(unfit, None)
        if first is not None:
            return first
        for path in paths:
            rows = [r for r in self._table.rows[path] if own in map(dashed, r.claims)]
            if all(("model_is_moe", True) in row.when for row in rows) and not found.facts.is_moe:
                return f"{path} has it for mixtures of experts alone"
            flags = list(map(dashed, rows[0].flags))
            missing = [flag for flag in flags if flag not in self._flags]
            if missing:
                return f"{path} is written with {', '.join(missing)} too"
            if own in flags:
                return f"{path} has no such value"
        return "no field says it"

    def _note_fields(self, found: Found, written: WrittenCommand, version: str | None) -> None:
        paths: dict[str, list[str]] = {}
        for place, path in found.used.items():
            kind, name = place
            flag = name if kind == "flag" else kind or _options(self._table) or ""
            given = self._flags.get(flag)
            word = flag if given is None else given[-1].name
            if kind == "variable":
                word = name
            elif kind != "flag":
                word = f"{word} {name}"
            paths.setdefault(path, []).append(word)
        for path, words in paths.items():
            if path in found.settings or path in self._table.defaults:
                self._note(" ".join(words), "translated", path)
        if found.version not in (version, self._table.version):
            text = (
                f"read as {self._table.name} {found.version} and its like take it; "
                f"{self._table.version} is written otherwise"
            )
            self._note(self._table.program, "changed", text)
        if self._command.download_flag is not None:
            text = (
                f"the model, which {self._table.title} downloads itself; a task needs the file: "
                "download it, and give its path as model.path"
            )
            self._note(self._command.download_flag, "changed", text)
        if self._facts is None and found.facts.is_moe:
            text = "not known here: its widths are read as those of a mixture of experts"
            self._note(self._command.model or "model", "changed", text)

    def _surroundings(self, found: Found) -> tuple[dict[str, str], int]:
        """Variables that no field says, and how many GPUs they make visible."""
        command, visible, env = self._command, 0, {}
        for name, value in command.env.items():
            if ("variable", name) in found.used:
                continue
            if name in _VISIBLE:
                visible = len([part for part in value.split(",") if part.strip()])
                text = "system.total_gpus: how many they are; which ones, the worker chooses"
                self._note(name, "changed", text)
                continue
            env[name] = value
            text = "variables are not part of a task; engines have those of the worker"
            self._note(name, "lost", text)
        if command.before:
            text = f"what stands before {self._table.program} is not part of a task"
            self._note(command.before[0], "lost", text)
        for other in command.besides:
            name = other.split()[0].partition("=")[0]
            self._note(name, "lost", "another command: only the engine's own is read")
        for stray in command.strays:
            self._note(stray, "lost", "it belongs to no flag")
        return env, visible


def _base(own: str) -> str:
    return own.partition(".")[0]


def _leaves(document: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys of nested mappings; an empty one is a value."""
    for key, value in document.items():
        dotted = f"{above}{key}"
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{dotted}.")
        else:
            yield dotted, value
