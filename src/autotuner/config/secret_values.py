"""Secrets in what users write: found by the name of their key, or by their own shape."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from autotuner.config.groups import flag_of
from autotuner.errors import Problem

_NAME = re.compile(
    r"(^|[^a-z])(token|password|passwd|passphrase|secret|credential|api[_-]?key|access[_-]?key"
    r"|private[_-]?key|authorization)s?$",
    re.IGNORECASE,
)
_SHAPES = (
    re.compile(r"\bhf_[A-Za-z0-9]{20,}"),
    re.compile(r"\bat_[\w-]{40,}"),
    re.compile(r"\bgh[pousr]_[A-Za-z0-9]{30,}"),
    re.compile(r"\bsk-[\w-]{20,}"),
    re.compile(r"\bnvapi-[\w-]{20,}"),
    re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    re.compile(r"\bBearer\s+[\w.~+/=-]{16,}", re.IGNORECASE),
    re.compile(r"\w+://[^\s/:@]*:[^\s/@]+@"),
)
"""Of hubs and clouds, of this service's own tokens, of keys, and of an address with a password."""
_HIDDEN = "***"
_NUMBER = re.compile(r"-?[\d.]+")
_REMEDY = (
    "is a secret, and tasks are kept and shown as they are; leave it out, set it as an environment "
    "variable of the worker and let the operator list its name in policy.environment"
)


def looks_secret(name: str) -> bool:
    """Whether a key or a variable is named like a secret: `hub_token`, `API-KEY`."""
    return _NAME.search(_in_words(name)) is not None


def holds_secret(text: str) -> bool:
    """Whether a text has a secret's shape in it."""
    return any(shape.search(text) for shape in _SHAPES)


def shown_words(words: Iterable[str]) -> Iterator[str]:
    """Words of a command line as people may see them: `***` stands for each secret among them."""
    name = ""
    for word in words:
        flag = flag_of(word)
        if flag is None:
            yield _HIDDEN if _is_secret(name, word) else word
            continue
        name, sign, value = word.partition("=")
        yield f"{name}={_HIDDEN}" if sign and _is_secret(name, value) else word


def _is_secret(flag: str, value: str) -> bool:
    """Whether the value of a flag is a secret, by either's form; `--max-tokens 8` counts."""
    counts = flag.endswith("tokens") and _NUMBER.fullmatch(value)
    return bool(value and looks_secret(flag) and not counts) or bool(secrets_in(_read(value)))


def _read(text: str) -> Any:
    """The JSON document that a text is; the text where it is none."""
    try:
        return json.loads(text) if text[:1] in ("{", "[") else text
    except (ValueError, RecursionError):
        return text


def secrets_in(document: Any) -> tuple[Problem, ...]:
    """Every secret in a JSON document, with its path; the value is never repeated.

    Under a secret's name only texts count: `{env: HF_TOKEN}` names one, and does not hold it.
    """
    return tuple(Problem(path, _REMEDY) for path in _places(document, ""))


def _places(part: Any, path: str) -> Iterator[str]:
    if isinstance(part, Mapping):
        for key, value in part.items():
            inside = f"{path}.{key}" if path else str(key)
            if isinstance(value, str) and value and looks_secret(str(key)):
                yield inside
            else:
                yield from _places(value, inside)
    elif isinstance(part, list | tuple):
        for index, value in enumerate(part):
            yield from _places(value, f"{path}.{index}")
    elif isinstance(part, str) and holds_secret(part):
        yield path


def _in_words(name: str) -> str:
    """`hubToken` -> `hub_Token`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
