"""The Containerfile and the Compose file: safe as they are written, and true to one another."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from autotuner.workers.jobs import DatabaseReference, JobRequest, job_template

ROOT = Path(__file__).parents[2]
CONTAINERFILE = (ROOT / "Containerfile").read_text("utf-8").replace("\\\n", " ")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def instructions(word: str) -> list[str]:
    return re.findall(rf"^{word} +(.+)$", CONTAINERFILE, re.MULTILINE)


def test_the_image_is_built_in_stages_on_a_base_of_choice_and_runs_as_a_plain_user() -> None:
    assert [line.split()[0] for line in instructions("FROM")] == ["${BASE}", "${BASE}"]
    (user,) = instructions("USER")
    pod = yaml.safe_load(
        job_template("kubernetes", JobRequest(DatabaseReference(), image="a/b")).text
    )["spec"]["template"]["spec"]
    runs_as = pod["securityContext"]
    assert user == f"{runs_as['runAsUser']}:{runs_as['runAsGroup']}"
    assert f"--chown={user} " in CONTAINERFILE
    (home,) = re.findall(r"AUTOTUNER_HOME=(\S+)", CONTAINERFILE)
    assert {"name": "AUTOTUNER_HOME", "value": home} in pod["containers"][0]["env"]
    assert f"home:{home}" in SERVICES["worker"]["volumes"]


def test_the_health_check_needs_no_curl() -> None:
    (check,) = instructions("HEALTHCHECK")
    assert '"autotuner.server.probe"' in check
    assert "curl" not in check


def test_all_that_is_copied_is_sent_to_the_builder_and_nothing_else_is() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").split()
    allowed = {line[1:] for line in lines if line.startswith("!")}
    assert lines[0] == "*"
    copied = {
        source.partition("/")[0]
        for line in instructions("COPY")
        if "--from" not in line
        for source in line.split()[:-1]
    }
    assert copied == allowed
    assert all((ROOT / name).exists() for name in copied)


def test_only_the_service_is_published_and_only_on_this_machine() -> None:
    published = {name: each["ports"] for name, each in SERVICES.items() if "ports" in each}
    assert published.keys() == {"service"}
    assert all(port.startswith("127.0.0.1:") for port in published["service"])
    command = SERVICES["service"]["command"]
    assert command[command.index("--host") + 1] == "0.0.0.0"  # noqa: S104 - so it wants tokens


def test_no_password_is_in_the_file_and_without_one_nothing_starts() -> None:
    for service in SERVICES.values():
        for name, value in service["environment"].items():
            if "PASSWORD" in name:
                assert re.fullmatch(r"\$\{DATABASE_PASSWORD:\?[^}]*make up[^}]*\}", value)
    assert "autotuner@database" in COMPOSE["x-autotuner"]["environment"]["AUTOTUNER_DATABASE"]


@pytest.mark.parametrize("name", ["service", "worker"])
def test_service_and_worker_are_one_image_with_two_commands_and_few_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["image"] == SERVICES["service"]["image"]
    assert service["command"][0] == {"service": "serve", "worker": "worker"}[name]
    assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
    assert service["init"], "somebody waits for what an engine leaves behind"


def test_what_waits_for_another_waits_until_it_is_healthy() -> None:
    for service in SERVICES.values():
        for other, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}
            assert other == "service" or "healthcheck" in SERVICES[other]


def test_the_file_for_gpus_changes_the_worker_alone() -> None:
    gpus = yaml.safe_load((ROOT / "compose.gpu.yaml").read_text("utf-8"))
    assert gpus["services"].keys() == {"worker"}
    (device,) = gpus["services"]["worker"]["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
    assert not {"count", "device_ids"} <= device.keys()


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_the_password_is_written_before_anything_reads_the_compose_file() -> None:
    root = Path(__file__).parents[2]
    words = ["make", "--dry-run", "--always-make", "up", "COMPOSE=compose"]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=True)
    assert -1 < done.stdout.find("DATABASE_PASSWORD=") < done.stdout.find("compose build")


def test_the_images_to_load_without_a_registry_are_those_that_are_asked_for() -> None:
    docs = (ROOT / "docs" / "operations.md").read_text("utf-8")
    saved = re.findall(r"^docker save --output images.tar (.+)$", docs, re.MULTILINE)
    text = (ROOT / "compose.yaml").read_text("utf-8")
    asked = dict(
        re.findall(r"\$\{(AUTOTUNER_BASE|POSTGRES_IMAGE):-docker.io/library/(.+?)\}", text)
    )
    assert [sorted(names.split()) for names in saved] == [sorted(asked.values())]
    assert instructions("ARG") == [f"BASE=docker.io/library/{asked['AUTOTUNER_BASE']}"]


COMPOSE_STAND_IN = """#!/bin/sh
case "$*" in
  *"token list"*) echo '{"tokens": []}' ;;
  *"token create"*)
    printf '{\\n  "token": "at_secret",\\n  "name": "first"\\n}\\n'
    case "$*" in *--json*) ;; *) echo "explained too late" >&2 ;; esac ;;
  "exec -T service sh -c "*)
    shift 5
    AUTOTUNER_PORT=8811 sh -c "$@" ;;
esac
"""


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_the_token_is_explained_before_it_and_the_address_is_that_of_the_port(
    tmp_path: Path,
) -> None:
    stand_in = tmp_path / "compose"
    stand_in.write_text(COMPOSE_STAND_IN, encoding="utf-8")
    stand_in.chmod(0o755)
    # Compose has its own way with quotes, comments and repeats.
    ports = "AUTOTUNER_PORT=8800\nAUTOTUNER_PORT='8811' # ours\n"
    (tmp_path / ".env").write_text(f"DATABASE_PASSWORD=x\n{ports}", encoding="utf-8")
    for folder in ("web/src", "web/public"):
        (tmp_path / folder).mkdir(parents=True)
    words = ["make", "-C", str(tmp_path), "-f", str(ROOT / "Makefile"), "--no-print-directory"]
    others = ("AUTOTUNER_PORT", "MAKEFLAGS", "MAKELEVEL")
    own = {name: text for name, text in os.environ.items() if name not in others}
    done = subprocess.run(
        [*words, "--silent", "--old-file=image", "up", f"COMPOSE={stand_in}"],
        env=own,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    explained, *shown, another = done.stdout.splitlines()
    assert "shown this once" in explained and explained.endswith(":")
    assert shown == ["at_secret", "The web UI and the API: http://127.0.0.1:8811"]
    assert f"{stand_in} exec service autotuner token create NAME" in another
