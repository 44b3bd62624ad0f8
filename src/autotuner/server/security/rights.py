"""Which scope a request needs: a table of methods and paths."""

from __future__ import annotations

import re

from autotuner.server.security.guard import SAFE_METHODS
from autotuner.store.tokens import TokenScope

OPEN_PATHS = frozenset({"/healthz", "/readyz"})
"""What needs no token anywhere and counts for no limit: a load balancer asks for it."""

_ANY = re.compile(r".*", re.DOTALL)
_TOKENS = re.compile(r"/api/v2/tokens(/.*)?", re.DOTALL)
_OPERATORS = re.compile(r"/api/v2/(system|policy)(/.*)?", re.DOTALL)
RIGHTS = (
    (_TOKENS, None, TokenScope.ADMIN),
    (_OPERATORS, SAFE_METHODS, TokenScope.READ),
    (_OPERATORS, None, TokenScope.ADMIN),
    (_ANY, SAFE_METHODS, TokenScope.READ),
    (_ANY, None, TokenScope.WRITE),
)
"""(path, methods or None for any, scope); the first row that matches counts."""


def scope_needed(method: str, path: str) -> TokenScope | None:
    """The scope that a request needs; None where it needs no token."""
    if path in OPEN_PATHS and method in SAFE_METHODS:
        return None
    return next(
        scope
        for pattern, methods, scope in RIGHTS
        if pattern.fullmatch(path) and (methods is None or method in methods)
    )
