"""Locked requirements agree: what `make setup` installs, `make dev` does not replace."""

from __future__ import annotations

import re

from sources import ROOT

_PINNED = re.compile(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==([^ ;\\]+)", re.MULTILINE)


def pinned(name: str) -> set[tuple[str, str]]:
    """Package and version; one that differs between versions of Python stands there twice."""
    return set(_PINNED.findall((ROOT / "requirements" / name).read_text("utf-8")))


def test_what_is_needed_to_run_has_the_same_versions_as_what_develops() -> None:
    assert len(pinned("runtime.txt")) > 30
    assert pinned("runtime.txt") - pinned("dev.txt") == set()
