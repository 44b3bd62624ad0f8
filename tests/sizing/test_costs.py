"""Costs of tokens: one bill, read three ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.sizing import TokenCosts, token_costs

TOKENS = st.floats(1, 1e6)


@given(st.floats(0.01, 1e3), st.floats(1e-3, 1e4), TOKENS, TOKENS)
def test_what_a_dollar_buys_adds_up(
    usd: float, requests_per_s: float, isl: float, osl: float
) -> None:
    found = TokenCosts.of_rate(usd, requests_per_s, isl, osl)
    values = found.to_json()
    assert all(value is not None and value > 0 for value in values.values())
    output, both = values["usd_per_million_tokens"], values["usd_per_million_total_tokens"]
    read = values["usd_per_million_input_tokens"]
    assert output and both and read
    assert 1 / both == pytest.approx(1 / output + 1 / read)
    assert output * requests_per_s * osl * 3600 / 1e6 == pytest.approx(usd)
    assert token_costs(output, isl, osl).to_json() == pytest.approx(values)


@pytest.mark.parametrize("found", [TokenCosts.of_rate(None, 1, 1, 1), token_costs(None, 1, 1)])
def test_without_a_price_there_is_no_cost(found: TokenCosts) -> None:
    assert set(found.to_json().values()) == {None}


def test_nothing_served_has_no_cost_and_no_output_has_no_other() -> None:
    assert TokenCosts.of_rate(1, 0, 10, 10) == TokenCosts()
    assert token_costs(2, 10, 0) == TokenCosts(2)
    assert token_costs(2, 0, 10) == TokenCosts(2)  # input that is not known is not taken for none
