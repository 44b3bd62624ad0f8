"""Streams with the quirks of real servers, as (seconds, bytes) of what arrives when.

In every well-formed one the first of 16 tokens comes after 50 ms and each further one 10 ms later.
"""

from __future__ import annotations

import json
from typing import Any

N, TTFT_S, TPOT_S = 16, 0.05, 0.01
USAGE = {"prompt_tokens": 32, "completion_tokens": N, "total_tokens": 32 + N}
Arrivals = list[tuple[float, bytes]]

WELL_FORMED = (
    *("plain", "error_null", "error_empty", "error_without_words", "usage_null", "comments"),
    *("empty_first", "role_first", "no_choices_first", "finish_reason_empty", "finish_separate"),
    *("usage_so_far", "reasoning", "tool_call", "half_characters", "delayed_usage", "no_usage"),
    *("usage_twice", "no_done", "done_without_space", "only_done", "crlf", "cr", "data_lines"),
    *("last_without_text", "byte_order_mark", "unterminated", "extra_fields"),
)


def _choice(**fields: Any) -> dict[str, Any]:
    return {"index": 0, "text": "", "finish_reason": None, "logprobs": None} | fields


def _document(*choices: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"id": "c", "object": "text_completion", "model": "m", "choices": choices} | fields


def _token(mode: str, place: int) -> dict[str, Any]:
    last = place == N - 1
    reason = "length" if last and mode not in ("finish_separate", "only_done") else None
    if mode == "finish_reason_empty":
        return _document(_choice(text=" a", finish_reason=reason or ""))
    if mode == "usage_so_far":
        usage = {"prompt_tokens": 32, "completion_tokens": place + 1}
        return _document(_choice(text=" a", finish_reason=reason), usage=usage)
    if mode == "reasoning":
        opener = {"role": "assistant", "content": None, "reasoning_content": "a"}
        delta = opener if place < 12 else {"content": "a"}
        return _document({"index": 0, "delta": delta, "finish_reason": reason})
    if mode == "tool_call":
        call = {"index": 0, "function": {"arguments": "a"}}
        return _document({"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": reason})
    if mode == "role_first":
        return _document({"index": 0, "delta": {"content": "a"}, "finish_reason": reason})
    if mode == "half_characters":
        return _document(_choice(text="" if place % 3 else "é", finish_reason=reason))
    if mode == "last_without_text":
        return _document(_choice(text="" if last else " a", finish_reason=reason))
    extra: dict[str, dict[str, Any]] = {
        "error_null": {"error": None},
        "error_empty": {"error": ""},
        "error_without_words": {"error": {"code": 0, "message": None}},
        "usage_null": {"usage": None},
        "extra_fields": {"message": "of the day", "detail": "none"},
    }
    return _document(_choice(text=" a", finish_reason=reason), **extra.get(mode, {}))


def arrivals(mode: str) -> Arrivals:
    """What arrives in that mode."""
    end = {"crlf": b"\r\n", "cr": b"\r"}.get(mode, b"\n")
    found: Arrivals = []

    def send(at_s: float, document: dict[str, Any]) -> None:
        lines = [json.dumps(document).encode()]
        if mode == "data_lines":
            lines = json.dumps(document, indent=1).encode().split(b"\n")
        found.append((at_s, b"".join(b"data: " + line + end for line in lines) + end))

    openers = {
        "comments": b": ping\n\nretry: 10\nid: 4\n\n",
        "byte_order_mark": b"\xef\xbb\xbf",
    }
    if mode in openers:
        found.append((0.0, openers[mode]))
    if mode == "empty_first":
        send(0.0, _document(_choice()))
    if mode == "role_first":
        opener = {"role": "assistant", "content": ""}
        send(0.0, _document({"index": 0, "delta": opener, "finish_reason": None}))
    if mode == "no_choices_first":
        send(0.0, _document(prompt_filter_results=[]))
    at_s = TTFT_S
    for place in range(N):
        at_s = TTFT_S + place * TPOT_S
        send(at_s, _token(mode, place))
    if mode == "finish_separate":
        at_s += 0.2
        send(at_s, _document(_choice(finish_reason="length")))
    if mode == "delayed_usage":
        at_s += 0.2
    if mode not in ("no_usage", "usage_so_far", "only_done", "unterminated"):
        send(at_s, _document(usage=USAGE))
    if mode == "usage_twice":
        details = {"completion_tokens_details": {"reasoning_tokens": 4}}
        send(at_s, _document(usage=USAGE | details))
    if mode == "unterminated":
        found[-1] = (found[-1][0], found[-1][1].rstrip(b"\n"))
    elif mode != "no_done":
        done = b"data:[DONE]" if mode == "done_without_space" else b"data: [DONE]"
        found.append((at_s, done + end + end))
    return found


