"""Where the time of a configuration goes, in words, for the terminal and the report."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from autotuner.report.points import settings_text, value_text
from autotuner.search.points import figure, percent
from autotuner.tuning.performance_views import (
    ChangeView,
    FigureChangeView,
    PartView,
    PerformanceView,
)

LATENCIES = {"ttft_ms": "TTFT", "tpot_ms": "TPOT"}
_LIMITS = {"overhead": "overheads of engine and launches"}
_MOST_LINES = 4
_FEWEST_LINES = 2
_LEAST_SHARE, _LONG_SHARE = 0.01, 0.1
ANSWERS_CHANGE = "check the answers: a narrower format rounds more"


def title(found: PerformanceView, axes: Collection[str]) -> str:
    """The point: task, candidate, load level."""
    where = found.name if found.task is None else f"task {found.task} '{found.name}'"
    settings = settings_text(found.settings, axes)
    return (
        f"{where}, candidate {found.candidate[:7]} {settings}".rstrip() + f" at {found.load.long}"
    )


def circumstances(found: PerformanceView) -> str:
    """Model, engine, device, lengths."""
    lengths = f"{found.isl:g} tokens in, {found.osl:g} out"
    return f"{found.model} on {found.engine}, {found.device}; {lengths}"


def origin(found: PerformanceView) -> str:
    """Whether the point was measured, and why it is this one."""
    figures = "measured" if found.measured else "predicted, not launched"
    return f"{figures}; {found.chosen}"


def limit_lines(found: PerformanceView) -> Iterator[str]:
    """A line for each latency, with what limits it."""
    for latency in found.latencies:
        limits = ", ".join(
            f"{_LIMITS.get(name, name)} {percent(share)}"
            for name, share in latency.limits.items()
            if share >= _LEAST_SHARE
        )
        yield f"{LATENCIES[latency.quantity]}: {limits}"


def reach_text(part: PartView) -> str:
    """The rate that a part reaches, learnt with its interval or assumed."""
    if part.confused_with:
        return f"{_learnt_text(part)} **"
    return _learnt_text(part) if part.learnt else f"{part.assumed} *"


def _learnt_text(part: PartView) -> str:
    rate = part.rate
    if rate is None:
        return f"{part.factor:.2g} x ({part.factor_low:.2g}-{part.factor_high:.2g}) the assumed"
    if rate.share is None or rate.share_low is None or rate.share_high is None:
        return f"{rate.value:.2g} ({rate.low:.2g}-{rate.high:.2g}) {rate.unit}"
    share, low, high = (100 * one for one in (rate.share, rate.share_low, rate.share_high))
    of = f"{rate.peak:.4g} {rate.unit}"
    return f"{share:.0f} % ({low:.0f}-{high:.0f}) of {of}{', doubtful' * rate.beyond_peak}"


def uncertain_lines(found: PerformanceView) -> Iterator[str]:
    """How sure the parts are: marks of the table, what no part explains, rates beyond the peak."""
    factor = max((part.factor_high for part in found.parts), default=1.0)
    if not found.launches:
        yield f"* assumed, nothing was learnt: each part may be off by a factor of {factor:.1f}"
    elif any(not part.learnt and not part.confused_with for part in found.parts):
        yield "* assumed: launches say little of it"
    for latency in found.latencies if found.measured else ():
        if not latency.learnt_low_ms <= latency.value_ms <= latency.learnt_high_ms:
            yield f"{LATENCIES[latency.quantity]}: the parts do not explain what was measured"
    long = [p for p in found.parts if max(p.ttft_share, p.tpot_share) >= _LONG_SHARE]
    pairs = {frozenset((part.what, part.confused_with[0])) for part in long if part.confused_with}
    for one, other in sorted(map(sorted, pairs)):
        yield f"** launches say the sum of {one} and {other}, and do not distinguish them"
    for part in long:
        if part.learnt and part.rate is not None and part.rate.beyond_peak:
            yield (
                f"{part.what}: launches ask for more than the peak, which is doubtful; "
                "less is done than assumed, or another part is off"
            )


def change_text(change: ChangeView) -> str:
    """The settings that are changed: `misc.threads 1 -> 2`, and on how many devices."""
    settings = ", ".join(
        f"{path} {_value(change.now.get(path))} -> {_value(value)}"
        for path, value in change.changes.items()
    )
    if change.gpus == change.gpus_now:
        return settings
    return f"{settings} ({change.gpus} GPUs in place of {change.gpus_now})"


def change_lines(change: ChangeView) -> Iterator[str]:
    """Lines that say what a change is expected to bring, and where it stands in the task."""
    rate = f"{change_of(change.tok_s)} tok/s"
    if change.gpus != change.gpus_now:
        per_gpu = change.tok_s_per_gpu
        rate += f"; per GPU {figure(per_gpu.before)} -> {figure(per_gpu.after)}"
    unclear = "" if change.clear or change.gpus < change.gpus_now else ", not a clear gain"
    yield f"{rate}{unclear}"
    latencies = [f"TTFT {change_of(change.ttft_ms)} ms"]
    if change.tpot_ms is not None:
        latencies.append(f"TPOT {change_of(change.tpot_ms)} ms")
    yield ", ".join(latencies)
    remarks = [f"less time for {', '.join(change.parts)}"] if change.parts else []
    if change.measured_tok_s is not None:
        measured = f"measured there: {figure(change.measured_tok_s)} tok/s"
        remarks.append(f"candidate {change.candidate[:7]} of the task, {measured}")
    elif change.in_task:
        remarks.append(f"candidate {change.candidate[:7]} of the task, not measured there")
    if any(path.startswith("quantization.") for path in change.changes):
        remarks.append(ANSWERS_CHANGE)
    if change.note:
        remarks.append(change.note)
    yield "; ".join(remarks)


def did_not_help_text(change: ChangeView) -> str:
    """A change that was expected to help, beside what was measured of it."""
    seen = figure(change.measured_tok_s or 0.0)
    instead = f"{seen} tok/s in place of {figure(change.tok_s.before)}"
    return f"{change_text(change)}: measured already, {instead}, though it was expected to help"


def change_of(change: FigureChangeView) -> str:
    """`12.1 -> 7.9 (6.8-9.2)`."""
    ends = f"{figure(change.low)}-{figure(change.high)}"
    return f"{figure(change.before)} -> {figure(change.after)} ({ends})"


def learnt_title(found: PerformanceView) -> str:
    """From how many launches the errors are learnt."""
    own = found.launches - found.earlier_launches
    launches = f"{own} launch{'' if own == 1 else 'es'}"
    if found.earlier_launches:
        launches += f" and {found.earlier_launches} of earlier tasks"
    peaks = "; peaks as calibrate-device measured them" if found.on_cpu else ""
    machine = f"the machine ({found.device}, {found.engine})"
    return f"What was learnt of {machine} from {launches} (80 % intervals{peaks})"


def learnt_lines(found: PerformanceView) -> list[str]:
    """The surest that was learnt: what differs from what was assumed, and else two others. Of what
    is doubtful, one."""
    sure = [one for one in found.machine if not one.doubtful]
    surprising = [one for one in sure if one.surprising]
    others = [one for one in sure if not one.surprising]
    doubtful = [one for one in found.machine if one.doubtful][:1]
    chosen = surprising[: _MOST_LINES - len(doubtful)]
    chosen += others[: max(_FEWEST_LINES - len(chosen), 0)]
    return [one.text for one in (*chosen, *doubtful)]


def _value(value: object) -> str:
    return "unset" if value is None else value_text(value)
