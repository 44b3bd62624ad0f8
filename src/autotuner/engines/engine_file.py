"""An engine's file as a document: every key that it may have."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from autotuner.engines.deploy_file import DeployFile
from autotuner.engines.multi_node import MultiNodeFile
from autotuner.engines.requirements import RELATIONS
from autotuner.engines.rows import Render
from autotuner.engines.spec import HOST, PORT, FailureKind

_IMAGE = re.compile(r"[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*")
"""A repository of container images, with or without the host of its registry."""
_FOLDER = re.compile(r"[a-z0-9_]+")


class _Part(BaseModel):
    """A mapping of an engine's file: unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _is_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    return text


def _is_image(text: str) -> str:
    if not _IMAGE.fullmatch(text):
        raise ValueError(f"{text!r} is no image without a tag; write it like vllm/vllm-openai")
    return text


def _is_folder(text: str) -> str:
    if not _FOLDER.fullmatch(text):
        raise ValueError(f"{text!r} is no name of a folder: write small letters, digits and '_'")
    return text


def _binds(argv: tuple[str, ...]) -> tuple[str, ...]:
    for placeholder in (HOST, PORT):
        if sum(word.count(placeholder) for word in argv) != 1:
            raise ValueError(
                f'"{placeholder}" has to stand there once: the launcher says to what it binds'
            )
    return argv


class FlagRowFile(_Part):
    """How a field is expressed; `rows.FlagRow` has the meaning of each key."""

    flag: str | tuple[str, ...] = ()
    render: Render = "value"
    key: str | None = None
    json_flag: str = ""
    variable: str | None = None
    values: dict[str, Any] = Field(default_factory=dict)
    choices: tuple[Any, ...] = ()
    negated: str | None = None
    also: tuple[str, ...] = ()
    times: str | None = None
    over: str | None = None
    over_default: int = 1
    same_as: str | None = None
    successor: str | None = None
    repeats: str | None = None
    repeated: tuple[Any, ...] = ()
    repeated_plus: int = 0
    own: Literal["gemm", "moe"] | None = None
    one_or: tuple[str, ...] = ()
    needs: dict[str, Any] = Field(default_factory=dict)
    when: dict[Literal["model_is_moe", "whole_replicas"], bool] = Field(default_factory=dict)
    vendors: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    skip: tuple[Any, ...] = ()
    scale: int = 1
    whole: bool = False
    also_keys: dict[str, Any] = Field(default_factory=dict)
    fact_keys: dict[str, str] = Field(default_factory=dict)
    product: dict[str, str] = Field(default_factory=dict)
    note: str = ""


class UnsetFile(_Part):
    """A value taken on some GPUs; `unset.Unset` has the meaning of each key."""

    value: Any
    gpu_gib: float = 0.0
    but: tuple[str, ...] = ()


def _is_choice(value: Any) -> Any:
    for row in value if isinstance(value, list) else ():
        UnsetFile.model_validate(row)
    return value


ChoiceFile = Annotated[Any, AfterValidator(_is_choice)]
"""One value, or a list of `UnsetFile`."""


class WorkingFile(_Part):
    """Memory beside weights and KV cache; `catalog.Working` has the meaning of each key."""

    fixed_gib: float = 0.0
    tensor_gib: float = 0.0
    rank_gib: float = 0.0
    graphs_gib: float = 0.0
    graph_slot_mib: float = 0.0
    replica_slot_mib: float = 0.0
    token_mib: float = 0.0
    least_tokens: int = 0
    activations: float = 0.0
    logits: float = 0.0
    least_gib: float = 0.0
    least_above_gib: float = 0.0


class MemoryFile(_Part):
    """Memory of some versions; `catalog.MemoryUse` has the meaning of each key."""

    share: float | None = 1.0
    of_free: bool = False
    within: bool = False
    working: WorkingFile = WorkingFile()
    step: str = ""
    whole_prompts: bool = False
    holds_longest: bool = False
    stretches_context: bool = False
    windows: bool = False
    graph_slots: ChoiceFile = 0
    wide_graph_slots: ChoiceFile = Field(default_factory=list)
    source: str = ""
    since: str | None = None
    until: str | None = None


class SplitFile(_Part):
    """Ranks that matrices are split over; `split.SplitRanks` has the meaning of each key."""

    over: dict[str, str] = Field(default_factory=dict)
    whole_replicas: bool = False
    padded: tuple[str, ...] = ()
    merged_until: str | None = None
    source: str = ""


class InexpressibleFile(_Part):
    """A field that the engine has no flag for; `neutral` values say what it does anyway."""

    reason: str
    neutral: tuple[Any, ...] = ()


