"""Clusters that want a token, and those that want none: a server that answers as a head does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from autotuner.cluster import token
from autotuner.cluster.connection import probe
from autotuner.errors import LaunchError

grpc = pytest.importorskip("grpc", reason="Ray's client is not installed; `make ray` installs it")
GOOD = (("authorization", "Bearer good"),)


class Head(grpc.GenericRpcHandler):  # type: ignore[misc, name-defined]
    """Answers every call; only those with the good token where it wants one."""

    wants = True
    knows = ""

    def service(self, call: Any) -> Any:
        if self.knows not in call.method:
            return None
        shown = dict(call.invocation_metadata).get("authorization")

        def answer(request: bytes, context: Any) -> bytes:
            if self.wants and shown != "Bearer good":
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "InvalidAuthToken")
            return b""

        return grpc.unary_unary_rpc_method_handler(answer)


@pytest.fixture(scope="module")
def head() -> Iterator[tuple[Head, str]]:
    answers = Head()
    with ThreadPoolExecutor(2) as threads:
        server = grpc.server(threads, handlers=(answers,))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield answers, f"127.0.0.1:{port}"
        server.stop(None)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the token of this machine, and the mode that its user asks for."""

    def set_here(headers: tuple[tuple[str, str], ...], mode: str) -> None:
        monkeypatch.setattr(token, "_headers", lambda: headers)
        monkeypatch.setattr(token, "ASKED", mode)

    return set_here


@pytest.mark.parametrize("form", ["{}", "ray://{}"])
@pytest.mark.parametrize(
    ("wants", "headers", "asked", "mode"),
    [
        (True, GOOD, "", "token"),
        (True, GOOD, "token", "token"),
        (False, GOOD, "", ""),
        (False, (), "", ""),
        (False, GOOD, "disabled", "disabled"),
    ],
)
def test_a_token_is_shown_where_the_cluster_wants_one_and_only_there(
    form: str, wants: bool, headers: Any, asked: str, mode: str, head: Any, here: Any
) -> None:
    head[0].wants = wants
    here(headers, asked)
    assert probe(form.format(head[1])) == mode


@pytest.mark.parametrize(
    ("wants", "headers", "asked", "message", "remedy"),
    [
        (True, (), "", "wants a token, and there is none here", "RAY_AUTH_TOKEN"),
        (True, (("authorization", "Bearer bad"),), "", "refuses the token", "get-auth-token"),
        (True, GOOD, "disabled", "RAY_AUTH_MODE=disabled keeps", "unset RAY_AUTH_MODE"),
        (False, GOOD, "token", "wants no token, and RAY_AUTH_MODE=token", "unset RAY_AUTH_MODE"),
    ],
)
def test_a_token_that_does_not_fit_is_refused_with_its_remedy(
    wants: bool, headers: Any, asked: str, message: str, remedy: str, head: Any, here: Any
) -> None:
    head[0].wants = wants
    here(headers, asked)
    with pytest.raises(LaunchError, match=message) as caught:
        probe(head[1])
    assert remedy in caught.value.remedy
    assert head[1] in caught.value.message


@pytest.mark.parametrize("wants", [True, False])
@pytest.mark.parametrize(
    ("knows", "form", "remedy"),
    [("RayletDriver", "{}", "say ray://{}"), ("NodeInfoGcsService", "ray://{}", "say {}")],
)
def test_the_port_of_the_other_service_is_named_with_its_address(
    knows: str,
    form: str,
    remedy: str,
    wants: bool,
    head: Any,
    here: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    head[0].wants = wants
    monkeypatch.setattr(head[0], "knows", knows)
    here(GOOD, "")
    with pytest.raises(LaunchError, match="is the port of a") as caught:
        probe(form.format(head[1]))
    assert caught.value.remedy == remedy.format(head[1])


def test_the_mode_that_another_cluster_needed_does_not_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("ray", reason="Ray is not installed; `make ray` installs it")
    from ray._private.authentication.authentication_utils import is_token_auth_enabled

    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    token.set_mode("token")
    assert (os.environ["RAY_AUTH_MODE"], is_token_auth_enabled()) == ("token", True)
    token.set_mode("")
    assert ("RAY_AUTH_MODE" in os.environ, is_token_auth_enabled()) == (False, False)
