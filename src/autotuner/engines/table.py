"""An engine's flag table: every field of the eight groups, and how the engine says it."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from autotuner.catalog import MemoryUse, ModelFacts
from autotuner.config import BACKENDS, GROUPS, engine_files, flag_of, nearest
from autotuner.engines.engine_file import EngineFile
from autotuner.engines.file_reading import read_engine_file
from autotuner.engines.requirements import Requirement, requirement_from
from autotuner.engines.rows import NOTHING, FlagRow, LaunchFragment, row_from
from autotuner.engines.spec import FailurePattern
from autotuner.engines.split import SplitRanks, split_from
from autotuner.engines.unset import Choice, MemoryRow, choice_from, chosen, memory_rows, memory_use
from autotuner.errors import EngineError

FIELDS = tuple(
    f"{group}.{field}" for group, model in GROUPS.items() for field in model.model_fields
)
OPTIONS_FILE = "options.yaml"


@dataclass(frozen=True)
class Inexpressible:
    """A field the engine has no flag for. `neutral` values say what it does anyway."""

    path: str
    reason: str
    neutral: tuple[Any, ...] = ()


@dataclass(frozen=True)
class FieldMapping:
    """How a version expresses a field: `how` is flag, key, variable, implied, task or no."""

    path: str
    how: str
    name: str
    note: str


@dataclass(frozen=True)
class EngineTable:
    """All that is known of an engine's command line and of its failures.

    Attributes:
        file: the document of its file, for what is not of the command line.
        program, module: what starts it: a program, or `python -m module`.
        packages: distributions that carry it, the first one that is found gives the version.
        program_words, module_words: words after it, `{model}` filled in.
        argv: words of every launch: `{host}`, `{port}`, `{name}` are filled in.
        model_format: `gguf` or `folder` (a model folder or hub id).
        version: the newest one that the table was checked against.
        options_flag: the flag that takes the options file, where there is one.
        device_variables: `system.gpu_type` -> variables of every launch there.
        aliases: other names of flags -> the name that the table uses.
        revision: how the revision of a hub's model is expressed; None where it serves files only.
        machine: field -> what its flag has of the machine it starts on (`cpus`), where the task is
            silent.
        described: fields that describe the task and need no word -> why.
        unset: field -> what the engine takes where it is not set.
        requirements: relations between settings that it checks when it starts.
        splitting: over which ranks it splits matrices, as YAML.
    """

    file: EngineFile
    name: str
    title: str
    program: str
    module: str
    packages: tuple[str, ...]
    program_words: tuple[str, ...]
    module_words: tuple[str, ...]
    argv: tuple[str, ...]
    model_format: str
    version: str
    source: str
    health_path: str
    api_path: str
    options_flag: str
    device_variables: dict[str, dict[str, str]]
    defaults: dict[str, Any]
    machine: dict[str, str]
    rows: dict[str, tuple[FlagRow, ...]]
    described: dict[str, str]
    inexpressible: dict[str, Inexpressible]
    reserved: frozenset[str]
    failures: tuple[FailurePattern, ...]
    memory_rows: tuple[MemoryRow, ...]
    aliases: dict[str, str]
    revision: FlagRow | None
    unset: dict[str, Choice]
    requirements: tuple[Requirement, ...]
    splitting: dict[str, Any]

    @property
    def memory(self) -> MemoryUse:
        """The newest version's use of a GPU's memory."""
        return self.memory_use(self.version)

    def memory_use(
        self, version: str, gpu: str | None = None, memory_gib: float | None = None
    ) -> MemoryUse:
        """A version's use of a GPU's memory, with the values that it takes where nothing is set."""
        return memory_use(self.memory_rows, self.unset, version, gpu, memory_gib)

    def taken(self, gpu: str | None, memory_gib: float | None) -> dict[str, Any]:
        """Field -> what the engine takes on a GPU where the field is not set."""
        found = {path: chosen(choice, gpu, memory_gib) for path, choice in self.unset.items()}
        return {path: value for path, value in found.items() if value is not None}

    def split(self, version: str) -> SplitRanks:
        """Over which ranks a version splits which matrices."""
        return split_from(self.splitting, version)

    def modes(self, path: str, version: str, facts: ModelFacts) -> tuple[str, ...]:
        """Values of a field that the engine says by a word of its own."""
        row = self.row(path, version, facts)
        return () if row is None else tuple(name for name, word in row.values if word)

    def row(
        self,
        path: str,
        version: str,
        facts: ModelFacts,
        settings: Mapping[str, Any] = MappingProxyType({}),
    ) -> FlagRow | None:
        """The first row of the field that is meant for this version, model and layout."""
        rows = self.rows.get(path, ())
        return next((row for row in rows if row.holds(version, facts, settings)), None)

    def fragment(
        self, path: str, settings: Mapping[str, Any], version: str, facts: ModelFacts
    ) -> LaunchFragment:
        """The contribution of one field that is set.

        Raises:
            EngineError: the engine cannot express it; nothing is dropped.
        """
        value = settings[path]
        refused = self.inexpressible.get(path)
        if refused is not None:
            if any(value == neutral for neutral in refused.neutral):
                return NOTHING
            raise EngineError(
                f"{path}: {self.name} cannot express {value!r}: {refused.reason}",
                remedy=_remedy(path, self.name),
            )
        if path in self.described:
            return NOTHING
        row = self.row(path, version, facts, settings)
        if row is None:
            raise EngineError(
                f"{path}: {self.name} {version} cannot express {value!r}: "
                f"{self._versions_of(path)}",
                remedy="use another version, or leave the field out",
            )
        if row.render == "words":
            self._check_words(path, settings, version, facts)
        fragment = row.fragment(settings, facts, self.name)
        return self._without_twin(row, fragment, settings, version, facts)

    def spoken_for(
        self, words: Iterable[str], version: str, facts: ModelFacts
    ) -> dict[str, tuple[str, ...]]:
        """Each flag among `words` -> the fields that it says too."""
        rows = {path: self.row(path, version, facts) for path in self.rows}
        claims = {path: map(_plain, row.claims) for path, row in rows.items() if row}
        owners: dict[str, list[str]] = {}
        for path, flags in claims.items():
            for flag in flags:
                owners.setdefault(flag, []).append(path)
        return {
            flag: tuple(path for name in self._meant(flag) for path in owners.get(name, ()))
            for flag in filter(None, map(flag_of, words))
        }

    def mappings(self, version: str | None = None, *, moe: bool = True) -> tuple[FieldMapping, ...]:
        """How every field is expressed, in the groups' order."""
        facts = ModelFacts(experts=8 if moe else 0)
        return tuple(self._mapping(path, version or self.version, facts) for path in FIELDS)

    def _mapping(self, path: str, version: str, facts: ModelFacts) -> FieldMapping:
        if path in self.described:
            return FieldMapping(path, "task", "", self.described[path])
        if path in self.inexpressible:
            return FieldMapping(path, "no", "", self.inexpressible[path].reason)
        row = self.row(path, version, facts)
        if row is None:
            return FieldMapping(path, "no", "", self._versions_of(path))
        return FieldMapping(path, row.how, row_name(row), row.note)

    def _versions_of(self, path: str) -> str:
        spans = [
            " ".join(
                part
                for part in (
                    f"since {row.since}" if row.since else "",
                    f"until {row.until}" if row.until else "",
                )
                if part
            )
            for row in self.rows[path]
        ]
        return f"it is there {'; '.join(filter(None, spans)) or 'for other kinds of models'}"

    def _without_twin(
        self,
        row: FlagRow,
        fragment: LaunchFragment,
        settings: Mapping[str, Any],
        version: str,
        facts: ModelFacts,
    ) -> LaunchFragment:
        """Nothing where another field has the same already; an error where it disagrees."""
        if row.same_as is None or row.same_as not in settings:
            return fragment
        twin = self.row(row.same_as, version, facts, settings)
        if twin is None or twin.fragment(settings, facts, self.name) == fragment:
            return NOTHING
        raise EngineError(
            f"{row.path}: {self.name} cannot express {settings[row.path]!r} beside {row.same_as} "
            f"{settings[row.same_as]!r}: one flag says both",
            remedy="let the two agree, or leave one out",
        )

    def _check_words(
        self, path: str, settings: Mapping[str, Any], version: str, facts: ModelFacts
    ) -> None:
        """Words passed as they are must not say what the tuner or another field says."""
        reserved = {_plain(flag) for flag in self.reserved}
        for flag, fields in self.spoken_for(settings[path], version, facts).items():
            if reserved & self._meant(flag):
                raise EngineError(
                    f"{path}: {flag} is set by the tuner itself, from the rest of the task",
                    remedy="take it out of the list",
                )
            for field in fields:
                if field in settings:
                    raise EngineError(
                        f"{path}: {self.name} cannot express {flag} beside {field} "
                        f"{settings[field]!r}: one flag says both",
                        remedy=f"take {flag} out of the list and say {field}",
                    )
                if field.startswith("parallel."):
                    raise EngineError(
                        f"{path}: {flag} decides how many GPUs are occupied",
                        remedy=f"take it out of the list and say {field}",
                    )

    def _meant(self, flag: str) -> frozenset[str]:
        """The table's flags that a word means: by another name, or cut short as argparse allows."""
        plain = _plain(flag)
        known = self._known_flags
        names = {plain} & known.keys() or {name for name in known if name.startswith(plain)}
        return frozenset(known[name] for name in names)

    @functools.cached_property
    def _known_flags(self) -> dict[str, str]:
        """Every name of a flag of the table or of the tuner -> the table's own."""
        claimed = {flag for rows in self.rows.values() for row in rows for flag in row.claims}
        own = {_plain(flag): _plain(flag) for flag in (*claimed, *self.reserved)}
        return own | {_plain(name): _plain(flag) for name, flag in self.aliases.items()}


