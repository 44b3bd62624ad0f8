"""Every example as a new task: imported, shown as it was written, changed by the form and back."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pages import opened_page
from playwright.sync_api import Browser, Locator, Page, expect
from service_process import ServiceProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = sorted((EXAMPLES / "v2").glob("*.yaml"))
UPWARD = "leaves its folder by '..'"
"""In what the service says of files beside its own folder, which the command line opens."""
VALIDATED_MS = 120_000
TABS = ("Measurement", "Search", "Workload")
"""Tabs in which a field to be changed is looked for; every example gives one in one of them."""


@pytest.fixture(scope="module")
def beside(built_ui: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A service whose home is a copy of the examples' folder: relative paths mean the same."""
    root = tmp_path_factory.mktemp("examples")
    shutil.copytree(EXAMPLES, root, dirs_exist_ok=True)
    policy = {
        "landscape_roots": [str(root / "landscapes")],
        "model_roots": [str(root)],
        "images": ["inference-autotuner/*"],
        "extra_args": {"llamacpp": ["--no-such-flag", "--cpu-limit-s"]},
    }
    config = root / "operator.yaml"
    config.write_text(json.dumps({"policy": policy}), "utf-8")
    service = ServiceProcess(root / "v2")
    service.start("--no-worker", "--config", str(config))
    yield service
    service.stop()


@pytest.fixture(scope="module")
def form(browser: Browser) -> Iterator[Page]:
    with opened_page(browser) as page:
        yield page


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_example_goes_into_the_form_and_comes_back_as_it_was(
    file: Path, beside: ServiceProcess, form: Page
) -> None:
    text = file.read_text("utf-8")
    form.goto(f"{beside.url}/tasks/new?mode=advanced")
    form.get_by_role("button", name="Import").click()
    dialog = form.get_by_role("dialog", name="Import")
    dialog.locator("input[type=file]").set_input_files(file)
    expect(dialog.get_by_label("File or command line")).to_have_value(text)
    dialog.get_by_role("button", name="Read it").click()
    expect(dialog.get_by_text("This is a task of version 2")).to_be_visible()
    dialog.get_by_role("button", name="Use it").click()
    expect(dialog).to_have_count(0)
    assert yaml_of(form) == text
    more = faults_of(form) - faults_by_command(beside.home / file.name)
    assert all(UPWARD in fault for fault in more), more

    field = given_number(form)
    before = field.input_value()
    field.fill(str(int(before) + 1))
    expect(form.get_by_role("button", name="Undo")).to_be_enabled()
    changed = yaml_of(form)
    assert len(changed.splitlines()) == len(text.splitlines())
    differing = [
        (old, new)
        for old, new in zip(text.splitlines(), changed.splitlines(), strict=True)
        if old != new
    ]
    assert len(differing) == 1, differing
    field.fill(before)
    assert yaml_of(form) == text

    modes = form.get_by_role("radiogroup", name="Form")
    modes.get_by_text("Quick").click()
    expect(form.get_by_role("heading", name="Workload")).to_be_visible()
    modes.get_by_text("Advanced").click()
    assert yaml_of(form) == text


def yaml_of(form: Page) -> str:
    """The whole text: the editor draws only the lines in sight."""
    form.get_by_role("button", name="Copy YAML").click()
    expect(form.get_by_role("button", name="Copied")).to_be_visible()
    text: str = form.evaluate("navigator.clipboard.readText()")
    form.evaluate("navigator.clipboard.writeText('')")
    expect(form.get_by_role("button", name="Copy YAML")).to_be_visible()
    return text


def given_number(form: Page) -> Locator:
    """The input of a number that the document gives."""
    for tab in TABS:
        form.get_by_role("tab", name=re.compile(tab)).click()
        inputs = form.locator("[data-given=true] input[inputmode=decimal]")
        if inputs.count():
            return inputs.first
    raise AssertionError("the form shows no number of the document")


def faults_of(form: Page) -> set[str]:
    """Faults that the page shows once it has validated."""
    beside_form = form.get_by_role("radiogroup", name="Beside the form")
    beside_form.get_by_text("Plan").click()
    faults = form.get_by_role("region", name="Plan").get_by_role("alert").get_by_role("listitem")
    # What is valid can be created, however long its plan takes.
    can_create = form.get_by_role("button", name="Create", exact=True, disabled=False)
    expect(faults.or_(can_create).first).to_be_visible(timeout=VALIDATED_MS)
    shown = faults.all_inner_texts()
    beside_form.get_by_text("YAML").click()
    return set(shown)


def faults_by_command(file: Path) -> set[str]:
    """Faults that `autotuner validate` finds in a file of the service's home."""
    argv = [sys.executable, "-m", "autotuner", "validate", str(file), "--json"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    found: dict[str, Any] = json.loads(done.stdout)
    return {f"{fault['path']}: {fault['message']}" for fault in found["errors"]}
