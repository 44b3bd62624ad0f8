"""An engine is one file: what else names it, and what is said of a wrong file."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autotuner.cli.app import app
from autotuner.config import BACKENDS, add_engine_folder, engine_files
from autotuner.config.backends import BUILT_IN, FOLDERS
from autotuner.engines import ENGINES, engine_called, engine_named, engine_table, v1_engines
from autotuner.errors import EngineError
from autotuner.predict.roofline.rates import habits_of
from autotuner.workers.policy import Policy, allowed_flags, engine_environment

SOURCE = BUILT_IN.parent
VLLM = (BUILT_IN / "vllm.yaml").read_text(encoding="utf-8")


def added(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def named(name: str) -> str:
    return VLLM.replace("name: vllm\n", f"name: {name}\n", 1).replace("order: 2\n", "", 1)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDERS, str(tmp_path))
    return tmp_path


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """Texts of a module that are no documentation."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in documentation:
            yield node.lineno, node.value


def test_no_code_outside_the_engines_room_names_an_engine() -> None:
    names = {*BACKENDS, *v1_engines()}
    for name in BACKENDS:
        names |= {*engine_table(name).file.names}
    modules = [
        path
        for path in SOURCE.rglob("*.py")
        if path.relative_to(SOURCE).parts[0] not in ("engines", "testing")
    ]
    found = [
        f"{path.relative_to(SOURCE)}:{line}: {text!r}"
        for path in modules
        for line, text in literals(path)
        if text.lower() in names
    ]
    assert len(modules) > 300
    assert found == []


def test_every_engine_file_is_an_engine_in_the_order_of_lists() -> None:
    built_in = {path.stem for path in BUILT_IN.glob("*.yaml")}
    assert {*BACKENDS} == built_in == {*ENGINES}
    orders = [engine_table(name).file.order for name in BACKENDS]
    assert orders == sorted(orders)
    assert len({*orders}) == len(orders)


def test_a_file_of_the_users_is_an_engine_everywhere(folder: Path) -> None:
    text = named("mine") + "names: [my-engine]\n"
    added(folder, "mine", text.replace("names: [vllm]", "names: [mine-v1]"))
    assert BACKENDS[-1] == "mine"
    assert engine_named("mine").table.rows == engine_named("vllm").table.rows
    assert habits_of("mine") == habits_of("vllm")
    assert allowed_flags("mine") == allowed_flags("vllm")
    assert v1_engines()["mine-v1"] == "mine"
    assert engine_called("my-engine") == "mine"
    assert "mine" in Policy().engines
    assert engine_environment({"VLLM_X": "1"}, Policy()) == {"VLLM_X": "1"}


def test_an_engine_without_a_scheduler_is_unknown_to_the_roofline(folder: Path) -> None:
    head, _, rest = named("plain").partition("scheduler:\n")
    added(folder, "plain", head + rest.partition("\n\n")[2])
    with pytest.raises(LookupError):
        habits_of("plain")


@pytest.mark.parametrize(
    ("before", "after", "where"),
    [
        ("title: vLLM\n", "title: vLLM\ntitel: x\n", "titel: unknown key; did you mean 'title'?"),
        (
            "{flag: --block-size}",
            "{flagg: --block-size}",
            "flags.memory.page_size.0.flagg: unknown key; did you mean 'flag'?",
        ),
        (
            "  host_ms: 0.8\n",
            "  host_ms: 0.8\n  hots_ms: 1\n",
            "scheduler.hots_ms: unknown key; did you mean 'host_ms'?",
        ),
        (
            "model_format: folder\n",
            "model_format: zip\n",
            "model_format: has to be 'gguf' or 'folder', not 'zip'",
        ),
        (
            "image: vllm/vllm-openai\n",
            "image: vllm/vllm-openai:v0.32.0\n",
            "image: 'vllm/vllm-openai:v0.32.0' is no image without a tag",
        ),
        ('argv: [--host, "{host}",', "argv: [--host, 127.0.0.1,", 'argv: "{host}" has to stand'),
        ('--port, "{port}"', '--port, "{port}", --p, "{port}"', 'argv: "{port}" has to stand'),
        ("kind: port_taken\n", "kind: blocked\n", "failures.0.kind: has to be 'out_of_memory'"),
        ("at_least: served_length\n", "at_leest: served_length\n", "requires.0.at_leest: unknown"),
    ],
)
def test_a_wrong_key_or_value_is_reported_with_file_and_line(
    folder: Path, before: str, after: str, where: str
) -> None:
    text = named("wrong")
    path = added(folder, "wrong", text.replace(before, after, 1))
    wrong = [line for line in after.splitlines() if line not in before][-1]
    lines = path.read_text(encoding="utf-8").splitlines()
    number = next(n for n, line in enumerate(lines, 1) if wrong in line)
    with pytest.raises(EngineError) as raised:
        engine_table("wrong")
    assert f"{path}:{number}: {where}" in str(raised.value)


