"""The token by which a Ray cluster knows who may use it.

`ray start` has a cluster want one wherever one lies (`~/.ray/auth_token`), and `ray.init` shows it
only where `RAY_AUTH_MODE` says so: without, it is refused for half a minute and never says why; and
where it says so and the cluster wants none, no actor ever starts. A cluster of this machine alone
sets the variable in its process. So the cluster is asked first, and Ray does as it wants.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

from autotuner.errors import LaunchError

_MODE, _TOKEN = "RAY_AUTH_MODE", "token"
ASKED = os.environ.get(_MODE, "")
"""By the user: Ray sets it too."""
_CLIENT_METHOD = "/ray.rpc.RayletDriver/ClusterInfo"
_HEAD_METHOD = "/ray.rpc.NodeInfoGcsService/CheckAlive"
_UNKNOWN_CALL, _NO_ANSWER = "UNIMPLEMENTED", ("", "UNAVAILABLE", "DEADLINE_EXCEEDED")
_ANSWER_S = 10.0
_GIVE = "`ray get-auth-token` on its head prints it: set RAY_AUTH_TOKEN, or write ~/.ray/auth_token"


def mode_wanted(address: str, target: str, *, by_client: bool) -> str:
    """The mode in which a cluster can be used: with a token where it wants one, and only there.

    Args:
        address: as the user names the cluster.
        target: its host and port, where somebody speaks Ray's protocol.
        by_client: whether that is a Ray Client server.

    Raises:
        LaunchError: the cluster wants a token, and refuses what there is; or it wants none, and the
            user does; or the port is that of its other service.
    """
    if os.environ.get("RAY_USE_TLS", "0") == "1":
        return ASKED
    method = _CLIENT_METHOD if by_client else _HEAD_METHOD
    wants = _is_refused(target, method, ())
    refused = None
    if not wants and ASKED.lower() == _TOKEN and not by_client:
        refused = (
            f"wants no token, and {_MODE}={ASKED} has Ray want one here",
            f"unset {_MODE}, or start the cluster with it",
        )
    elif wants and ASKED.lower() not in ("", _TOKEN):
        refused = (
            f"wants a token, and {_MODE}={ASKED} keeps Ray from showing one",
            f"unset {_MODE}",
        )
    elif wants and not (headers := _headers()):
        refused = ("wants a token, and there is none here", _GIVE)
    elif wants and _is_refused(target, method, headers):
        refused = ("refuses the token that is here", _GIVE)
    if refused is not None:
        raise LaunchError(f"ray.address: the cluster at {address} {refused[0]}", remedy=refused[1])
    _require_service(address, target, _headers() if wants else (), by_client=by_client)
    return _TOKEN if wants else ASKED


def _require_service(
    address: str, target: str, headers: tuple[tuple[str, str], ...], *, by_client: bool
) -> None:
    """Makes sure that the service of the address listens there; Ray itself waits for half a minute.

    Raises:
        LaunchError: the other one does.
    """
    methods = (_CLIENT_METHOD, _HEAD_METHOD)
    asked, other = methods if by_client else reversed(methods)
    if _status(target, asked, headers) != _UNKNOWN_CALL:
        return
    if _status(target, other, headers) in (_UNKNOWN_CALL, *_NO_ANSWER):
        return  # as a release of Ray may answer that has renamed its calls
    found, say = ("a head", target) if by_client else ("a Ray Client server", f"ray://{target}")
    raise LaunchError(f"ray.address: {address} is the port of {found}", remedy=f"say {say}")


def set_mode(mode: str) -> None:
    """Sets whether Ray shows a token in this process, while it is connected to no cluster."""
    if mode == os.environ.get(_MODE, ""):
        return
    # Ray reads the variable when it is loaded and when it is asked to, and keeps what it had where
    # it finds none.
    os.environ[_MODE] = mode or "disabled"
    ray: Any = importlib.import_module("ray._raylet")
    ray.Config.initialize("")
    ray.AuthenticationTokenLoader.instance().reset_cache()
    if not mode:
        del os.environ[_MODE]


def users_environment() -> dict[str, str]:
    """Variables of a process that asks a cluster for itself: the mode is the user's there, whatever
    the cluster that this process uses has made of it."""
    rest = {name: value for name, value in os.environ.items() if name != _MODE}
    return rest | ({_MODE: ASKED} if ASKED else {})


def _headers() -> tuple[tuple[str, str], ...]:
    """The token as Ray sends it; empty where it finds none."""
    loader = importlib.import_module("ray._raylet").AuthenticationTokenLoader.instance()
    if not loader.has_token(ignore_auth_mode=True):
        return ()
    return (("authorization", f"Bearer {loader.get_raw_token(ignore_auth_mode=True)}"),)


def _is_refused(target: str, method: str, headers: tuple[tuple[str, str], ...]) -> bool:
    """Whether a call without content is refused for want of a token."""
    return _status(target, method, headers) == "UNAUTHENTICATED"


def _status(target: str, method: str, headers: tuple[tuple[str, str], ...]) -> str:
    """Name of the status of a call without content; empty where nobody here can call."""
    try:
        grpc: Any = importlib.import_module("grpc")
    except ImportError:
        return ""
    with grpc.insecure_channel(target, options=(("grpc.enable_http_proxy", 0),)) as channel:
        call = channel.unary_unary(method, request_serializer=bytes, response_deserializer=bytes)
        try:
            call(b"", timeout=_ANSWER_S, metadata=headers)
        except grpc.RpcError as error:
            return str(error.code().name)
    return "OK"
