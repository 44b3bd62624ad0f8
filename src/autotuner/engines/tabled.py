"""The engine that a table describes: finding it, and turning a candidate into a launch."""

from __future__ import annotations

import itertools
import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from autotuner.catalog import ResolvedModel
from autotuner.config import Candidate
from autotuner.engines.engine import MODEL, Installation
from autotuner.engines.installed import installed_here, installed_in, version_of_program
from autotuner.engines.mounts import mounts_of
from autotuner.engines.multi_node import ADDRESS, NODES, MultiNodeFile, nodes_for
from autotuner.engines.rows import NOTHING, LaunchFragment, checked_version, in_range
from autotuner.engines.spec import FILE, LaunchSpec, Mount
from autotuner.engines.table import OPTIONS_FILE, EngineTable, engine_table, nested, options_text
from autotuner.errors import EngineError

_ON_ONE_NODE = MultiNodeFile(argv=())
ENVIRONMENTS = "engines"
"""Folder inside our own environment (`.venv/engines/NAME`) with environments of engines."""


class TabledEngine:
    """An engine whose differences all lie in `engines/NAME.yaml`."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def table(self) -> EngineTable:
        """The flag table."""
        return engine_table(self.name)

    def find(self, engine_path: str | None) -> Installation:
        """The installation that runs: the path given, the program on PATH, its environment, ours.

        A path is the engine's program, or the Python of the environment that it is installed in.

        Raises:
            EngineError: none is there, or the path given is no program.
        """
        table = self.table
        if engine_path is not None:
            program = shutil.which(str(Path(engine_path).expanduser()))
            if program is None:
                raise EngineError(
                    f"engine_path: {engine_path!r} is no program that can be run",
                    remedy=f"give the path of {table.program} or of a Python that has "
                    f"{table.packages[0]}, or leave engine_path out",
                )
            return self._of_program(program)
        on_path = shutil.which(table.program)
        if on_path is not None:
            return self._of_program(on_path)
        own = Path(sys.prefix) / ENVIRONMENTS / self.name / "bin" / "python"
        if own.exists():
            return self._of_python(str(own))
        if installed_here(table.packages) is not None:
            return self._of_python(sys.executable)
        raise EngineError(
            f"{self.name} is not installed: there is neither {table.program} on PATH nor the "
            f"package {table.packages[0]}",
            remedy=f"pip install {table.packages[0]}, or name the path of {table.program} in "
            "engine_path",
        )

    def assume(self, version: str | None) -> Installation:
        """The engine as it would be where it is installed; it cannot be launched here.

        Raises:
            EngineError: `version` is none.
        """
        command = (self.table.program, *self.table.program_words)
        assumed = self.table.version if version is None else checked_version(version)
        return Installation(self.name, command, assumed, "not installed here", found=False)

    def render(
        self, candidate: Candidate, model: ResolvedModel, installation: Installation
    ) -> LaunchSpec:
        """The command line of `candidate`.

        Raises:
            EngineError: a setting or a model that the engine cannot express; nothing is dropped.
        """
        table = self.table
        settings = table.defaults | candidate.settings()
        fragments = {
            path: table.fragment(path, settings, installation.version, model.facts)
            for path in (*table.rows, *table.inexpressible)
            if path in settings
        }
        _refuse_two_setters(self.name, fragments, settings)
        return self._spec(list(fragments.values()), candidate, model, installation)

    def fragment(
        self, settings: Mapping[str, Any], path: str, model: ResolvedModel, version: str
    ) -> LaunchFragment:
        """The contribution of one field of `settings` to a launch; none where it is not set.

        Raises:
            EngineError: the engine cannot express it.
        """
        values = self.table.defaults | dict(settings)
        if path not in values:
            return NOTHING
        return self.table.fragment(path, values, version, model.facts)

    def reads(
        self, path: str, settings: Mapping[str, Any], model: ResolvedModel, version: str
    ) -> tuple[str, ...]:
        """The fields that decide what `fragment` has for `path`, where `settings` may hold axes."""
        row = self.table.row(path, version, model.facts)
        if row is None:
            return (path,)
        if row.render == "words":
            claimed = self.table.spoken_for(_flat(settings[path]), version, model.facts)
            return (path, *itertools.chain.from_iterable(claimed.values()))
        twin = self.table.row(row.same_as, version, model.facts) if row.same_as else None
        return tuple(dict.fromkeys((*row.reads, *(twin.reads if twin else ()))))

    def refuses(
        self, settings: Mapping[str, Any], path: str, model: ResolvedModel, version: str
    ) -> str | None:
        """Why the engine cannot express one field of `settings`; None where it can."""
        try:
            self.fragment(settings, path, model, version)
        except EngineError as error:
            return error.message
        return None

    def _spec(
        self,
        fragments: list[LaunchFragment],
        candidate: Candidate,
        model: ResolvedModel,
        installation: Installation,
    ) -> LaunchSpec:
        table = self.table
        location = _location(table, model)
        nodes = nodes_for(candidate, installation.gpus_per_node)
        extra = candidate.misc.extra_args or ()
        multi_node = _multi_node(table, nodes, installation.version)
        started = _started(table, multi_node, installation.command)
        named = MODEL in started
        command = [location if word == MODEL else word for word in started]
        words = [*command, *(() if named else ("--model", location))]
        words += [model.name if word == "{name}" else word for word in table.argv]
        words += self._revision(model)
        in_json: dict[str, list[tuple[str, Any]]] = {}
        in_file: list[tuple[str, Any]] = []
        for fragment in fragments:
            for flag, key, value in fragment.keys:
                (in_json.setdefault(flag, []) if flag else in_file).append((key, value))
        own_words = [word for fragment in fragments for word in fragment.words]
        words += own_words[: len(own_words) - len(extra)]
        words += [word.replace(NODES, str(nodes)) for word in multi_node.argv]
        for flag, keys in in_json.items():
            words += [flag, json.dumps(nested(keys), sort_keys=True)]
        files: tuple[tuple[str, str], ...] = ()
        if in_file:
            words += [table.options_flag, FILE.format(name=OPTIONS_FILE)]
            files = ((OPTIONS_FILE, options_text(in_file)),)
        device = (candidate.system.gpu_type or "").lower()
        variables = table.device_variables.get(device, {}) | dict(
            pair for fragment in fragments for pair in fragment.variables
        )
        if multi_node.address_variable:
            variables[multi_node.address_variable] = ADDRESS
        return LaunchSpec(
            engine=self.name,
            argv=(*words, *extra),
            model_name=model.name,
            env=tuple(sorted(variables.items())),
            health_path=table.health_path,
            api_path=table.api_path,
            failure_patterns=table.failures,
            files=files,
            gpus=candidate.gpus,
            nodes=nodes,
            followers=multi_node.followers,
            image=installation.image or table.file.image,
            mounts=_mounts(candidate, model),
            caches=tuple(table.file.caches.items()),
            compiling=table.file.compiling,
        )

    def _revision(self, model: ResolvedModel) -> tuple[str, ...]:
        if model.revision is None:
            return ()
        row = self.table.revision
        if row is None:
            raise EngineError(
                f"model.revision: {self.name} cannot express {model.revision!r}: it serves files",
                remedy="leave model.revision out",
            )
        return row.fragment({row.path: model.revision}, model.facts, self.name).words

    def _of_program(self, program: str) -> Installation:
        if Path(program).name.startswith("python"):
            return self._of_python(program)
        table = self.table
        version = version_of_program(program, table.packages)
        return Installation(self.name, (program, *table.program_words), version, program)

    def _of_python(self, python: str) -> Installation:
        table = self.table
        ours = python == sys.executable
        found = installed_here(table.packages) if ours else installed_in(python, table.packages)
        if found is None:
            raise EngineError(
                f"engine_path: {python} has none of the packages {', '.join(table.packages)}",
                remedy=f"{python} -m pip install {table.packages[0]}",
            )
        package, version = found
        command = (python, "-m", table.module, *table.module_words)
        return Installation(self.name, command, version, f"{package} {version}")


def _multi_node(table: EngineTable, nodes: int, version: str) -> MultiNodeFile:
    """The engine's words for a launch on several nodes; none for one.

    Raises:
        EngineError: it has none.
    """
    if nodes == 1:
        return _ON_ONE_NODE
    found = table.file.nodes
    if found is None or not in_range(version, found.since, None):
        raise EngineError(
            f"parallel: {table.name} {version} is not launched over {nodes} nodes",
            remedy="lower the widths until one node has as many GPUs",
        )
    return found


def _started(
    table: EngineTable, multi_node: MultiNodeFile, command: tuple[str, ...]
) -> tuple[str, ...]:
    """The command of an installation, by the module that knows processes of several nodes."""
    if not multi_node.module or command[1:3] != ("-m", table.module):
        return command
    return (command[0], "-m", multi_node.module, *table.program_words)


def _refuse_two_setters(
    engine: str, fragments: Mapping[str, LaunchFragment], settings: Mapping[str, Any]
) -> None:
    """Two fields must not set one flag, key or variable: the engine would take the last in silence.

    Raises:
        EngineError: naming both fields.
    """
    setters: dict[str, str] = {}
    for path, fragment in fragments.items():
        for name in () if path == "misc.extra_args" else fragment.names:
            if name in setters:
                raise EngineError(
                    f"{path}: {engine} cannot express {settings[path]!r} beside {setters[name]} "
                    f"{settings[setters[name]]!r}: both set {name}",
                    remedy="leave one of the two out",
                )
            setters[name] = path


def _flat(value: Any) -> Iterator[str]:
    """The words of one list, or of all lists of an axis."""
    for item in value:
        yield from (item,) if isinstance(item, str) else item


def _location(table: EngineTable, model: ResolvedModel) -> str:
    """The engine's argument for its model."""
    if (table.model_format == "gguf") == (model.header is not None):
        return model.location
    wanted = "a .gguf file" if table.model_format == "gguf" else "a model folder or hub id"
    raise EngineError(
        f"model: {table.name} serves {wanted}, not {model.location}",
        remedy=f"give model.path or model.id of {wanted}, or another system.backend",
    )


def _mounts(candidate: Candidate, model: ResolvedModel) -> tuple[Mount, ...]:
    """Files of this machine that a launch reads: its model, and the one that it drafts with."""
    drafting = candidate.misc.speculative_draft_model or ""
    named = [model.path, Path(drafting) if drafting.startswith("/") else None]
    return mounts_of(path for path in named if path is not None)
