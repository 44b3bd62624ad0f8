"""Tasks and candidates: what to tune, in eight groups, validated.

In: a YAML or JSON document. Out: a frozen `TaskConfig`, or every problem with its field path.
Knows nothing of engines, models or hardware.
"""

from autotuner.config.accepted import UnfitError, accepted, as_bool, setting
from autotuner.config.axes import GROUP_NAMES, GroupAxes, axes_model
from autotuner.config.backends import BACKENDS, add_engine_folder, engine_files
from autotuner.config.benchmark import Benchmark
from autotuner.config.candidate import (
    EXPERT_WIDTHS,
    REPLICA_WIDTHS,
    Candidate,
    content_id,
    whole_replicas,
)
from autotuner.config.containers import DockerConfig
from autotuner.config.deployment import RayConfig, ReplayConfig
from autotuner.config.described_gpu import DescribedGpu, DescribedGpus
from autotuner.config.document import STORED, Document, nearest
from autotuner.config.extensions import PredictorName
from autotuner.config.fault_words import path_of, problems_in, problems_of
from autotuner.config.groups import GROUPS, flag_of
from autotuner.config.lengths import LengthDistribution
from autotuner.config.load import (
    load_document,
    load_task,
    parse_stored_task,
    parse_task,
)
from autotuner.config.load_level import (
    LoadKind,
    LoadLevel,
    TaskLoadLevel,
    closed_loops,
    format_levels,
    kind_of_levels,
    with_former_load,
)
from autotuner.config.optimization import Optimization
from autotuner.config.parse import DocumentError, parse_document
from autotuner.config.partial import PartialTask, parse_partly
from autotuner.config.slo import LATENCIES, NEEDS_TPOT, PERCENTILES, Latency, Slo
from autotuner.config.task import (
    AS_RECORDED,
    Combination,
    Model,
    PredictionConfig,
    PredictionMode,
    TaskConfig,
)

__all__ = [
    "AS_RECORDED",
    "BACKENDS",
    "EXPERT_WIDTHS",
    "GROUPS",
    "GROUP_NAMES",
    "LATENCIES",
    "NEEDS_TPOT",
    "PERCENTILES",
    "REPLICA_WIDTHS",
    "STORED",
    "Benchmark",
    "Candidate",
    "Combination",
    "DescribedGpu",
    "DescribedGpus",
    "DockerConfig",
    "Document",
    "DocumentError",
    "GroupAxes",
    "Latency",
    "LengthDistribution",
    "LoadKind",
    "LoadLevel",
    "Model",
    "Optimization",
    "PartialTask",
    "PredictionConfig",
    "PredictionMode",
    "PredictorName",
    "RayConfig",
    "ReplayConfig",
    "Slo",
    "TaskConfig",
    "TaskLoadLevel",
    "UnfitError",
    "accepted",
    "add_engine_folder",
    "as_bool",
    "axes_model",
    "closed_loops",
    "content_id",
    "engine_files",
    "flag_of",
    "format_levels",
    "kind_of_levels",
    "load_document",
    "load_task",
    "nearest",
    "parse_document",
    "parse_partly",
    "parse_stored_task",
    "parse_task",
    "path_of",
    "problems_in",
    "problems_of",
    "setting",
    "whole_replicas",
    "with_former_load",
]
