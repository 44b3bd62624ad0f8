"""From a candidate to what aiconfigurator is asked. Pure: a table, and the arithmetic around it.

aiconfigurator's words: `batch_size` counts the requests of one attention-data-parallel rank and
pipeline stage, so requests in flight = batch_size x attention_dp_size x pp_size; an MoE layer
spans moe_tp_size x moe_ep_size = tp_size x attention_dp_size ranks.

Our models, GPUs, engines and versions under aiconfigurator's names.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from autotuner.catalog import ModelFacts, known_model
from autotuner.config import BACKENDS, GROUPS, Candidate
from autotuner.engines import AiconfiguratorFile, engine_table
from autotuner.predict.aiconfigurator.answers import Mode
from autotuner.predict.aiconfigurator.installation import (
    PACKAGE,
    installed_version,
    known_names,
    known_systems,
)
from autotuner.predict.predictor import Scenario

DRAFT_ACCEPTANCE = 0.85
"""Share of drafted tokens that the model accepts: the lower end of what DeepSeek-V3's report
states for its MTP layer (arXiv 2412.19437, 5.4.3). aiconfigurator assumes none of its own."""

ARGUMENTS = {
    "parallel.tensor_parallel": "tp_size",
    "parallel.pipeline_parallel": "pp_size",
    "quantization.gemm_mode": "gemm_quant_mode",
    "quantization.kvcache_mode": "kvcache_quant_mode",
    "quantization.fmha_mode": "fmha_quant_mode",
    "quantization.moe_mode": "moe_quant_mode",
    "quantization.comm_mode": "comm_quant_mode",
    "memory.mem_fraction_static": "free_gpu_memory_fraction",
}
"""Fields that an argument says as they are; left out where the candidate leaves them out."""

_DERIVED = (
    *("runtime.isl", "runtime.osl", "runtime.prefix", "runtime.nextn"),
    *("system.gpu_type", "system.backend", "system.backend_version", "system.serving_mode"),
    *("parallel.data_parallel", "parallel.expert_parallel"),
    *("parallel.moe_tensor_parallel", "parallel.moe_expert_parallel"),
    *("memory.max_total_tokens", "memory.max_model_len"),
    *("scheduling.max_running_requests", "scheduling.max_num_batched_tokens"),
    *("scheduling.receive_interval", "attention.chunked_prefill_size"),
    *("attention.enable_chunked_prefill", "attention.enable_prefix_caching"),
)
IGNORED_FIELDS = tuple(
    path
    for group, model in GROUPS.items()
    for path in (f"{group}.{field}" for field in model.model_fields)
    if path not in ARGUMENTS and path not in _DERIVED
)
"""Fields that change nothing in a prediction: candidates that differ in these only get the same."""

_KV_FORMATS = {
    "bfloat16": "bfloat16",
    "float16": "bfloat16",
    "int8": "int8",
    "fp8": "fp8",
    "fp8_e5m2": "fp8",
}
"""Our formats of the KV cache -> its own; the other ones are llama.cpp's."""


class UnaskableError(Exception):
    """Why a candidate has no counterpart among aiconfigurator's arguments."""


def asked_engines() -> tuple[str, ...]:
    """Engines whose kernels it has measured, by their files."""
    return tuple(name for name in BACKENDS if engine_table(name).file.aiconfigurator)


def _asked_engine(scenario: Scenario) -> AiconfiguratorFile:
    found = engine_table(scenario.engine).file.aiconfigurator
    if found is None:
        raise UnaskableError(f"aiconfigurator does not know the engine {scenario.engine}")
    return found


@dataclass(frozen=True)
class Layout:
    """All that is asked but the batch size. Named as the arguments of its `cli_estimate`.

    Attributes:
        model_path: a name of its own, or one of our registry whose configuration it is given.
        backend_version: as the candidate's engine has it; None is the newest.
        ctx_tokens: prompt tokens of one step.
        nextn_accepted: drafted tokens that are accepted per step; None without drafting.
    """

    model_path: str
    system_name: str
    backend_name: str
    backend_version: str | None
    isl: int
    osl: int
    prefix: int
    ctx_tokens: int
    tp_size: int
    pp_size: int
    attention_dp_size: int
    moe_tp_size: int | None
    moe_ep_size: int | None
    gemm_quant_mode: str | None
    kvcache_quant_mode: str | None
    fmha_quant_mode: str | None
    moe_quant_mode: str | None
    comm_quant_mode: str | None
    free_gpu_memory_fraction: float | None
    max_seq_len: int | None
    nextn: int
    nextn_accepted: float | None

    def in_own_formats(self) -> Layout:
        """The same with the weights as the checkpoint holds them."""
        return dataclasses.replace(self, gemm_quant_mode=None, moe_quant_mode=None)


