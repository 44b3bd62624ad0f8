"""How a task is opened in the web UI, as the last line of what the command prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from autotuner.cli.commands import show
from autotuner.cli.home import state_folder


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")


def printed(capsys: pytest.CaptureFixture[str], folder: Path) -> str:
    show.print_ui(7, folder)
    return capsys.readouterr().out


def test_a_task_of_the_usual_home_is_one_command_away(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(show, "is_built", lambda: True)
    line = "web UI: `autotuner serve`, then http://127.0.0.1:8700/tasks/7\n"
    assert printed(capsys, state_folder(None)) == line


def test_where_the_ui_is_not_built_that_comes_first(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(show, "is_built", lambda: False)
    line = "web UI: `make serve`, then http://127.0.0.1:8700/tasks/7\n"
    assert printed(capsys, state_folder(None)) == line
    assert "`make ui-build`, `autotuner serve --home /srv`" in printed(capsys, Path("/srv"))


def test_an_environment_that_is_not_active_is_activated_first(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(show, "is_built", lambda: True)
    scripts = tmp_path / ".venv" / "bin"
    scripts.mkdir(parents=True)
    (scripts / "activate").touch()
    monkeypatch.setattr("sys.executable", str(scripts / "python"))
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.chdir(tmp_path)
    assert "`. .venv/bin/activate`, `autotuner serve`" in printed(capsys, state_folder(None))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert f"`. {scripts}/activate`" in printed(capsys, state_folder(None))


def test_another_home_is_named_to_the_service_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(show, "is_built", lambda: True)
    line = printed(capsys, Path("/srv/my [red]home[/red]"))
    assert "`autotuner serve --home '/srv/my [red]home[/red]'`" in line
