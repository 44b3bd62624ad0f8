"""The one folder in which all state lies."""

from __future__ import annotations

from pathlib import Path


def state_folder(given: Path | None) -> Path:
    """`--home` or AUTOTUNER_HOME where given, otherwise the platform's data folder."""
    if given is not None:
        return given.expanduser().resolve()
    from platformdirs import user_data_path

    return user_data_path("inference-autotuner", appauthor=False)
