"""Tables that travel inside the package, as YAML."""

from __future__ import annotations

from importlib import resources
from typing import Any

import yaml

# libyaml reads ten times as fast; PyYAML's wheels have it, its sources may not.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def packaged_table(package: str, name: str) -> Any:
    """The document `NAME.yaml` of a package of ours."""
    return fast_document(resources.files(package).joinpath(f"{name}.yaml").read_text("utf-8"))


def fast_document(text: str) -> Any:
    """The document of a text of ours; of a key that is given twice the last one counts."""
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
