"""genai-bench as a load generator: a process of its own, its result file read and converted once.

genai-bench reports seconds and totals; what it wrote is kept unchanged in `Measurement.original`.
Its latencies contain its own delay, which grows with the streams: never compare them with those of
another load generator unmarked.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from autotuner.config import LoadKind
from autotuner.errors import MeasureError
from autotuner.launch import supervisor
from autotuner.measure import genai_bench_tokenizer
from autotuner.measure.generator import StreamingLoadGenerator
from autotuner.measure.protocol import Endpoint, LevelPlan, LoadContext
from autotuner.measure.results import Measurement
from autotuner.measure.statistics import distribution
from autotuner.measure.stopping import StoppingRule
from autotuner.scratch_folder import ScratchFolder

TOOL = "genai-bench"
NOTE = "measured by genai-bench; its latencies contain its own delay"
"""Stands at every level that it measured."""
_REMEDY = "make tool-genai-bench, or name the program in benchmark.tool_path"
_START_S = 120.0
"""Time that the tool may take beside the load: it loads libraries and draws plots."""
_GRACE_S = "2"
_POLL_S = 0.25


def find_tool(tool_path: str | None) -> str:
    """The program: the path given, PATH, or `.venv/tools/genai-bench`.

    Raises:
        MeasureError: there is none.
    """
    own = Path(sys.prefix) / "tools" / TOOL / "bin" / TOOL
    found = shutil.which(tool_path or TOOL) or (str(own) if tool_path is None else None)
    if found is None or not Path(found).exists():
        wanted = f"benchmark.tool_path: {tool_path!r}" if tool_path else f"benchmark.tool: {TOOL}"
        raise MeasureError(f"{wanted} is not installed", remedy=_REMEDY)
    return str(Path(found).absolute())


class GenaiBenchGenerator:
    """Runs each load level with genai-bench; see `LoadGenerator`.

    Args:
        program: genai-bench's.
        tokenizer: a tokenizer folder, or a GGUF file whose tokenizer is taken out.
    """

    # It keeps users busy; its rates (0.0.5: --spawn-rate) are those at which users come.
    load_kinds = frozenset({LoadKind.CONCURRENCY})

    @classmethod
    def of(cls, context: LoadContext) -> Self:
        """See `LoadGenerator.of`: it needs the program and a tokenizer."""
        program = find_tool(context.benchmark.tool_path)
        given = context.benchmark.tokenizer
        tokenizer = context.base / given if given else context.model.path
        if tokenizer is None or not tokenizer.exists():
            raise MeasureError(
                f"benchmark.tokenizer: {given or context.model.location!r} is not on this machine",
                remedy="give a tokenizer folder in benchmark.tokenizer",
            )
        return cls(program, tokenizer)

    def __init__(self, program: str, tokenizer: Path) -> None:
        self._program = program
        self._tokenizer = tokenizer
        self._folder = ScratchFolder("genai-bench")

    async def run(
        self,
        endpoint: Endpoint,
        plan: LevelPlan,
        *,
        engine_alive: Callable[[], bool],
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Measurement:
        """Runs one level; see `LoadGenerator.run`. Progress is reported once, at the end.

        Raises:
            MeasureError: the tool itself cannot work (no tokenizer).
        """
        await self._warm_up(endpoint, plan, engine_alive)
        with tempfile.TemporaryDirectory(dir=self._folder.path) as results:
            argv = [*self._argv(endpoint, plan, await self._tokenizer_folder()), results]
            output = await self._process(argv, plan.stop.duration_s + _START_S, engine_alive)
            document = _result(Path(results))
        if document is None:
            return _nothing(plan, output)
        measurement = measurement_of(document, plan, alive=engine_alive())
        if on_progress is not None:
            on_progress(measurement.requests_completed, plan.stop.requests)
        return measurement

    async def _warm_up(
        self, endpoint: Endpoint, plan: LevelPlan, engine_alive: Callable[[], bool]
    ) -> None:
        if plan.warmup_requests:
            short = replace(
                plan,
                stop=StoppingRule(plan.warmup_requests, plan.stop.duration_s),
                warmup_requests=0,
            )
            await StreamingLoadGenerator().run(endpoint, short, engine_alive=engine_alive)

    def _argv(self, endpoint: Endpoint, plan: LevelPlan, tokenizer: Path) -> list[str]:
        minutes = max(math.ceil(plan.stop.duration_s / 60), 1)
        return [
            *(self._program, "benchmark", "--api-backend", "openai"),
            *("--api-base", endpoint.base_url, "--api-key", "none"),
            *("--api-model-name", endpoint.model_name, "--task", "text-to-text"),
            *("--model-tokenizer", str(tokenizer), "--traffic-scenario", str(plan.lengths)),
            *("--num-concurrency", str(int(plan.load.value)), "--max-time-per-run", str(minutes)),
            *("--max-requests-per-run", str(plan.stop.requests), "--experiment-base-dir"),
        ]

    async def _tokenizer_folder(self) -> Path:
        if self._tokenizer.is_dir():
            return self._tokenizer
        folder = self._folder.path / "tokenizer"
        if not folder.exists():
            python = str(Path(self._program).parent / "python")
            script = str(genai_bench_tokenizer.__file__)
            process = await asyncio.create_subprocess_exec(
                *(python, script, str(self._tokenizer), str(folder)),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
            output = (await process.communicate())[1].decode(errors="replace").strip()
            if process.returncode != 0:
                raise MeasureError(
                    f"benchmark.tool: {TOOL} needs a tokenizer, and {self._tokenizer} has none "
                    f"that it can read: {output.splitlines()[-1] if output else 'no reason given'}",
                    remedy="give a tokenizer folder in benchmark.tokenizer",
                )
        return folder

    async def _process(
        self, argv: list[str], limit_s: float, engine_alive: Callable[[], bool]
    ) -> str:
        """Runs the tool behind a supervisor: it never outlives us. Returns its last line."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", supervisor.__file__, _GRACE_S, *argv),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            # It writes a log into the folder that it is started in.
            cwd=self._folder.path,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
            start_new_session=True,
        )
        reading = asyncio.ensure_future(process.stdout.read() if process.stdout else _no_bytes())
        deadline = asyncio.get_running_loop().time() + limit_s
        try:
            while not reading.done() and engine_alive():
                if asyncio.get_running_loop().time() > deadline:
                    break
                await asyncio.wait({reading}, timeout=_POLL_S)
        finally:
            # The supervisor takes the end of its input for the end of the tuner, and ends the tool.
            if process.stdin is not None:
                process.stdin.close()
            await process.wait()
        lines = (await reading).decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""


