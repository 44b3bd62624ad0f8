"""Streamed answers: however the bytes are cut, the same tokens; each at its time."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.measure.reply import Reply, error_text, parse_reply

Event = dict[str, Any]


def token(text: str, finish: str | None = None) -> Event:
    return {"choices": [{"index": 0, "text": text, "finish_reason": finish}]}


def usage(prompt: int, completion: int) -> Event:
    return {"choices": [], "usage": {"prompt_tokens": prompt, "completion_tokens": completion}}


def stream(events: list[Event], *, end: bytes = b"\n\n") -> bytes:
    lines = [b"data: " + json.dumps(event, ensure_ascii=False).encode() for event in events]
    return b"".join(line + end for line in [*lines, b"data: [DONE]"])


def answered(body: bytes) -> Reply:
    reply = parse_reply(0.0, [body], [1.0])
    assert isinstance(reply, Reply), reply
    return reply


@st.composite
def cut_streams(draw: st.DrawFn) -> tuple[int, bytes, list[int]]:
    """The number of tokens, the bytes of the stream, and where they are cut."""
    texts = draw(st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=12))
    events = [*map(token, texts), token("", "length"), usage(9, len(texts))]
    body = stream(events, end=draw(st.sampled_from([b"\n\n", b"\r\n\r\n"])))
    cuts = draw(st.lists(st.integers(0, len(body)), max_size=30))
    return len(texts), body, sorted(cuts)


@given(cut_streams())
def test_the_cuts_of_a_stream_change_nothing_but_times(case: tuple[int, bytes, list[int]]) -> None:
    tokens, body, cuts = case
    edges = [0, *cuts, len(body)]
    fragments = [body[a:b] for a, b in itertools.pairwise(edges)]
    times = [float(number) for number in range(1, len(fragments) + 1)]
    reply = parse_reply(0.5, fragments, times)
    assert isinstance(reply, Reply), reply
    assert (reply.output_tokens, reply.input_tokens) == (tokens, 9)
    assert len(reply.token_times_s) == tokens
    # An event has come when the end of its line has, or the CR of it.
    ends = b"\r" if b"\r" in body else b"\n"
    line_ends = [place for place, byte in enumerate(body) if byte == ends[0]][::2]
    came = [sum(edge <= place for edge in edges[1:]) + 1.0 for place in line_ends]
    assert list(reply.token_times_s) == came[:tokens]
    assert reply.ended_s == came[tokens - 1]


def test_the_figures_of_an_answer_by_hand() -> None:
    fragments = [stream([event])[: -len(b"data: [DONE]\n\n")] for event in map(token, "abc")]
    reply = parse_reply(10.0, [*fragments, stream([token("", "stop")])], [10.5, 10.75, 11.25, 11.5])
    assert isinstance(reply, Reply)
    assert (reply.ttft_ms, reply.e2e_ms) == (500.0, 1250.0)
    assert reply.tpot_ms == 375.0
    assert reply.itl_ms() == [250.0, 500.0]


def test_usage_counts_the_tokens_where_events_carry_several() -> None:
    reply = answered(stream([token("two words"), token("", "length"), usage(4, 2)]))
    assert (reply.output_tokens, reply.input_tokens, len(reply.token_times_s)) == (2, 4, 1)


def test_without_usage_the_events_are_counted() -> None:
    reply = answered(stream([token("a"), token("b"), token("", "length")]))
    assert (reply.output_tokens, reply.input_tokens) == (2, None)


def test_a_token_that_is_no_text_yet_counts() -> None:
    # Half of a character is an event with an empty text; before the first text it is an opener.
    events = [token(""), token("a"), token(""), token("é"), token("", "stop")]
    assert len(answered(stream(events)).token_times_s) == 3


def test_a_last_event_with_text_is_a_token_too() -> None:
    reply = answered(stream([token("a"), token("b", "length")]))
    assert reply.output_tokens == 2


def test_a_single_token_has_no_time_per_further_token() -> None:
    reply = answered(stream([token("a"), token("", "length"), usage(1, 1)]))
    assert reply.tpot_ms is None
    assert reply.itl_ms() == []


def test_comments_and_other_fields_of_the_stream_are_passed_over() -> None:
    reply = answered(b": ping\n\nevent: message\nid: 3\n" + stream([token("a", "stop")]))
    assert reply.output_tokens == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "no tokens"),
        (b"data: [DONE]\n\n", "no tokens"),
        (b"<html>busy</html>\n", "busy"),
        (b"data: {oops\n\n", "no JSON"),
        (b'data: {"error": {"message": "slot unavailable"}}\n\n', "slot unavailable"),
        (b'data: {"error": "context too long"}\n\n', "context too long"),
    ],
)
def test_what_is_no_answer_has_a_message(body: bytes, message: str) -> None:
    error = parse_reply(0.0, [body], [1.0])
    assert isinstance(error, str)
    assert message in error


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_bytes_that_are_no_stream_are_reported_in_words(fragments: list[bytes]) -> None:
    assert isinstance(parse_reply(0.0, fragments, [1.0] * len(fragments)), str)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"error": {"message": "no", "code": 400}}, "no"),
        ({"error": "no"}, "no"),
        ({"message": "no"}, "no"),
        ("no", "no"),
        ({"error": {"code": 400}}, "{'code': 400}"),
    ],
)
def test_the_words_of_an_error_whatever_its_shape(document: Any, text: str) -> None:
    assert error_text(document) == text


def test_the_words_of_an_error_are_cut() -> None:
    assert len(error_text({"error": {"message": "x" * 5000}})) == 200
