"""Writes the service's OpenAPI document, from which the UI's types are made: `make ui-api`."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from autotuner.server.app import create_app
from autotuner.server.service import Service
from autotuner.store import Store

FILE = Path(__file__).parents[1] / "web" / "openapi.json"


def openapi_text() -> str:
    """The document as the file has it: sorted, so that a change shows as what it is."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with Store.open(home / "autotuner.db") as store:
            document = create_app(Service(store, home)).openapi()
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(openapi_text(), encoding="utf-8")
