"""Exported equals measured: every format says what the launch said, flag by flag."""

from __future__ import annotations

from typing import Any

import pytest
from candidates import MODELS, SETTINGS
from deployed import engine_of_spec, rendered
from hypothesis import given, settings
from hypothesis import strategies as st
from reading_back import READERS

from autotuner.config import BACKENDS
from autotuner.deploy import FORMATS
from autotuner.engines import ParsedCommand, parse_command

EXTRA = st.sampled_from(
    [
        (),
        ("--an-extra-flag", "7"),
        ("--one", "--two=a b", "--three", "x", "y"),
        ("--odd", """$(reboot) ${HOME} %h `id` "quoted" \\n 'single'; $x"""),
        ("--json", '{"a": {"b": "it\'s"}}', "--empty="),
        ("--dollars", "$$ a$$b $$(X) $é x$", "--signs", "# %% ; \x85 \u2028 \ufeff"),
    ]
)


def facts_of(command: ParsedCommand) -> tuple[Any, ...]:
    """All that a command says, without the order of its words."""
    return (
        command.engine,
        command.model,
        command.settings,
        # A file with flags as keys has no `--flag=value`, which means the same.
        sorted(part for word in command.extra for part in _parts(word)),
        command.env,
        command.revision,
        command.served_name,
    )


def _parts(word: str) -> list[str]:
    return word.split("=", 1) if word.startswith("--") else [word]


@pytest.mark.parametrize("engine", BACKENDS)
@settings(max_examples=10)
@given(SETTINGS, EXTRA, st.sampled_from(MODELS))
def test_every_format_says_what_the_launch_was_given(
    engine: str, chosen: dict[str, Any], extra: tuple[str, ...], name: str
) -> None:
    words = {"misc.extra_args": list(extra)} if extra else {}
    kept, spec = rendered(engine, chosen | words, name)
    deployed = engine_of_spec(spec, kept, gpus=max(spec.gpus, 1), image="registry/engine:1")
    measured = facts_of(parse_command(spec.command()))
    for form, read in READERS.items():
        exported = FORMATS[form]
        if exported.why_not(deployed) is None:
            for version in (None, *exported.versions(deployed)):
                text = read(deployed, exported.files(deployed, version))
                assert facts_of(parse_command(text, engine)) == measured, form


def test_every_format_but_those_of_other_tools_words_is_read_back() -> None:
    assert {*FORMATS} - {*READERS} == {"aiconfigurator"}
