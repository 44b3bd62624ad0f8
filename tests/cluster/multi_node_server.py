"""A stand-in for vLLM on several nodes: its processes meet at the first one, which then serves.

A process ends when the connection to another one does, unless it stays.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import threading
import time

from autotuner.testing import fake_engine

MEET_S = 60.0
OUT_OF_MEMORY = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB."


def main() -> None:
    """The program."""
    if "--version" in sys.argv:
        print("0.32.0")
        return
    flags = argparse.ArgumentParser(allow_abbrev=False)
    for name in (
        "--host",
        "--master-addr",
        "--served-model-name",
        "--fail-rank",
        "--end-rank",
        "--fail-late",
    ):
        flags.add_argument(name)
    for name in ("--port", "--nnodes", "--node-rank", "--master-port"):
        flags.add_argument(name, type=int, default=0)
    for name in ("--headless", "--stays"):
        flags.add_argument(name, action="store_true")
    args, _ = flags.parse_known_args()
    print(f"rank {args.node_rank} on GPUs {os.environ['CUDA_VISIBLE_DEVICES']}", flush=True)
    if args.fail_rank == str(args.node_rank):
        sys.exit(OUT_OF_MEMORY)
    if args.end_rank == str(args.node_rank):
        sys.exit(3)
    if args.nnodes > 1:
        meet(args)
    if args.fail_late == str(args.node_rank):
        sys.exit(OUT_OF_MEMORY)
    if args.headless:
        while True:
            time.sleep(60)
    engine = ("--host", args.host, "--port", str(args.port), "--alias", args.served_model_name)
    sys.argv = ["fake", *engine, "--ttft-ms=5", "--tpot-ms=1", "--slots=8"]
    fake_engine.main()


def meet(args: argparse.Namespace) -> None:
    """Waits for the others, and has this process end with any of them."""
    place = (args.master_addr, args.master_port)
    if args.node_rank == 0:
        with socket.create_server(place) as server:
            server.settimeout(MEET_S)
            others = [server.accept()[0] for _ in range(args.nnodes - 1)]
    else:
        others = [connected(place)]
    for other in others:
        other.settimeout(None)
        threading.Thread(target=end_with, args=(other, args.stays), daemon=True).start()


def connected(place: tuple[str, int]) -> socket.socket:
    """A connection to the first process, which may start later."""
    deadline = time.monotonic() + MEET_S
    while True:
        try:
            return socket.create_connection(place)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def end_with(other: socket.socket, stays: bool) -> None:
    """Ends this process when the other one does, unless it stays."""
    while other.recv(1):
        pass
    print("connection to another rank closed", file=sys.stderr, flush=True)
    if not stays:
        os._exit(1)


if __name__ == "__main__":
    main()
