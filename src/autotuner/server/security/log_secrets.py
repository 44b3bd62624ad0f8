"""Keeps secrets out of the service's logs: tokens, passwords in addresses, and every query."""

from __future__ import annotations

import logging
import re

from autotuner.store.tokens import PREFIX

_HIDDEN = "***"
_PATH_ARGUMENTS = {"uvicorn.access": 2, "uvicorn.error": 1}
"""uvicorn's loggers -> the place of the path among the arguments of a line on a request."""
_READS_ARGUMENTS = ("uvicorn.access",)
"""Loggers whose formatter reads the arguments one by one: they have to stay."""
_SECRETS = (
    (re.compile(rf"{PREFIX}[\w-]{{8,}}"), _HIDDEN),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{12,}", re.IGNORECASE), rf"\1 {_HIDDEN}"),
    (re.compile(r"(\w+://[^\s/:@]+):\S+@"), rf"\1:{_HIDDEN}@"),
)


class NoSecrets(logging.Filter):
    """Takes secrets out of a line before any handler formats it; lets every line pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        place = _PATH_ARGUMENTS.get(record.name)
        if place is not None and isinstance(record.args, tuple):
            record.args = tuple(
                without_secrets(value.partition("?")[0])
                if index == place and isinstance(value, str)
                else value
                for index, value in enumerate(record.args)
            )
        if record.name not in _READS_ARGUMENTS:
            record.msg, record.args = without_secrets(record.getMessage()), ()
        return True


def without_secrets(text: str) -> str:
    """The text with tokens, credentials and passwords of addresses replaced."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def keep_secrets_out(*loggers: str) -> None:
    """Cleans what the named loggers and their handlers write; those of uvicorn where none is named.

    A logger's filters see its own lines only, a handler's also those of the loggers below it.
    """
    for name in loggers or ("uvicorn", *_PATH_ARGUMENTS, "autotuner", ""):
        logger = logging.getLogger(name)
        for place in (logger, *logger.handlers):
            if not any(isinstance(each, NoSecrets) for each in place.filters):
                place.addFilter(NoSecrets())
