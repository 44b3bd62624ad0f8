"""Makes landscapes: tables on which a search is replayed without a GPU. Needs aiconfigurator.

    python scripts/make_landscapes.py --out FOLDER [NAME ...]

`landscapes.yaml` lists them: a task (model, GPU, engine, isl, osl), the launches of its space, and
two ways of asking aiconfigurator about each. The truth is what it says of the task's engine from
measured kernels. The prediction is another source: another engine's kernels, another version's,
another GPU's, or a formula in their place. So its errors have a structure, as a predictor's have,
and nothing was drawn at random but the noise of a measurement. On top of that a prediction may be
blind to an axis (`assumes`), know nothing of a part of the space (`silent_where`), or count memory
short (`memory_factor`).

One file holds one task, one row one launch at one concurrency; all rows of a launch are measured by
one start of the engine.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import io
import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from autotuner.predict.aiconfigurator.answers import Attempt, Mode, StepAnswer, UnansweredError
from autotuner.predict.aiconfigurator.host import Session
from autotuner.predict.aiconfigurator.installation import quiet
from autotuner.predict.aiconfigurator.questions import Layout

SPECS = Path(__file__).with_name("landscapes.yaml")

TRUE_SHARE = 0.85
"""Share of the GPU's memory that the engine may use. The prediction counts on all of it, as
aiconfigurator does, so it is late to see the memory wall."""
FEWEST_LEVELS = 5
NOISE = (0.02, 0.05)
"""Bounds of the coefficient of variation of a measurement."""

SETTINGS = (
    *("tp", "pp", "dp", "moe_tp", "moe_ep"),
    *("gemm_quant", "moe_quant", "kvcache_quant", "ctx_tokens"),
)
FIGURES = ("ttft_ms", "tpot_ms", "tok_s_gpu", "tok_s", "request_latency_ms")
COLUMNS = (
    *("launch", *SETTINGS, "gpus", "concurrency", "batch_size"),
    *("pred_status", *(f"pred_{name}" for name in FIGURES), "pred_memory_gib"),
    *("true_status", *(f"true_{name}" for name in FIGURES), "noise_cv"),
)

Row = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """Source of the figures: an engine's kernels (None is the newest version), and the mode.

    Attributes:
        system: another GPU than the task's.
    """

    backend: str
    version: str | None = None
    mode: Mode = "SILICON"
    system: str | None = None


@dataclass(frozen=True)
class Spec:
    """One landscape.

    Attributes:
        experts: how an MoE layer is split over the ranks: `tp` slices, `ep` spreads whole experts.
            Empty for a dense model, whose `dp` are replicas.
        formats: of the weights, `gemm` or `gemm/moe`.
        fewest_gpus, most_gpus: of one launch.
        assumes: settings that the prediction takes for granted whatever the launch says.
        silent_where: setting -> values of which the prediction knows nothing.
        memory_factor: predicted over estimated memory.
    """

    name: str
    model: str
    system: str
    isl: int
    osl: int
    truth: Source
    prediction: Source
    tp: Sequence[int]
    formats: Sequence[str]
    kvcache: Sequence[str]
    ctx_tokens: Sequence[int]
    concurrency: Sequence[int]
    most_gpus: int
    fewest_gpus: int = 1
    pp: Sequence[int] = (1,)
    dp: Sequence[int] = (1,)
    experts: Sequence[str] = ()
    assumes: Mapping[str, Any] = field(default_factory=dict)
    silent_where: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    memory_factor: float = 1.0

    def launches(self) -> Iterator[Row]:
        """The settings of every launch of the space."""
        experts = self.experts or ("",)
        for tp, pp, dp, split in itertools.product(self.tp, self.pp, self.dp, experts):
            ranks = tp * dp
            fits = self.fewest_gpus <= ranks * pp <= self.most_gpus
            if not fits or (ranks == 1 and split != experts[0]):
                continue
            widths = {
                "tp": tp,
                "pp": pp,
                "dp": dp,
                "moe_tp": (ranks if split == "tp" else 1) if split else None,
                "moe_ep": (ranks if split == "ep" else 1) if split else None,
            }
            for form, cache, ctx in itertools.product(self.formats, self.kvcache, self.ctx_tokens):
                gemm, _, moe = form.partition("/")
                yield widths | {
                    "gemm_quant": gemm,
                    "moe_quant": moe or None,
                    "kvcache_quant": cache,
                    "ctx_tokens": ctx,
                }

    def layout(self, settings: Row, source: Source) -> Layout:
        """Layout of a launch, as aiconfigurator takes it."""
        return Layout(
            model_path=self.model,
            system_name=source.system or self.system,
            backend_name=source.backend,
            backend_version=source.version,
            isl=self.isl,
            osl=self.osl,
            prefix=0,
            ctx_tokens=settings["ctx_tokens"],
            tp_size=settings["tp"],
            pp_size=settings["pp"],
            attention_dp_size=settings["dp"] if self.experts else 1,
            moe_tp_size=settings["moe_tp"],
            moe_ep_size=settings["moe_ep"],
            gemm_quant_mode=settings["gemm_quant"],
            kvcache_quant_mode=settings["kvcache_quant"],
            fmha_quant_mode=None,
            moe_quant_mode=settings["moe_quant"],
            comm_quant_mode=None,
            free_gpu_memory_fraction=None,
            max_seq_len=None,
            nextn=0,
            nextn_accepted=None,
        )


def read_specs(path: Path = SPECS) -> dict[str, Spec]:
    """Name -> spec."""
    return {
        name: spec_from(name, entry) for name, entry in yaml.safe_load(path.read_text()).items()
    }


def spec_from(name: str, entry: Mapping[str, Any]) -> Spec:
    """Raises TypeError where a field is unknown or missing."""
    sources = {side: Source(**entry[side]) for side in ("truth", "prediction")}
    return Spec(name=name, **{**entry, **sources})


def rows_of(spec: Spec) -> list[Row]:
    """The landscape. Launches whose truth is not known are left out."""
    found: list[Row] = []
    number = 0
    for settings in spec.launches():
        rows = [row | {"launch": number} for row in _rows_of_launch(spec, settings)]
        if len(rows) >= FEWEST_LEVELS:
            found += rows
            number += 1
    for row in found:
        row["noise_cv"] = noise_cv(spec.name, row["launch"], row["concurrency"])
    return found


def figures(side: str, latency: tuple[float, float], tok_s: float, gpus: int, osl: float) -> Row:
    """The columns of one side, from TTFT and TPOT in milliseconds and the deployment's tokens/s."""
    ttft_ms, tpot_ms = latency
    request_ms = ttft_ms + tpot_ms * (osl - 1)
    values = (ttft_ms, tpot_ms, tok_s / gpus, tok_s, request_ms)
    named = {f"{side}_{name}": x for name, x in zip(FIGURES, values, strict=True)}
    return {f"{side}_status": "ok"} | named