def row_name(row: FlagRow) -> str:
    """The flag, key or variable of a row, as people write it."""
    if row.key is not None:
        return f"{row.json_flag or OPTIONS_FILE}: {row.key}"
    if row.variable is not None:
        return row.variable
    if row.render == "words":
        return "the words as they are"
    if row.flags or row.negated:
        return " ".join((*row.flags, row.negated or "")).strip()
    return ", ".join(str(word) for _, word in row.values if word)


def engine_table(name: str) -> EngineTable:
    """The table of the engine that `name` names.

    Raises:
        EngineError: no such engine, or its file is wrong: a fault of a key or a value, a field that
            is left out, named twice or unknown.
    """
    return _table(engine_files()[checked_engine(name)])


def checked_engine(name: str, *, field: str = "system.backend") -> str:
    """`name`, where an engine has it; `field` is the field or option that has the name.

    Raises:
        EngineError: no such engine; names the nearest.
    """
    if name not in BACKENDS:
        raise EngineError(f"{field}: {name!r} is unknown; {nearest(name, list(BACKENDS))}")
    return name


@functools.cache
def _table(path: Path) -> EngineTable:
    file = read_engine_file(path)
    try:
        requirements = tuple(requirement_from(_given(row), file.name) for row in file.requires)
    except ValueError as error:
        raise EngineError(f"{path}: requires: {error}") from None
    table = EngineTable(
        file=file,
        name=file.name,
        title=file.title,
        program=file.program,
        module=file.module,
        packages=file.packages,
        program_words=file.program_words,
        module_words=file.module_words,
        argv=file.argv,
        model_format=file.model_format,
        version=file.version,
        source=file.source,
        health_path=file.health_path,
        api_path=file.api_path,
        options_flag=file.options_flag,
        device_variables=file.device_variables,
        defaults=file.defaults,
        machine=dict(file.machine),
        rows={
            path: tuple(row_from(path, _given(row)) for row in rows)
            for path, rows in file.flags.items()
        },
        described=file.described,
        inexpressible={
            path: Inexpressible(path, row.reason, row.neutral)
            for path, row in file.inexpressible.items()
        },
        reserved=frozenset(file.reserved),
        failures=tuple(
            FailurePattern(row.pattern, row.kind, row.explanation) for row in file.failures
        ),
        memory_rows=memory_rows([_given(row) for row in file.memory]),
        aliases=file.aliases,
        revision=row_from("model.revision", _given(file.revision)) if file.revision else None,
        unset={path: choice_from(row) for path, row in file.unset.items()},
        splitting=_given(file.split),
        requirements=requirements,
    )
    _check_complete(table, path)
    return table


