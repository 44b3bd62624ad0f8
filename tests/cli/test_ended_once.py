"""Lines of progress on the terminal."""

from __future__ import annotations

import io
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from autotuner.cli.progress import Progress
from autotuner.errors import LaunchError
from autotuner.tuning.events import (
    Event,
    ExperimentEnded,
    ExperimentStarted,
    LaunchTakenBack,
    RelaunchEnded,
    RelaunchStarted,
    TaskEnded,
    TaskStarted,
)


def prepared(launches: int = 1) -> Any:
    """What progress reads of a prepared task."""
    return SimpleNamespace(
        axes={},
        launchable=SimpleNamespace(candidates=()),
        engine_starts=launches,
        replay=None,
        side_by_side=1,
    )


ERROR = LaunchError("no daemon answers", remedy="start it")


@pytest.mark.parametrize(
    ("error", "printed"),
    [(None, "failed: all are launched\n"), (ERROR, ""), (KeyError("x"), "failed: it broke\n")],
)
def test_an_error_that_ends_a_task_is_printed_once(error: Exception | None, printed: str) -> None:
    file = io.StringIO()
    reason = "all are launched" if error is None else str(error) if error is ERROR else "it broke"
    with suppress(LaunchError, KeyError), Progress(Console(file=file), prepared()) as shown:
        shown.tell(TaskEnded(1, "failed", reason))
        if error is not None:
            raise error
    assert file.getvalue() == printed


def test_launches_are_numbered_rising_further_ones_among_them() -> None:
    """The second is made again as its machine was lost, the third is a further launch of the
    first, and the fourth is a candidate's first one again."""
    file, names = io.StringIO(), ("a", "b", "c")
    began = [ExperimentStarted(i, name, {}, "as asked", "grid") for i, name in enumerate(names, 1)]
    ended = [ExperimentEnded(i, name, None, 1.0) for i, name in enumerate(names, 1)]
    events: list[Event] = [
        TaskStarted(1, 5, 1, resumed=True),
        began[0],
        ended[0],
        began[1],
        LaunchTakenBack(2, "the node is gone"),
        began[1],
        ended[1],
        RelaunchStarted(1, "a", 2, "a reference", 1, 2),
        RelaunchEnded(1, "a", 2, None, 1.0),
        began[2],
    ]
    with Progress(Console(file=file, width=100), prepared(5)) as shown:
        for event in events:
            shown.tell(event)
    assert "launch 2 of it  (confirm, 1 of at most 2: a reference)" in file.getvalue()
    numbers = [line[:5] for line in file.getvalue().splitlines() if line.startswith("[")]
    assert numbers == ["[2/5]", "[3/5]", "[3/5]", "[4/5]", "[5/5]"]
