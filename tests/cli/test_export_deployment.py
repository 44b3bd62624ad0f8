"""`autotuner export --format compose` and its like, through the command: files, list, mistakes."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
import yaml
from running import Run, WriteTask

from autotuner.engines import parse_command

IMAGE = ("--image", "registry/engine:1")


@pytest.fixture
def tuned(run: Run, replay: WriteTask) -> Run:
    """The command, where a task has been replayed."""
    assert run("tune", replay()).returncode == 0
    return run


def test_the_recommended_point_is_what_is_deployed(tuned: Run, tmp_path: Path) -> None:
    recommended = json.loads(tuned("show", "--json").stdout)["recommended"]
    file = tmp_path / "compose.yaml"
    done = tuned("export", "--format", "compose", *IMAGE, "-o", file, "--json")
    written = json.loads(done.stdout)
    point = f"{recommended['candidate']}@{recommended['load']['value']:g}"
    assert written == {
        "task": 1,
        "format": "compose",
        "point": point,
        "measured": True,
        "replicas": 1,
        "files": [str(file)],
        "replay": True,
    }
    text = file.read_text()
    assert "REPLAYED from recorded launches" in text
    [service] = yaml.safe_load(text)["services"].values()
    words = [*service["entrypoint"], *service["command"]]
    measured = parse_command(recommended["command"])
    assert parse_command(words, measured.engine).settings == measured.settings


def test_the_command_in_the_file_makes_it_again(tuned: Run) -> None:
    words = ("export", "--format", "kubernetes", *IMAGE, "--replicas", "2")
    text = tuned(*words).stdout
    again = text.partition("# Made by: autotuner ")[2].splitlines()[0]
    assert tuned(*shlex.split(again)).stdout == text


def test_a_point_is_named_by_candidate_and_load(tuned: Run) -> None:
    frontier = json.loads(tuned("show", "--json").stdout)["frontier"]
    other = frontier[-1]
    name = f"{other['candidate']}@{other['load']['value']:g}"
    done = tuned("export", "--format", "shell", "--point", name)
    assert f"point {name}" in done.stdout
    found, wanted = parse_command(done.stdout), parse_command(other["command"])
    assert (found.settings, found.model) == (wanted.settings, wanted.model)


def test_the_model_of_a_replay_may_be_no_more_than_its_tables_name(
    run: Run, replay: WriteTask, tmp_path: Path
) -> None:
    task = replay({"optimization": {"strategy": "random", "budget": {"experiments": 2}}})
    table = tmp_path / "table.csv"
    table.write_text(table.read_text().replace("meta-llama/Llama-3.1-8B-Instruct", "odd70b"))
    assert run("tune", task).returncode == 0
    for point in ((), ("--point", "predicted")):
        done = run("export", "--format", "shell", *point)
        assert (
            "# Note: odd70b is the table's name of the model, which no engine loads" in done.stdout
        )
        assert done.returncode == 0, done.stderr


def test_formats_are_listed_with_why_not(tuned: Run) -> None:
    listed = json.loads(tuned("export", "--list", "--replicas", "2", "--json").stdout)
    formats = {one["format"]: one for one in listed["formats"]}
    assert listed["image"].startswith("vllm/vllm-openai:v")
    assert (formats["compose"]["fits"], formats["compose"]["why_not"]) == (True, None)
    assert formats["kserve"]["versions"] == ["v1alpha2", "v1alpha1"]
    assert "2 replicas are wished" in formats["shell"]["why_not"]
    table = " ".join(tuned("export", "--list").stdout.split())
    assert "v1beta1, v1alpha1" in table
    assert "replicas are wished" not in table


def test_replicas_are_as_many_as_hold_the_traffic(tuned: Run) -> None:
    sized = json.loads(tuned("size", "--rate", "500", "--json").stdout)
    deployment = sized["deployments"][0]
    done = tuned(
        *("export", "--format", "kubernetes", *IMAGE, "--rate", "500"),
        *("--point", deployment["candidate"]),
    )
    documents = {one["kind"]: one for one in yaml.safe_load_all(done.stdout)}
    assert documents["Deployment"]["spec"]["replicas"] == deployment["replicas"] > 1


def test_the_frontier_is_a_script(tuned: Run) -> None:
    frontier = json.loads(tuned("show", "--json").stdout)["frontier"]
    script = tuned("export", "--format", "frontier").stdout
    assert all(f"serve_{point['candidate']}()" in script for point in frontier)


MISTAKES = [
    (("--format", "compos"), ("--format", "compose")),
    (("--format", "shell", "--point", "zz"), ("'zz' has no operating point", "give one of")),
    (("--format", "kserve", "--target-version", "v2"), ("target_version", "v1alpha2, v1alpha1")),
    (("--format", "shell", "--replicas", "2"), ("2 replicas are wished", "--replicas")),
    (
        ("--format", "shell", "--replicas", "2", "--rate", "1"),
        ("rate: replicas and rate are given", "one of them"),
    ),
    (("--format", "compose", "--users", "-1"), ("users: traffic of -1 is none",)),
    (
        ("--format", "kubernetes", "--rate", "1", "--point", "predicted"),
        ("rate: it sizes by measurements", "give replicas"),
    ),
    (
        ("--format", "kubernetes", "--rate", "1e7"),
        ("rate: 10000000 takes", "an export has 1,000 at the most", "less traffic"),
    ),
    (("--format", "kubernetes", "--replicas", "0"), ("replicas: 0 is not between 1 and 1,000",)),
    (("--format", "compose", "--image", "a b"), ("image: 'a b' is no image",)),
    (("--format", "csv", "--point", "x"), ("--point x", "--list")),
    (("--format", "compose", "--json"), ("--output",)),
    (("--format", "llm-d"), ("writes 2 files", "kustomization.yaml, patch.yaml", "--output ")),
    (("--format", "llm-d", "--output", "over.zip"), ("ends in .zip", "a folder", "give over\n")),
    (("--format", "compose", "-o", "x.sh"), ("ends in .sh", "a file of .yaml", "give x.yaml")),
    (("--format", "shell", "-o", "serve.YML"), ("ends in .YML", "give serve.sh")),
    (("--format", "csv", "-o", "rows.json"), ("ends in .json", "give rows.csv")),
    (("--format", "csv", "--api-key"), ("--api-key: csv has all points", "--list")),
    (("--format", "llm-d", "--output", __file__, "--force"), ("is no folder", "give a folder")),
]


def test_a_mistake_is_a_line_and_its_remedy(tuned: Run) -> None:
    for words, shown in MISTAKES:
        done = tuned("export", *words)
        assert (done.returncode, done.stdout) == (2, ""), words
        assert "Traceback" not in done.stderr
        assert [word for word in shown if word not in done.stderr] == [], done.stderr


def test_no_file_is_replaced_unasked(tuned: Run, tmp_path: Path) -> None:
    file = tmp_path / "there.sh"
    file.write_text("mine")
    refused = tuned("export", "--format", "shell", "-o", file)
    assert (refused.returncode, file.read_text()) == (2, "mine")
    assert tuned("export", "--format", "shell", "-o", tmp_path / "new.sh").returncode == 0
    assert tuned("export", "--format", "shell", "-o", file, "--force").returncode == 0
    assert tuned("export", "--format", "shell", "-o", tmp_path).returncode == 0
    assert (tmp_path / "serve.sh").read_text().startswith("#!/bin/sh\n")
