"""Measurements of other load generators, as rows that a base prediction can stand beside.

A row needs all that a prediction is asked for (model, engine, GPU, layout, lengths, load) and TTFT
with TPOT or throughput; the third figure follows by Little's law. TTFT itself is not taken from the
other two: it would hold all that the ramps of a short benchmark cost.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from autotuner.catalog import Gpu, ModelFacts, gpu_named, known_model, model_named, resolve_model
from autotuner.config import Candidate, DescribedGpu, LoadKind
from autotuner.config.fault_words import problems_of
from autotuner.engines import ENGINES, engine_called, engine_named
from autotuner.errors import CatalogError, ModelError, VerifyError
from autotuner.measure import genai_bench
from autotuner.predict import Scenario
from autotuner.verify import autotuner_reader, csv_reader
from autotuner.verify.points import Excluded, Point, PointFile, occupied, tpot_from_e2e_ms
from autotuner.verify.readers import is_predicted
from autotuner.verify.silicon import MeasuredRow
from autotuner.verify.tools import llama_bench

_HARMLESS = frozenset({genai_bench.NOTE, llama_bench.REMARK})
"""Remarks of how a tool measures; all others say that something else than the base predicts was
measured: a rate of arrivals, drafted tokens, a load generator that was late."""


@dataclass(frozen=True)
class MeasuredFile:
    """The rows of a file, with where each stands in it, and what is left out."""

    rows: tuple[MeasuredRow, ...]
    sources: Mapping[str, str]
    left_out: tuple[Excluded, ...]


def measured_rows(file: PointFile, described: Mapping[str, DescribedGpu]) -> MeasuredFile:
    """The points of `file` that say enough, as rows; the others with the reason and the remedy.

    Args:
        described: GPUs that the user describes, by name.

    Raises:
        VerifyError: the file holds no measurements of others.
    """
    if is_predicted(file):
        raise VerifyError(f"{file.path} is predictions, and no measurements")
    if file.format == autotuner_reader.RUN:
        raise VerifyError(
            f"{file.path} is a task, whose home keeps its observations already",
            remedy="there, write them with `autotuner observations export FILE`, and import "
            "that file",
        )
    rows: list[MeasuredRow] = []
    left = list(file.excluded)
    model = functools.cache(model_called)
    gpu = functools.cache(lambda word: device_called(word, described))
    for place, point in enumerate(file.points):
        try:
            # A note in a CSV is the user's own.
            if file.format != csv_reader.FORMAT:
                _refuse_remarks(point)
            rows.append(_row(str(place), point, model, gpu))
        except ValueError as error:
            left.append(Excluded(point.source, str(error)))
    sources = {row.id: file.points[int(row.id)].source for row in rows}
    return MeasuredFile(tuple(rows), sources, tuple(left))


def _row(
    key: str,
    point: Point,
    model: Callable[[str], tuple[str, ModelFacts]],
    device: Callable[[str], Gpu],
) -> MeasuredRow:
    """The row of a point.

    Raises:
        ValueError: why it makes none.
    """
    _refuse_unlike(point)
    stated = _stated(point)
    ttft_ms, tpot_ms = _latencies(point, float(stated["osl"]))
    name, facts = model(str(stated["model"]))
    gpu = device(str(stated["system"]))
    engine = _engine(str(stated["engine"]))
    scenario = Scenario(
        model=name,
        facts=facts,
        engine=engine,
        engine_version=point.engine_version,
        gpu=gpu,
        device=gpu.name,
        isl=float(stated["isl"]),
        osl=float(stated["osl"]),
        defaults=engine_named(engine).table.defaults,
    )
    settings = {"system.gpu_type": gpu.name, "system.backend": engine, **point.identity}
    try:
        candidate = Candidate.from_settings({**settings, **_layout(point)})
    except ValidationError as error:
        raise ValueError(str(problems_of(error)[0])) from None
    return MeasuredRow(
        id=key,
        model=name,
        scenario=scenario,
        candidate=candidate,
        concurrency=point.load.at_once,
        ttft_ms=ttft_ms,
        tpot_ms=tpot_ms,
        tok_s=point.tok_s,
        tool=point.tool or "unknown",
    )


def _refuse_unlike(point: Point) -> None:
    """Raises ValueError where the base prediction is of something else than was measured."""
    if point.layout or point.settings.get("system.serving_mode") == "disagg":
        raise ValueError("prefill and decode ran on workers of their own")
    if point.load.kind is not LoadKind.CONCURRENCY:
        raise ValueError(f"an open loop, {point.load.named}, and not users who wait for answers")
    if point.loop != "closed":
        raise ValueError(f"a {point.loop} load, and not users who each wait for their answer")


def _refuse_remarks(point: Point) -> None:
    """Raises ValueError where a remark says that something else was measured."""
    for remark in point.remarks:
        if remark not in _HARMLESS:
            raise ValueError(remark)


def _stated(point: Point) -> dict[str, Any]:
    """The fields of the point that a row needs; raises ValueError that names what is missing."""
    fields = (
        ("model", "", "ORG/NAME"),
        ("engine", "system.backend", "|".join(ENGINES)),
        ("system", "system.gpu_type", "GPU"),
        ("isl", "runtime.isl", "TOKENS"),
        ("osl", "runtime.osl", "TOKENS"),
    )
    found = {name: point.settings.get(path) or getattr(point, name) for name, path, _ in fields}
    missing = {name: shape for name, _, shape in fields if not found[name]}
    if point.gpus is None and occupied(point.settings) is None:
        missing["gpus"] = "N"
    # InferenceX says a format, and not of which matrices.
    formats = point.originals.get("precision") not in (None, "", "bf16", "fp16")
    if formats and point.settings.get("quantization.gemm_mode") is None:
        missing["gemm_quant_mode"] = "FORMAT"
    if missing:
        remedy = " ".join(f"--set {name}={shape}" for name, shape in missing.items())
        raise ValueError(f"{', '.join(missing)} not known; say {remedy}")
    return found


def _layout(point: Point) -> dict[str, int]:
    """The tensor parallel width that one GPU has; raises ValueError where no layout is known."""
    widths = occupied(point.settings)
    if widths is not None and point.gpus not in (None, widths):
        raise ValueError(
            f"its parallel widths make {widths} GPUs, and gpus is {point.gpus}; "
            f"say --set tp=N or --set gpus={widths}"
        )
    if widths is None and point.gpus != 1:
        raise ValueError(f"layout of {point.gpus} GPUs not known; say --set tp=N")
    return {} if widths is not None else {"parallel.tensor_parallel": 1}


def _latencies(point: Point, osl: float) -> tuple[float, float]:
    """TTFT and TPOT in ms; raises ValueError where they are not there and do not follow."""
    if point.ttft_ms is None:
        raise ValueError("TTFT was not measured")
    if osl <= 1:
        raise ValueError("every answer has one token, which has no TPOT")
    if point.tpot_ms is not None:
        return point.ttft_ms, point.tpot_ms
    if point.tok_s is None:
        raise ValueError("neither TPOT nor throughput was measured")
    e2e_ms = 1000 * point.load.value * osl / point.tok_s
    return point.ttft_ms, tpot_from_e2e_ms(e2e_ms, point.ttft_ms, osl)


def model_called(word: str) -> tuple[str, ModelFacts]:
    """The name that observations of a model carry, and what is known of it.

    Raises:
        ValueError: it is not known, or cannot be read.
    """
    known = known_model(word)
    try:
        model = model_named(word, base=Path.cwd())
        resolved = resolve_model(model, base=Path.cwd())
    except ModelError as error:
        raise ValueError(f"{error.message}; say --set model=ORG/NAME, or its folder") from None
    return known.id if known is not None else model.id or resolved.name, resolved.facts


def device_called(word: str, described: Mapping[str, DescribedGpu]) -> Gpu:
    """The GPU of that name.

    Raises:
        ValueError: it is not known, or is a CPU.
    """
    try:
        gpu = gpu_named(word, described)
    except CatalogError as error:
        raise ValueError(f"{error.message}; say --set system=GPU") from None
    if gpu.is_cpu:
        raise ValueError("a CPU is known by its cores and speed, which no result says")
    return gpu


def _engine(word: str) -> str:
    letters = re.sub(r"[^a-z]", "", word.lower())
    name = engine_called(word.lower()) or engine_called(letters)
    if name is None:
        raise ValueError(f"engine {word!r} is not known; say --set engine={'|'.join(ENGINES)}")
    return name
