"""llama.cpp's server: the user's own `llama-server`, or the one inside the xllamacpp package."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

from autotuner.catalog import ResolvedModel
from autotuner.config import Candidate
from autotuner.engines.engine import Installation
from autotuner.engines.spec import PORT, LaunchSpec
from autotuner.engines.table import EngineTable, engine_table
from autotuner.errors import EngineError

HOST_MODULE = "autotuner.engines.llamacpp_host"


class LlamaCpp:
    """The engine `llamacpp`."""

    name = "llamacpp"

    @property
    def table(self) -> EngineTable:
        """The flag table."""
        return engine_table(self.name)

    def find(self, engine_path: str | None) -> Installation:
        """The program that will run: the path given, then PATH, then the package.

        Raises:
            EngineError: none is there, or the path given is no program.
        """
        if engine_path is not None:
            program = shutil.which(str(Path(engine_path).expanduser()))
            if program is None:
                raise EngineError(
                    f"engine_path: {engine_path!r} is no program that can be run",
                    remedy="give the path of llama-server, or leave engine_path out",
                )
            return Installation(self.name, (program,), _program_version(program), program)
        program = shutil.which(self.table.program)
        if program is not None:
            return Installation(self.name, (program,), _program_version(program), program)
        try:
            version = importlib.metadata.version(self.table.package)
        except importlib.metadata.PackageNotFoundError:
            raise EngineError(
                f"{self.name} is not installed: there is neither {self.table.program} on PATH nor "
                f"the package {self.table.package}",
                remedy=f"pip install {self.table.package}, or name the path of "
                f"{self.table.program} in engine_path",
            ) from None
        command = (sys.executable, "-m", HOST_MODULE)
        return Installation(self.name, command, version, f"{self.table.package} {version}")

    def render(
        self, candidate: Candidate, model: ResolvedModel, installation: Installation
    ) -> LaunchSpec:
        """The command line of `candidate`.

        Raises:
            EngineError: a setting that llama.cpp cannot express.
        """
        fixed = ("--host", "127.0.0.1", "--port", PORT, "--alias", model.name)
        argv = (*installation.command, "--model", str(model.path), *fixed)
        return LaunchSpec(
            engine=self.name,
            argv=(*argv, *self.table.words(candidate)),
            model_name=model.name,
            health_path=self.table.health_path,
            api_path=self.table.api_path,
            failure_patterns=self.table.failures,
        )


def _program_version(program: str) -> str:
    try:
        shown = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError(
            f"{program} --version does not answer: {error}", remedy="check that it runs by hand"
        ) from None
    lines = (shown.stdout + shown.stderr).strip().splitlines()
    return next((line for line in lines if "version" in line.lower()), "unknown")
