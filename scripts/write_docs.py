"""Writes the generated parts of the documents, between their markers; `--check` only compares.

python scripts/write_docs.py
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from command_docs import commands
from field_docs import (
    described,
    fields,
    options,
)
from knowledge_docs import (
    aligned,
    coverage,
    devices,
    engine_keys,
    facts,
    only_here,
    only_there,
    profiles,
    reasons,
    rules,
)
from migration_docs import becomes
from service_docs import endpoints, errors, flags, policy, settings, transitions

from autotuner.cli.commands.engine_tables import memory_markdown, requirements_markdown

DOCS = Path(__file__).parents[1] / "docs"
PARTS = {
    "api.md": {"endpoints": endpoints, "transitions": transitions, "errors": errors},
    "api_security.md": {"settings": settings, "policy": policy, "flags": flags},
    "cli.md": {"commands": commands},
    "configuration.md": {
        "options": options,
        "fields": fields,
        "devices": devices,
        "described": described,
    },
    "engines.md": {
        "coverage": coverage,
        "engine-keys": engine_keys,
        "requirements": requirements_markdown,
        "memory": memory_markdown,
    },
    "migration.md": {"becomes": becomes},
    "schema_alignment.md": {"aligned": aligned, "here": only_here, "there": only_there},
    "profiles.md": {"profiles": profiles, "reasons": reasons, "rules": rules, "facts": facts},
}


def written(name: str) -> str:
    """The document as it should be."""
    text = (DOCS / name).read_text(encoding="utf-8")
    for part, make in PARTS[name].items():
        begin, end = f"<!-- generated: {part} -->", f"<!-- end: {part} -->"
        pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"docs/{name} has no marks for {part}")
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}\n{make()}\n{end}{rest.partition(end)[2]}"
    return text


def main() -> int:
    """Writes all; with `--check` says which differ."""
    stale = [n for n in PARTS if written(n) != (DOCS / n).read_text(encoding="utf-8")]
    if "--check" in sys.argv:
        print("\n".join(f"docs/{name} is stale: python scripts/write_docs.py" for name in stale))
        return 1 if stale else 0
    for name in stale:
        (DOCS / name).write_text(written(name), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
