"""Streams as real servers and gateways send them: true figures, or the server's own message."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quirky_streams import FAILURES, TPOT_S, TTFT_S, WELL_FORMED, Arrivals, N, arrivals, failing

from autotuner.measure.reply import Reply, parse_reply


def read(found: Arrivals) -> Reply | str:
    return parse_reply(0.0, [fragment for _, fragment in found], [at_s for at_s, _ in found])


@pytest.mark.parametrize("mode", WELL_FORMED)
def test_a_well_formed_stream_has_its_true_figures(mode: str) -> None:
    reply = read(arrivals(mode))
    assert isinstance(reply, Reply), reply
    assert reply.output_tokens == N
    assert reply.ttft_ms == pytest.approx(TTFT_S * 1000)
    assert reply.tpot_ms == pytest.approx(TPOT_S * 1000)
    assert len(reply.token_times_s) == N


@pytest.mark.parametrize("tokens", [0, 5])
@pytest.mark.parametrize("kind", FAILURES)
def test_a_failure_inside_a_stream_has_the_servers_message(kind: str, tokens: int) -> None:
    error = read(failing(kind, tokens))
    assert isinstance(error, str), f"taken for an answer of {error.output_tokens} tokens"
    message = FAILURES[kind][1]
    assert (message if tokens or kind != "cut_off" else "no tokens") in error


@given(st.sampled_from(WELL_FORMED), st.data())
def test_cuts_at_any_byte_change_no_count(mode: str, data: st.DataObject) -> None:
    body = b"".join(fragment for _, fragment in arrivals(mode))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=20)))
    fragments = [body[a:b] for a, b in itertools.pairwise([0, *cuts, len(body)])]
    reply = parse_reply(0.0, fragments, [float(n) for n in range(len(fragments))])
    assert isinstance(reply, Reply), reply
    assert (reply.output_tokens, len(reply.token_times_s)) == (N, N)


@given(st.sampled_from(list(FAILURES)), st.data())
def test_cuts_at_any_byte_hide_no_failure(kind: str, data: st.DataObject) -> None:
    body = b"".join(fragment for _, fragment in failing(kind))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=20)))
    fragments = [body[a:b] for a, b in itertools.pairwise([0, *cuts, len(body)])]
    error = parse_reply(0.0, fragments, [float(n) for n in range(len(fragments))])
    assert isinstance(error, str)
    assert FAILURES[kind][1] in error


@pytest.mark.parametrize(
    "event",
    [
        b"1",
        b"null",
        b"[]",
        b'{"choices": 3}',
        b'{"choices": [4]}',
        b'{"choices": [{"text": 5, "finish_reason": []}], "usage": 6}',
        b'{"usage": {"completion_tokens": "many", "prompt_tokens": -1}}',
        b'{"usage": {"completion_tokens": NaN}}',
        b"[" * 100_000,
    ],
)
def test_nonsense_is_reported_in_words(event: bytes) -> None:
    assert isinstance(parse_reply(0.0, [b"data: " + event + b"\n\n"], [1.0]), Reply | str)


def test_what_had_come_of_an_answer_that_was_left_on_purpose_counts() -> None:
    found = arrivals("plain")[:7]
    fragments, times_s = [fragment for _, fragment in found], [at_s for at_s, _ in found]
    reply = parse_reply(0.0, fragments, times_s, unfinished=True)
    assert isinstance(reply, Reply), reply
    assert reply.output_tokens == 7
    assert reply.tokens_between(0.0, TTFT_S + 3.5 * TPOT_S) == pytest.approx(4)


def test_counts_so_far_are_no_end_of_an_answer() -> None:
    assert isinstance(read(arrivals("usage_so_far")[:9]), str)
