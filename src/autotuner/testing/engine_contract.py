"""Contract of engines' tables and their rendering, as tests to inherit from."""

from __future__ import annotations

import re
import shlex
import typing
from abc import ABC, abstractmethod
from typing import Any, Literal

import pytest

from autotuner.catalog import ResolvedModel
from autotuner.config import GROUPS, Candidate
from autotuner.engines import (
    DEFAULT_HOST,
    HOST,
    MODEL,
    PORT,
    Engine,
    EngineTable,
    FailureKind,
    FlagRow,
    Installation,
    LaunchSpec,
)
from autotuner.errors import EngineError

FIELDS = tuple(
    f"{group}.{field}" for group, model in GROUPS.items() for field in model.model_fields
)
_SAMPLES: dict[Any, tuple[Any, ...]] = {int: (3,), float: (0.75,), bool: (True, False), str: ("x",)}


def samples(path: str) -> tuple[Any, ...]:
    """Values that the field accepts: every word of a closed list, else one or two of its type."""
    group, _, field = path.partition(".")
    annotation = GROUPS[group].model_fields[field].annotation
    if path == "misc.extra_args":
        return (("--an-extra-flag", "7"),)
    return _values_of(annotation)


def _values_of(annotation: Any) -> tuple[Any, ...]:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return arguments
    if annotation in _SAMPLES:
        return _SAMPLES[annotation]
    if hasattr(annotation, "__value__"):
        return _values_of(annotation.__value__)
    if hasattr(annotation, "__metadata__"):
        return _values_of(arguments[0])
    return tuple(value for part in arguments for value in _values_of(part))


def _rows(table: EngineTable) -> list[FlagRow]:
    return [row for rows in table.rows.values() for row in rows]


def _typed(value: Any) -> Any:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


