"""Accuracy of the load generator's figures, and their cost.

A fake engine of known speed (TTFT 60 ms, TPOT 20 ms, never a queue) is measured at 1, 16, 64 and
256 streams; at 64 streams also with prompts of 16,384 tokens, and with a second engine measured at
the same time while the store is written. Up to 64 the mean TTFT and TPOT should be off by less than
2 % or 1 ms from what the engine has done, by its own clock and from the arrival of a request, at no
more than 0.15 CPU seconds of the client for 1,000 tokens; a level at which the client was the
bottleneck has to say so. Where genai-bench is installed (`make tool-genai-bench`), it measures the
same engine at 1, 16 and 64 streams too; its figures are printed and not judged.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any
from urllib.request import urlopen

from autotuner.catalog import resolve_model
from autotuner.config import LengthDistribution, LoadLevel, Model
from autotuner.engines import PORT, LaunchSpec
from autotuner.errors import AutotunerError
from autotuner.launch import LocalLauncher
from autotuner.measure import (
    Endpoint,
    LevelPlan,
    LoadGenerator,
    Measurement,
    StoppingRule,
    StreamingLoadGenerator,
)
from autotuner.measure.genai_bench import GenaiBenchGenerator, find_tool
from autotuner.store import Store

TTFT_MS, TPOT_MS = 60.0, 20.0
OUTPUT_TOKENS = 100
STREAMS = (1, 16, 64, 256)
LONG_PROMPT = 16_384
JUDGED_UP_TO = 64
RUN: dict[str, Any] = {
    **dict.fromkeys(("name", "content_id", "model", "engine", "engine_version", "device"), "bench"),
    "config": {},
    "plan": {},
}
WITHIN_SHARE, WITHIN_MS, CPU_S_LIMIT = 0.02, 1.0, 0.15


@dataclass(frozen=True)
class Level:
    """One level: what was shown, the answers that came, and the client's CPU seconds for them."""

    shown: Measurement
    requests: int
    cpu_s: float
    true_ttft_ms: float
    true_tpot_ms: float

    def failures(self) -> list[str]:
        """Values that are worse than their limits."""
        if self.shown.load.value > JUDGED_UP_TO:
            return []
        found = []
        for name, measured, true in (("TTFT", *self.ttft), ("TPOT", *self.tpot)):
            if abs(measured - true) > max(WITHIN_MS, WITHIN_SHARE * true):
                found.append(f"{name} is off by {measured - true:+.2f} ms")
        # A lone stream wakes the client for every single token, which costs more by nature.
        if self.shown.load.value > 1 and self.cpu_s_per_1000_tokens > CPU_S_LIMIT:
            found.append(f"{self.cpu_s_per_1000_tokens:.3f} CPU s for 1,000 tokens")
        return found

    @property
    def cpu_s_per_1000_tokens(self) -> float:
        """CPU seconds of the client per 1,000 tokens received."""
        return self.cpu_s / (self.requests * OUTPUT_TOKENS) * 1000

    @property
    def ttft(self) -> tuple[float, float]:
        """Measured and true mean, in ms."""
        return self.shown.ttft_ms.mean if self.shown.ttft_ms else float("nan"), self.true_ttft_ms

    @property
    def tpot(self) -> tuple[float, float]:
        """Measured and true mean, in ms."""
        return self.shown.tpot_ms.mean if self.shown.tpot_ms else float("nan"), self.true_tpot_ms


def done_by(base_url: str) -> dict[str, list[float]]:
    """TTFT and TPOT, in ms, of the requests that the fake engine has answered, by its own clock."""
    with urlopen(f"{base_url}/stats", timeout=10) as answer:  # noqa: S310
        stats: dict[str, list[float]] = json.load(answer)
        return stats