class RequirementFile(_Part):
    """A relation between settings; `requirements.Requirement` has the meaning of each key."""

    that: str | tuple[str, ...]
    at_least: Any = None
    at_most: Any = None
    multiple_of: Any = None
    equal: Any = None
    one_of: tuple[Any, ...] = ()
    none_of: tuple[Any, ...] = ()
    unset: bool = False
    set: bool = False
    when: dict[str, Any] = Field(default_factory=dict)
    only_set: bool = False
    why: str = ""
    instead: str = ""
    source: str = ""
    since: str | None = None
    until: str | None = None

    @model_validator(mode="after")
    def _has_one_relation(self) -> Self:
        found = self.model_fields_set & RELATIONS.keys()
        if len(found) != 1:
            known = ", ".join(RELATIONS)
            raise ValueError(f"a row has one relation ({known}), not {len(found)}")
        return self


class FailureFile(_Part):
    """A pattern of the engine's log, and the failure that it means."""

    pattern: Annotated[str, AfterValidator(_is_pattern)]
    kind: FailureKind
    explanation: str


class CpuSharesFile(_Part):
    """Shares of a CPU's peaks that the engine reaches; what is left out is every engine's."""

    bandwidth: float | None = None
    gemm: float | None = None
    attention: float | None = None
    experts: float | None = None
    kernel_us: float | None = None
    eager_us: float | None = None


Admission = Literal["growing", "whole"]


class SchedulerFile(_Part):
    """How the engine schedules where a candidate says nothing: what the roofline asks."""

    step_tokens: int
    """Tokens of a step at the most."""
    mixes: bool
    """Prompts and decoding sequences share a step; else prompts go first and decoding waits."""
    host_ms: float
    """Work between two steps that no kernel hides."""
    request_ms: float
    """HTTP, tokenising and queueing of a request."""
    eager_us: float = 25.0
    """An operator that the host launches on a GPU, where its step is not captured as a graph:
    PyTorch starts several kernels, of 5 to 10 us each, and the engine's own Python comes on top."""
    admits: Admission = "growing"
    """Whether a request runs once its prompt has room in the KV cache, and is computed again where
    its output finds none later, or only where its whole output has."""
    grows_under: tuple[str, ...] = ()
    """Values of scheduling.policy under which it is `growing` all the same."""
    micro_batch: int | None = None
    """Tokens computed together within a step where attention.chunked_prefill_size is not set; with
    it that field cuts the step, without it the field limits a step's tokens."""
    cpu: CpuSharesFile | None = None
    """On a CPU; without it the engine does not run there."""
    source: str = ""


class AiconfiguratorFile(_Part):
    """The engine among those whose kernels aiconfigurator has measured."""

    name: str
    """The engine's name in aiconfigurator."""
    shares_running_requests: bool = False
    """scheduling.max_running_requests is divided among attention ranks; else each has as many."""
    takes_served_length: bool = False
    """memory.max_model_len is asked too."""


class AISimulateFile(_Part):
    """The engine among those whose scheduler AISimulate simulates, by aiconfigurator's name."""

    block_tokens: int
    """Tokens of a block of the KV cache where nothing is set."""
    log_std: tuple[float, float, float]
    """Standard deviation of ln(measured / predicted) of TTFT, TPOT and throughput: 1.48 x the
    median absolute one over 3 rows of each model and device of the measured ones that
    aiconfigurator carries, throughput from the E2E latency."""
    options: dict[str, str] = Field(default_factory=dict)
    """Field -> option of a scheduler of its own that says the same. An engine without takes
    scheduling.max_num_batched_tokens as tokens of a step."""


