"""The words in which servers and gateways say that a request failed.

Shapes seen: OpenAI's `{"error": {"message": …}}` (vLLM, SGLang, TensorRT-LLM, llama.cpp, LiteLLM,
OpenRouter with the provider's own words in `metadata.raw`), a bare `{"object": "error", …}` (vLLM
and SGLang of 2023-2025), `{"error": "…"}` (text-generation-inference, Triton), FastAPI's
`{"detail": …}`, RFC 9457's `title` and `detail`, and text or a page of a proxy (nginx, Envoy).
"""

from __future__ import annotations

import json
import re
from typing import Any

_LONGEST = 200
_WORDS = ("message", "msg", "detail", "error", "errors", "error_message", "reason", "title")
_FAILED_REASONS = ("error", "abort")
_TAGS = re.compile(r"<(?:style|script|head).*?</(?:style|script|head)>|<[^>]*>", re.DOTALL | re.I)


def error_text(document: Any) -> str:
    """The message of an error, whatever shape the server gave it; at most 200 characters."""
    error = document.get("error") if isinstance(document, dict) else None
    return " ".join((_message(document) or str(error or document)).split())[:_LONGEST]


def body_text(body: bytes) -> str:
    """The message in the body of a failed request: JSON, plain text or a page; "" if empty."""
    text = body.decode("utf-8", errors="replace").strip()
    try:
        return error_text(json.loads(text))
    except (ValueError, RecursionError):
        shown = _TAGS.sub(" ", text) if text.startswith("<") else text
        return " ".join((shown.strip() or text).split())[:_LONGEST]


def reported_error(event: dict[str, Any]) -> str | None:
    """What an event of a stream says went wrong; None where it says nothing of the kind.

    `"error": null`, and an error in which every field is empty, are none: some servers send the
    key with every event.
    """
    if _filled(event.get("error")):
        return error_text(event)
    for choice in listed(event.get("choices")):
        if _filled(choice.get("error")):
            return error_text(choice)
        reason = choice.get("finish_reason")
        said = reason.get("type") if isinstance(reason, dict) else reason
        if isinstance(said, str) and said.lower() in _FAILED_REASONS:
            return error_text(reason) if isinstance(reason, dict) else f"finish_reason {said!r}"
    if event.get("object") == "error" or event.get("type") == "error":
        return error_text(event)
    if (
        "choices" not in event
        and "usage" not in event
        and any(_filled(event.get(w)) for w in _WORDS)
    ):
        return error_text(event)
    return None


def listed(value: Any) -> list[dict[str, Any]]:
    """The objects of a list in a document that may hold anything."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _message(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return "; ".join(filter(None, map(_message, value)))
    if not isinstance(value, dict):
        return ""
    inner = value.get("error")
    if isinstance(inner, dict | list) and (found := _message(inner)):
        return found
    words = next((found for name in _WORDS if (found := _message(value.get(name)))), "")
    metadata = value.get("metadata")
    raw = _message(metadata.get("raw")) if isinstance(metadata, dict) else ""
    return f"{words}: {raw}" if words and raw and raw not in words else words or raw


def _filled(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_filled, value.values()))
    if isinstance(value, list):
        return any(map(_filled, value))
    return bool(value)
