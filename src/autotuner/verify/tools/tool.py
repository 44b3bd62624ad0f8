"""The reader of a tool's results, and the parts that most of them share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from autotuner.config import LoadLevel
from autotuner.verify.points import Excluded, Point, figure, occupied, tpot_from_e2e_ms, whole

Row = Mapping[str, Any]
Rows = Iterable[tuple[str, Row]]

SETTINGS: Mapping[str, str] = {
    "tensor_parallel_size": "parallel.tensor_parallel",
    "tp_size": "parallel.tensor_parallel",
    "tp": "parallel.tensor_parallel",
    "pipeline_parallel_size": "parallel.pipeline_parallel",
    "pp_size": "parallel.pipeline_parallel",
    "pp": "parallel.pipeline_parallel",
    "data_parallel_size": "parallel.data_parallel",
    "dp_size": "parallel.data_parallel",
    "dp": "parallel.data_parallel",
    "max_num_seqs": "scheduling.max_running_requests",
    "max_running_requests": "scheduling.max_running_requests",
    "max_num_batched_tokens": "scheduling.max_num_batched_tokens",
    "chunked_prefill_size": "attention.chunked_prefill_size",
}
"""An engine's own word for a whole number -> the setting here."""


def _no_point(row: Row) -> Point:
    raise ValueError("it makes a point only together with others")


@dataclass(frozen=True)
class Tool:
    """A tool and its results.

    Attributes:
        about: what the file is, for people.
        recognises: whether an object is one of its results, by its keys.
        point: the point of an object; a ValueError excludes it, and says why.
        together: in its place, the points that the objects of a file make together.
        inner: the objects within one of a file, each with where it stands there.
        files: patterns of its files in a folder; the first that finds any counts.
        predicted: whether its figures are predictions, and nothing was measured.
        origin, licence: of whoever publishes such files; "" where anyone may have made them.
    """

    name: str
    about: str
    recognises: Callable[[Row], bool]
    point: Callable[[Row], Point] = _no_point
    together: Callable[[Rows], Iterable[Point | Excluded]] | None = None
    inner: Callable[[Row], Rows] | None = None
    files: tuple[str, ...] = ("*.json", "*.jsonl", "*.json.gz", "*.jsonl.gz")
    notes: tuple[str, ...] = ()
    predicted: bool = False
    origin: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Keys:
    """Which key of a flat result says what; latencies are means."""

    ttft: str = "mean_ttft_ms"
    tpot: str = "mean_tpot_ms"
    e2e: str = "mean_e2el_ms"
    tok_s: str = "output_throughput"
    concurrency: tuple[str, ...] = ("max_concurrency",)
    rate: str = "request_rate"
    completed: str = "completed"
    failed: str = "failed"
    sent: str = "num_prompts"
    input_tokens: str = "total_input_tokens"
    output_tokens: str = "total_output_tokens"
    ms: float = 1.0
    names: Mapping[str, str] = field(default_factory=dict)


def flat_point(row: Row, keys: Keys, tool: str, **fields: Any) -> Point:
    """The point of a flat result.

    Args:
        fields: fields of the point that the tool says elsewhere.

    Raises:
        ValueError: requests failed, the load is no number of requests in flight, or a figure
            cannot be.
    """
    completed = count_of(row, keys.completed)
    refuse_failures(_failed(row, keys), count_of(row, keys.sent) or completed)
    if completed == 0:
        raise ValueError("no request was completed")
    isl = fields.pop("isl", None) or _mean(row, keys.input_tokens, completed)
    osl = fields.pop("osl", None) or _mean(row, keys.output_tokens, completed)
    ttft = latency_ms(row, keys.ttft, keys.ms)
    tok_s = fields.pop("tok_s", None) or positive(row, keys.tok_s)
    tpot = None if osl is not None and osl <= 1 else _tpot_ms(row, keys, ttft, osl)
    if ttft is None and tpot is None and tok_s is None:
        raise ValueError(f"none of {keys.ttft}, {keys.tpot} and {keys.tok_s} is there")
    settings = {**settings_of(row), **fields.pop("settings", {})}
    concurrency, remarks = load_of(row, keys)
    return Point(
        **{
            "load": LoadLevel.concurrency(fields.pop("concurrency", None) or concurrency),
            "ttft_ms": ttft,
            "tpot_ms": tpot,
            "tok_s": tok_s,
            "isl": isl,
            "osl": osl,
            "gpus": occupied(settings),
            "settings": settings,
            "tool": tool,
            "originals": scalars(row),
            "remarks": (*remarks, *fields.pop("remarks", ())),
            **{name: word for name, key in keys.names.items() if (word := text_of(row, key))},
            **fields,
        }
    )


