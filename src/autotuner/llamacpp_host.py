"""Runs llama.cpp's server out of the xllamacpp package, in a process of its own.

`python -m autotuner.llamacpp_host --model FILE --port 8080 --parallel 4 …` understands the
flags of llama.cpp's own `llama-server` that the flag table uses, turns them into xllamacpp's
`CommonParams`, and serves until it is told to stop.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from typing import Any

CACHE_TYPES = ("f32", "f16", "bf16", "q8_0", "q5_0", "q5_1", "q4_0", "q4_1", "iq4_nl")
WAKE_EVERY_S = 0.1
API_KEY = "LLAMA_API_KEY"
"""Variable with the key that requests must carry, llama-server's own."""


def parser() -> argparse.ArgumentParser:
    """The flags, named and meant as llama-server's."""
    flags = argparse.ArgumentParser(prog="llamacpp_host", allow_abbrev=False)
    flags.add_argument("-m", "--model", required=True)
    flags.add_argument("-a", "--alias")
    flags.add_argument("--host", default="127.0.0.1")
    flags.add_argument("--port", type=int, default=8080)
    flags.add_argument("-np", "--parallel", type=int, default=1)
    flags.add_argument("-c", "--ctx-size", type=int, default=0)
    flags.add_argument("-b", "--batch-size", type=int)
    flags.add_argument("-ub", "--ubatch-size", type=int)
    flags.add_argument("-t", "--threads", type=int)
    flags.add_argument("-tb", "--threads-batch", type=int)
    flags.add_argument("-fa", "--flash-attn", choices=("on", "off", "auto"), default="auto")
    flags.add_argument("-ctk", "--cache-type-k", choices=CACHE_TYPES)
    flags.add_argument("-ctv", "--cache-type-v", choices=CACHE_TYPES)
    flags.add_argument("--cache-prompt", action=argparse.BooleanOptionalAction, default=True)
    flags.add_argument("--mmap", action="store_const", const="MMAP", dest="load_mode")
    flags.add_argument("--no-mmap", action="store_const", const="NONE", dest="load_mode")
    flags.add_argument("--mlock", action="store_const", const="MMAP_MLOCK", dest="load_mode")
    flags.add_argument("-ngl", "--gpu-layers", type=int)
    flags.add_argument("--threads-http", type=int)
    flags.add_argument("--metrics", action="store_true")
    flags.add_argument(
        "--cpu-limit-s", type=int, help="the kernel ends the server after so much CPU time (POSIX)"
    )
    return flags


def common_params(args: argparse.Namespace) -> Any:
    """xllamacpp's parameters for parsed flags."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = args.model
    params.model_alias = {args.alias or args.model}
    params.hostnames = [args.host]
    params.port = args.port
    params.n_parallel = args.parallel
    params.n_ctx = args.ctx_size
    params.cache_prompt = args.cache_prompt
    params.endpoint_metrics = args.metrics
    if key := os.environ.get(API_KEY):
        params.api_keys = [key]
    # Settings that do not fit are to fail, as asked, rather than be made smaller in silence.
    params.fit_params = False
    modes = xllamacpp.llama_flash_attn_type
    params.flash_attn_type = {
        "on": modes.LLAMA_FLASH_ATTN_TYPE_ENABLED,
        "off": modes.LLAMA_FLASH_ATTN_TYPE_DISABLED,
        "auto": modes.LLAMA_FLASH_ATTN_TYPE_AUTO,
    }[args.flash_attn]
    for field, value in (
        ("n_batch", args.batch_size),
        ("n_ubatch", args.ubatch_size),
        ("n_gpu_layers", args.gpu_layers),
        ("n_threads_http", args.threads_http),
        ("cache_type_k", _cache_type(xllamacpp, args.cache_type_k)),
        ("cache_type_v", _cache_type(xllamacpp, args.cache_type_v)),
    ):
        if value is not None:
            setattr(params, field, value)
    if args.threads is not None:
        params.cpuparams.n_threads = args.threads
    if args.threads_batch is not None:
        params.cpuparams_batch.n_threads = args.threads_batch
    if args.load_mode is not None:
        params.load_mode = getattr(xllamacpp.llama_load_mode, f"LLAMA_LOAD_MODE_{args.load_mode}")
    return params


def _cache_type(xllamacpp: Any, name: str | None) -> Any:
    if name is None:
        return None
    return getattr(xllamacpp.ggml_type, f"GGML_TYPE_{name.upper()}")


def main() -> int:
    """Serves until SIGTERM or SIGINT; returns 1 where the server could not start."""
    args = parser().parse_args()
    if args.cpu_limit_s is not None:
        import resource

        # SIGXCPU at the first, SIGKILL a second later: the exit code tells the reason.
        resource.setrlimit(resource.RLIMIT_CPU, (args.cpu_limit_s, args.cpu_limit_s + 1))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    import xllamacpp

    try:
        server = xllamacpp.Server(common_params(args))
    except RuntimeError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return 1
    print(f"serving at {server.listening_address}", file=sys.stderr, flush=True)
    # The kernel may hand a signal to one of the server's threads, which does not wake this one.
    while not stop.wait(WAKE_EVERY_S):
        pass
    # Taking the server down in order waits for every open stream; nothing here needs order.
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