def session_of(layout: Layout, way: Attempt) -> Session:
    """Session for a layout; an unsupported one fails at the first step."""
    with quiet():
        return Session(layout, way)


def step_of(session: Session, batch: int) -> StepAnswer | None:
    """Estimate of a batch; None where there is none."""
    try:
        with quiet():
            return session.step(batch)
    except UnansweredError:
        return None


def _rows_of_launch(spec: Spec, settings: Row) -> Iterator[Row]:
    truth = session_of(spec.layout(settings, spec.truth), Attempt(spec.truth.mode))
    assumed = spec.layout(settings | dict(spec.assumes), spec.prediction)
    prediction = session_of(assumed, Attempt(spec.prediction.mode))
    silent = any(settings[name] in values for name, values in spec.silent_where.items())
    shards = settings["dp"] * settings["pp"]
    gpus = settings["tp"] * shards
    for concurrency in spec.concurrency:
        if concurrency % shards:
            continue
        batch = concurrency // shards
        step = step_of(truth, batch)
        if step is None:
            continue
        predicted = None if silent else step_of(prediction, batch)
        room = step.available_gib
        row = settings | {"gpus": gpus, "concurrency": concurrency, "batch_size": batch}
        row |= _side(spec, row, "true", step, step.memory_gib > TRUE_SHARE * room)
        needed = predicted.memory_gib * spec.memory_factor if predicted else 0.0
        row |= _side(spec, row, "pred", predicted, needed > room)
        if row["pred_status"] == "ok":
            row["pred_memory_gib"] = needed
        yield row


def _side(spec: Spec, row: Row, side: str, step: StepAnswer | None, overflows: bool) -> Row:
    if step is None or overflows:
        return {f"{side}_status": "oom" if step else "na"}
    replicas = 1 if spec.experts else row["dp"]
    # As aiconfigurator counts: the first token of a request is the prefill's.
    tok_s = step.requests_s * (spec.osl - 1) * replicas
    return figures(side, (step.ttft_ms, step.tpot_ms), tok_s, row["gpus"], spec.osl)


def noise_cv(name: str, launch: int, concurrency: int) -> float:
    """A fixed number between the bounds, drawn from what it is of."""
    digest = hashlib.blake2b(f"{name}/{launch}/{concurrency}".encode(), digest_size=8).digest()
    low, high = NOISE
    return low + (high - low) * int.from_bytes(digest, "big") / 2**64


def write_rows(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """A gzipped CSV, the same bytes for the same rows; written aside, then renamed."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", restval="")
    writer.writeheader()
    for row in rows:
        writer.writerow({k: f"{x:.6g}" if isinstance(x, float) else x for k, x in row.items()})
    aside = path.with_name(f".{path.name}")
    aside.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))
    aside.replace(path)


def chosen(names: Sequence[str], known: Mapping[str, Any]) -> Sequence[str]:
    """The names, or all that are known; ends the program where one is not."""
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"no landscape {', '.join(unknown)}, but {', '.join(known)}")
    return names or list(known)


def main() -> None:
    """Makes the landscapes that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--specs", type=Path, default=SPECS)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    specs = read_specs(arguments.specs)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in chosen(arguments.names, specs):
        rows = rows_of(specs[name])
        write_rows(arguments.out / f"{name}.csv.gz", COLUMNS, rows)
        print(name, len(rows), "rows", file=sys.stderr)


if __name__ == "__main__":
    main()
