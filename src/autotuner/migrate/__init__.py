"""Other forms of a task as ours, and what ours found in the predecessor's (v1) shapes and units.

In: v1's documents and rows, engines' command lines. Out: v2 tasks, and v1's answers. Pure, but for
`mirror`, which keeps v1's rows of a task that runs. Knows nothing of HTTP.
"""

from autotuner.migrate.command_line import groups_of_command, task_of_command, translate_command
from autotuner.migrate.convert import Converted, TextFormat, convert
from autotuner.migrate.draft import Done, Note, Translation, TriedValue
from autotuner.migrate.metrics import v1_metrics
from autotuner.migrate.mirror import mirror, v1_document
from autotuner.migrate.results import V1Experiment, V1Results, v1_parameters, v1_results
from autotuner.migrate.scenarios import translate_scenarios
from autotuner.migrate.scores import Score, failure_score, v1_score
from autotuner.migrate.translate import refused_mode, translate_task
from autotuner.migrate.v1_words import in_v1_words

__all__ = [
    "Converted",
    "Done",
    "Note",
    "Score",
    "TextFormat",
    "Translation",
    "TriedValue",
    "V1Experiment",
    "V1Results",
    "convert",
    "failure_score",
    "groups_of_command",
    "in_v1_words",
    "mirror",
    "refused_mode",
    "task_of_command",
    "translate_command",
    "translate_scenarios",
    "translate_task",
    "v1_document",
    "v1_metrics",
    "v1_parameters",
    "v1_results",
    "v1_score",
]
