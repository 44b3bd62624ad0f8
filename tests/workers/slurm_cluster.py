"""Slurm with two nodes on this machine: its real daemons, with devices of no use."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from free_ports import free_port

DAEMONS = ("munged", "slurmctld", "slurmd")
NODES, GPUS = ("n1", "n2"), 2
_START_S = 60.0
_CONFIG = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
KillWait=30
MinJobAge=300
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
GresTypes=gpu
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=1 Gres=gpu:{gpus}
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=1 Gres=gpu:{gpus}
PartitionName=all Nodes=n[1-2] Default=YES State=UP
"""


class Slurm:
    """A cluster that runs; `environment` is that of its commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"SLURM_CONF": str(folder / "slurm.conf")}

    def run(
        self, *argv: str, environment: Mapping[str, str] | None = None, folder: Path | None = None
    ) -> str:
        """A command of Slurm's; returns what it prints."""
        done = subprocess.run(
            argv,
            cwd=folder or self.folder,
            env={**(environment or os.environ), **self.environment},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, f"{argv}: {done.stderr}\n{self.logs()}"
        return done.stdout.strip()

    def states(self) -> dict[str, str]:
        """Job -> its state, those that have ended too."""
        lines = self.run(
            "squeue", "--noheader", "--states=all", "--array", "--format=%i %T"
        ).splitlines()
        return dict(line.split(maxsplit=1) for line in lines)

    def logs(self) -> str:
        """The end of what the daemons and the jobs have written."""
        files = sorted(self.folder.glob("*.log"))
        return "\n".join(f"== {path.name}\n{path.read_text()[-3000:]}" for path in files)


def missing() -> str:
    """Why there is no Slurm here, and what to do; empty where there is one."""
    absent = [name for name in DAEMONS if shutil.which(name, path=_path()) is None]
    if absent:
        return f"{', '.join(absent)} not installed: apt-get install slurm-wlm munge"
    return "" if os.geteuid() == 0 else "the daemons of several nodes need root"


@contextmanager
def slurm_at(folder: Path) -> Iterator[Slurm]:
    """A cluster whose daemons end with the block."""
    folder.chmod(0o755)
    (folder / "state").mkdir()
    for number in range(GPUS):
        # Another /dev/null: a device has to be one.
        os.mknod(folder / f"gpu{number}", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    (folder / "gres.conf").write_text(f"Name=gpu File={folder}/gpu[0-{GPUS - 1}]\n")
    host = platform.node().partition(".")[0]
    config = _CONFIG.format(
        folder=folder, host=host, ports=[free_port() for _ in range(3)], gpus=GPUS
    )
    (folder / "slurm.conf").write_text(config)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    files = {name: f"--{name}-file={folder}/munge.{name}" for name in ("key", "pid", "log", "seed")}
    munge = ["munged", "--foreground", "--force", f"--socket={folder}/munge.socket"]
    slurm = Slurm(folder)
    with ExitStack() as daemons:
        started = [daemons.enter_context(_daemon(slurm, *munge, *files.values()))]
        _wait(slurm, started, (folder / "munge.socket").exists)
        started.append(daemons.enter_context(_daemon(slurm, "slurmctld", "-D", "-c")))
        for node in NODES:
            (folder / f"spool-{node}").mkdir()
            started.append(daemons.enter_context(_daemon(slurm, "slurmd", "-D", "-N", node)))
        _wait(slurm, started, lambda: _idle(slurm) == len(NODES))
        try:
            yield slurm
        finally:
            slurm.run("scancel", "--user=root")
            _wait(slurm, started, lambda: _idle(slurm) == len(NODES))


@contextmanager
def _daemon(slurm: Slurm, *argv: str) -> Iterator[subprocess.Popen[bytes]]:
    program = shutil.which(argv[0], path=_path())
    assert program is not None
    with (slurm.folder / "daemons.log").open("ab") as log:
        process = subprocess.Popen(
            [program, *argv[1:]], stdout=log, stderr=log, env=os.environ | slurm.environment
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def _idle(slurm: Slurm) -> int:
    argv = ["sinfo", "--noheader", "--Node", "--format=%T"]
    done = subprocess.run(
        argv, env=os.environ | slurm.environment, capture_output=True, text=True, timeout=60
    )
    return done.stdout.split().count("idle")


def _wait(slurm: Slurm, started: Sequence[subprocess.Popen[bytes]], is_there: object) -> None:
    deadline = time.monotonic() + _START_S
    while not is_there():  # type: ignore[operator]
        assert all(process.poll() is None for process in started), slurm.logs()
        assert time.monotonic() < deadline, slurm.logs()
        time.sleep(0.05)


def _path() -> str:
    """Debian's daemons are in folders that not every user's PATH has."""
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
