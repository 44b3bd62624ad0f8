"""Engines as tables: which flag says which field, and how a failed start is recognised.

In: a `Candidate`. Out: a `LaunchSpec`, the exact command line. Knows nothing of search or storage.
"""

from autotuner.catalog import MemoryUse
from autotuner.engines.command_line import options_file, parse_command
from autotuner.engines.command_parts import CommandParts, command_parts
from autotuner.engines.command_secrets import secrets_as_variables
from autotuner.engines.command_words import starts_engine
from autotuner.engines.deploy_file import DeployFile
from autotuner.engines.engine import MODEL, Engine, Installation
from autotuner.engines.engine_file import (
    Admission,
    AiconfiguratorFile,
    AISimulateFile,
    EngineFile,
    SchedulerFile,
)
from autotuner.engines.multi_node import nodes_for
from autotuner.engines.parsed_command import CommandNote, ParsedCommand
from autotuner.engines.registry import (
    DEFAULT_ENGINE,
    ENGINES,
    engine_called,
    engine_measured_by,
    engine_named,
    v1_engines,
)
from autotuner.engines.requirements import (
    ABOVE_ONE,
    ABOVE_ZERO,
    QUANTITIES,
    RELATIONS,
    SET,
    Requirement,
    one_node,
    requirement_from,
)
from autotuner.engines.rows import NOTHING, FlagRow, LaunchFragment, checked_version
from autotuner.engines.sample_request import sample_request
from autotuner.engines.spec import (
    DEFAULT_HOST,
    DEFAULT_PORT,
    HOST,
    PORT,
    FailureKind,
    FailurePattern,
    LaunchSpec,
    Mount,
)
from autotuner.engines.split import ALL, TENSOR, SplitRanks
from autotuner.engines.table import (
    FIELDS,
    EngineTable,
    FieldMapping,
    checked_engine,
    engine_table,
)

__all__ = [
    "ABOVE_ONE",
    "ABOVE_ZERO",
    "ALL",
    "DEFAULT_ENGINE",
    "DEFAULT_HOST",
    "DEFAULT_PORT",
    "ENGINES",
    "FIELDS",
    "HOST",
    "MODEL",
    "NOTHING",
    "PORT",
    "QUANTITIES",
    "RELATIONS",
    "SET",
    "TENSOR",
    "AISimulateFile",
    "Admission",
    "AiconfiguratorFile",
    "CommandNote",
    "CommandParts",
    "DeployFile",
    "Engine",
    "EngineFile",
    "EngineTable",
    "FailureKind",
    "FailurePattern",
    "FieldMapping",
    "FlagRow",
    "Installation",
    "LaunchFragment",
    "LaunchSpec",
    "MemoryUse",
    "Mount",
    "ParsedCommand",
    "Requirement",
    "SchedulerFile",
    "SplitRanks",
    "checked_engine",
    "checked_version",
    "command_parts",
    "engine_called",
    "engine_measured_by",
    "engine_named",
    "engine_table",
    "nodes_for",
    "one_node",
    "options_file",
    "parse_command",
    "requirement_from",
    "sample_request",
    "secrets_as_variables",
    "starts_engine",
    "v1_engines",
]
