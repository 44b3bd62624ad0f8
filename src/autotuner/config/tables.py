"""Tables that travel inside the package, as YAML."""

from __future__ import annotations

from importlib import resources
from typing import Any

import yaml

# libyaml reads ten times as fast; PyYAML's wheels have it, its sources may not.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def packaged_table(package: str, name: str) -> Any:
    """The document `NAME.yaml` of a package of ours."""
    text = resources.files(package).joinpath(f"{name}.yaml").read_text("utf-8")
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
