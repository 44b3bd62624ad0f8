"""The files of this repository that the tests of its structure read."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "autotuner"


def python_files(folder: Path) -> list[Path]:
    """The Python files of a folder, in order; not those of folders that begin with a dot."""
    return sorted(
        path
        for path in folder.rglob("*.py")
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
