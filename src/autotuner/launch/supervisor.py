"""Stands between the tuner and one engine, so that the engine never outlives the tuner.

Run as a program of its own: `python -I -S supervisor.py GRACE_S PROGRAM ARGUMENT …`. Its standard
input is a pipe whose other end only the tuner holds. The kernel closes that end however the tuner
goes, `kill -9` included; the supervisor then ends the engine's process group: SIGTERM, GRACE_S
seconds, SIGKILL. When the engine ends by itself, the supervisor ends what it left behind and passes
its exit code on (128 + signal number, as shells do).

Imports the standard library only, and little of it: one supervisor starts with every engine.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time

EXIT_NO_PROGRAM = 127
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_POLL_S = 0.01


def main(argv: list[str]) -> int:
    """Starts `argv[1:]`, guards it, and returns its exit code."""
    grace_s, command = float(argv[0]), argv[1:]
    wake, woken = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    is_stopping = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal is_stopping
        is_stopping = True

    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
    try:
        # A preexec function is safe here: this program has one thread.
        engine = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, process_group=0, preexec_fn=_die_with_parent
        )
    except OSError as error:
        print(f"cannot start {command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        return EXIT_NO_PROGRAM
    while not is_stopping and engine.poll() is None:
        readable, _, _ = select.select([sys.stdin.fileno(), wake], [], [])
        if wake in readable:
            os.read(wake, 4096)
        if sys.stdin.fileno() in readable and not os.read(sys.stdin.fileno(), 4096):
            break
    if engine.poll() is None:
        _signal_group(engine.pid, signal.SIGTERM)
        deadline = time.monotonic() + grace_s
        while engine.poll() is None and time.monotonic() < deadline:
            time.sleep(_POLL_S)
    _signal_group(engine.pid, signal.SIGKILL)
    code = engine.wait()
    return code if code >= 0 else 128 - code


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        # Nobody is left in it (macOS says so by PermissionError).
        return


def _die_with_parent() -> None:
    """Has the kernel kill the engine should the supervisor itself be killed; Linux only."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