def load_of(row: Row, keys: Keys) -> tuple[int, tuple[str, ...]]:
    """Requests in flight, and what to know of them.

    Raises:
        ValueError: requests arrived at a rate, or nothing says how many were in flight.
    """
    given = next((row[key] for key in keys.concurrency if row.get(key) is not None), None)
    rate = row.get(keys.rate)
    arrives = rate is not None and str(rate).lower() not in ("inf", "infinity", "")
    if given is not None:
        concurrency = whole(keys.concurrency[0], given)
        if arrives:
            remark = f"requests arrived at {rate}/s, at the most {concurrency} of them in flight"
            return concurrency, (remark,)
        return concurrency, ()
    if arrives:
        raise ValueError(
            f"requests arrived at {rate}/s, without a limit: points here are of so many requests "
            f"in flight ({keys.concurrency[0]})"
        )
    sent = count_of(row, keys.sent) or count_of(row, keys.completed)
    if not sent:
        raise ValueError(f"{keys.concurrency[0]} is missing")
    return sent, (f"all {sent} requests were sent at once",)


def refuse_failures(failed: int | None, of: int | None) -> None:
    """Raises ValueError where requests failed: what is left flatters the engine."""
    if failed:
        some = f"{failed} of {of}" if of and of >= failed else str(failed)
        raise ValueError(f"{some} requests failed")


def count_of(row: Row, key: str) -> int | None:
    """A count of zero or more; None where it is not stated.

    Raises:
        ValueError: it is no count.
    """
    value = row.get(key)
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{key} is {value!r:.60} and no number") from None
    if not 0 <= number < 2**53 or number != int(number):
        raise ValueError(f"{key} is {value!r:.60} and no count")
    return int(number)


def positive(row: Row, key: str) -> float | None:
    """A figure above zero; None where it is not stated.

    Raises:
        ValueError: it is none.
    """
    value = row.get(key)
    return None if value is None or value == "" else figure(key, value)


def latency_ms(row: Row, key: str, to_ms: float) -> float | None:
    """A latency in ms; None where it is not stated; raises as `positive`."""
    value = positive(row, key)
    return None if value is None else value * to_ms


def text_of(row: Row, key: str) -> str | None:
    """A word; None where it is not stated."""
    value = row.get(key)
    return str(value) if isinstance(value, str | int | float) and str(value).strip() else None


def settings_of(row: Row, names: Mapping[str, str] = SETTINGS) -> dict[str, Any]:
    """`group.field` -> whole number, of an engine's own words."""
    found = {}
    for key, path in names.items():
        value = row.get(key.replace("_", "-"), row.get(key))
        number = str(value).strip() if not isinstance(value, bool) else ""
        if number.isdigit() and int(number[:9]) > 0 and len(number) < 10:
            found[path] = int(number)
    return found


def part(row: Any, *path: str) -> Any:
    """The value along keys of nested objects; None where one is missing."""
    for key in path:
        row = row.get(key) if isinstance(row, Mapping) else None
    return row


def scalars(row: Row) -> dict[str, Any]:
    """The object's own fields, without lists of every request."""
    return {key: value for key, value in row.items() if not isinstance(value, list | dict)}


def _failed(row: Row, keys: Keys) -> int | None:
    failed = count_of(row, keys.failed)
    if failed is not None:
        return failed
    if isinstance(row.get("errors"), list):
        return sum(bool(error) for error in row["errors"])
    sent, completed = count_of(row, keys.sent), count_of(row, keys.completed)
    return max(sent - completed, 0) if sent is not None and completed is not None else None


def _mean(row: Row, key: str, over: int | None) -> float | None:
    total = count_of(row, key)
    return total / over if total and over else None


def _tpot_ms(row: Row, keys: Keys, ttft: float | None, osl: float | None) -> float | None:
    if row.get(keys.tpot) not in (None, "", 0):
        return latency_ms(row, keys.tpot, keys.ms)
    e2e = latency_ms(row, keys.e2e, keys.ms)
    if e2e is None or ttft is None or osl is None:
        return None
    return tpot_from_e2e_ms(e2e, ttft, osl)
