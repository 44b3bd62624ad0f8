"""Writes the part of the service's OpenAPI document that the UI uses: `make ui-api`.

The UI's types are made from it. The predecessor's API has no part in them.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

from autotuner.server.app import create_app
from autotuner.server.service import Service
from autotuner.server.v1.routing import TAG
from autotuner.store import Store

FILE = Path(__file__).parents[1] / "web" / "openapi.json"


def openapi_text() -> str:
    """The document as the file has it: sorted, so that a change shows as what it is."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with Store.open(home / "autotuner.db") as store:
            document = without_v1(create_app(Service(store, home)).openapi())
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def without_v1(document: dict[str, Any]) -> dict[str, Any]:
    """The document without the predecessor's operations, and the schemas that they alone use."""
    paths = {
        path: kept
        for path, found in document["paths"].items()
        if (kept := {method: each for method, each in found.items() if TAG not in each["tags"]})
    }
    schemas = document["components"]["schemas"]
    used = _used(json.dumps(paths))
    while more := _used(json.dumps([schemas[name] for name in used])) - used:
        used |= more
    kept_schemas = {name: schema for name, schema in schemas.items() if name in used}
    return {
        **document,
        "paths": paths,
        "components": {**document["components"], "schemas": kept_schemas},
    }


def _used(text: str) -> set[str]:
    return set(re.findall(r"#/components/schemas/([^\"]+)", text))


if __name__ == "__main__":
    FILE.write_text(openapi_text(), encoding="utf-8")
