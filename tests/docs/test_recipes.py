"""The recipes of CONTRIBUTING.md do what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from autotuner.catalog import ModelFacts
from autotuner.catalog.gpus import _document, _gpu
from autotuner.engines.rows import row_from

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
_, *PARTS = re.split(r"^### (.*)\n", TEXT.partition("## Recipes")[2], flags=re.MULTILINE)
RECIPES = dict(zip(PARTS[::2], PARTS[1::2], strict=True))


def block(recipe: str, language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", RECIPES[recipe], re.DOTALL)
    return str(found)


def test_there_is_a_recipe_for_everything_that_is_added_often() -> None:
    wanted = {"GPU", "flag", "engine", "strategy", "launcher", "load generator", "page"}
    assert {name.split(" ", 1)[1] for name in RECIPES} == wanted


def test_every_file_named_is_there() -> None:
    named = re.findall(r"`((?:src|tests|scripts|docs)/[\w./-]+)`", TEXT)
    missing = [name for name in named if "NAME" not in name and not (ROOT / name).exists()]
    assert missing == []
    assert len(named) > 20


def test_a_gpu_is_a_row() -> None:
    ((name, row),) = yaml.safe_load(block("A GPU", "yaml")).items()
    assert _gpu(name, row, _document()).memory_gib == 99.1
    assert row.keys() == _document()["gpus"]["h100_sxm"].keys()


def test_a_flag_is_a_row() -> None:
    ((path, row),) = yaml.safe_load(block("A flag", "yaml")).items()
    fragment = row_from(path, row).fragment({path: 32}, ModelFacts(), "vllm")
    assert fragment.words == ("--block-size", "32")


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["A strategy", "A launcher", "A load generator"])
def test_code_of_a_recipe_keeps_its_contract(recipe: str, tmp_path: Path) -> None:
    path = tmp_path / "test_recipe.py"
    path.write_text(block(recipe, "python"), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", str(path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
