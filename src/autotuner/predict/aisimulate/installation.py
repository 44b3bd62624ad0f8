"""The installed AISimulate: its version, what it knows, how its process is started.

Nothing of it is imported: it pins versions of JAX and others, so it has an environment of its own
beside ours.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from autotuner.errors import EngineError

PACKAGE = "aisimulate"
INSTALL = "make aisimulate"
KNOWN_RELEASE = "0.13."
"""Beginning of the versions that are asked: the Python interface changes from one to the next."""

_PROGRAM = Path(__file__).with_name("simulator_process.py")
_CONFIG_SUFFIX, _OTHER_SUFFIX = "_config.json", "_hf_quant_config.json"


@dataclass(frozen=True)
class AISimulateInstallation:
    """One AISimulate, and what it carries.

    Attributes:
        models: whose configuration it carries, by its names.
        systems: devices that it describes -> engines whose kernels it has for them.
        command: of the process that answers, see `simulator_process`.
    """

    version: str
    models: frozenset[str]
    systems: dict[str, frozenset[str]]
    command: tuple[str, ...]


def installed(environment: Path | None = None) -> AISimulateInstallation | None:
    """The AISimulate of an environment, `.venv/tools/aisimulate` beside ours; None without one."""
    folder = environment or Path(sys.prefix) / "tools" / PACKAGE
    python = folder / "bin" / "python"
    packages = next(iter(sorted(folder.glob("lib/python3*/site-packages"))), None)
    if packages is None or not python.exists():
        return None
    described = next(iter(sorted(packages.glob(f"{PACKAGE}-*.dist-info"))), None)
    if described is None:
        return None
    core = packages / f"{PACKAGE}_core"
    return AISimulateInstallation(
        version=described.name.removesuffix(".dist-info").partition("-")[2],
        models=frozenset(_models(core / "model_configs")),
        systems=_systems(core / "systems"),
        command=(str(python), "-I", str(_PROGRAM)),
    )


def usable(found: AISimulateInstallation | None) -> AISimulateInstallation:
    """The installation, where it can be asked.

    Raises:
        EngineError: there is none, or its version is another.
    """
    if found is None:
        raise EngineError("AISimulate is not installed", remedy=INSTALL)
    if not found.version.startswith(KNOWN_RELEASE):
        raise EngineError(
            f"AISimulate {found.version} is installed, and {KNOWN_RELEASE}x can be asked",
            remedy=INSTALL,
        )
    return found


def _models(folder: Path) -> list[str]:
    names = (path.name for path in folder.glob(f"*{_CONFIG_SUFFIX}"))
    return [
        name.removesuffix(_CONFIG_SUFFIX).replace("--", "/")
        for name in names
        if not name.endswith(_OTHER_SUFFIX)
    ]


def _systems(folder: Path) -> dict[str, frozenset[str]]:
    """Kernels lie in data/SYSTEM/KIND/ENGINE."""
    found = {}
    for data in folder.glob("data/*"):
        if (folder / f"{data.name}.yaml").exists():
            found[data.name] = frozenset(kind.name for kind in data.glob("gemm/*"))
    return found
