"""Settings of the service by its operator: a YAML file, environment variables, flags."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, Strict, ValidationError, field_validator

from autotuner.config import Document, load_document, problems_of
from autotuner.config.document import Bool, NonNegativeReal, PositiveInt
from autotuner.errors import ConfigError, Problem
from autotuner.workers.policy import Policy

_HOST = re.compile(r"(\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9_.-]+))(:(?P<port>\d{1,5}))?")
ENVIRONMENT_PREFIX = "AUTOTUNER_"
_MIB = 1 << 20
Days = Annotated[float, Strict(), Field(ge=0, le=36_500)]
V1_ORIGINS = tuple(
    f"http://{name}:{port}" for name in ("localhost", "127.0.0.1") for port in (3000, 5173)
)
"""Where v1's own pages are served from while they are developed."""
_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:\d{1,5})?")


def split_host(host: str) -> tuple[str, int | None] | None:
    """Host and port, in lower case: `[::1]:8700` -> `("::1", 8700)`; None if it is no host."""
    match = _HOST.fullmatch(host)
    if match is None:
        return None
    name = (match["v6"] or match["name"]).lower().removesuffix(".")
    return name, int(match["port"]) if match["port"] else None


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reachable from this machine only."""
    return host == "localhost" or (is_digits(host) and ipaddress.ip_address(host).is_loopback)


def is_digits(address: str) -> bool:
    """Whether an address is an IP address rather than a name."""
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True


class ServiceSettings(Document):
    """Settings of the service: addresses, access, limits, and what tasks may launch."""

    host: str = Field(default="127.0.0.1", min_length=1)
    """The address to listen on; any but a loopback one requires tokens."""
    port: int = Field(default=8700, ge=0, le=65535, strict=True)
    """The port to listen on; 0 takes a free one."""
    allowed_hosts: tuple[str, ...] = ()
    """More names in `Host` that the service answers to: `name`, at any port, or `name:port`. One
    that is not a loopback name requires tokens: others reach the service by it."""
    allowed_origins: tuple[str, ...] = ()
    """Origins whose pages may use the service, such as `https://tuner.example.org`; its own may."""
    v1_origins: Bool = False
    """Whether pages served from v1's development addresses may use the service too:
    `http://localhost:3000` and `http://localhost:5173`, also as 127.0.0.1."""
    demand_tokens: Bool = False
    """Whether every request requires a token on a loopback address too, as behind a proxy."""
    max_body_bytes: PositiveInt = 1 * _MIB
    """The largest body of a request."""
    max_upload_bytes: PositiveInt = 32 * _MIB
    """The largest body of one that uploads a file."""
    requests_per_s: NonNegativeReal = 200.0
    """Requests per second of one token, or one address where there is no token; 0: no limit."""
    request_burst: PositiveInt = 400
    """Requests that may come at once."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks of proxies whose `X-Forwarded-For` is trusted to name the client:
    `10.0.0.7`, `10.1.0.0/16`. The header of all others is ignored."""
    keep_events_days: Days = 90.0
    """Days for which events of tasks, and with them the logs of v1 tasks, are kept; 0: forever."""
    policy: Policy = Policy()
    """Policy of what tasks of the service may launch."""

    @field_validator("allowed_hosts")
    @classmethod
    def _are_hosts(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for host in given:
            if split_host(host) is None:
                raise ValueError(
                    f"{host!r} is not a host; write name or name:port, without a scheme"
                )
        return tuple(host.lower() for host in given)

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for origin in given:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"{origin!r} is not an origin; write it as a browser sends it: "
                    "scheme://name[:port] in lower case, without a path"
                )
        return given

    @field_validator("trusted_proxies")
    @classmethod
    def _are_addresses(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in given:
            try:
                ipaddress.ip_network(proxy)
            except ValueError as error:
                raise ValueError(
                    f"{proxy!r} is neither an address nor a network ({error}); write 10.0.0.7 or "
                    "10.1.0.0/16"
                ) from None
        return given

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every name in `Host`, beside its own: a development server passes on what it was sent."""
        v1 = V1_ORIGINS if self.v1_origins else ()
        return (*self.allowed_hosts, *(origin.removeprefix("http://") for origin in v1))

    @property
    def origins(self) -> tuple[str, ...]:
        """Every origin whose pages may use the service, beside its own."""
        return (*self.allowed_origins, *(V1_ORIGINS if self.v1_origins else ()))

    @property
    def token_required(self) -> bool:
        """Whether a request without a token is refused."""
        names = [found[0] for found in map(split_host, self.allowed_hosts) if found]
        return self.demand_tokens or not all(map(is_loopback, (self.host, *names)))


def load_settings(
    path: Path | None,
    *,
    environment: Mapping[str, str],
    flags: Mapping[str, Any],
) -> ServiceSettings:
    """Settings from a file, over them `AUTOTUNER_<FIELD>` variables, over them flags.

    Args:
        environment: of the process; lists are written with commas between.
        flags: field -> value; None where a flag is not given.

    Raises:
        ConfigError: every field that is wrong, with its source.
        AutotunerError: the file cannot be read.
    """
    read = None if path is None else load_document(path, kind="settings file")
    document = {} if read is None else read
    if not isinstance(document, dict):
        problem = Problem("", "settings must be a mapping of keys to values")
        raise ConfigError(str(path), (problem,))
    variables = {
        field: _READ[type(info.default)](environment[name])
        for field, info in ServiceSettings.model_fields.items()
        if (name := variable_of(field)) in environment and type(info.default) in _READ
    }
    given = {field: value for field, value in flags.items() if value is not None}
    try:
        return ServiceSettings.model_validate({**document, **variables, **given})
    except ValidationError as error:
        problems = tuple(_with_place(each, variables, given) for each in problems_of(error))
        raise ConfigError(str(path or "settings"), problems) from None


def variable_of(field: str) -> str:
    """Environment variable of a field."""
    return f"{ENVIRONMENT_PREFIX}{field.upper()}"


def _with_place(
    problem: Problem, variables: Mapping[str, Any], flags: Mapping[str, Any]
) -> Problem:
    """Problem under the name of the flag or variable that set its field."""
    field = problem.path.partition(".")[0]
    if field in flags:
        return Problem(f"--{field.replace('_', '-')}", problem.message)
    if field in variables:
        return Problem(variable_of(field), problem.message)
    return problem


def _number(text: str) -> Any:
    """Number in a text; the text itself if it is none, for validation to refuse."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _boolean(text: str) -> Any:
    return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)


def _list(text: str) -> Any:
    return tuple(item.strip() for item in text.split(",") if item.strip())


_READ: dict[type, Callable[[str], Any]] = {
    str: str,
    bool: _boolean,
    int: _number,
    float: _number,
    tuple: _list,
}
"""Type of a field's default -> parser of its variable; an invalid value is left as text."""