@pytest.mark.parametrize(
    ("before", "after", "written"),
    [
        ("title: vLLM\n", "title: vLLM\ntitle: x\n", "'title' is given twice"),
        ("title: vLLM\n", "", ":1: title: is missing"),
        ("title: vLLM\n", "title: [\n", "broken YAML at line"),
        ("name: wrong\n", "name: other\n", "'other' is not the file's own name"),
        ("  memory.page_size: {flag: --block-size}\n", "", "memory.page_size"),
    ],
)
def test_a_file_that_is_no_engine_is_refused(
    folder: Path, before: str, after: str, written: str
) -> None:
    added(folder, "wrong", named("wrong").replace(before, after, 1))
    with pytest.raises(EngineError) as raised:
        engine_table("wrong")
    assert written in str(raised.value)
    assert "wrong.yaml" in str(raised.value)


def test_two_files_for_one_engine_are_refused(folder: Path) -> None:
    path = added(folder, "vllm", VLLM)
    with pytest.raises(EngineError, match="two files") as raised:
        engine_files()
    assert str(path) in str(raised.value)
    assert str(BUILT_IN / "vllm.yaml") in str(raised.value)


def test_a_folder_that_is_not_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDERS, str(tmp_path / "none"))
    with pytest.raises(EngineError, match="is no folder"):
        engine_files()


def test_a_file_whose_name_names_no_engine_is_refused(folder: Path) -> None:
    added(folder, "My Engine", VLLM)
    with pytest.raises(EngineError, match="cannot name an engine"):
        engine_files()


def test_folders_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDERS, "")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        added(tmp_path / name, name, named(name))
        add_engine_folder(tmp_path / name)
    add_engine_folder(tmp_path / "two")
    assert os.environ[FOLDERS].count(os.pathsep) == 1
    assert {"one", "two"} <= {*BACKENDS}
    monkeypatch.setenv(FOLDERS, "")
    assert "one" not in BACKENDS


def test_the_command_line_takes_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDERS, "")
    added(tmp_path, "mine", named("mine"))
    done = CliRunner().invoke(
        app, ["--engines", str(tmp_path), "engines", "show", "mine", "--json"]
    )
    assert json.loads(done.stdout)["engine"] == "mine"
    monkeypatch.setenv(FOLDERS, "")
    missing = CliRunner().invoke(app, ["--engines", str(tmp_path / "no"), "engines", "list"])
    assert isinstance(missing.exception, EngineError)


def test_a_package_adds_engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "their_engines"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('is not run')\n", encoding="utf-8")
    added(package, "theirs", named("theirs"))
    monkeypatch.syspath_prepend(tmp_path)
    point = EntryPoint("theirs", "their_engines", "autotuner.engines")
    monkeypatch.setattr("autotuner.config.backends.entry_points", lambda group: [point])
    # A value of its own, so that no answer of another test is found.
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv(FOLDERS, str(tmp_path / "empty"))
    assert engine_named("theirs").table.title == "vLLM"
