"""The engine of a point as files of other tools: what a user deploys after tuning.

In: a task's summary and what is asked for. Out: files in a format of `FORMATS`, each flag of the
measured launch in them. Pure: nothing is started and no cluster is asked.
"""

from autotuner.deploy.chosen_point import chosen_point, exportable_points, point_name
from autotuner.deploy.deployed_engine import DeployedEngine, DeployFileText
from autotuner.deploy.format import DeployFormat
from autotuner.deploy.from_summary import deployed_engine
from autotuner.deploy.launch_source import LaunchSource, is_predicted, predicted_sources
from autotuner.deploy.registry import FORMATS, FormatFit, format_fits, format_named
from autotuner.deploy.wishes import MOST_REPLICAS, ExportWishes, sized_wishes

__all__ = [
    "FORMATS",
    "MOST_REPLICAS",
    "DeployFileText",
    "DeployFormat",
    "DeployedEngine",
    "ExportWishes",
    "FormatFit",
    "LaunchSource",
    "chosen_point",
    "deployed_engine",
    "exportable_points",
    "format_fits",
    "format_named",
    "is_predicted",
    "point_name",
    "predicted_sources",
    "sized_wishes",
]
