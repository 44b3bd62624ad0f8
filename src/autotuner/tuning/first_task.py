"""A first task for a model, devices and an engine: loads, axes and a budget that make sense.

In: what is to be served and where. Out: a task document as commented YAML. `OFFERS` is the table
of settings that a first search is about; what the engine has no words for, and values with which
no candidate is left, are not written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from autotuner.catalog import ResolvedModel, resolve_model
from autotuner.config import DescribedGpu, Model, TaskConfig, parse_task
from autotuner.engines import engine_named, engine_table
from autotuner.errors import AutotunerError, ConfigError
from autotuner.profiles import ProfileRegistry, TaskContext
from autotuner.tuning.prepare import Prepared, prepare

_MARGIN = 64
"""Tokens beside a request's own: those of the chat template, and that nothing is cut short."""
_STEP = 256
_LOADING_GIB_S = 0.1
"""GiB/s at which weights are read at least: a network disk's pace."""
_LEAST_READY_S = 300
_FEW = 8
"""Requests decoded together up to which every doubling is a load level; above, every fourfold."""
_SEQUENCES = "scheduling.max_running_requests"


@dataclass(frozen=True)
class Asked:
    """Purpose of a first task.

    Attributes:
        engine: name of the engine.
        gpu: name in the catalog, or "cpu".
        gpus: how many there are; 0 on a CPU.
        isl, osl: tokens of a request.
        slo: name of a limit -> ms.
        cores: that engines on this CPU may use.
        described: GPUs that the home describes, by name.
    """

    name: str
    model: Model
    engine: str
    gpu: str
    gpus: int
    isl: int
    osl: int
    slo: Mapping[str, float]
    cores: int
    described: Mapping[str, DescribedGpu] = field(default_factory=dict)

    @property
    def on_cpu(self) -> bool:
        """Whether there is no GPU."""
        return self.gpus == 0


@dataclass(frozen=True)
class _Offer:
    """Values of one setting for a first search; a single one is fixed, none leaves it out.

    What an engine's file says of the setting (`first_task`) stands in place of them.
    """

    path: str
    why: str
    values: Callable[[Asked, TaskContext], Sequence[Any]]


def _powers(most: int) -> list[int]:
    return [1 << n for n in range(most.bit_length()) if 1 << n <= most]


def _widths(asked: Asked, _: TaskContext) -> list[int]:
    return _powers(asked.gpus) if asked.gpus > 1 else []


def _experts(asked: Asked, context: TaskContext) -> list[int]:
    return [1, *_powers(asked.gpus)[-1:]] if asked.gpus > 1 and context.model_is_moe else []


def _weights(asked: Asked, context: TaskContext) -> list[str]:
    if asked.on_cpu or context.model_is_quantized is not False:
        return []
    return ["bfloat16", "fp8"] if context.supports("fp8") else []


def _cache(asked: Asked, context: TaskContext) -> list[str]:
    return ["bfloat16", "fp8"] if not asked.on_cpu and context.supports("fp8") else []


