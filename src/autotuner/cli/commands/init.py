"""`autotuner init`: a first task file for a model and the devices that are to serve it."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.markup import escape

from autotuner.catalog import gpu_named, model_named
from autotuner.catalog.gpus import CPU
from autotuner.cli.home import state_folder
from autotuner.cli.output import err, out, print_json, refuse_unwritable
from autotuner.config import DescribedGpu, Model, Slo, nearest
from autotuner.engines import DEFAULT_ENGINE, engine_named
from autotuner.errors import AutotunerError
from autotuner.profiles import USERS, registry_with
from autotuner.report.html import write_aside
from autotuner.tuning.first_task import first_task
from autotuner.tuning.first_task_asked import Asked
from autotuner.tuning.first_task_text import commented
from autotuner.tuning.prepare import Prepared
from autotuner.tuning.resources import gpus_of_home
from autotuner.workers.devices import ALL, ON_CPU, Devices, devices_of

_PACKAGED = "smollm2-135m"
_ON_STDOUT = "-"


@dataclass(frozen=True)
class Wishes:
    """Wishes of the command line; None where it leaves it to what is here."""

    model: str | None
    engine: str | None
    gpu: str | None
    gpus: int | None
    isl: int | None
    osl: int | None
    slo: Sequence[str]


def init(wishes: Wishes, output: Path, *, force: bool, home: Path | None, as_json: bool) -> None:
    """Writes a task file to `output`, or to stdout where that is `-`.

    Raises:
        AutotunerError: a file that is there already, an unknown model, engine, GPU or limit, or a
            model that cannot be served so.
    """
    on_stdout = str(output) == _ON_STDOUT
    if on_stdout and as_json:
        raise AutotunerError("--json needs --output FILE: stdout cannot hold both documents")
    if not on_stdout and output.exists() and not force:
        raise AutotunerError(
            f"--output: {output} is there already", remedy="give another place, or --force"
        )
    folder = state_folder(home)
    asked = asked_of(wishes, Path.cwd(), gpus_of_home(folder))
    base = Path.cwd() if on_stdout else output.resolve().parent
    drafted, prepared = first_task(asked, base=base, registry=registry_with(folder / USERS))
    text = commented(asked, drafted)
    if on_stdout:
        sys.stdout.write(text)
        return
    with refuse_unwritable(output):
        write_aside(output, text)
    _report(asked, prepared, output, as_json=as_json)


def _report(asked: Asked, prepared: Prepared, output: Path, *, as_json: bool) -> None:
    candidates = len(prepared.space.candidates)
    if as_json:
        print_json(
            {
                "file": str(output),
                "model": prepared.model.name,
                "engine": asked.engine,
                "gpu": asked.gpu,
                "gpus": asked.gpus,
                "candidates": candidates,
                "launches": prepared.launches,
            }
        )
        return
    what = f"{prepared.model.name} on {asked.engine}, {asked.devices}"
    count = f"{candidates} candidates, up to {prepared.launches} to launch"
    out().print(escape(f"{output}: {what}; {count}"), soft_wrap=True)
    out().print(escape(f"next: autotuner plan {output}"), soft_wrap=True)
    if not all(variant.installation.found for variant in prepared.variants):
        err().print(f"{asked.engine} is not installed here: `plan` and `predict` work without it")


def asked_of(wishes: Wishes, here: Path, described: Mapping[str, DescribedGpu]) -> Asked:
    """The purpose of a first task, out of the command line and what is found on this machine.

    Raises:
        AutotunerError: an unknown model, engine, GPU or limit.
    """
    if wishes.engine is not None:
        engine_named(wishes.engine, field="--engine")
    limits = limits_of(wishes.slo)
    devices = _devices(wishes, described)
    return Asked.of(
        _model(wishes, devices, here),
        devices.gpu,
        0 if devices.gpu == CPU else devices.gpus,
        engine=wishes.engine,
        isl=wishes.isl,
        osl=wishes.osl,
        slo=limits,
        described=described,
    )


def _devices(wishes: Wishes, described: Mapping[str, DescribedGpu]) -> Devices:
    """The devices that are asked for; those of this machine where none are."""
    if wishes.gpu is None and wishes.gpus is None:
        runs_here = wishes.engine in (None, DEFAULT_ENGINE)
        return (
            ON_CPU if runs_here and wishes.model is None else devices_of(ALL, described=described)
        )
    if wishes.gpu is None:
        found = devices_of(ALL, described=described)
        if found.gpu == CPU:
            raise AutotunerError(
                f"--gpus {wishes.gpus}: no GPU is found on this machine",
                remedy="say what the GPUs are with --gpu",
            )
        return Devices(found.gpu, tuple(map(str, range(wishes.gpus or 1))))
    gpu = gpu_named(wishes.gpu, described, field="--gpu")
    if gpu.is_cpu:
        if wishes.gpus:
            raise AutotunerError(f"--gpus {wishes.gpus}: a CPU has none", remedy="leave it out")
        return ON_CPU
    return Devices(gpu.name, tuple(map(str, range(1 if wishes.gpus is None else wishes.gpus))))


def _model(wishes: Wishes, devices: Devices, here: Path) -> Model:
    if wishes.model is not None:
        named = model_named(wishes.model, base=here)
        if named.path is not None:
            return named.model_copy(update={"path": str((here / named.path).resolve())})
        return named
    if devices.gpu == CPU and wishes.engine in (None, DEFAULT_ENGINE):
        return Model(id=_PACKAGED)
    raise AutotunerError(
        "--model is missing",
        remedy="give an id of the catalog or a hub, a model folder or a GGUF file",
    )


def limits_of(texts: Sequence[str]) -> Mapping[str, float]:
    """`["ttft_ms=500,tpot_ms=50", "e2e_p90_ms=9000"]` as limits.

    Raises:
        AutotunerError: no `name=value`, an unknown name, a name given twice, or no positive number.
    """
    limits: dict[str, float] = {}
    for word in (part.strip() for text in texts for part in text.split(",") if part.strip()):
        name, equals, text = (part.strip() for part in word.partition("="))
        if name not in Slo.model_fields:
            hint = nearest(name, list(Slo.model_fields))
            raise AutotunerError(f"--slo: {name!r} is no limit; {hint}")
        try:
            value = float(text) if equals else math.nan
        except ValueError:
            value = math.nan
        if not (value > 0 and math.isfinite(value)):
            raise AutotunerError(
                f"--slo: {word!r} has no limit in ms above 0", remedy=f"write --slo {name}=500"
            )
        if name in limits:
            raise AutotunerError(f"--slo: {name} is given twice; keep one")
        limits[name] = int(value) if value.is_integer() else value
    return limits
