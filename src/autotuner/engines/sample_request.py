"""A request that tries a served candidate: `curl` at the address that its command line binds to."""

from __future__ import annotations

import functools
import json
import re
import shlex

from autotuner.config import BACKENDS
from autotuner.engines.spec import HOST, PORT
from autotuner.engines.table import engine_table

NAME = "{name}"
_GROUPS = {re.escape(HOST): "(?P<host>.+)", re.escape(PORT): r"(?P<port>\d+)"}
_GROUPS |= {re.escape(NAME): "(?P<name>.+)"}
SENT_WHEN = "until the model is loaded, the engine answers 503 or refuses the connection"
"""To be known before the request is sent."""


@functools.lru_cache(maxsize=1024)
def sample_request(command: str, engine: str) -> str | None:
    """A chat completion as a line for a POSIX shell, to the engine that `command` starts.

    Host, port and served model are those of the command. None where it starts no such engine, or
    the engine has no chat endpoint.
    """
    if engine not in BACKENDS:
        return None
    table = engine_table(engine)
    found = _filled(table.argv, command)
    if table.file.chat_path is None or not {"host", "port", "name"} <= found.keys():
        return None
    body = {
        "model": found["name"],
        "messages": [{"role": "user", "content": "Say hello in one sentence."}],
        "max_tokens": 64,
    }
    url = f"http://{found['host']}:{found['port']}{table.file.chat_path}"
    payload = json.dumps(body, ensure_ascii=False)
    return shlex.join(["curl", url, "-H", "Content-Type: application/json", "-d", payload])


def _filled(template: tuple[str, ...], command: str) -> dict[str, str]:
    """Values of the placeholders of an engine's own words, which stand together in its command."""
    patterns = [re.compile(_pattern(word), re.DOTALL) for word in template]
    try:
        words = shlex.split(command, comments=True)
    except ValueError:  # a quotation without an end
        return {}
    for place in range(len(words) - len(patterns) + 1):
        matches = [
            pattern.fullmatch(word) for pattern, word in zip(patterns, words[place:], strict=False)
        ]
        if all(matches):
            return {
                key: text for match in matches if match for key, text in match.groupdict().items()
            }
    return {}


def _pattern(word: str) -> str:
    pattern = re.escape(word)
    for placeholder, group in _GROUPS.items():
        pattern = pattern.replace(placeholder, group)
    return pattern
