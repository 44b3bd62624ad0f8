"""A format as a value: a pure function of the engine, what it fits, and the versions it has."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from autotuner.deploy.deployed_engine import DeployedEngine, DeployFileText
from autotuner.deploy.renamed import flag_versions, with_flags_of
from autotuner.errors import ExportError
from autotuner.report.exports import one_line

Render = Callable[[DeployedEngine, str], tuple[DeployFileText, ...]]
"""The files for an engine and a version of the format; without their heads."""
_SHEBANG = "#!"
_TAG = re.compile(r"@|:[^/]+$")
"""In an image that is named with its tag or digest; a port before its folder is neither."""
_NUMBERS = re.compile(r"\d+(:\d+)?")


def _any(engine: DeployedEngine) -> str | None:
    return None


@dataclass(frozen=True)
class DeployFormat:
    """One format.

    Attributes:
        summary: what it makes, for lists.
        start: the command that starts it, `{file}` filled in, its `{stem}`, `{name}` of
            the engine, and `{secrets}` as options.
        start_many: the same of several replicas, where it is another.
        secret: name of the Kubernetes secret whose keys its files refer to.
        own_versions: of the target that it can be written for, the newest first, which is taken
            where none is asked for; without them, the versions are those of the engine whose flags
            have other names, and the flags are as measured where none is asked for.
        refusal: why it does not fit an engine; None where it does.
        needs_image: whether it runs a container.
        on_host: whether it starts the measured program on a machine itself.
        instead: formats that may fit where this one does not.
        ignores: of `image` and `program`, those that have no effect in it; both `on_host`.
        one_replica: whether it can be of one replica only.
        writes_pairs: whether it can be of a prefill and a decode engine.
        confines: whether it repeats how the launch's container was confined: its user, by number
            alone or by name too, and whether its root can be written.
    """

    name: str
    title: str
    summary: str
    render: Render
    start: str
    start_many: str = ""
    secret: str = ""
    own_versions: Callable[[DeployedEngine], tuple[str, ...]] | None = None
    refusal: Callable[[DeployedEngine], str | None] = _any
    needs_image: bool = False
    on_host: bool = False
    instead: tuple[DeployFormat, ...] = ()
    ignores: tuple[str, ...] = ()
    one_replica: bool = False
    writes_pairs: bool = False
    confines: Literal["", "numbers", "all"] = ""

    def versions(self, engine: DeployedEngine) -> tuple[str, ...]:
        """The versions that can be asked for, the newest first."""
        return (self.own_versions or flag_versions)(engine)

    def why_not(self, engine: DeployedEngine) -> str | None:
        """Why the format does not fit; None where it does."""
        found = self.own_refusal(engine)
        if found is None and self.needs_image and engine.image is None:
            return engine.no_image
        if found is None and self.one_replica and engine.replicas > 1:
            return f"it is of one engine, and {engine.replicas} replicas are wished"
        return found

    def own_refusal(self, engine: DeployedEngine) -> str | None:
        """Why the engine is none for the format; image and replicas apart."""
        if engine.prefill is not None and not self.writes_pairs:
            return "it is a draft of two engines, which only llm-d and dynamo write"
        if engine.nodes > 1:
            return f"it is of {engine.nodes} nodes with a process on each, and this starts one"
        if self.on_host and engine.in_container:
            how = "was measured" if engine.provenance.measured else "is planned"
            return f"it {how} in a container, whose program and paths a machine does not have"
        return self.refusal(engine)

    def files(
        self,
        engine: DeployedEngine,
        version: str | None = None,
        *,
        named: str = "",
        output: str = "",
    ) -> tuple[DeployFileText, ...]:
        """The files, each with its head.

        Args:
            named: name that the one file gets, which the head starts it by.
            output: the place as it was asked for, which the command that makes them again repeats.

        Raises:
            ExportError: the format does not fit the engine, or has no such version.
        """
        why = self.why_not(engine)
        if why is not None:
            raise ExportError(
                f"format: {self.name} does not fit: {why}", remedy=_remedy(engine, self)
            )
        self._check(engine, version)
        own, target = {file.name for file in engine.files}, version or ""
        if self.own_versions is not None:
            target = version or self.own_versions(engine)[0]
        written = engine if self.own_versions or not version else with_flags_of(engine, version)
        rendered = self.render(written, target)
        again = self._again(engine, version, output or (engine.name if len(rendered) > 1 else ""))
        head = self._head(
            engine, again, named if named and len(rendered) == 1 else rendered[0].name
        )
        return tuple(f if f.name in own else _with_head(f, head) for f in rendered)

    def _check(self, engine: DeployedEngine, version: str | None) -> None:
        known = self.versions(engine)
        if version is None or version in known:
            return
        has = f"give one of {', '.join(known)}" if known else "it has no versions; leave it out"
        raise ExportError(f"target_version: {self.name} has no {version!r}", remedy=has)

    def _again(self, engine: DeployedEngine, version: str | None, output: str) -> str:
        words = [*engine.provenance.words, "--format", self.name]
        words += ["--target-version", version] if version is not None else []
        words += ["--output", output] if output else []
        return one_line(shlex.join(words))

    def _head(self, engine: DeployedEngine, again: str, own: str) -> list[str]:
        secrets = "".join(f" --secret {name}" for name in engine.secrets_inside)
        file, stem = (one_line(shlex.quote(name)) for name in (own, own.removesuffix(".service")))
        command = self.start_many if self.start_many and engine.replicas > 1 else self.start
        start = command.format(file=file, stem=stem, name=engine.name, secrets=secrets)
        return [
            *engine.provenance.lines,
            f"Made by: {again}",
            *self._before(engine),
            *([f"Start: {start}"] if start else []),
            *(f"Note: {note}" for note in engine.notes),
            *(f"Note: {note}" for note in self._unconfined(engine)),
            *self._untagged(engine),
            *self._without_effect(engine),
            *self._search(engine),
        ]

    def _before(self, engine: DeployedEngine) -> list[str]:
        """The command that makes the secret, where an engine does not start without one."""
        demanded = any(variable.value is None for variable in engine.variables_inside)
        if not self.secret or not demanded:
            return []
        values = (f'--from-literal={name}="${name}"' for name in engine.secrets_inside)
        return [f"Before: kubectl create secret generic {self.secret} {' '.join(values)}"]

    def _untagged(self, engine: DeployedEngine) -> list[str]:
        image = engine.wished_image or (engine.image if self.needs_image else None)
        if image is None or self.on_host or "image" in self.ignores or _TAG.search(image):
            return []
        return [f"Note: the image {image} has no tag, so it is {image}:latest, which changes"]

    def _unconfined(self, engine: DeployedEngine) -> Iterator[str]:
        """Notes for a user on how the launch's container was confined."""
        confined, how = (
            engine.confined,
            "was measured" if engine.provenance.measured else "is planned",
        )
        user = confined.user or ""
        if self.confines == "all" and user and engine.is_downloaded:
            yield f"user {user} must be able to write the volume of downloaded models"
        if not self.needs_image or self.confines == "all":
            return
        if user and not (self.confines and _NUMBERS.fullmatch(user)):
            by = ", and this format takes users by number" if self.confines else ""
            yield f"it {how} as user {user}{by}"
        if confined.read_only and not self.confines:
            yield f"it {how} with a root that cannot be written"
        for name in confined.environment:
            yield f"it {how} with {name} of the environment: give it where this runs"

    def _without_effect(self, engine: DeployedEngine) -> list[str]:
        wishes = {"image": engine.wished_image, "program": engine.wished_program}
        unused = tuple(wishes) if self.on_host else self.ignores
        given = [name for name in unused if wishes[name] is not None]
        return [
            f"Note: the {name} that was asked for has no effect in this format" for name in given
        ]

    def _search(self, engine: DeployedEngine) -> list[str]:
        program = engine.parts.program[0]
        if not self.on_host:
            return []
        if "/" in program:
            which = "that measured" if engine.provenance.measured else "of the task"
            return [f"Note: {one_line(program)} is the program of the machine {which}"]
        which = "measured" if engine.provenance.measured else "predicted"
        return [f"Note: {program} is searched in PATH: see that the {which} installation is there"]


def _remedy(engine: DeployedEngine, form: DeployFormat) -> str:
    if engine.prefill is not None and not form.writes_pairs:
        return "take --format llm-d or --format dynamo"
    if engine.nodes > 1:
        shown = "--format json" if engine.provenance.measured else "`autotuner render`"
        return f"{shown} has the command, whose comment says what each node starts"
    fits_itself = form.own_refusal(engine) is None
    fitting = [f"--format {one.name}" for one in form.instead if one.why_not(engine) is None]
    if not fits_itself and fitting:
        return f"take {' or '.join(fitting)}"
    if form.needs_image and engine.image is None and fits_itself:
        return "give --image REPOSITORY:TAG"
    if form.one_replica and engine.replicas > 1 and fits_itself:
        return "leave --replicas out, or take a format that has replicas"
    return "`autotuner export --list` says which formats fit"


def _with_head(file: DeployFileText, head: list[str]) -> DeployFileText:
    comment = "".join(f"# {line}\n" for line in head)
    if file.text.startswith(_SHEBANG):
        first, _, rest = file.text.partition("\n")
        return DeployFileText(file.name, f"{first}\n{comment}\n{rest}")
    return DeployFileText(file.name, f"{comment}\n{file.text}")
