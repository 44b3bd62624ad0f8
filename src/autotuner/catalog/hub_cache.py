"""Where Hugging Face's cache on this machine keeps a model, without asking the hub."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def cached_snapshot(
    name: str, revision: str | None = None, environment: Mapping[str, str] = os.environ
) -> Path | None:
    """The folder of a hub's model in the cache, with its `config.json`; None where it is not there.

    Args:
        name: with its owner, `org/name`.
        revision: a branch, a tag or a commit; `main` where left out.
        environment: names the cache (`HF_HUB_CACHE`, or `HF_HOME` that holds `hub`).
    """
    if name.count("/") != 1 or ".." in name:
        return None
    root = _root(environment) / f"models--{name.replace('/', '--')}"
    wanted = revision or "main"
    reference = root / "refs" / wanted
    try:
        commit = reference.read_text(encoding="utf-8").strip() if reference.is_file() else wanted
    except OSError:
        return None
    folder = root / "snapshots" / commit
    return folder if (folder / "config.json").is_file() else None


def _root(environment: Mapping[str, str]) -> Path:
    said = environment.get("HF_HUB_CACHE") or environment.get("HUGGINGFACE_HUB_CACHE")
    if said:
        return Path(said).expanduser()
    home = environment.get("HF_HOME") or "~/.cache/huggingface"
    return Path(home).expanduser() / "hub"
