"""How true the load generator's figures are, and what they cost.

A fake engine of known speed (TTFT 60 ms, TPOT 20 ms, never a queue) is measured at 1, 16, 64 and
256 streams. Up to 64 the mean TTFT and TPOT should be off by less than 2 % or 1 ms, at no more than
0.15 CPU seconds of the client for 1,000 tokens; a level at which the client was the bottleneck has
to say so. Where genai-bench is installed (`make tool-genai-bench`), it measures the same engine at
1, 16 and 64 streams beside ours; its figures are printed and not judged.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from autotuner.catalog import resolve_model
from autotuner.config import LengthDistribution, Model
from autotuner.engines import PORT, LaunchSpec
from autotuner.errors import AutotunerError
from autotuner.launch import LocalLauncher
from autotuner.measure import (
    Endpoint,
    LevelPlan,
    LoadGenerator,
    Measurement,
    StreamingLoadGenerator,
)
from autotuner.measure.genai_bench import GenaiBenchGenerator, find_tool

TTFT_MS, TPOT_MS = 60.0, 20.0
OUTPUT_TOKENS = 100
STREAMS = (1, 16, 64, 256)
JUDGED_UP_TO = 64
WITHIN_SHARE, WITHIN_MS, CPU_S_LIMIT = 0.02, 1.0, 0.15


@dataclass(frozen=True)
class Level:
    """One level: what was shown, and the CPU seconds of the client per 1,000 tokens received."""

    shown: Measurement
    cpu_s_per_1000_tokens: float

    def failures(self) -> list[str]:
        """What is worse than it should be."""
        if self.shown.concurrency > JUDGED_UP_TO:
            return []
        found = []
        for name, measured, true in (("TTFT", *self.ttft), ("TPOT", *self.tpot)):
            if abs(measured - true) > max(WITHIN_MS, WITHIN_SHARE * true):
                found.append(f"{name} is off by {measured - true:+.2f} ms")
        # A lone stream wakes the client for every single token, which costs more by nature.
        if self.shown.concurrency > 1 and self.cpu_s_per_1000_tokens > CPU_S_LIMIT:
            found.append(f"{self.cpu_s_per_1000_tokens:.3f} CPU s for 1,000 tokens")
        return found

    @property
    def ttft(self) -> tuple[float, float]:
        """Measured and true mean, in ms."""
        return self.shown.ttft_ms.mean if self.shown.ttft_ms else float("nan"), TTFT_MS

    @property
    def tpot(self) -> tuple[float, float]:
        """Measured and true mean, in ms."""
        return self.shown.tpot_ms.mean if self.shown.tpot_ms else float("nan"), TPOT_MS


def answered_by(base_url: str) -> int:
    """How many requests the fake engine has answered."""
    with urlopen(f"{base_url}/stats", timeout=10) as answer:  # noqa: S310
        return len(json.load(answer)["ttft_ms"])


async def measure(streams: int, folder: Path, generator: LoadGenerator) -> Level:
    """One level on an engine of its own."""
    speed = ("--slots", "1024", "--ttft-ms", str(TTFT_MS), "--tpot-ms", str(TPOT_MS))
    argv = (sys.executable, "-m", "autotuner.testing.fake_engine", "--port", PORT, *speed)
    spec = LaunchSpec("llamacpp", argv, "fake")
    plan = LevelPlan(
        lengths=LengthDistribution.parse(f"D(128,{OUTPUT_TOKENS})"),
        concurrency=streams,
        requests=max(8, 2 * streams),
        duration_s=60,
        warmup_requests=streams,
    )
    log_path = folder / f"{streams}.log"
    engine = await LocalLauncher().launch(spec, log_path=log_path, ready_timeout_s=30)
    async with engine:
        began_cpu_s = time.process_time()
        shown = await generator.run(
            Endpoint(engine.base_url, "fake"), plan, engine_alive=lambda: True
        )
        cpu_s = time.process_time() - began_cpu_s
        answered = await asyncio.to_thread(answered_by, engine.base_url)
    return Level(shown, cpu_s / (answered * OUTPUT_TOKENS) * 1000)


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


def main() -> int:
    """Prints a line for each level; 1 where one is worse than it should be."""
    failures = []
    print(f"loadgen: a fake engine of TTFT {TTFT_MS:g} ms and TPOT {TPOT_MS:g} ms")
    print("streams  TTFT/true  TPOT/true  CPU s/1,000 tokens  bottleneck")
    with tempfile.TemporaryDirectory() as folder:
        for streams in STREAMS:
            level = asyncio.run(measure(streams, Path(folder), StreamingLoadGenerator()))
            (ttft, true_ttft), (tpot, true_tpot) = level.ttft, level.tpot
            told = "client" if level.shown.client_bottleneck else "-"
            print(
                f"{streams:7d}  {ttft / true_ttft:9.3f}  {tpot / true_tpot:9.3f}"
                f"  {level.cpu_s_per_1000_tokens:18.3f}  {told}",
                flush=True,
            )
            failures += [f"at {streams} streams: {text}" for text in level.failures()]
        print_genai_bench(Path(folder))
    for text in failures:
        print(f"too much: {text}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
