"""Security of the service: hosts, origins, tokens, limits, and headers for browsers.

In: an ASGI application and the settings. Out: the same application behind its guards.
"""

from __future__ import annotations

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from autotuner.server.security.authentication import (
    Authentication,
    CredentialCheck,
    keep_secrets_out,
    without_secrets,
)
from autotuner.server.security.hosts import LOOPBACK_ORIGINS, HostCheck, OriginCheck
from autotuner.server.security.middleware import BodyLimit, BodyLimits, Guard, SecurityHeaders
from autotuner.server.security.rate_limits import Buckets, RateCheck
from autotuner.server.settings import ServiceSettings

__all__ = ["Authentication", "keep_secrets_out", "protected", "without_secrets"]

_READ_BY_PAGES = ("ETag", "Idempotency-Key", "Location", "Retry-After")
_SENT_BY_PAGES = (
    *("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"),
    "Last-Event-ID",
)


def protected(
    app: ASGIApp, *, settings: ServiceSettings, authentication: Authentication
) -> ASGIApp:
    """Application behind its guards, the outermost first: headers, names, tokens, sizes.

    Fits `app.add_middleware(protected, settings=…, authentication=…)` too.
    """
    inner = Guard(
        BodyLimit(app, BodyLimits(settings.max_body_bytes, settings.max_upload_bytes)),
        (
            CredentialCheck(authentication),
            RateCheck(
                Buckets(settings.requests_per_s, settings.request_burst), authentication.peers
            ),
        ),
    )
    outer = Guard(
        _open_to(settings.origins, inner),
        (
            HostCheck(frozenset(settings.hosts), settings.port),
            OriginCheck(frozenset(settings.origins)),
        ),
    )
    return SecurityHeaders(outer)


def _open_to(origins: tuple[str, ...], app: ASGIApp) -> ASGIApp:
    """Application that allows CORS for the origins of the settings, and for loopback ones.

    Of these `OriginCheck` has let pass only the service's own, by whichever of its names.
    """
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_origin_regex=LOOPBACK_ORIGINS,
        allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
        allow_headers=_SENT_BY_PAGES,
        expose_headers=_READ_BY_PAGES,
    )