def _length(asked: Asked, context: TaskContext) -> list[int]:
    longest = asked.isl + asked.osl
    wanted = -(-(longest + _MARGIN) // _STEP) * _STEP
    context_length = context.model_facts.context_length
    return [wanted if context_length is None else max(min(wanted, context_length), longest)]


def _sequences(asked: Asked, _: TaskContext) -> list[int]:
    return [4, 16] if asked.on_cpu else [64, 256]


def _step_tokens(asked: Asked, _: TaskContext) -> list[int]:
    small, large = (512, 2048) if asked.on_cpu else (2048, 8192)
    whole_prompt = -(-(asked.isl + _MARGIN) // _STEP) * _STEP
    return sorted({max(small, min(whole_prompt, large)), max(large, whole_prompt)})


def _threads(asked: Asked, _: TaskContext) -> list[int]:
    counts = "misc.threads" in engine_table(asked.engine).machine
    if not counts or not asked.on_cpu:
        return []
    return sorted({max(asked.cores // 2, 1), asked.cores})


def _none(_: Asked, __: TaskContext) -> list[Any]:
    """Nothing, but where an engine's file says otherwise."""
    return []


OFFERS = (
    _Offer("parallel.tensor_parallel", "GPUs that share each layer", _widths),
    _Offer("parallel.data_parallel", "replicas of the attention layers", _widths),
    _Offer("parallel.moe_expert_parallel", "GPUs over which whole experts are spread", _experts),
    _Offer("quantization.gemm_mode", "number format of the weights", _weights),
    _Offer("quantization.kvcache_mode", "number format of the KV cache", _cache),
    _Offer("memory.max_model_len", "longest request, tokens", _length),
    _Offer(_SEQUENCES, "requests decoded together", _sequences),
    _Offer("scheduling.max_num_batched_tokens", "tokens of a step at the most", _step_tokens),
    _Offer("attention.chunked_prefill_size", "tokens of a prompt in a step", _none),
    _Offer("attention.backend", "needed for a quantised KV cache", _none),
    _Offer("misc.threads", "CPU threads", _threads),
    _Offer("misc.dtype", "the CPU's format", _none),
    _Offer("misc.cuda_graph", "there is no GPU", _none),
    _Offer("misc.torch_compile", "starts sooner", _none),
)


@dataclass(frozen=True)
class FirstTask:
    """A task that was drafted: its text, and what it prepares to."""

    text: str
    prepared: Prepared


def first_task(asked: Asked, *, base: Path, registry: ProfileRegistry) -> FirstTask:
    """Drafts a task and leaves out the values with which no candidate is left.

    Args:
        base: the folder that the task will lie in.

    Raises:
        AutotunerError: the model cannot be used with this engine, or does not fit the devices;
            says why.
    """
    model = resolve_model(asked.model, base=base)
    offered = _offered(asked, model)
    prepared = _prepared(asked, model, offered, base, registry)
    candidates = prepared.space.candidates
    kept = {
        path: [v for v in values if any(c.get(path) == v for c in candidates)] or values[:1]
        for path, values in offered.items()
    }
    if kept != offered:
        prepared = _prepared(asked, model, kept, base, registry)
    return FirstTask(_text(asked, model, kept, offered), prepared)


def _offered(asked: Asked, model: ResolvedModel) -> dict[str, list[Any]]:
    engine = engine_named(asked.engine)
    context = TaskContext(
        model=model.name,
        runtime=engine.name,
        gpu_type=asked.gpu,
        total_gpus=asked.gpus,
        facts=model.facts,
        isl=asked.isl,
        osl=asked.osl,
        described=asked.described,
    )
    widest = {"parallel.tensor_parallel": asked.gpus} if asked.gpus > 1 else {}
    own = engine.table.file.first_task
    theirs = {**own.anywhere, **(own.on_cpu if asked.on_cpu else own.on_gpu)}
    found = {}
    for offer in OFFERS:
        own_values = theirs.get(offer.path)
        offered = offer.values(asked, context) if own_values is None else own_values
        values = [
            value
            for value in offered
            if not engine.refuses(
                widest | {offer.path: value}, offer.path, model, engine.table.version
            )
        ]
        if values:
            found[offer.path] = values
    return found


def _prepared(
    asked: Asked,
    model: ResolvedModel,
    settings: Mapping[str, list[Any]],
    base: Path,
    registry: ProfileRegistry,
) -> Prepared:
    try:
        document = yaml.safe_load(_text(asked, model, settings, settings))
        task: TaskConfig = parse_task(document, source="the drafted task")
        if asked.gpu in asked.described:
            # As every command does with a task of this home.
            task = task.model_copy(update={"gpus": {asked.gpu: asked.described[asked.gpu]}})
        return prepare(task, base=base, source="the drafted task", registry=registry)
    except AutotunerError as error:
        devices = "this CPU" if asked.on_cpu else f"{asked.gpus} x {asked.gpu}"
        raise AutotunerError(
            f"no task can be drafted for {model.name} with {asked.engine} on {devices}: "
            f"{_least(error)}",
            remedy=error.remedy or "give another --model, --engine, --gpu or --gpus",
        ) from None


def _least(error: AutotunerError) -> str:
    """Reason against the candidate that needs least; all are refused, and one reason is enough."""
    return error.problems[-1].message if isinstance(error, ConfigError) else error.message


def _text(
    asked: Asked,
    model: ResolvedModel,
    settings: Mapping[str, list[Any]],
    offered: Mapping[str, list[Any]],
) -> str:
    """The task as YAML, each setting with what it is."""
    key = "id" if asked.model.path is None else "path"
    devices = f"this machine's CPU ({asked.cores} cores)"
    if not asked.on_cpu:
        devices = f"{asked.gpus} x {asked.gpu}"
    lines = [
        f"# {model.name} on {asked.engine}, {devices}.",
        "# Written by `autotuner init`, yours to change.",
        "# A value is fixed, a list is searched; docs/configuration.md has every field.",
        "#   autotuner plan FILE    what would be launched, and what to expect of it",
        "#   autotuner tune FILE    launch and measure; Ctrl-C stops, the same command goes on",
        "version: 2",
        f"name: {_yaml(asked.name)}",
        f"model: {{{key}: {_yaml(asked.model.id or asked.model.path)}}}",
        "",
        "# One request: tokens in, tokens out. Everything is measured with requests of this size.",
        f"runtime: {{isl: {asked.isl}, osl: {asked.osl}}}",
        "",
        "system:",
        f"  backend: {asked.engine}",
        f"  gpu_type: {asked.gpu}",
    ]
    if not asked.on_cpu:
        lines.append(_line(f"  total_gpus: {asked.gpus}", "a candidate takes these or fewer"))
        lines.append(_line("  # price_per_gpu_hour: 3.0", "USD, for costs and a budget in usd"))
    whys = {offer.path: offer.why for offer in OFFERS}
    group = ""
    for path, values in settings.items():
        owner, _, field = path.partition(".")
        if owner != group:
            lines += ["", f"{owner}:"]
            group = owner
        shown = values[0] if len(values) == 1 else values
        dropped = [value for value in offered[path] if value not in values]
        why = whys[path] + (f"; {_yaml(dropped)} would not run here" if dropped else "")
        lines.append(_line(f"  {field}: {_yaml(shown)}", f"{why}"))
    most = max(offered.get(_SEQUENCES, [1]))
    return "\n".join([*lines, *_measuring(asked, model, most), ""])


def _measuring(asked: Asked, model: ResolvedModel, most: int) -> list[str]:
    """Budget, limits, and load levels up to the `most` requests that are decoded together."""
    levels = [n for n in _powers(most) if most <= _FEW or n.bit_length() % 2]
    requests, seconds, launches = (12, 20, 7) if asked.on_cpu else (200, 60, 12)
    weights = model.facts.weights_gib() or 0.0
    ready_s = max(_LEAST_READY_S, int(-(-weights // (_LOADING_GIB_S * 60))) * 60)
    limits = [f"  {name}: {_yaml(value)}" for name, value in asked.slo.items()]
    return [
        "",
        "optimization:",
        "  strategy: auto                  # picks one and says why",
        "  objectives: [tok_s_per_gpu, tok_s_per_user]",
        _line(f"  budget: {{experiments: {launches}}}", "engine starts; also: minutes, usd"),
        "",
        "benchmark:",
        _line(f"  concurrency: {levels}", "requests in flight, a load level each"),
        f"  requests_per_level: {requests}",
        _line(f"  duration_per_level_s: {seconds}", "a level ends at whichever comes first"),
        _line(f"  ready_timeout_s: {ready_s}", "an engine not ready by then has failed"),
        "",
        "# The recommended point has the most throughput within these limits (ms).",
        *(["slo:", *limits] if limits else ["# slo: {ttft_ms: 1000, tpot_ms: 50}"]),
    ]


def _line(setting: str, comment: str) -> str:
    return f"{setting:<33} # {comment}"


def _yaml(value: Any) -> str:
    """A value on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=1 << 20, allow_unicode=True)
    return text.removesuffix("...\n").strip()
