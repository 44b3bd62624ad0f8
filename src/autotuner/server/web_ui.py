"""The web UI: its files, and one page behind every address of it.

That page answers `/` and, to whoever asks for HTML, every path that is not the service's own; its
script shows what the address names. None of it needs a token.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match, Route
from starlette.types import Scope

from autotuner.server.built_ui import FOLDER, INDEX, BuiltFile, file_at
from autotuner.server.security.middleware import is_ui
from autotuner.server.v2.conditional_requests import is_unchanged

ASSETS = "/assets/"
"""Files with a hash of their content in their names: they never change."""
_HEADERS = {
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Vary": "Accept, Accept-Encoding",
}
_FOR_EVER, _ASK_AGAIN = "public, max-age=31536000, immutable", "no-cache"
_NO_WEIGHT = re.compile(r"q\s*=\s*0(\.0*)?")
NOT_BUILT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Inference Autotuner</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.6 system-ui, sans-serif; margin: 15vh auto; max-width: 34rem; padding: 0 1rem; }
</style>
</head>
<body>
<h1>Inference Autotuner</h1>
<p>The web UI is not built here. In a checkout of the source, <code>make ui-build</code> builds it;
then load this page again. The service can go on running.</p>
<p>The API is not affected: it answers under <code>/api/v2</code>.</p>
</body>
</html>
"""


class WebUi(Route):
    """Route of the UI: every path that is not the service's own.

    Args:
        folder: with `index.html` and `assets/`; it may be missing, and may come later.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        respond = functools.partial(_respond, folder)
        super().__init__("/{path:path}", respond, methods=["GET"], include_in_schema=False)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As for any route, except that the service's own paths never match."""
        if scope["type"] != "http" or not is_ui(scope["path"]):
            return Match.NONE, {}
        match, child = super().matches(scope)
        return match, {**child, "route": self}


def _respond(folder: Path, request: Request) -> Response:
    """The file at a path, else the page; the framework runs it in a thread, as it reads files."""
    path = request.scope["path"]
    is_asset = path.startswith(ASSETS)
    found = file_at(folder, path)
    if found is not None:
        return _response(found, request, _FOR_EVER if is_asset else _ASK_AGAIN)
    if path != "/" and (is_asset or not accepts(request.scope, "accept", "text/html")):
        raise HTTPException(404)
    page = file_at(folder, f"/{INDEX}")
    if page is None:
        return HTMLResponse(NOT_BUILT, 404, {**_HEADERS, "Cache-Control": "no-store"})
    return _response(page, request, _ASK_AGAIN)


def _response(file: BuiltFile, request: Request, caching: str) -> Response:
    compressed = file.compressed if accepts(request.scope, "accept-encoding", "gzip") else None
    tag = f'"{file.digest}{"" if compressed is None else "-gzip"}"'
    headers = {**_HEADERS, "Cache-Control": caching, "ETag": tag}
    if is_unchanged(tag, request.headers.get("if-none-match")):
        return Response(status_code=304, headers=headers)
    body = file.body if compressed is None else compressed
    headers |= {"Content-Type": file.media_type, "Content-Length": str(len(body))}
    if compressed is not None:
        headers["Content-Encoding"] = "gzip"
    return Response(b"" if request.method == "HEAD" else body, headers=headers)


def accepts(scope: Scope, header: str, name: str) -> bool:
    """Whether a header of a request names a value, and not with the weight 0."""
    for given in ",".join(Headers(scope=scope).getlist(header)).split(","):
        value, *parameters = (part.strip().lower() for part in given.split(";"))
        if value == name:
            return not any(map(_NO_WEIGHT.fullmatch, parameters))
    return False
