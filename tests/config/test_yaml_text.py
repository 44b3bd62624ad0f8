"""Texts stay texts for readers of YAML 1.1 and 1.2."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from autotuner.config.yaml_text import yaml_text


def is_number(text: str) -> bool:
    """Whether a reader of some version takes it for one."""
    for base in (None, 0):
        try:
            float(text) if base is None else int(text, base)
        except ValueError:
            continue
        return True
    return False


@given(st.text("0123456789eE+-.oxb_yYnN:", min_size=1))
@example("1e6")
@example("1e-5")
@example("12e03")
@example("08")
@example("0o7")
@example("y")
@example("N")
def test_a_text_that_looks_like_a_number_or_a_boolean_is_quoted(text: str) -> None:
    written = yaml_text([text, {text: 1}])
    assert yaml.safe_load(written) == [text, {text: 1}]
    if is_number(text) or text in set("yYnN"):
        assert f"- {text}\n" not in written
        assert f"- {text}: 1" not in written


@given(st.text("a \n\r\t\x85\u2028\u2029\ufeff#:'\"", min_size=1))
def test_a_text_comes_back_with_its_breaks(text: str) -> None:
    assert yaml.safe_load(yaml_text([text])) == [text]


@pytest.mark.parametrize("text", ["+_1", "-_0x1f", "1_", "-1_000"])
def test_a_number_for_readers_that_skip_every_underscore_is_quoted(text: str) -> None:
    assert yaml_text([text]).strip() == f"- '{text}'"


def test_words_stay_plain() -> None:
    for text in ("10s", "1.2.3", "Qwen/Qwen3-8B", "4Gi", "yes-men", "e5", "v1", "127.0.0.1:80:80"):
        assert yaml.dump([text]) == yaml_text([text]).replace("  - ", "- ")