FAILURES: dict[str, tuple[bytes, str]] = {
    # What comes after five tokens, and the server's own message in it.
    "openai_object": (
        b'data: {"error":{"message":"CUDA out of memory","type":"server_error","code":500}}\n\n',
        "CUDA out of memory",
    ),
    "followed_by_done": (
        b'data: {"error": {"object": "error", "message": "The model is not multimodal.", '
        b'"type": "BadRequestError", "param": null, "code": 400}}\n\ndata: [DONE]\n\n',
        "The model is not multimodal.",
    ),
    "error_event_bare_object": (
        b'event: error\ndata: {"message":"backend overloaded","code":503}\n\n',
        "backend overloaded",
    ),
    "error_event_after_its_data": (b"data: no slot left\nevent: error\n\n", "no slot left"),
    "error_event_nested": (
        b'event: error\ndata: {"type":"error","error":{"details":null,"message":"Overloaded"}}\n\n',
        "Overloaded",
    ),
    "error_line_json": (
        b'error: {"code":500,"message":"context shift failed","type":"server_error"}\n\n',
        "context shift failed",
    ),
    "error_line_text": (b"error: decode failed\n\n", "decode failed"),
    "bare_error_object": (
        b'data: {"object":"error","message":"prompt too long","type":"BadRequestError"}\n\n',
        "prompt too long",
    ),
    "error_text_only": (
        b'data: {"error":"Request failed during generation","error_type":"generation"}\n\n',
        "Request failed during generation",
    ),
    "fastapi_detail": (b'data: {"detail":"engine is dead"}\n\n', "engine is dead"),
    "fastapi_detail_list": (
        b'data: {"detail":[{"loc":["body","prompt"],"msg":"field required"}]}\n\n',
        "field required",
    ),
    "providers_words_in_metadata": (
        b'data: {"error":{"code":502,"message":"Provider returned error",'
        b'"metadata":{"raw":"upstream queue full"}},'
        b'"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}\n\n',
        "upstream queue full",
    ),
    "error_in_choice": (
        b'data: {"choices":[{"index":0,"text":"","finish_reason":"error",'
        b'"error":{"code":500,"message":"worker lost"}}]}\n\n',
        "worker lost",
    ),
    "aborted": (
        b'data: {"choices":[{"index":0,"text":"","finish_reason":"abort"}]}\n\ndata: [DONE]\n\n',
        "abort",
    ),
    "aborted_with_words": (
        b'data: {"choices":[{"index":0,"text":"","finish_reason":'
        b'{"type":"abort","message":"KV cache is full"}}]}\n\ndata: [DONE]\n\n',
        "KV cache is full",
    ),
    "plain_text_data": (b"data: Internal Server Error\n\n", "Internal Server Error"),
    "json_text_data": (b'data: "shutting down"\n\n', "shutting down"),
    "bare_json_line": (b'{"error":{"message":"no healthy upstream"}}\n', "no healthy upstream"),
    "proxy_text": (
        b"upstream connect error or disconnect/reset before headers",
        "upstream connect",
    ),
    "proxy_page": (
        b"<html><head><title>502</title></head><body><h1>502 Bad Gateway</h1></body></html>\n",
        "502 Bad Gateway",
    ),
    "cut_off": (b"", "after 5 events"),
}


def failing(kind: str, tokens: int = 5) -> Arrivals:
    """A stream that fails after that many tokens."""
    sent = arrivals("plain")[:tokens]
    return [*sent, (TTFT_S + tokens * TPOT_S, FAILURES[kind][0])]