async def measure(
    streams: int,
    folder: Path,
    generator: LoadGenerator,
    *,
    name: str = "one",
    prompt_tokens: int = 128,
) -> Level:
    """One level on an engine of its own.

    The truth is what the engine has done, by its own clock: it is a process too, which others keep
    waiting.
    """
    speed = ("--slots", "1024", "--ttft-ms", str(TTFT_MS), "--tpot-ms", str(TPOT_MS))
    argv = (sys.executable, "-m", "autotuner.testing.fake_engine", "--port", PORT, *speed)
    spec = LaunchSpec("llamacpp", argv, "fake")
    plan = LevelPlan(
        lengths=LengthDistribution.parse(f"D({prompt_tokens},{OUTPUT_TOKENS})"),
        load=LoadLevel.concurrency(streams),
        stop=StoppingRule(requests=max(8, 2 * streams), duration_s=60),
        warmup_requests=streams,
    )
    log_path = folder / f"{name}-{streams}-{prompt_tokens}.log"
    engine = await LocalLauncher().launch(spec, (), log_path=log_path, ready_timeout_s=30)
    async with engine:
        began_cpu_s = time.process_time()
        shown = await generator.run(
            Endpoint(engine.base_url, "fake"), plan, engine_alive=lambda: True
        )
        cpu_s = time.process_time() - began_cpu_s
        done = await asyncio.to_thread(done_by, engine.base_url)
    # What only keeps the load up at the end is left before it is done.
    measured = slice(-shown.requests_completed, None)
    return Level(
        shown,
        len(done["ttft_ms"]),
        cpu_s,
        fmean(done["ttft_ms"][measured]),
        fmean(done["tpot_ms"][measured]),
    )


async def measure_two(streams: int, folder: Path) -> list[Level]:
    """Two engines at once, each on half of the streams, while levels are written to a store."""
    generator = StreamingLoadGenerator()
    over = asyncio.Event()

    async def write() -> float:
        store_cpu_s = 0.0
        with Store.open(folder / "home") as store:
            run = store.tasks.create(**RUN)
            while not over.is_set():
                store_cpu_s -= time.thread_time()
                store.add_event(run.id, "level_progress", {"completed": 1})
                store_cpu_s += time.thread_time()
                await asyncio.sleep(0.01)
        return store_cpu_s

    writing = asyncio.create_task(write())
    levels = [measure(streams // 2, folder, generator, name=name) for name in ("one", "two")]
    found = await asyncio.gather(*levels)
    over.set()
    store_cpu_s = await writing
    received = sum(OUTPUT_TOKENS * level.requests for level in found)
    # Both clients, and the store, are in this process.
    both = fmean(level.cpu_s for level in found) - store_cpu_s
    return [
        replace(level, cpu_s=both * OUTPUT_TOKENS * level.requests / received) for level in found
    ]


def print_genai_bench(folder: Path) -> None:
    """The same engine, measured by genai-bench, with a tokenizer out of the examples' model."""
    try:
        program = find_tool(None)
        model = resolve_model(Model(id="smollm2-135m"), base=folder)
    except AutotunerError as error:
        print(f"genai-bench beside it: {error.message}")
        return
    print("genai-bench: streams  TTFT/true  TPOT/true")
    for streams in (n for n in STREAMS if n <= JUDGED_UP_TO):
        generator = GenaiBenchGenerator(program, Path(model.location))
        level = asyncio.run(measure(streams, folder, generator))
        (ttft, true_ttft), (tpot, true_tpot) = level.ttft, level.tpot
        print(f"{streams:20d}  {ttft / true_ttft:9.3f}  {tpot / true_tpot:9.3f}", flush=True)


def print_level(name: str, level: Level) -> list[str]:
    """Prints a line, and returns what is worse than it should be."""
    (ttft, true_ttft), (tpot, true_tpot) = level.ttft, level.tpot
    limit = "client" if level.shown.client_bottleneck else "-"
    print(
        f"{name:>16}  {ttft / true_ttft:9.3f}  {tpot / true_tpot:9.3f}"
        f"  {level.cpu_s_per_1000_tokens:18.3f}  {level.shown.client_worst_lag_ms:12.1f}  {limit}",
        flush=True,
    )
    return [f"at {name} streams: {text}" for text in level.failures()]


def main() -> int:
    """Prints a line for each level; 1 where one is worse than it should be."""
    failures: list[str] = []
    print(f"loadgen: a fake engine of TTFT {TTFT_MS:g} ms and TPOT {TPOT_MS:g} ms")
    print("         streams  TTFT/true  TPOT/true  CPU s/1,000 tokens  worst lag ms  bottleneck")
    with tempfile.TemporaryDirectory() as folder:
        for streams in STREAMS:
            level = asyncio.run(measure(streams, Path(folder), StreamingLoadGenerator()))
            failures += print_level(str(streams), level)
        long = measure(64, Path(folder), StreamingLoadGenerator(), prompt_tokens=LONG_PROMPT)
        failures += print_level("64, long prompts", asyncio.run(long))
        for level in asyncio.run(measure_two(64, Path(folder))):
            failures += print_level("32 of two", level)
        print_genai_bench(Path(folder))
    for text in failures:
        print(f"too much: {text}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
