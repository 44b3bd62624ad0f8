"""The document of the architecture names the rooms and files that there are."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "autotuner"
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`([\w./-]+/(?:[\w.-]+)?|\w+\.py)`", TEXT)


def rows_under(heading: str) -> list[list[str]]:
    """The cells of a chapter's table, without its head."""
    chapter = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in chapter.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def rooms_of_the_contract() -> list[str]:
    """The rooms, the lowest first, as the import contract has them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    names = [
        name for layer in reversed(layers) for name in layer.replace("autotuner.", "").split(" | ")
    ]
    return [name for name in names if (PACKAGE / name).is_dir()]


def test_every_path_named_is_there() -> None:
    assert [n for n in NAMED if not ((PACKAGE / n).exists() or (ROOT / n).exists())] == []
    assert len(NAMED) > 80


def test_the_rooms_stand_in_the_order_in_which_they_import() -> None:
    named = [row[0].strip("`") for row in rows_under("Rooms")]
    assert named == rooms_of_the_contract()
    assert set(named) == {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


def test_each_room_is_entered_by_files_of_its_own() -> None:
    for room, _, files in rows_under("Rooms"):
        found = re.findall(r"`([^`]+)`", files)
        assert found, room
        assert [name for name in found if not name.startswith(f"{room.strip('`')}/")] == []


def test_the_modules_beside_the_rooms_are_named() -> None:
    beside = {path.name for path in PACKAGE.glob("*.py") if not path.name.startswith("__")}
    assert beside <= set(NAMED)


def test_each_change_has_a_place_and_a_check() -> None:
    rows = rows_under("Where to change what")
    assert len(rows) > 20
    for change, place, check in rows:
        assert "/" in place, change
        assert re.fullmatch(r"`(tests|testing)/[^`]+`", check), change
