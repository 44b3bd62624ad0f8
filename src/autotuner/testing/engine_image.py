"""A container image of engines that are here already: llama.cpp's server, and the fake one.

`python -m autotuner.testing.engine_image REFERENCE` gives it to the Docker daemon that
`DOCKER_HOST` names. Nothing is downloaded: it holds this Python, the package `xllamacpp` where it
is installed, a shell, and the shared libraries that these load.
"""

from __future__ import annotations

import importlib.util
import io
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from autotuner.errors import LaunchError
from autotuner.launch.docker_daemon import DockerDaemon, reference_of

_SITE = "/opt/site"
"""Folder of packages in the image."""
PYTHON = str(Path(sys.executable).resolve())
"""The Python in the image."""
_PROGRAMS = {
    "llama-server": f'exec {PYTHON} -m autotuner.llamacpp_host "$@"',
    # By that name probes of health start it.
    "python3": f'exec {PYTHON} "$@"',
    "fake-engine": f'exec {PYTHON} -m autotuner.testing.fake_engine "$@"',
}
_MODULES = (
    *("__init__.py", "llamacpp_host.py", "socket_clock.py"),
    *("testing/__init__.py", "testing/fake_engine.py", "testing/queueing.py"),
)
_NO_ENGINE_NEEDS = {
    *("site-packages", "test", "idlelib", "tkinter", "lib2to3", "ensurepip", "turtledemo"),
    *("pydoc_data", "distutils", "unittest", "venv"),
}
_LIBRARY = re.compile(r"(/\S+) \(0x")
_TOOLS = ("sh", "sleep", "touch", "cat")
"""Beside the shell, programs for scripts of tests."""


def build(
    daemon: DockerDaemon, reference: str, scripts: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Makes the image `reference` on a daemon; one of that name is replaced.

    Args:
        scripts: name of a further program on its PATH -> its text, for a shell.
    """
    repository, tag = reference_of(reference)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "root.tar"
        with tarfile.open(path, "w") as archive:
            for source, target in _files():
                archive.add(source.resolve(), target.lstrip("/"), recursive=False)
            for name, text in {**_PROGRAMS, **scripts}.items():
                if f"/usr/bin/{name}" != PYTHON:
                    _add_program(archive, name, text)
        changes = [
            f"ENV PATH={Path(PYTHON).parent}:/usr/bin:/bin",
            f"ENV PYTHONPATH={_SITE}",
            "ENV PYTHONDONTWRITEBYTECODE=1",
        ]
        daemon.import_image(path, repository, tag, changes)


def _add_program(archive: tarfile.TarFile, name: str, script: str) -> None:
    text = f"#!/bin/sh\n{script}\n".encode()
    member = tarfile.TarInfo(f"usr/bin/{name}")
    member.size, member.mode = len(text), 0o755
    archive.addfile(member, io.BytesIO(text))


def _files() -> Iterator[tuple[Path, str]]:
    """File of this machine, and its full path in the image."""
    tools = {tool: Path(shutil.which(tool) or f"/bin/{tool}") for tool in _TOOLS}
    programs = [Path(PYTHON), *tools.values()]
    library = Path(sysconfig.get_path("stdlib"))
    own = Path(__file__).resolve().parents[1]
    found = [(Path(PYTHON), PYTHON)]
    found += [
        (path, f"{folder}/{n}") for n, path in tools.items() for folder in ("/bin", "/usr/bin")
    ]
    found += [(path, str(path)) for path in files_under(library, _NO_ENGINE_NEEDS)]
    found += [(own / name, f"{_SITE}/autotuner/{name}") for name in _MODULES]
    llamacpp = importlib.util.find_spec("xllamacpp")
    if llamacpp is not None and llamacpp.origin is not None:
        package = Path(llamacpp.origin).parent
        needed = files_under(package, _NO_ENGINE_NEEDS)
        found += [(p, f"{_SITE}/xllamacpp/{p.relative_to(package)}") for p in needed]
    loading = [source for source, _ in found if source in programs or ".so" in source.name]
    found += [(Path(path), path) for path in libraries_of(loading)]
    return iter({target: (source, target) for source, target in found}.values())


def files_under(folder: Path, skip: Collection[str]) -> Iterator[Path]:
    """Files of an installation below a folder, in order, but those in folders to be skipped."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        is_skipped = not set(skip).isdisjoint(inside) or inside[0].startswith("config-")
        if path.is_file() and not is_skipped:
            yield path


def libraries_of(programs: Iterable[Path]) -> set[str]:
    """The shared libraries that programs load, by the paths at which they look for them."""
    shown = subprocess.run(
        ["ldd", *map(str, programs)],  # noqa: S607 - of the C library, wherever that is
        capture_output=True,
        text=True,
        check=False,
    )
    return set(_LIBRARY.findall(shown.stdout))


def main(argv: list[str]) -> int:
    """Makes the image that is named; 2 where no daemon takes it."""
    daemon = DockerDaemon.here()
    print(f"making the image {argv[0]} at {daemon.address}, of what is installed here", flush=True)
    try:
        build(daemon, argv[0])
    except LaunchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