class V1File(_Part):
    """The engine's name in version 1."""

    names: tuple[str, ...]
    """In a task's `base_runtime`; the first is the one that lists have."""
    order: int = 0
    """Where version 1's lists have it."""
    widths: dict[str, str] = Field(default_factory=dict)
    """Key of `parallel_config` that version 2 has no field for -> the flag that takes it."""
    presets: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Preset of `parallel_config` that had widths of its own here -> its keys."""
    formats: dict[str, dict[str, tuple[str, ...]]] = Field(default_factory=dict)
    """Key of `quant_config` -> value that version 2 has no word for -> the words that version 1
    passed for it; for all others it passed none."""


class FirstTaskFile(_Part):
    """Values that `autotuner init` offers of a setting, in place of those for every engine."""

    anywhere: dict[str, tuple[Any, ...]] = Field(default_factory=dict)
    on_cpu: dict[str, tuple[Any, ...]] = Field(default_factory=dict)
    on_gpu: dict[str, tuple[Any, ...]] = Field(default_factory=dict)


class EngineFile(_Part):
    """All that is particular to one engine."""

    name: str
    """The file's own name."""
    title: str
    """For people."""
    order: int | None = None
    """Where lists have it; without it last, by name."""
    version: str
    """The newest one that the file was checked against."""
    source: str
    """Documentation of its command line."""
    image: Annotated[str, AfterValidator(_is_image)] | None = None
    """Container image, without a tag."""
    health_path: str
    """Answers 200 once requests are served."""
    api_path: str
    """OpenAI-compatible completions."""
    chat_path: str | None = None
    """OpenAI-compatible chat completions, for the sample request; without it, there is none."""
    program: str
    """The program that starts it, looked for on PATH."""
    program_words: tuple[str, ...]
    """Words after it; `{model}` is filled in."""
    module: str
    """The module that starts it where it is installed for a Python: `python -m`."""
    module_words: tuple[str, ...]
    """Words after it; `{model}` is filled in."""
    packages: Annotated[tuple[str, ...], Field(min_length=1)]
    """Distributions that carry it; the first that is found gives the version."""
    model_format: Literal["gguf", "folder"]
    """Kind of models that it serves: a GGUF file, or a model folder and a hub's id."""
    argv: Annotated[tuple[str, ...], AfterValidator(_binds)]
    """Words of every launch; where it binds (`{host}`, `{port}`) and `{name}` are filled in."""
    nodes: MultiNodeFile | None = None
    """Without it, the engine starts on one node alone."""
    options_flag: str = ""
    """The flag that takes the options file, where there is one."""
    environment: tuple[str, ...] = ()
    """Variables that it reads, by name; `*` stands for anything."""
    device_variables: dict[str, dict[str, str]] = Field(default_factory=dict)
    """`system.gpu_type` -> variables of every launch there."""
    caches: dict[str, Annotated[str, AfterValidator(_is_folder)]] = Field(default_factory=dict)
    """Variable that says where it keeps what it compiles or tunes -> folder of it among the tuner's
    own, which is kept across launches."""
    compiling: tuple[Annotated[str, AfterValidator(_is_pattern)], ...] = ()
    """Regular expressions on lines of its log which say that requests wait for something to be
    compiled or tuned."""
    defaults: dict[str, Any] = Field(default_factory=dict)
    """Field -> what its flag says where the task is silent."""
    machine: dict[str, Literal["cpus"]] = Field(default_factory=dict)
    """Field -> what its flag says of the machine where the task is silent."""
    slots_share_context: bool = False
    """The context is cut into equal slots; elsewhere any request may use all of it."""
    memory: Annotated[tuple[MemoryFile, ...], BeforeValidator(_listed)]
    """GPU memory, by version: `share`, `of_free`, `within`, `working`, `holds_longest`, `windows`,
    `stretches_context`, `whole_prompts`, `graph_slots`, `step`."""
    unset: dict[str, ChoiceFile] = Field(default_factory=dict)
    """Field -> what it takes by itself where it is not set, by the GPU's memory."""
    split: SplitFile = SplitFile()
    """Over which ranks it splits which matrices."""
    scheduler: SchedulerFile | None = None
    """Without it the roofline does not know the engine."""
    aiconfigurator: AiconfiguratorFile | None = None
    """Without it aiconfigurator does not know the engine."""
    aisimulate: AISimulateFile | None = None
    """Without it AISimulate does not know the engine."""
    revision: FlagRowFile | None = None
    """How the revision of a hub's model is expressed; without it, it serves files only."""
    download_flags: tuple[str, ...] = ()
    """Flags by which it is given a hub's model that it downloads itself, in place of a file."""
    aliases: dict[str, str] = Field(default_factory=dict)
    """Other names of its flags."""
    flags: dict[str, Annotated[tuple[FlagRowFile, ...], BeforeValidator(_listed)]]
    """Field -> how it is expressed: a row, or rows of which the first that holds counts."""
    described: dict[str, str]
    """Field that describes the task and needs no flag -> why."""
    inexpressible: dict[str, InexpressibleFile] = Field(default_factory=dict)
    """Field that it has no flag for -> `reason`, and `neutral` values that change nothing."""
    requires: tuple[RequirementFile, ...] = ()
    """Checks that it makes when it starts."""
    reserved: tuple[str, ...]
    """Flags that the tuner sets itself; extra_args may not."""
    allowed_flags: tuple[str, ...] = ()
    """Flags that misc.extra_args of a task of the service may hold beside those of `flags`: each
    changes how the engine computes, and none reads or writes a file, loads code, opens a port,
    fetches an address or takes more GPUs."""
    failures: tuple[FailureFile, ...]
    """Regular expressions on the tail of its log, in order: `pattern`, `kind`, `explanation`."""
    names: tuple[str, ...] = ()
    """Names that results of load generators have for it, beside its own."""
    measured_by: tuple[str, ...] = ()
    """Tools of its own that measure nothing else."""
    v1: V1File | None = None
    """Its name in version 1, if it had one."""
    deploy: DeployFile = DeployFile()
    """How others deploy it."""
    first_task: FirstTaskFile = FirstTaskFile()
    """Field -> values that `autotuner init` offers, in place of those for every engine."""
