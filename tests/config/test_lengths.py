"""Request lengths: written so that they can be read again."""

from __future__ import annotations

import random
import re
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from autotuner.config import LengthDistribution, TaskConfig

TOKENS = st.floats(min_value=1, max_value=2**31 - 1, allow_nan=False)
SPREAD = st.floats(min_value=0, max_value=1e6, allow_nan=False)


@given(first=TOKENS, second=TOKENS, spread=SPREAD)
def test_what_is_written_is_read_again(first: float, second: float, spread: float) -> None:
    normal = LengthDistribution(kind="N", input=(first, spread), output=(second, spread))
    again = LengthDistribution.parse(str(normal))
    assert str(again) == str(normal)
    assert again.input == pytest.approx(normal.input, abs=1e-6)


@pytest.mark.parametrize("pair", [(5, -3), (2**31, 0), (0.5, 0)])
def test_lengths_that_no_request_has_are_refused(pair: tuple[float, float]) -> None:
    with pytest.raises(ValidationError):
        LengthDistribution(kind="N", input=pair, output=(8, 0))


@pytest.mark.parametrize("text", ["D(128,32)", "N(480,240)/(300,150)", "U(50, 100)/(200,250)"])
def test_the_schema_takes_the_notation(text: str) -> None:
    schema = TaskConfig.model_json_schema()["$defs"]["LengthDistribution"]
    written = next(way for way in schema["anyOf"] if way.get("type") == "string")
    assert re.search(written["pattern"], text)
    assert not re.search(written["pattern"], "about 100")


@pytest.mark.parametrize("text", ["D(128,32)", "N(480,240)/(300,30)", "U(50,100)/(100,300)"])
def test_the_spread_of_answers_is_that_of_draws(text: str) -> None:
    lengths, rng = LengthDistribution.parse(text), random.Random(7)
    drawn = [lengths.draw(rng)[1] for _ in range(4000)]
    spread = statistics.pstdev(drawn) / statistics.fmean(drawn)
    assert lengths.output_spread() == pytest.approx(spread, rel=0.05)