def measurement_of(document: dict[str, Any], plan: LevelPlan, *, alive: bool) -> Measurement:
    """genai-bench's result file in our units: seconds become ms, totals stay totals.

    A file that says `_time_unit: ms` (`--metrics-time-unit`) holds ms already.
    """
    totals = document["aggregated_metrics"]
    requests = document.get("individual_request_metrics", [])
    done = [row for row in requests if not row.get("error_code")]
    failed = int(totals["num_error_requests"])
    to_ms = 1.0 if document.get("_time_unit") == "ms" else 1000.0
    short = 0
    if plan.lengths.kind == "D":
        wanted = round(plan.lengths.output[0])
        short = sum(int(row["num_output_tokens"]) < wanted for row in done)

    def samples_ms(name: str) -> list[float]:
        return [to_ms * row[name] for row in done if row.get(name) is not None]

    # An answer of one token has no TPOT, whatever the tool puts there.
    tpots_ms = [
        to_ms * row["tpot"]
        for row in done
        if row.get("tpot") is not None and int(row["num_output_tokens"]) > 1
    ]
    errors = {f"HTTP {code}": int(n) for code, n in totals["error_codes_frequency"].items()}
    return Measurement(
        tool=TOOL,
        original=totals,
        load=plan.load,
        duration_s=totals["run_duration"],
        requests_completed=len(done),
        requests_failed=failed,
        requests_short=short,
        ended_by="requests" if len(done) + failed >= plan.stop.requests else "time",
        valid=alive and failed == 0 and bool(done),
        tok_s=totals["mean_output_throughput_tokens_per_s"],
        requests_s=totals["requests_per_second"],
        input_tokens=sum(int(row["num_input_tokens"]) for row in done),
        output_tokens=sum(int(row["num_output_tokens"]) for row in done),
        ttft_ms=distribution(samples_ms("ttft")),
        tpot_ms=distribution(tpots_ms),
        e2e_ms=distribution(samples_ms("e2e_latency")),
        errors=errors,
        note=NOTE,
    )


def _result(folder: Path) -> dict[str, Any] | None:
    files = sorted(folder.rglob("*num_concurrency_*.json"))
    if not files:
        return None
    document: dict[str, Any] = json.loads(files[-1].read_text(encoding="utf-8"))
    return document


def _nothing(plan: LevelPlan, output: str) -> Measurement:
    return Measurement(
        tool=TOOL,
        load=plan.load,
        duration_s=0.0,
        requests_completed=0,
        requests_failed=1,
        requests_short=0,
        ended_by="failed",
        valid=False,
        tok_s=0.0,
        requests_s=0.0,
        input_tokens=0,
        output_tokens=0,
        errors={f"{TOOL} wrote no result: {output[:200]}": 1},
    )


async def _no_bytes() -> bytes:
    return b""