class EngineContract(ABC):
    """Inherit from it, name the subclass `Test…`, and supply the engine."""

    @abstractmethod
    def engine(self) -> Engine:
        """The engine under test."""

    @abstractmethod
    def model(self) -> ResolvedModel:
        """A model; its file need not be there."""

    @abstractmethod
    def installation(self) -> Installation:
        """An installation; nothing of it is started."""

    @property
    def table(self) -> EngineTable:
        """The engine's table."""
        return self.engine().table

    def render(self, **settings: Any) -> LaunchSpec:
        """The command line of `settings`, `group__field` to value."""
        by_path = {name.replace("__", "."): value for name, value in settings.items()}
        candidate = Candidate.from_settings(by_path)
        return self.engine().render(candidate, self.model(), self.installation())

    def test_the_table_says_every_field_once(self) -> None:
        table = self.table
        placed = [*table.rows, *table.described, *table.inexpressible]
        assert sorted(placed) == sorted(FIELDS)

    def test_the_table_is_the_engines_own(self) -> None:
        table = self.table
        assert table.name == self.engine().name
        assert table.health_path.startswith("/")
        assert table.api_path.startswith("/")
        assert set(table.defaults) <= set(table.rows)
        assert {path for row in _rows(table) for path in row.reads} <= set(FIELDS)

    def test_rendering_is_deterministic_and_binds_to_what_the_launcher_says(self) -> None:
        spec = self.render(scheduling__max_running_requests=3)
        assert spec == self.render(scheduling__max_running_requests=3)
        for placeholder in (HOST, PORT):
            assert sum(word.count(placeholder) for word in spec.argv) == 1
        assert {"8123", DEFAULT_HOST} <= set(spec.argv_for(8123))
        assert {"8123", "0.0.0.0"} <= set(spec.argv_for(8123, host="0.0.0.0"))  # noqa: S104
        assert tuple(shlex.split(spec.command(8123))) == (
            *(f"{name}={value}" for name, value in spec.env),
            *spec.argv_for(8123),
        )

    def test_the_spec_names_the_program_the_model_and_the_endpoints(self) -> None:
        spec, table = self.render(), self.table
        command = self.installation().command
        given = tuple(self.model().location if word == MODEL else word for word in command)
        assert spec.argv[: len(command)] == given
        assert (spec.engine, spec.model_name) == (self.engine().name, self.model().name)
        assert (spec.health_path, spec.api_path) == (table.health_path, table.api_path)
        assert spec.failure_patterns == table.failures
        assert spec.image == table.file.image
        assert any(self.model().location in word for word in spec.argv)

    def test_caches_are_variables_beside_those_of_the_command(self) -> None:
        spec, file = self.render(), self.table.file
        assert dict(spec.caches) == file.caches
        assert spec.compiling == file.compiling
        assert all(re.fullmatch(r"[A-Z][A-Z0-9_]*", name) for name in file.caches)
        assert not set(file.caches) & {row.variable for row in _rows(self.table)}
        command = spec.command()
        assert not any(name in command for name in file.caches)
        assert not any(re.search(pattern, command, re.IGNORECASE) for pattern in spec.compiling)

    def test_the_spec_names_what_a_container_has_to_be_given_to_read(self) -> None:
        path = self.model().path
        mounted = [mount.source for mount in self.render().mounts]
        assert mounted == ([] if path is None else [str(path.absolute())])

    @pytest.mark.parametrize("path", FIELDS)
    def test_each_value_is_rendered_or_refused_by_the_name_of_its_field(self, path: str) -> None:
        assert samples(path), f"no sample value for {path}"
        plain = self.render().argv
        for value in samples(path):
            try:
                spec = self.render(**{path.replace(".", "__"): value})
            except EngineError as error:
                assert path in str(error)
                assert str(value) in str(error)
                continue
            assert sum(word.count(PORT) for word in spec.argv) == 1
            if path in self.table.described:
                assert spec.argv == plain, "a field that only describes changed the command"

    def test_a_value_that_has_no_flag_is_refused_and_a_neutral_one_changes_nothing(self) -> None:
        plain = self.render().argv
        for path, row in self.table.inexpressible.items():
            assert row.reason, path
            for value in samples(path):
                settings = {path.replace(".", "__"): value}
                if any(value == neutral for neutral in row.neutral):
                    assert self.render(**settings).argv == plain
                else:
                    with pytest.raises(EngineError, match=re.escape(path)):
                        self.render(**settings)

    def test_what_a_flag_says_differs_with_the_value(self) -> None:
        version, facts = self.installation().version, self.model().facts
        for path in self.table.rows:
            row = self.table.row(path, version, facts)
            if row is None or row.how == "implied" or row.own or row.one_or:
                continue
            known = row.known
            rendered = {
                value: self.render(**{path.replace(".", "__"): _typed(value)})
                for value in (known or ((2.0,) if row.whole else samples(path)))
            }
            distinct_specs = {(spec.argv, spec.env, spec.files) for spec in rendered.values()}
            distinct = {str(word) for word in known.values()} if known else rendered
            assert len(distinct_specs) == len(distinct), path

    def test_extra_arguments_come_last_and_unchanged(self) -> None:
        assert self.render(misc__extra_args=("--an-extra-flag", "7")).argv[-2:] == (
            "--an-extra-flag",
            "7",
        )

    def test_flags_of_the_tuner_are_refused_among_the_extra_arguments(self) -> None:
        assert self.table.reserved
        for flag in self.table.reserved:
            for words in ((flag, "1"), (f"{flag}=1",), ("--other", "1", flag, "2")):
                with pytest.raises(EngineError, match=r"misc\.extra_args") as caught:
                    self.render(misc__extra_args=words)
                assert flag in str(caught.value)

    def test_no_flag_is_both_the_tables_and_the_tuners(self) -> None:
        assert not {flag for row in _rows(self.table) for flag in row.flags} & self.table.reserved

    def test_failure_patterns_compile_and_cover_the_usual_failures(self) -> None:
        for row in self.table.failures:
            assert re.compile(row.pattern, re.IGNORECASE).search("serving, all is well") is None
            assert row.explanation
        kinds = {row.kind for row in self.table.failures}
        usual = {FailureKind.OUT_OF_MEMORY, FailureKind.UNKNOWN_FLAG, FailureKind.MODEL_LOAD}
        assert usual | {FailureKind.PORT_TAKEN} <= kinds
