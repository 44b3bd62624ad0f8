"""llama.cpp's `llama-bench` (`-o json`, `jsonl` or `csv`) and `llama-batched-bench` (`-o jsonl`).

They measure the engine without a server: prompts of n_prompt tokens and answers of n_gen tokens,
each alone, as tokens per second. A prompt's row and an answer's row of the same settings make a
point of one request in flight.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from autotuner.config import LoadLevel
from autotuner.engines import engine_measured_by
from autotuner.verify.points import Excluded, Point
from autotuner.verify.tools.tool import Row, Rows, Tool, count_of, positive, scalars, text_of

NAME = "llama-bench"
BATCHED_NAME = "llama-batched-bench"
_SETTINGS = {
    "n_threads": "misc.threads",
    "n_batch": "scheduling.max_num_batched_tokens",
    "n_ubatch": "attention.chunked_prefill_size",
}
_KV = {
    "f32": "float32",
    "f16": "float16",
    "bf16": "bfloat16",
    "q8_0": "int8",
    "q5_0": "int5",
    "q4_0": "int4",
}
REMARK = "measured without a server, each kind of token alone"
_APART = ("n_prompt", "n_gen", "n_depth", "test_time", "avg_ns", "stddev_ns", "avg_ts", "stddev_ts")
"""Keys in which a prompt's row and an answer's row of one configuration differ."""


def recognises(row: Row) -> bool:
    """Whether it has llama-bench's rate and lengths."""
    return "avg_ts" in row and "n_prompt" in row and "n_gen" in row


def points(rows: Rows) -> Iterator[Point | Excluded]:
    """A point for each pair of a prompt's row and an answer's, and for each row that is alone."""
    prompts: dict[str, list[Row]] = {}
    answers: dict[str, list[Row]] = {}
    for source, row in rows:
        try:
            prompt_tokens, answer_tokens = (
                count_of(row, "n_prompt") or 0,
                count_of(row, "n_gen") or 0,
            )
            positive(row, "avg_ts")
        except ValueError as error:
            yield Excluded(source, str(error))
            continue
        if bool(prompt_tokens) == bool(answer_tokens):
            yield Excluded(source, "a prompt and an answer timed together have no TTFT")
            continue
        (prompts if prompt_tokens else answers).setdefault(_configuration(row), []).append(row)
    for key in {**prompts, **answers}:
        alone: list[Row | None] = [None]
        pairs = itertools.product(prompts.get(key) or alone, answers.get(key) or alone)
        for prompt, answer in pairs:
            yield _point(prompt, answer)


def _configuration(row: Row) -> str:
    return repr(sorted((k, str(v)) for k, v in scalars(row).items() if k not in _APART))


def _point(prompt: Row | None, answer: Row | None) -> Point:
    row = prompt or answer or {}
    ttft = tpot = tok_s = isl = osl = None
    if prompt is not None:
        isl = float(prompt["n_prompt"])
        ttft = 1000 * isl / (positive(prompt, "avg_ts") or 1)
    if answer is not None:
        osl = float(answer["n_gen"])
        tpot = 1000 / (positive(answer, "avg_ts") or 1)
    if ttft is not None and tpot is not None and osl is not None:
        tok_s = 1000 * osl / (ttft + (osl - 1) * tpot)
    model = text_of(row, "model_filename") or text_of(row, "model_type")
    return Point(
        load=LoadLevel.concurrency(1),
        ttft_ms=ttft,
        tpot_ms=tpot if osl is None or osl > 1 else None,
        tok_s=tok_s,
        model=PurePath(model).stem if model else None,
        engine=engine_measured_by(NAME),
        engine_version=text_of(row, "build_number"),
        settings=_settings(row),
        isl=isl,
        osl=osl,
        tool=NAME,
        originals={"prompt": scalars(prompt or {}), "answer": scalars(answer or {})},
        remarks=(REMARK,),
    )


def _settings(row: Row) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, path in _SETTINGS.items():
        if count_of(row, key):
            found[path] = count_of(row, key)
    cache = _KV.get(str(row.get("type_k")))
    if cache is not None and row.get("type_k") == row.get("type_v", row.get("type_k")):
        found["quantization.kvcache_mode"] = cache
    return found


def is_batched(row: Row) -> bool:
    """Whether it is a line of llama-batched-bench."""
    return all(key in row for key in ("pp", "tg", "pl", "t_pp", "t_tg"))


def batched_point(row: Row) -> Point:
    """`pl` sequences decoded together; all their prompts come first."""
    sequences, isl, osl = (positive(row, key) for key in ("pl", "pp", "tg"))
    prompt_s, answer_s = positive(row, "t_pp"), positive(row, "t_tg")
    if not (sequences and isl and osl and prompt_s and answer_s):
        raise ValueError("pl, pp, tg, t_pp or t_tg is missing")
    return Point(
        load=LoadLevel.concurrency(int(sequences)),
        ttft_ms=1000 * prompt_s,
        tpot_ms=1000 * answer_s / osl if osl > 1 else None,
        tok_s=sequences * osl / (prompt_s + answer_s),
        engine=engine_measured_by(BATCHED_NAME),
        isl=isl,
        osl=osl,
        loop="steady",
        tool=BATCHED_NAME,
        originals=scalars(row),
        remarks=("measured without a server, all prompts first",),
    )


TOOL = Tool(
    NAME,
    "what `llama-bench -o json`, `jsonl` or `csv` prints",
    recognises,
    together=points,
)
BATCHED = Tool(
    BATCHED_NAME,
    "what `llama-batched-bench --output-format jsonl` prints",
    is_batched,
    point=batched_point,
)
