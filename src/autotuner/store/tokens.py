"""API tokens: what a bearer may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PREFIX = "at_"
"""What every token begins with, so that one that leaks is recognised."""


class TokenScope(StrEnum):
    """What a token allows; each includes those before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    def covers(self, needed: TokenScope) -> bool:
        """Whether a token of this scope may do what needs `needed`."""
        order = list(TokenScope)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True)
class Token:
    """A token that is valid; the clear text is nowhere kept."""

    name: str
    scope: TokenScope
