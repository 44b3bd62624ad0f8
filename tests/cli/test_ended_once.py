"""Lines of progress on the terminal."""

from __future__ import annotations

import io
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from autotuner.cli.progress import Progress
from autotuner.errors import LaunchError
from autotuner.tuning.events import TaskEnded

ERROR = LaunchError("no daemon answers", remedy="start it")


@pytest.mark.parametrize(
    ("error", "printed"),
    [(None, "failed: all are launched\n"), (ERROR, ""), (KeyError("x"), "failed: it broke\n")],
)
def test_an_error_that_ends_a_task_is_printed_once(error: Exception | None, printed: str) -> None:
    none: Any = SimpleNamespace(
        axes={},
        launchable=SimpleNamespace(candidates=()),
        engine_starts=1,
        replay=None,
        side_by_side=1,
    )
    file = io.StringIO()
    reason = "all are launched" if error is None else str(error) if error is ERROR else "it broke"
    with suppress(LaunchError, KeyError), Progress(Console(file=file), cast("Any", none)) as shown:
        shown.tell(TaskEnded(1, "failed", reason))
        if error is not None:
            raise error
    assert file.getvalue() == printed