@dataclass(frozen=True)
class Question:
    """A candidate in aiconfigurator's terms.

    Attributes:
        replicas: independent copies of the layout, each with its share of the requests.
        slots: requests that one replica serves at a time at the most; None is no limit.
        checkpoint_decides: the checkpoint is quantised already, in other formats than asked.
    """

    layout: Layout
    replicas: int
    slots: int | None
    checkpoint_decides: bool

    def in_flight(self, concurrency: int) -> float:
        """Requests of one replica, served and waiting."""
        return max(concurrency / self.replicas, 1.0)

    def batch(self, concurrency: int) -> int:
        """`batch_size` of the requests that are served at a time."""
        served = self.in_flight(concurrency)
        if self.slots is not None:
            served = min(served, self.slots)
        return math.ceil(served / self.requests_per_batch)

    @property
    def requests_per_batch(self) -> int:
        """Requests in flight for each of `batch_size`."""
        return self.layout.attention_dp_size * self.layout.pp_size


def question(candidate: Candidate, scenario: Scenario, model: str, system: str) -> Question:
    """The questions about a candidate.

    Raises:
        UnaskableError: its parallel widths do not fit together, or a format is unknown.
    """
    facts, value = scenario.facts, scenario.value
    data = scenario.width(candidate, "data_parallel")
    shares = scenario.shares_experts(candidate)
    attention_dp = data if shares else 1
    moe_tp, moe_ep = _expert_widths(candidate, scenario, attention_dp)
    nextn = int(value(candidate, "runtime.nextn") or 0)
    engine = _asked_engine(scenario)
    longest = value(candidate, "memory.max_model_len") if engine.takes_served_length else None
    asked = {name: value(candidate, path) for path, name in ARGUMENTS.items()}
    kv_format = asked["kvcache_quant_mode"]
    if kv_format is not None:
        if kv_format not in _KV_FORMATS:
            raise UnaskableError(f"no kernel was measured with a KV cache in {kv_format}")
        asked["kvcache_quant_mode"] = _KV_FORMATS[kv_format]
    isl, osl = round(scenario.isl), round(scenario.osl)
    caching = value(candidate, "attention.enable_prefix_caching")
    layout = Layout(
        model_path=model,
        system_name=system,
        backend_name=engine.name,
        backend_version=scenario.engine_version,
        isl=isl,
        osl=osl,
        # Of a prompt that is cached whole, engines compute the last token again.
        prefix=0 if caching is False else min(round(scenario.prefix), isl - 1),
        ctx_tokens=_prompt_tokens_of_a_step(candidate, scenario),
        attention_dp_size=attention_dp,
        moe_tp_size=moe_tp,
        moe_ep_size=moe_ep,
        max_seq_len=longest,
        nextn=nextn,
        nextn_accepted=accepted_tokens(nextn) if nextn else None,
        **asked | {"tp_size": asked["tp_size"] or 1, "pp_size": asked["pp_size"] or 1},
    )
    decides = _is_quantised(facts) and (
        layout.gemm_quant_mode not in (None, facts.gemm_format)
        or layout.moe_quant_mode not in (None, facts.moe_format)
    )
    slots = _slots(candidate, scenario, attention_dp)
    return Question(layout, 1 if shares else data, slots, decides)


def accepted_tokens(drafted: int) -> float:
    """Mean of the drafted tokens that are accepted, where the first refused one ends them.

    a + a^2 + ... + a^drafted with the acceptance a: equation 1 of Leviathan et al., "Fast Inference
    from Transformers via Speculative Decoding", ICML 2023, without the token that always comes.
    """
    return math.fsum(DRAFT_ACCEPTANCE**place for place in range(1, drafted + 1))


def _expert_widths(
    candidate: Candidate, scenario: Scenario, attention_dp: int
) -> tuple[int | None, int | None]:
    """`moe_tp_size` and `moe_ep_size`; experts are sliced over all ranks where nothing is said."""
    if not scenario.facts.is_moe:
        return None, None
    ranks = scenario.width(candidate, "tensor_parallel") * attention_dp
    sliced = scenario.value(candidate, "parallel.moe_tensor_parallel")
    spread = scenario.value(candidate, "parallel.moe_expert_parallel")
    spread = spread or scenario.value(candidate, "parallel.expert_parallel")
    if spread is None:
        spread = ranks // sliced if sliced else 1
    if sliced is None:
        sliced = ranks // spread
    if sliced * spread != ranks:
        raise UnaskableError(
            f"moe_tensor_parallel x moe_expert_parallel ({sliced} x {spread}) is not "
            f"tensor x data parallel ({ranks})"
        )
    return int(sliced), int(spread)


