"""A systemd unit for one machine, with the measured program."""

from __future__ import annotations

import re

from autotuner.deploy.deployed_engine import DeployedEngine, DeployFileText
from autotuner.deploy.format import DeployFormat
from autotuner.deploy.formats.compose import COMPOSE
from autotuner.engines import DEFAULT_HOST, DEFAULT_PORT

_SEARCH = "/usr/bin/env"
"""Finds a program by the unit's own PATH: systemd itself looks at a fixed one."""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NOT_FIRST = re.compile(r"""[$"'\\]""")
"""Characters that systemd refuses, or reads otherwise, in the path of a program."""
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "%": "%%"}


def _unit(engine: DeployedEngine, version: str) -> tuple[DeployFileText, ...]:
    folder = f"/etc/{engine.name}"
    program = engine.parts.program
    is_bare = "/" not in program[0]
    words = (
        *([_SEARCH] if is_bare or _NOT_FIRST.search(program[0]) else []),
        *program,
        *engine.arguments(DEFAULT_HOST, DEFAULT_PORT, folder),
    )
    plain = [v for v in engine.variables if v.value is not None]
    secret = [v.name for v in engine.variables if v.value is None]
    lines = [
        "[Unit]",
        f"Description=LLM engine {engine.name}",
        "Wants=network-online.target",
        "After=network-online.target",
        "",
        "[Service]",
        "Type=exec",
        "# User= of whom it is to run as; root where left out.",
        *([f"Environment={_quoted(f'PATH={_PATH}')}"] if is_bare else []),
        *(f"Environment={_quoted(f'{v.name}={v.value}')}" for v in plain),
        *([f"# With {', '.join(secret)}, one NAME=VALUE a line."] if secret else []),
        *([f"EnvironmentFile={folder}/secrets.env"] if secret else []),
        *(f"ExecStartPre=/bin/sh -c {_argument(_demand(name))}" for name in secret),
        f"ExecStart={' '.join(_argument(word) for word in words)}",
        "Restart=on-failure",
        "RestartSec=10",
        "LimitMEMLOCK=infinity",
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return (DeployFileText(f"{engine.name}.service", "\n".join(lines) + "\n"), *engine.files)


def _demand(name: str) -> str:
    """Fails where a secret is not in its file: an engine that should ask for a key would serve
    everybody."""
    return f'test -n "${{{name}}}" || {{ echo "{name} is a secret: set it before" >&2; exit 1; }}'


def _quoted(text: str) -> str:
    return '"' + "".join(_ESCAPES.get(sign, sign) for sign in text) + '"'


def _argument(word: str) -> str:
    """A word of a command, in which systemd replaces nothing."""
    return _quoted(word).replace("$", "$$")


SYSTEMD = DeployFormat(
    name="systemd",
    title="systemd unit",
    summary="a service of this machine with the measured command, on 127.0.0.1",
    render=_unit,
    start="copy {file} to /etc/systemd/system (other files to /etc/{name}); systemctl start {stem}",
    on_host=True,
    instead=(COMPOSE,),
    one_replica=True,
)
