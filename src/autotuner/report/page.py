"""What every HTML page here shares: templates, one style, a file that is never half written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any


def render_page(template: str, **values: Any) -> str:
    """A page of this room; nothing in `values` becomes markup."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("autotuner.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(template).render(**values)


def write_aside(path: Path, content: str | bytes) -> None:
    """Writes a file aside and renames it, so that `path` is never half a file.

    Raises:
        OSError: the folder cannot be written.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    aside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        aside.chmod(0o644)
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