def _prompt_tokens_of_a_step(candidate: Candidate, scenario: Scenario) -> int:
    """Tokens of a prompt that one step takes at the most.

    Where a step may hold more than a prompt, one prompt is what it usually holds: requests end, and
    are followed by others, one by one. (On the measured rows that aiconfigurator carries this
    assumption has a median error of TTFT of 46 %, filling steps of 8192 tokens one of 64 %.)
    """
    isl = round(scenario.isl)
    if scenario.value(candidate, "attention.enable_chunked_prefill") is False:
        return isl
    paths = ("scheduling.max_num_batched_tokens", "attention.chunked_prefill_size")
    limits = (scenario.value(candidate, path) for path in paths)
    return min([isl, *(int(limit) for limit in limits if limit is not None)])


def _slots(candidate: Candidate, scenario: Scenario, attention_dp: int) -> int | None:
    """Requests that one replica serves at a time, by its own limits on sequences and tokens."""
    limits = []
    shares = _asked_engine(scenario).shares_running_requests
    running = scenario.value(candidate, "scheduling.max_running_requests")
    if running is not None:
        limits.append(running * (1 if shares else attention_dp))
    tokens = scenario.value(candidate, "memory.max_total_tokens")
    if tokens is not None:
        limits.append(int(tokens // (scenario.isl + scenario.osl)) * attention_dp)
    return max(min(limits), 1) if limits else None


def _is_quantised(facts: ModelFacts) -> bool:
    own = (facts.gemm_format, facts.moe_format)
    return facts.quantization is not None or any(form not in (None, "bfloat16") for form in own)


def model_name(scenario: Scenario) -> str | None:
    """The first of the model's names that it knows, else ours where we know its configuration."""
    known = known_model(scenario.model)
    names = (scenario.model, *(known.names if known else ()))
    found = next((name for name in names if name in known_names()), None)
    return known.id if found is None and known and known.config else found


def system_name(scenario: Scenario) -> str | None:
    """Its name of the GPU."""
    names = (scenario.gpu.name, *scenario.gpu.aliases)
    return next((name for name in names if name in known_systems()), None)


def problem(scenario: Scenario) -> str | None:
    """Why it cannot be asked about the scenario; None where it can."""
    engines = asked_engines()
    if scenario.engine not in engines:
        return f"aiconfigurator does not know the engine {scenario.engine}, but {_all(engines)}"
    if system_name(scenario) is None:
        systems = _all(known_systems())
        return f"aiconfigurator does not know the device {scenario.gpu.name}, but {systems}"
    if model_name(scenario) is None:
        close = difflib.get_close_matches(scenario.model, known_names(), n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        return f"aiconfigurator does not know the model {scenario.model!r}{hint}"
    if scenario.osl < 2:
        return "aiconfigurator has no TPOT for a single output token"
    return None


def asked_names(scenario: Scenario) -> tuple[str, str]:
    """Its names of model and system.

    Raises:
        UnaskableError: it knows none.
    """
    model, system, why = model_name(scenario), system_name(scenario), problem(scenario)
    if why or model is None or system is None:
        raise UnaskableError(f"{why}; the roofline predictor answers for any")
    return model, system


def nearest_version(wanted: str | None, known: Sequence[str]) -> str | None:
    """The newest version that is not newer than `wanted`, else the oldest; the first for None."""
    if wanted is None or not known:
        return next(iter(known), None)
    older = [version for version in known if _version_key(version) <= _version_key(wanted)]
    return max(older, key=_version_key) if older else min(known, key=_version_key)


def _version_key(version: str) -> tuple[int, ...]:
    """Orders `1.3.0rc20` after `1.3.0rc9` and before `1.3.0`."""
    release, candidate, number = version.partition("rc")
    numbers = [int(part) for part in re.findall(r"\d+", release)][:3]
    padded = (*numbers, 0, 0, 0)[:3]
    pre = int(re.findall(r"\d+", number)[0]) if re.search(r"\d", number) else 0
    return (*padded, 0 if candidate else 1, pre)


def source(scenario: Scenario, version: str, mode: Mode) -> str:
    """The data that an answer stands on, as `Prediction.source` names it."""
    asked = scenario.engine_version
    instead = "" if asked in (None, version) else f", the nearest to {asked}"
    kernels = f"{scenario.engine} {version} on {scenario.gpu.name}{instead}"
    return f"{PACKAGE} {installed_version()} {mode}: {kernels}"


def _all(names: frozenset[str] | tuple[str, ...]) -> str:
    return ", ".join(sorted(names))
