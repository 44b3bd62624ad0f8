"""Templates of workers as jobs: complete, free of secrets, and read back by what they are for."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from templates import OPEN, PASSWORD, SECRET, printed, template

from autotuner.cli import exit_codes
from autotuner.errors import AutotunerError
from autotuner.workers.jobs import (
    SCHEDULERS,
    JobTemplate,
)
from autotuner.workers.jobs.kubernetes import STOPPED

WORKER = ["autotuner", "worker", "--until-idle", "300", "--devices", "all"]
GUARDED = ["/bin/sh", "-c", "sh"]
KUBERNETES = ("1.29", "1.37")


def sbatch_options(text: str) -> dict[str, str]:
    lines = [line.split(maxsplit=1)[1] for line in text.splitlines() if line.startswith("#SBATCH ")]
    return {name: value for name, _, value in (line[2:].partition("=") for line in lines)}


@pytest.mark.parametrize("scheduler", list(SCHEDULERS))
@pytest.mark.parametrize("database", [None, OPEN, "$AUTOTUNER_DATABASE"])
def test_no_template_holds_a_password_and_each_names_the_database(
    scheduler: str, database: str | None
) -> None:
    made = template(scheduler, database)
    written = "\n".join((made.text, *made.submit))
    assert PASSWORD not in written
    assert (OPEN if database == OPEN else "AUTOTUNER_DATABASE") in made.text
    assert made.file in made.submit[-1]


@pytest.mark.parametrize("scheduler", list(SCHEDULERS))
@pytest.mark.parametrize("database", [None, OPEN])
def test_further_secrets_are_named_and_never_written(
    scheduler: str, database: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", PASSWORD)
    made = template(scheduler, database, variables=("HF_TOKEN", "PGPASSWORD"))
    for name in ("HF_TOKEN", "PGPASSWORD"):
        assert name in made.text
    assert PASSWORD not in "\n".join((made.text, *made.submit))
    if scheduler == "kubernetes":
        (container,) = yaml.safe_load(made.text)["spec"]["template"]["spec"]["containers"]
        found = {one["name"]: one for one in container["env"]}
        key = {"name": "autotuner-database", "key": "HF_TOKEN"}
        assert found["HF_TOKEN"]["valueFrom"]["secretKeyRef"] == key | {"optional": True}
        assert '--from-literal=HF_TOKEN="${HF_TOKEN:?is not set}"' in made.submit[0]
    if scheduler == "skypilot":
        assert {"HF_TOKEN": None}.items() <= yaml.safe_load(made.text)["secrets"].items()
        assert "--secret HF_TOKEN --secret PGPASSWORD" in made.submit[-1]


@pytest.mark.parametrize(
    ("mode", "code", "message"),
    [(0o600, 0, ""), (0o640, 2, "others may read it; chmod 600 it"), (None, 1, "is not set")],
)
def test_a_job_of_slurm_reads_secrets_that_only_its_owner_can_read(
    mode: int | None, code: int, message: str, tmp_path: Path
) -> None:
    (tmp_path / "autotuner").write_text('#!/bin/sh\ntest "$HF_TOKEN" = "a b"\n')
    (tmp_path / "autotuner").chmod(0o755)
    secrets = tmp_path / ".config" / "autotuner" / "secrets.env"
    if mode is not None:
        secrets.parent.mkdir(parents=True)
        secrets.write_text('HF_TOKEN="a b"\n')
        secrets.chmod(mode)
    environment = {
        "HOME": str(tmp_path),
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "SLURM_ARRAY_JOB_ID": "7",
        "SLURM_ARRAY_TASK_ID": "1",
    }
    text = template("slurm", OPEN, variables=("HF_TOKEN",)).text
    done = subprocess.run(
        ["/bin/bash"], input=text, env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode != 0) is (code != 0)
    assert message in done.stderr


@pytest.mark.parametrize("scheduler", ["slurm", "ray"])
def test_a_script_is_one_that_its_shell_reads(scheduler: str) -> None:
    text = template(scheduler, gpus=2, count=3, cpus=8, memory_gib=64).text
    shell = text.partition("\n")[0].removeprefix("#!/bin/")
    subprocess.run([shell, "-n"], input=text, text=True, check=True)


def test_a_slurm_script_asks_for_what_is_wanted() -> None:
    fields = {"gpus": 2, "count": 3, "cpus": 8, "memory_gib": 64, "hours": 1.5}
    text = template("slurm", gpu_type="h100", partition="gpu", **fields).text
    found = sbatch_options(text)
    assert found.pop("signal").startswith("B:USR1@")
    assert found == {
        "job-name": "autotuner-worker",
        "array": "1-3",
        "partition": "gpu",
        "nodes": "1",
        "ntasks": "1",
        "cpus-per-task": "8",
        "mem": "64G",
        "gres": "gpu:h100:2",
        "time": "01:30:00",
        "requeue": "",
        "open-mode": "append",
        "output": "autotuner-worker-%A_%a.log",
    }
    assert shlex.join(WORKER) in text
    assert "gres" not in sbatch_options(template("slurm", gpus=0).text)
    assert "--devices cpu" in template("slurm", gpus=0).text


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize(
    "fields",
    [{}, {"gpus": 0, "cpus": 4, "memory_gib": 8, "hours": 2, "volume": "models"}],
)
def test_a_job_of_kubernetes_is_valid(version: str, fields: dict[str, Any]) -> None:
    document = yaml.safe_load(template("kubernetes", **fields).text)
    kubernetes_validate.validate(document, version, strict=True)


def test_a_job_of_kubernetes_has_its_gpus_shared_memory_and_secret_and_time_to_end() -> None:
    made = template("kubernetes", gpus=2, count=3, queue_name="tuning", secret="db")  # noqa: S106
    document = yaml.safe_load(made.text)
    assert document["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "tuning"
    job, pod = document["spec"], document["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (job["parallelism"], "completions" in job) == (3, False)
    command = [*container["command"][:2], *container["command"][3:]]
    assert (pod["restartPolicy"], command) == ("Never", [*GUARDED, *WORKER])
    assert pod["terminationGracePeriodSeconds"] >= 60
    for amounts in container["resources"].values():
        assert amounts["nvidia.com/gpu"] == "2"
    ignored = [rule["onExitCodes"]["values"] for rule in job["podFailurePolicy"]["rules"][1:]]
    assert ignored == [[STOPPED]]
    assert STOPPED == exit_codes.INTERRUPTED
    paths = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert paths["shm"] == "/dev/shm"  # noqa: S108 - of the container
    assert volumes["shm"]["emptyDir"]["medium"] == "Memory"
    assert paths.keys() == volumes.keys()
    (database,) = (v for v in container["env"] if v["name"] == "AUTOTUNER_DATABASE")
    assert database["valueFrom"]["secretKeyRef"] == {
        "name": "db",
        "key": "url",
        "optional": True,
    }
    assert made.submit[0].startswith("kubectl create secret generic db --from-literal=url=")
    plain = yaml.safe_load(template("kubernetes").text)
    assert not any("kueue" in label for label in plain["metadata"]["labels"])


def test_a_script_for_ray_submits_each_worker_with_its_gpus() -> None:
    made = template("ray", gpus=2, count=3, memory_gib=16, address="http://head.example.org:8265")
    lines = made.text.splitlines()
    (submit,) = (line for line in lines if "ray job submit" in line)
    words = shlex.split(submit)
    options, entrypoint = words[: words.index("--")], words[words.index("--") + 1 :]
    assert options == [
        *("ray", "job", "submit", "--no-wait", "--entrypoint-num-gpus", "2"),
        *("--entrypoint-num-cpus", "1", "--entrypoint-memory", str(16 * 2**30)),
    ]
    assert entrypoint[:2] == ["sh", "-c"]
    assert entrypoint[2].endswith(f"exec {shlex.join(WORKER)}")
    assert "for _ in 1 2 3; do" in lines
    assert "export RAY_ADDRESS=http://head.example.org:8265" in lines


def command_of_a_job(made: JobTemplate) -> list[str]:
    """Everything that a scheduler starts where the worker is to run, for a shell."""
    if made.scheduler == "slurm":
        return ["/bin/bash", "-c", made.text]
    if made.scheduler == "ray":
        submit = next(line for line in made.text.splitlines() if "job submit" in line)
        return shlex.split(submit.partition(" -- ")[2])
    document = yaml.safe_load(made.text)
    if made.scheduler == "skypilot":
        return ["/bin/bash", "-c", document["run"]]
    (container,) = document["spec"]["template"]["spec"]["containers"]
    return list(container["command"])


@pytest.mark.parametrize("scheduler", list(SCHEDULERS))
@pytest.mark.parametrize("value", [None, ""])
def test_a_job_whose_database_is_not_there_ends_with_a_line(
    scheduler: str, value: str | None, tmp_path: Path
) -> None:
    (tmp_path / "autotuner").write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    (tmp_path / "autotuner").chmod(0o755)
    environment = {"HOME": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    environment |= {} if value is None else {"AUTOTUNER_DATABASE": value}
    command = command_of_a_job(template(scheduler))
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode != 0
    (line,) = done.stderr.splitlines()
    assert "AUTOTUNER_DATABASE" in line
    assert "is not set" in line
    assert not (tmp_path / "started").exists()
    there = environment | {"AUTOTUNER_DATABASE": SECRET, "SLURM_ARRAY_TASK_ID": "1"}
    subprocess.run(command, env=there, capture_output=True, check=True)
    assert (tmp_path / "started").exists()


def test_a_task_of_skypilot_has_its_resources_and_asks_for_the_secret() -> None:
    made = template("skypilot", gpus=4, count=2, cpus=16, memory_gib=128, image="a/b:1")
    document = yaml.safe_load(made.text)
    assert document.pop("run").splitlines()[-1] == f"exec {shlex.join(WORKER)}"
    assert document == {
        "name": "autotuner-worker",
        "num_nodes": 2,
        "resources": {
            "accelerators": "H100:4",
            "cpus": "16+",
            "memory": "128+",
            "image_id": "docker:a/b:1",
        },
        "secrets": {"AUTOTUNER_DATABASE": None},
    }
    assert "--secret AUTOTUNER_DATABASE" in made.submit[-1]
    bare = yaml.safe_load(template("skypilot", OPEN, gpus=0).text)
    assert bare["setup"].startswith("pip install")
    assert not bare.keys() & {"resources", "secrets"}


@pytest.mark.parametrize(("age_s", "requeued"), [(5, False), (600, True)])
def test_a_job_of_slurm_that_had_no_time_to_work_is_not_queued_again(
    age_s: int, requeued: bool, tmp_path: Path
) -> None:
    # The worker has its batch shell warned, as Slurm does, and ends once that stops it.
    programs = {
        "autotuner": "trap 'exit 130' TERM\nuntil [ -e listens ]; do sleep 0.05; done\n"
        "kill -USR1 $PPID\nwhile :; do sleep 0.05; done",
        "scontrol": f"echo $* >{tmp_path}/again",
    }
    for name, body in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    text = template("slurm", OPEN).text
    text = text.replace("; do\n    wait", f"; do\n    SECONDS={age_s}\n    : >listens\n    wait")
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "SLURM_ARRAY_JOB_ID": "7",
        "SLURM_ARRAY_TASK_ID": "1",
    }
    done = subprocess.run(
        ["/bin/bash"], input=text, env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert (tmp_path / "again").exists() is requeued
    assert ("not queued again" in done.stderr) is not requeued


def test_a_variable_of_another_name_is_a_secret_of_skypilot() -> None:
    made = template("skypilot", "$MYDB")
    document = yaml.safe_load(made.text)
    assert document["secrets"] == {"MYDB": None}
    assert 'AUTOTUNER_DATABASE="${MYDB:?' in document["run"]
    assert "--secret MYDB " in made.submit[-1]


def test_a_variable_of_another_name_is_checked_by_the_job_and_refused_for_ray() -> None:
    assert '"${OURS:?' in template("slurm", "$OURS").text
    with pytest.raises(AutotunerError, match="AUTOTUNER_DATABASE"):
        template("ray", "${OURS}")


def test_the_command_prints_the_file_alone_on_stdout() -> None:
    argv = [sys.executable, "-m", "autotuner", "workers", "template", "skypilot"]
    argv += ["--gpu-type", "H100", "--database", OPEN]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert yaml.safe_load(done.stdout)["name"] == "autotuner-worker"
    assert "sky jobs launch" in done.stderr
    as_json = subprocess.run([*argv, "--json"], capture_output=True, text=True, check=True)
    found = json.loads(as_json.stdout)
    assert (found["text"], found["scheduler"]) == (done.stdout, "skypilot")
    assert found["submit"] == ["sky jobs launch --detach-run worker.sky.yaml"]


def test_a_template_needs_no_database_here_and_says_where_the_job_has_it() -> None:
    done = printed("slurm")
    assert (done.returncode, done.stdout) == (0, template("slurm").text)
    (note,) = (line for line in done.stderr.splitlines() if "AUTOTUNER_DATABASE" in line)
    assert "where sbatch is called" in note
