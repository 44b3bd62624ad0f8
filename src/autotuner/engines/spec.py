"""The launch that an engine hands to a launcher, described completely and without a shell."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from autotuner.engines.multi_node import (
    ADDRESS,
    DEFAULT_HEAD,
    DEFAULT_HEAD_PORT,
    HEAD,
    HEAD_PORT,
    RANK,
)

HOST = "{host}"
"""Placeholder in `LaunchSpec.argv` for the address that the launcher has the engine bind to."""
DEFAULT_HOST = "127.0.0.1"
"""Its value in a command line that people are shown."""

PORT = "{port}"
"""Placeholder in `LaunchSpec.argv` for the port that the launcher chooses."""
DEFAULT_PORT = 8080
"""Its value in a command line that people are shown."""

FILE = "{{file:{name}}}"
"""Placeholder in `LaunchSpec.argv` for the place of one of its files."""


class FailureKind(StrEnum):
    """Why a launch or its measurement failed; the vocabulary of every engine's pattern table."""

    OUT_OF_MEMORY = "out_of_memory"
    UNKNOWN_FLAG = "unknown_flag"
    MODEL_LOAD = "model_load"
    PORT_TAKEN = "port_taken"
    BAD_SETTING = "bad_setting"
    DIED_LOADING = "died_while_loading"
    DIED_UNDER_LOAD = "died_under_load"
    NOT_READY = "not_ready_in_time"
    LOAD_ERRORS = "load_errors"
    MACHINE_LOST = "machine_lost"


@dataclass(frozen=True)
class FailurePattern:
    """A regular expression (case-insensitive) on the engine's log, and what it means."""

    pattern: str
    kind: FailureKind
    explanation: str


@dataclass(frozen=True)
class Mount:
    """A file or folder of this machine that the engine reads, for launchers that confine it.

    Attributes:
        source: its full path here.
        target: the full path at which `argv` names it.
    """

    source: str
    target: str

    def __post_init__(self) -> None:
        for path in (self.source, self.target):
            if not path.startswith("/") or ".." in path.split("/"):
                raise ValueError(f"{path!r} cannot be mounted; give a full path without '..'")

    @property
    def has_colon(self) -> bool:
        """Whether a form in which colons part source and target cannot write it."""
        return ":" in self.source or ":" in self.target


@dataclass(frozen=True)
class LaunchSpec:
    """One engine process, ready to be started by any launcher.

    Attributes:
        engine: the engine's name (`llamacpp`).
        argv: program and arguments; each of the placeholders `{host}` and `{port}` stands there
            once.
        env: environment variables added to the launcher's own.
        model_name: the name that requests carry in `model`.
        health_path: GET answers 200 once requests are served.
        api_path: OpenAI-compatible completions endpoint.
        failure_patterns: read in order on the log's tail; the first that matches classifies.
        files: name -> text of files that have to be there; argv says `{file:NAME}` for their place.
        gpus: how many GPUs it occupies; 0 on a CPU.
        nodes: how many nodes share these; a process of it runs on each.
        followers: words that all of these processes but the first have beside.
        is_follower: whether it is such a process, which serves no requests itself.
        image: container image that has the program; with its tag where the launch is to be in it,
            and None where there is none.
        mounts: what a container has to be given to read, beside `files`.
        caches: variable that says where the engine keeps what it compiles -> folder of it among
            those that a launcher keeps.
        compiling: regular expressions on lines of its log which say that requests wait for
            something to be compiled.
    """

    engine: str
    argv: tuple[str, ...]
    model_name: str
    env: tuple[tuple[str, str], ...] = ()
    health_path: str = "/health"
    api_path: str = "/v1/completions"
    failure_patterns: tuple[FailurePattern, ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    gpus: int = 0
    nodes: int = 1
    followers: tuple[str, ...] = ()
    is_follower: bool = False
    image: str | None = None
    mounts: tuple[Mount, ...] = ()
    caches: tuple[tuple[str, str], ...] = ()
    compiling: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        targets = [mount.target for mount in self.mounts]
        twice = next((target for target in targets if targets.count(target) > 1), None)
        if twice is not None:
            raise ValueError(f"two mounts have one target: {twice!r}")

    def argv_for(self, port: int, *, host: str = DEFAULT_HOST, folder: str = "") -> tuple[str, ...]:
        """The arguments, filled in.

        Args:
            port, host: what the engine is to bind to.
            folder: where `files` lie.
        """
        filled = [arg.replace(PORT, str(port)).replace(HOST, host) for arg in self.argv]
        for name, _ in self.files:
            place = f"{folder}/{name}" if folder else name
            filled = [arg.replace(FILE.format(name=name), place) for arg in filled]
        return tuple(filled)

    def on_node(self, rank: int, address: str, head: str, head_port: int) -> LaunchSpec:
        """The process of one of several nodes.

        Args:
            rank: of the node, from 0.
            address: of the node, for the others.
            head, head_port: where on the first node they all meet.
        """
        words = (*self.argv, *(self.followers if rank else ()))
        places = {RANK: str(rank), HEAD: head, HEAD_PORT: str(head_port)}
        for placeholder, value in places.items():
            words = tuple(word.replace(placeholder, value) for word in words)
        return replace(
            self,
            argv=words,
            env=tuple((name, address if value == ADDRESS else value) for name, value in self.env),
            gpus=self.gpus // self.nodes,
            nodes=1,
            followers=(),
            is_follower=rank > 0,
        )

    def command(self, port: int = DEFAULT_PORT, *, host: str = DEFAULT_HOST) -> str:
        """The line that reproduces this launch in a POSIX shell; first it writes the files.

        That of several nodes is of the first one, and its comment has what the others start.
        """
        if self.nodes > 1:
            first = self.on_node(0, DEFAULT_HEAD, DEFAULT_HEAD, DEFAULT_HEAD_PORT)
            return f"{first.command(port, host=host)}{self._others()}"
        written = [f"printf %s {shlex.quote(text)} > {name} && " for name, text in self.files]
        words = [f"{name}={shlex.quote(value)}" for name, value in self.env]
        return "".join(written) + " ".join([*words, shlex.join(self.argv_for(port, host=host))])

    def _others(self) -> str:
        ranks = (flag for flag, word in pairwise(self.argv) if word == RANK)
        variables = (name for name, value in self.env if value == ADDRESS)
        own = [f"their own {word}" for word in (*variables, *ranks)] + list(self.followers)
        first = f"on {DEFAULT_HEAD}, the first of {self.nodes} nodes"
        return f"  # {first}; the others start the same with {' and '.join(own)}"
