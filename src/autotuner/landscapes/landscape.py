"""A landscape in values.

What a landscape's file name says, and whether two names mean one model.

Settings in cells of a CSV file: text that reads back as the value that was written.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from autotuner.catalog import gpu_named, known_model
from autotuner.config import GROUPS, PERCENTILES, LoadLevel
from autotuner.errors import CatalogError


@dataclass(frozen=True)
class PointMetrics:
    """An operating point's figures, true or predicted: ms, and output tokens/s of the deployment.

    Attributes:
        tpot_ms: None where every answer has one token.
        latency_ms: end to end; the mean, where the table tells no percentile.
    """

    ttft_ms: float
    tpot_ms: float | None
    tok_s: float
    latency_ms: float

    def percentiles(self) -> dict[str, float | None]:
        """By the names of `config.PERCENTILES`: a table has means alone, which stand for them."""
        means = {"ttft_ms": self.ttft_ms, "tpot_ms": self.tpot_ms, "e2e_ms": self.latency_ms}
        return {name: means[latency.mean] for name, latency in PERCENTILES.items()}


@dataclass(frozen=True)
class RecordedLevel:
    """One load level of a launch.

    Attributes:
        true: what is measured there, without noise; None where it fails.
        true_status, predicted_status: `ok`, `oom`, or `na` (nothing is predicted).
        noise_cv: coefficient of variation of one measurement.
    """

    load: LoadLevel
    true: PointMetrics | None
    true_status: str
    predicted: PointMetrics | None
    predicted_status: str
    predicted_memory_gib: float | None
    noise_cv: float


@dataclass(frozen=True)
class RecordedLaunch:
    """A launch configuration with its load levels, rising.

    Attributes:
        settings: `group.field` -> value.
        startup_s, measure_s: seconds that the recorded launch took, where the table tells.
    """

    id: str
    engine: str
    gpus: int
    settings: Mapping[str, Any]
    levels: tuple[RecordedLevel, ...]
    startup_s: float | None = None
    measure_s: float | None = None


@dataclass(frozen=True)
class Landscape:
    """The measurements of every launch of one task.

    Attributes:
        name: of its file, without endings.
        model, device: as the table or the file's name says; "" where neither does.
        isl, osl: mean tokens of a request.
        dropped_predictions: predictions with figures that nothing can measure (NaN, negative).
        assumed: which of `isl` and `osl` neither the table nor its name tells.
        source: where the figures come from, in words; "" where the table does not tell.
    """

    name: str
    model: str
    device: str
    isl: float
    osl: float
    launches: tuple[RecordedLaunch, ...]
    dropped_predictions: int = 0
    assumed: tuple[str, ...] = ()
    source: str = ""

    def launch(self, launch_id: str) -> RecordedLaunch:
        """The launch of that id.

        Raises:
            KeyError: there is none.
        """
        for launch in self.launches:
            if launch.id == launch_id:
                return launch
        raise KeyError(launch_id)

    @property
    def levels(self) -> tuple[LoadLevel, ...]:
        """Every load level of any launch, rising."""
        return tuple(sorted({level.load for one in self.launches for level in one.levels}))


@dataclass(frozen=True)
class Named:
    """The parts of `[words_]MODEL_DEVICE_ENGINE` or `[words_]MODEL_DEVICE_ISLxOSL`."""

    model: str = ""
    device: str = ""
    engine: str = ""
    isl: float | None = None
    osl: float | None = None


def read_name(stem: str) -> Named:
    """The parts of a file's name, without its endings; empty where it has another form."""
    parts = stem.split("_")
    if len(parts) < 3 or not _is_device(parts[-2]):
        return Named()
    model, device, last = parts[-3], parts[-2], parts[-1]
    lengths = re.fullmatch(r"(\d+)x(\d+)", last)
    if lengths:
        return Named(model, device, isl=float(lengths[1]), osl=float(lengths[2]))
    return Named(model, device, engine=last)


def same_model(one: str, other: str) -> bool:
    """Whether two names may mean the same model; where it is unclear they do.

    Used to leave a model's own measurements out of what a replay of it may know, so a name too
    many left out is harmless, and one too few is not.
    """
    known = known_model(one), known_model(other)
    if known[0] is not None and known[1] is not None:
        a, b = known[0].facts, known[1].facts
        return known[0].id == known[1].id or (
            a.layers is not None
            and (a.architecture, a.layers, a.hidden_size, a.experts)
            == (b.architecture, b.layers, b.hidden_size, b.experts)
        )
    (family, sizes), (other_family, other_sizes) = _gist(one), _gist(other)
    if not family or not other_family:
        return True
    return family == other_family and (not sizes or not other_sizes or bool(sizes & other_sizes))


def _gist(name: str) -> tuple[str, frozenset[str]]:
    """The family's letters and the sizes (`70b`): those of `org/Meta-Llama-3.1-70B` are llama."""
    word = name.rsplit("/", 1)[-1].lower()
    sizes = frozenset(re.findall(r"(?<![a-z0-9.])a?(\d+(?:\.\d+)?[bm])(?![a-z])", word)) or (
        frozenset(re.findall(r"(\d+(?:\.\d+)?b)", word))
    )
    letters = re.sub(r"[^a-z]", "", re.split(r"\d", word.removeprefix("meta-"))[0])
    return re.sub(r"(?<=deepseek)[vr]$", "", letters), sizes


def _is_device(word: str) -> bool:
    try:
        gpu_named(word)
    except CatalogError:
        return False
    return True


def written_cell(value: Any) -> str:
    """A setting's value as text; a list of words as JSON."""
    return json.dumps(list(value)) if isinstance(value, list | tuple) else str(value)


@functools.lru_cache(maxsize=4096)
def read_cell(path: str, text: str) -> Any:
    """The value of `group.field` that a cell holds: its first reading that the field takes.

    A field that no group has takes a number or a truth where the text is one.
    """
    group, _, field = path.partition(".")
    model = GROUPS.get(group)
    if model is None or field not in model.model_fields:
        return list(_readings(text))[-1]
    for reading in _readings(text):
        try:
            model.model_validate({field: reading})
        except ValidationError:
            continue
        return reading
    return text


def _readings(text: str) -> Iterator[Any]:
    """The readings of a text, the likeliest first."""
    yield text
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isfinite(number):
        yield int(number) if number.is_integer() else number
    if text in ("True", "False"):
        yield text == "True"
    if text.startswith("["):
        try:
            yield json.loads(text)
        except ValueError:
            return
