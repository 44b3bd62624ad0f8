"""Requests: exact lengths, prompts that differ from the start, the same ones for the same seed."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from autotuner.config import LengthDistribution
from autotuner.measure.prompts import FIRST_PLAIN_TOKEN, SAFE_VOCABULARY, PromptSource, Request

FIXED = LengthDistribution.parse("D(12,5)")
LENGTHS = st.sampled_from(["D(12,5)", "N(40,10)/(20,5)", "U(3,30)/(1,9)"]).map(
    LengthDistribution.parse
)
SEEDS = st.integers(0, 2**32)


def drawn(source: PromptSource, count: int = 30) -> list[Request]:
    return [source.draw() for _ in range(count)]


@given(LENGTHS, SEEDS)
def test_the_seed_decides_every_request(lengths: LengthDistribution, seed: int) -> None:
    first = drawn(PromptSource(lengths, seed=seed))
    assert drawn(PromptSource(lengths, seed=seed)) == first
    assert drawn(PromptSource(lengths, seed=seed + 1)) != first


@given(SEEDS)
def test_fixed_lengths_are_exact(seed: int) -> None:
    for request in drawn(PromptSource(FIXED, seed=seed)):
        assert (len(request.prompt), request.output_tokens) == (12, 5)


@given(SEEDS)
def test_uniform_lengths_lie_between_their_ends(seed: int) -> None:
    lengths = LengthDistribution.parse("U(3,30)/(1,9)")
    for request in drawn(PromptSource(lengths, seed=seed)):
        assert 3 <= len(request.prompt) <= 30
        assert 1 <= request.output_tokens <= 9


@given(LENGTHS, SEEDS)
def test_no_two_prompts_begin_alike(lengths: LengthDistribution, seed: int) -> None:
    beginnings = [request.prompt[:3] for request in drawn(PromptSource(lengths, seed=seed), 100)]
    assert len(set(beginnings)) == 100


@settings(max_examples=20)
@given(SEEDS)
def test_beginnings_stay_apart_until_a_tiny_vocabulary_is_used_up(seed: int) -> None:
    requests = drawn(PromptSource(FIXED, seed=seed, vocabulary=4), 4**3)
    found = {request.prompt[:3] for request in requests}
    assert found == set(itertools.product(range(4), repeat=3))


def test_very_short_prompts_may_repeat_and_never_block() -> None:
    source = PromptSource(LengthDistribution.parse("D(1,1)"), seed=0, vocabulary=5)
    assert {request.prompt for request in drawn(source, 200)} == {(t,) for t in range(5)}


@given(LENGTHS, SEEDS, st.integers(2 * FIRST_PLAIN_TOKEN + 1, 200_000))
def test_tokens_are_plain_ones_of_the_vocabulary(
    lengths: LengthDistribution, seed: int, vocabulary: int
) -> None:
    for request in drawn(PromptSource(lengths, seed=seed, vocabulary=vocabulary)):
        assert all(FIRST_PLAIN_TOKEN <= token < vocabulary for token in request.prompt)


def test_an_unknown_vocabulary_is_taken_to_be_small() -> None:
    tokens = {t for request in drawn(PromptSource(FIXED, seed=1), 500) for t in request.prompt}
    assert min(tokens) >= FIRST_PLAIN_TOKEN
    assert max(tokens) < SAFE_VOCABULARY