def _given(part: BaseModel) -> dict[str, Any]:
    """The file's own text of a part."""
    return part.model_dump(exclude_unset=True)


def options_text(keys: list[tuple[str, Any]]) -> str:
    """The options file: dotted keys as a YAML document (written as JSON, which YAML contains)."""
    return json.dumps(nested(keys), indent=2, sort_keys=True) + "\n"


def nested(keys: list[tuple[str, Any]]) -> dict[str, Any]:
    """`[("a.b", 1)]` -> `{"a": {"b": 1}}`."""
    document: dict[str, Any] = {}
    for dotted, value in keys:
        *parents, last = dotted.split(".")
        inside = document
        for parent in parents:
            inside = inside.setdefault(parent, {})
        inside[last] = value
    return document


def _plain(flag: str) -> str:
    """A flag as it is compared: dashes for underscores, without the key of a JSON value."""
    return flag.partition(".")[0].replace("_", "-")


def _remedy(path: str, engine: str) -> str:
    able = [name for name in BACKENDS if name != engine and path in engine_table(name).rows]
    return f"leave the field out; these can: {', '.join(able)}" if able else "leave the field out"


def _check_complete(table: EngineTable, path: Path) -> None:
    placed = [*table.rows, *table.described, *table.inexpressible]
    wrong = {path for path in placed if placed.count(path) > 1} | (set(FIELDS) ^ set(placed))
    if wrong:
        raise EngineError(
            f"{path}: flags, described and inexpressible say these fields twice, not at all, or "
            f"they do not exist: {', '.join(sorted(wrong))}"
        )
